"""How the stock of dealers is narrowed down: one FilterSet for page, file and API."""

from __future__ import annotations

from datetime import date
from typing import Any

import django_filters
from django.db.models import Q
from django.forms import NumberInput
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_filters.rest_framework import FilterSet

from crm.lib.text import Text
from customers.filters import TYPED, AreaFilter, OwnerFilter, TeamFilter
from customers.models import Customer
from orders.filters import LARGEST_ID
from orders.models import StockPosition, StockPositionQuerySet, StockRules

#: What one looks for among the positions, by the name in the address.
VIEWS: dict[str, Text] = {
    "reorder": _("Reorder now"),
    "slow": _("Slow-moving"),
    "old": _("Old batches"),
    "impossible": pgettext_lazy("stock", "Impossible"),
}
MOST_DAYS = 3650


class PositionFilter(FilterSet):
    """`view` and `not_counted` are judged as of `today`, in the company's time zone."""

    q = django_filters.CharFilter(method="search_words", label=_("Search"))
    customer = django_filters.CharFilter(method="of_number", label=_("Number of the customer"))
    customer_id = django_filters.NumberFilter(
        field_name="customer", label=_("Customer"), min_value=1, max_value=LARGEST_ID
    )
    product = django_filters.CharFilter(field_name="product__external_id", label=_("SKU"))
    category = django_filters.CharFilter(
        field_name="product__category", label=_("Category"), widget=TYPED, max_length=100
    )
    owner = OwnerFilter("customer__owner")
    team = TeamFilter("customer__owner__team")
    division = AreaFilter("customer__division", label=_("Area"), widget=TYPED)
    view = django_filters.ChoiceFilter(
        method="in_view", choices=tuple(VIEWS.items()), label=_("View"), empty_label=_("any")
    )
    not_counted = django_filters.NumberFilter(
        method="uncounted",
        label=_("Not counted for days"),
        min_value=1,
        max_value=MOST_DAYS,
        widget=NumberInput(attrs={"placeholder": _("any"), "size": 4}),
    )

    class Meta:
        model = StockPosition
        fields: list[str] = []

    def __init__(self, *args: Any, today: date | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today or timezone.localdate()

    def search_words(
        self, positions: StockPositionQuerySet, name: str, words: str
    ) -> StockPositionQuerySet:
        words = words.strip()
        return positions.filter(
            Q(customer__name__icontains=words)
            | Q(product__name__icontains=words)
            | Q(product__external_id__istartswith=words)
        )

    def of_number(
        self, positions: StockPositionQuerySet, name: str, number: str
    ) -> StockPositionQuerySet:
        return positions.filter(customer__in=Customer.objects.numbered(number))

    def in_view(
        self, positions: StockPositionQuerySet, name: str, view: str
    ) -> StockPositionQuerySet:
        if view == "reorder":
            return positions.due()
        if view == "slow":
            return positions.slow()
        if view == "old":
            return positions.old(StockRules.objects.on(self.today), self.today)
        return positions.impossible()

    def uncounted(
        self, positions: StockPositionQuerySet, name: str, days: float
    ) -> StockPositionQuerySet:
        return positions.not_counted_for(int(days), self.today)
