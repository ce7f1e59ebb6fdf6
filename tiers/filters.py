"""How tier changes are narrowed down: one FilterSet for the pages and the API."""

from __future__ import annotations

import django_filters
from django.utils.translation import gettext_lazy as _
from django_filters.rest_framework import FilterSet

from accounts.models import Team
from customers.filters import YesNo, below, people_in_sight, teams_in_sight
from tiers.models import RunState, TierChange, TierChangeQuerySet, TierRun

MOVES = (("up", _("Up")), ("down", _("Down")), ("new", _("New")))
TIERS = (("A", "A"), ("B", "B"), ("C", "C"), ("none", _("Unranked")))


class ChangeFilter(FilterSet):  # type: ignore[misc]  # no stubs
    """`move`: up, down, or new to the tiers; `from_tier` and `to_tier`: A, B, C or none."""

    team = django_filters.ModelChoiceFilter(
        queryset=teams_in_sight, method="of_team", label=_("Team"), empty_label=_("any")
    )
    owner = django_filters.ModelChoiceFilter(
        field_name="customer__owner",
        queryset=people_in_sight,
        to_field_name="username",
        label=_("Owner"),
        empty_label=_("any"),
    )
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

    def of_team(self, changes: TierChangeQuerySet, name: str, team: Team) -> TierChangeQuerySet:
        return changes.filter(customer__owner__team__in=below(team))

    def moved(self, changes: TierChangeQuerySet, name: str, move: str) -> TierChangeQuerySet:
        return {"up": changes.up, "down": changes.down, "new": changes.new}[move]()


class RunFilter(FilterSet):  # type: ignore[misc]  # no stubs
    """Runs by state, day and kind."""

    state = django_filters.ChoiceFilter(
        choices=RunState.choices, label=_("State"), empty_label=_("any")
    )
    as_of = django_filters.DateFilter(label=_("As of"))
    dry_run = django_filters.BooleanFilter(label=_("Trial"), widget=YesNo)

    class Meta:
        model = TierRun
        fields: list[str] = []
