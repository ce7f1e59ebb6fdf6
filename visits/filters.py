"""How visits and reminders are narrowed down: one FilterSet each for the page and the API."""

from __future__ import annotations

from datetime import date

import django_filters
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_filters.rest_framework import FilterSet

from crm.lib.days import day_bounds
from crm.lib.forms import DayInput
from customers.filters import OwnerFilter, TeamFilter, people_in_sight
from customers.models import Customer, Tier
from visits.models import (
    OccasionCode,
    Reminder,
    ReminderQuerySet,
    Visit,
    VisitQuerySet,
    VisitStatus,
)


class VisitFilter(FilterSet):
    """Days are whole days in the company's time zone, both inclusive."""

    q = django_filters.CharFilter(method="search_words", label=_("Search"))
    customer = django_filters.NumberFilter(label=_("Customer"))
    scheduled_from = django_filters.DateFilter(
        method="from_day", label=_("From"), widget=DayInput()
    )
    scheduled_to = django_filters.DateFilter(method="to_day", label=_("To"), widget=DayInput())
    status = django_filters.ChoiceFilter(
        choices=VisitStatus.choices, label=_("Status"), empty_label=_("any")
    )
    rep = django_filters.ModelChoiceFilter(
        queryset=people_in_sight, to_field_name="username", label=_("Rep"), empty_label=_("any")
    )
    team = TeamFilter("rep__team")
    client_id = django_filters.UUIDFilter(label=_("Number on the device"))

    class Meta:
        model = Visit
        fields: list[str] = []

    def search_words(self, visits: VisitQuerySet, name: str, words: str) -> VisitQuerySet:
        return visits.named_like(words)

    def from_day(self, visits: VisitQuerySet, name: str, first: date) -> VisitQuerySet:
        return visits.filter(scheduled_for__gte=day_bounds(first, first)[0])

    def to_day(self, visits: VisitQuerySet, name: str, last: date) -> VisitQuerySet:
        return visits.filter(scheduled_for__lt=day_bounds(last, last)[1])


class OverdueFilter(FilterSet):
    abc = django_filters.ChoiceFilter(choices=Tier.choices, label=_("Tier"), empty_label=_("any"))
    owner = OwnerFilter("owner")
    team = TeamFilter("owner__team")

    class Meta:
        model = Customer
        fields: list[str] = []


class ReminderFilter(FilterSet):
    occasion = django_filters.ChoiceFilter(
        choices=OccasionCode.choices, label=_("Occasion"), empty_label=_("any")
    )
    state = django_filters.ChoiceFilter(
        choices=(
            ("open", pgettext_lazy("reminder", "Open")),
            ("done", pgettext_lazy("reminder", "Done")),
        ),
        method="in_state",
        label=_("State"),
        empty_label=_("any"),
    )
    on_from = django_filters.DateFilter(
        field_name="on",
        lookup_expr="gte",
        label=_("From"),
        widget=DayInput(),
    )
    on_to = django_filters.DateFilter(
        field_name="on", lookup_expr="lte", label=_("To"), widget=DayInput()
    )
    customer = django_filters.NumberFilter(label=_("Customer"))
    owner = OwnerFilter("customer__owner")
    q = django_filters.CharFilter(
        field_name="customer__name", lookup_expr="icontains", label=_("Search")
    )

    class Meta:
        model = Reminder
        fields: list[str] = []

    def in_state(self, reminders: ReminderQuerySet, name: str, state: str) -> ReminderQuerySet:
        return reminders.open() if state == "open" else reminders.exclude(done_at=None)
