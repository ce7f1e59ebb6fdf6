"""How the lists of what people decide are narrowed down: overrides, key accounts, potential."""

from __future__ import annotations

from datetime import date
from typing import Any

import django_filters
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_filters.rest_framework import FilterSet

from customers.filters import AreaFilter, OwnerFilter, TeamFilter
from customers.models import Kind, Tier
from tiers.models import Assessment, TierOverride, TierOverrideQuerySet
from tiers.models.assessments import AssessmentQuerySet

STATES = (
    ("in_force", pgettext_lazy("override", "In force")),
    ("expired", pgettext_lazy("override", "Expired")),
    ("ended", pgettext_lazy("override", "Ended early")),
    ("all", _("All")),
)


class OverrideFilter(FilterSet):
    """`state`: in force (also without one), expired, ended early, all; `by`: who set it."""

    state = django_filters.ChoiceFilter(choices=STATES, method="in_state", label=_("State"))
    tier = django_filters.ChoiceFilter(choices=Tier.choices, label=_("Tier"), empty_label=_("any"))
    team = TeamFilter("customer__owner__team")
    owner = OwnerFilter("customer__owner")
    until_to = django_filters.DateFilter(
        field_name="until", lookup_expr="lte", label=_("Until, at the latest")
    )

    class Meta:
        model = TierOverride
        fields: list[str] = []

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today

    def filter_queryset(self, queryset: Any) -> Any:
        found = super().filter_queryset(queryset)
        return found if self.form.cleaned_data.get("state") else found.in_force(self.today)

    def in_state(
        self, overrides: TierOverrideQuerySet, name: str, state: str
    ) -> TierOverrideQuerySet:
        if state == "in_force":
            return overrides.in_force(self.today)
        if state == "expired":
            return overrides.filter(ended_by=None, until__lt=self.today)
        return overrides.filter(ended_by__isnull=False) if state == "ended" else overrides


class AssessmentFilter(FilterSet):
    """Assessed customers by team, owner, area, kind and tier."""

    team = TeamFilter("customer__owner__team")
    owner = OwnerFilter("customer__owner")
    division = AreaFilter(field_name="customer__division", label=_("Area"))
    kind = django_filters.ChoiceFilter(
        field_name="customer__kind", choices=Kind.choices, label=_("Kind"), empty_label=_("any")
    )
    abc = django_filters.ChoiceFilter(
        field_name="customer__abc", choices=Tier.choices, label=_("Tier"), empty_label=_("any")
    )

    class Meta:
        model = Assessment
        fields: list[str] = []


class KeyAccountFilter(AssessmentFilter):
    """`state`: proposed (also without one), confirmed, all with a score."""

    state = django_filters.ChoiceFilter(
        choices=(
            ("proposed", pgettext_lazy("key account", "Proposed")),
            ("confirmed", pgettext_lazy("key account", "Confirmed")),
            ("all", _("All")),
        ),
        method="in_state",
        label=_("State"),
    )

    def __init__(self, *args: Any, key_from: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.key_from = key_from

    def filter_queryset(self, queryset: Any) -> Any:
        found = super().filter_queryset(queryset)
        return found if self.form.cleaned_data.get("state") else found.proposed(self.key_from)

    def in_state(self, found: AssessmentQuerySet, name: str, state: str) -> AssessmentQuerySet:
        if state == "confirmed":
            return found.filter(customer__key_account=True)
        return found.proposed(self.key_from) if state == "proposed" else found.scored()
