"""How market information, and what was sent of it, are narrowed down."""

from __future__ import annotations

from datetime import date
from typing import Any

import django_filters
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django_filters.rest_framework import FilterSet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field

from accounts.models import User
from crm.lib.days import day_bounds
from crm.lib.forms import DayInput
from customers.filters import DAYS, OwnerFilter, PlainSelect, TeamFilter, YesNo
from visits.models import (
    MarketInformation,
    MarketInformationQuerySet,
    Outcome,
    Sending,
    SendingQuerySet,
    Source,
    Way,
)

LARGEST_ID = 2**62


def authors(request: HttpRequest | None) -> Any:
    """Who wrote information; everybody reads it, so everybody may know."""
    return User._default_manager.filter(
        pk__in=MarketInformation.objects.order_by().values("by")
    ).order_by("name", "pk")


def senders(request: HttpRequest | None) -> Any:
    """Who sent something to customers in the reader's sight."""
    if request is None:
        return User._default_manager.none()
    sent = Sending.objects.visible_to(request.user).order_by()
    return User._default_manager.filter(pk__in=sent.values("by")).order_by("name", "pk")


@extend_schema_field(OpenApiTypes.STR)
class PersonFilter(django_filters.ModelChoiceFilter):
    """Rows of one person, by username."""

    def __init__(self, people: Any, label: Any) -> None:
        super().__init__(
            queryset=people,
            to_field_name="username",
            label=label,
            empty_label=_("any"),
            widget=PlainSelect,
        )


class MarketInformationFilter(FilterSet):
    """Days are compared with the day it was learned and the last day it helps, inclusive."""

    q = django_filters.CharFilter(method="search_words", label=_("Search"))
    source = django_filters.ChoiceFilter(
        choices=Source.choices, label=_("Source"), empty_label=_("any")
    )
    by = PersonFilter(authors, _("Written by"))
    learned_from = django_filters.DateFilter(
        "learned_on", "gte", label=_("Learned from"), widget=DayInput(), validators=DAYS
    )
    learned_to = django_filters.DateFilter(
        "learned_on", "lte", label=_("Learned to"), widget=DayInput(), validators=DAYS
    )
    in_time_on = django_filters.DateFilter(
        method="helps_on", label=_("In time on"), widget=DayInput(), validators=DAYS
    )
    expired_on = django_filters.DateFilter(
        method="helps_no_more", label=_("Expired on"), widget=DayInput(), validators=DAYS
    )

    class Meta:
        model = MarketInformation
        fields: list[str] = []

    def search_words(
        self, rows: MarketInformationQuerySet, name: str, words: str
    ) -> MarketInformationQuerySet:
        return rows.named_like(words)

    def helps_on(
        self, rows: MarketInformationQuerySet, name: str, day: date
    ) -> MarketInformationQuerySet:
        return rows.in_time(day)

    def helps_no_more(
        self, rows: MarketInformationQuerySet, name: str, day: date
    ) -> MarketInformationQuerySet:
        return rows.expired(day)


class SendingFilter(FilterSet):
    """Days are whole days in the company's time zone, both inclusive."""

    q = django_filters.CharFilter(method="search_words", label=_("Search"))
    outcome = django_filters.ChoiceFilter(
        choices=Outcome.choices, label=_("Outcome"), empty_label=_("any")
    )
    source = django_filters.ChoiceFilter(
        "information__source", choices=Source.choices, label=_("Source"), empty_label=_("any")
    )
    way = django_filters.ChoiceFilter(
        choices=Way.choices, label=_("Way of contact"), empty_label=_("any")
    )
    by = PersonFilter(senders, _("Sent by"))
    sent_from = django_filters.DateFilter(
        method="from_day", label=_("Sent from"), widget=DayInput(), validators=DAYS
    )
    sent_to = django_filters.DateFilter(
        method="to_day", label=_("Sent until"), widget=DayInput(), validators=DAYS
    )
    late = django_filters.BooleanFilter(method="too_late", label=_("Too late"), widget=YesNo)
    owner = OwnerFilter("customer__owner")
    team = TeamFilter("customer__owner__team")
    customer = django_filters.NumberFilter(label=_("Customer"), max_value=LARGEST_ID)
    information = django_filters.NumberFilter(label=_("Information"), max_value=LARGEST_ID)

    class Meta:
        model = Sending
        fields: list[str] = []

    def search_words(self, rows: SendingQuerySet, name: str, words: str) -> SendingQuerySet:
        return rows.named_like(words)

    def from_day(self, rows: SendingQuerySet, name: str, first: date) -> SendingQuerySet:
        return rows.filter(sent_at__gte=day_bounds(first, first)[0])

    def to_day(self, rows: SendingQuerySet, name: str, last: date) -> SendingQuerySet:
        return rows.filter(sent_at__lt=day_bounds(last, last)[1])

    def too_late(self, rows: SendingQuerySet, name: str, late: bool) -> SendingQuerySet:
        found = Sending.objects.sent_late().values("pk")
        return rows.filter(pk__in=found) if late else rows.exclude(pk__in=found)
