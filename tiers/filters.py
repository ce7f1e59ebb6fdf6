"""How tier changes are narrowed down: one FilterSet for the pages and the API."""

from __future__ import annotations

from typing import Any, TypeVar, cast

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters.rest_framework import FilterSet

from customers.filters import OwnerFilter, TeamFilter, YesNo
from tiers.models import RunState, TierChange, TierChangeQuerySet, TierPolicy, TierRun

Rows = TypeVar("Rows", bound="QuerySet[Any]")
MOVES = (("up", _("Up")), ("down", _("Down")), ("new", _("New")))
TIERS = (("A", "A"), ("B", "B"), ("C", "C"), ("none", _("Unranked")))


class ChangeFilter(FilterSet):
    """`move`: up, down, or new to the tiers; `from_tier` and `to_tier`: A, B, C or none."""

    team = TeamFilter("customer__owner__team")
    owner = OwnerFilter("customer__owner")
    move = django_filters.ChoiceFilter(
        choices=MOVES, method="moved", label=_("Moved"), empty_label=_("any")
    )
    from_tier = django_filters.ChoiceFilter(
        choices=TIERS, null_value="none", label=_("From"), empty_label=_("any")
    )
    to_tier = django_filters.ChoiceFilter(
        choices=TIERS, null_value="none", label=_("To"), empty_label=_("any")
    )

    class Meta:
        model = TierChange
        fields: list[str] = []

    def moved(self, changes: TierChangeQuerySet, name: str, move: str) -> TierChangeQuerySet:
        return {"up": changes.up, "down": changes.down, "new": changes.new}[move]()


def of_scope(filters: ChangeFilter, rows: Rows) -> Rows:
    """`rows` that belong to a customer, of the team and owner that `filters` pick, whatever else
    they say; none where the filters make no sense."""
    if not filters.is_valid():
        return rows.none()
    for name in ("team", "owner"):
        rows = cast(Rows, filters.filters[name].filter(rows, filters.form.cleaned_data[name]))
    return rows


class RunFilter(FilterSet):
    """Runs by state, day and kind."""

    state = django_filters.ChoiceFilter(
        choices=RunState.choices, label=_("State"), empty_label=_("any")
    )
    as_of = django_filters.DateFilter(label=_("As of"))
    dry_run = django_filters.BooleanFilter(label=_("Trial"), widget=YesNo)
    policy = django_filters.ModelChoiceFilter(
        queryset=TierPolicy.objects.all(), label=_("Policy"), empty_label=_("any")
    )

    class Meta:
        model = TierRun
        fields: list[str] = []
