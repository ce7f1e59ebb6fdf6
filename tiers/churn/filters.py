"""How the customers that leave silently are narrowed down."""

from __future__ import annotations

import django_filters
from django import forms
from django.core.validators import RegexValidator
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_filters.rest_framework import FilterSet

from customers.filters import ABC_CHOICES, TYPED, AreaFilter, OwnerFilter, TeamFilter
from tiers.models import Outlook, OutlookQuerySet


class OutlookFilter(FilterSet):
    """By who answers for the customer, its tier (A, B, C, none, several with commas), its area."""

    team = TeamFilter("customer__owner__team")
    owner = OwnerFilter("customer__owner")
    abc = django_filters.CharFilter(
        method="in_tiers",
        label=_("Tier"),
        widget=forms.Select(choices=ABC_CHOICES),
        validators=[RegexValidator(r"^(A|B|C|none)(,(A|B|C|none))*$")],
    )
    division = AreaFilter("customer__division", label=_("Area"), widget=TYPED)

    class Meta:
        model = Outlook
        fields: list[str] = []

    def in_tiers(self, outlooks: OutlookQuerySet, name: str, tiers: str) -> OutlookQuerySet:
        wanted = set(tiers.split(","))
        unranked = Q(customer__abc=None) if "none" in wanted else Q(pk__in=[])
        return outlooks.filter(Q(customer__abc__in=wanted - {"none"}) | unranked)
