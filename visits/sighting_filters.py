"""How sightings of competitors are narrowed down."""

from __future__ import annotations

from datetime import date
from typing import Any

import django_filters
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_filters.rest_framework import FilterSet

from crm.lib.days import day_bounds
from crm.lib.forms import DayInput
from customers.filters import DAYS, OwnerFilter, PlainSelect, TeamFilter
from visits.models import Competitor, Sighting, SightingQuerySet


def competitors_in_sight(request: HttpRequest | None) -> Any:
    """Competitors that were seen in visits."""
    if request is None:
        return Competitor.objects.none()
    return Competitor.objects.visible_to(request.user).noted()


class SightingFilter(FilterSet):
    """Days are whole days in the company's time zone, both inclusive."""

    q = django_filters.CharFilter(method="search_words", label=_("Search"))
    competitor = django_filters.ModelChoiceFilter(
        queryset=competitors_in_sight,
        label=_("Competitor"),
        empty_label=_("any"),
        widget=PlainSelect,
    )
    product = django_filters.CharFilter(
        "product", "icontains", label=pgettext_lazy("of a competitor", "Product")
    )
    seen_from = django_filters.DateFilter(
        method="from_day", label=_("From"), widget=DayInput(), validators=DAYS
    )
    seen_to = django_filters.DateFilter(
        method="to_day", label=_("To"), widget=DayInput(), validators=DAYS
    )
    owner = OwnerFilter("visit__customer__owner")
    team = TeamFilter("visit__customer__owner__team")
    customer = django_filters.NumberFilter("visit__customer", label=_("Customer"), max_value=2**62)

    class Meta:
        model = Sighting
        fields: list[str] = []

    def search_words(self, rows: SightingQuerySet, name: str, words: str) -> SightingQuerySet:
        return rows.named_like(words)

    def from_day(self, rows: SightingQuerySet, name: str, first: date) -> SightingQuerySet:
        return rows.filter(seen_at__gte=day_bounds(first, first)[0])

    def to_day(self, rows: SightingQuerySet, name: str, last: date) -> SightingQuerySet:
        return rows.filter(seen_at__lt=day_bounds(last, last)[1])
