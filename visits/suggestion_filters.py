"""How suggestions are narrowed down."""

from __future__ import annotations

from datetime import date
from typing import Any

import django_filters
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_filters.rest_framework import FilterSet

from accounts.models import User
from crm.lib.forms import DayInput
from customers.filters import DAYS, OwnerFilter, TeamFilter
from visits.information_filters import LARGEST_ID, PersonFilter
from visits.models import Suggestion, SuggestionQuerySet, SuggestionState

STATES = (
    *SuggestionState.choices,
    ("all", pgettext_lazy("suggestions", "All")),
)


def makers(request: HttpRequest | None) -> Any:
    """Who made suggestions to customers in the reader's sight."""
    if request is None:
        return User._default_manager.none()
    made = Suggestion.objects.visible_to(request.user).order_by()
    return User._default_manager.filter(pk__in=made.values("by")).order_by("name", "pk")


class SuggestionFilter(FilterSet):
    """`due_by` is a day: open ones that are to be followed up on it or earlier."""

    q = django_filters.CharFilter(method="search_words", label=_("Search"))
    state = django_filters.ChoiceFilter(
        choices=STATES, method="in_state", label=_("State"), empty_label=None
    )
    due_by = django_filters.DateFilter(
        method="to_follow_up", label=_("To follow up by"), widget=DayInput(), validators=DAYS
    )
    made_from = django_filters.DateFilter(
        "made_on", "gte", label=_("Made from"), widget=DayInput(), validators=DAYS
    )
    made_to = django_filters.DateFilter(
        "made_on", "lte", label=_("Made to"), widget=DayInput(), validators=DAYS
    )
    by = PersonFilter(makers, pgettext_lazy("suggestion", "Made by"))
    owner = OwnerFilter("customer__owner")
    team = TeamFilter("customer__owner__team")
    customer = django_filters.NumberFilter(label=_("Customer"), max_value=LARGEST_ID)
    product = django_filters.CharFilter("product__external_id", label=_("SKU"), max_length=100)

    class Meta:
        model = Suggestion
        fields: list[str] = []

    def search_words(self, rows: SuggestionQuerySet, name: str, words: str) -> SuggestionQuerySet:
        return rows.named_like(words)

    def in_state(self, rows: SuggestionQuerySet, name: str, state: str) -> SuggestionQuerySet:
        return rows if state == "all" else rows.filter(state=state)

    def to_follow_up(self, rows: SuggestionQuerySet, name: str, day: date) -> SuggestionQuerySet:
        return rows.due(day)
