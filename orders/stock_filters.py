"""How counts, sell-outs and adjustments are narrowed down."""

from __future__ import annotations

from datetime import date
from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_filters.rest_framework import FilterSet

from crm.lib.days import day_bounds
from customers.filters import DAYS, MOMENTS, TYPED, OwnerFilter, TeamFilter
from customers.models import Customer
from orders.filters import DAY, LARGEST_ID
from orders.models import (
    SellOut,
    SellOutQuerySet,
    StockLine,
    StockReport,
    StockReportQuerySet,
    StockSource,
)

#: Who wrote a sell-out down: a person here, or another system or a file, which gave a number.
WRITTEN = (
    ("hand", pgettext_lazy("sell-out", "entered by hand")),
    ("sent", pgettext_lazy("sell-out", "sent or imported")),
)


def _words(name: str, words: str) -> Q:
    words = words.strip()
    return (
        Q(external_id__istartswith=words)
        | Q(customer__name__icontains=words)
        | Q(customer__external_id__istartswith=words)
    )


class _OfCustomers(FilterSet):
    """What all lists of stock have. Days are whole days in the company's time zone, inclusive."""

    external_id = django_filters.CharFilter(label=_("Number"))
    customer = django_filters.CharFilter(method="of_number", label=_("Number of the customer"))
    customer_id = django_filters.NumberFilter(
        field_name="customer", label=_("Customer"), min_value=1, max_value=LARGEST_ID
    )
    owner = OwnerFilter("customer__owner")
    team = TeamFilter("customer__owner__team")
    updated_since = django_filters.IsoDateTimeFilter(
        field_name="updated_at", lookup_expr="gte", label=_("Changed since"), validators=MOMENTS
    )

    def of_number(self, rows: QuerySet[Any], name: str, number: str) -> QuerySet[Any]:
        return rows.filter(customer__in=Customer.objects.numbered(number))

    def words(self, rows: QuerySet[Any], name: str, words: str) -> QuerySet[Any]:
        return rows.filter(_words(name, words))


class StockReportFilter(_OfCustomers):
    """Counts; those of a product are the counts that have it on a line."""

    q = django_filters.CharFilter(method="words", label=_("Search"))
    search = django_filters.CharFilter(method="words", label=_("Search"))
    product = django_filters.CharFilter(
        method="with_product", label=_("SKU"), widget=TYPED, max_length=100
    )
    source = django_filters.ChoiceFilter(
        choices=StockSource.choices, label=_("Source"), empty_label=_("any")
    )
    reported_from = django_filters.DateFilter(
        method="from_day", label=_("Counted from"), validators=DAYS, widget=DAY
    )
    reported_to = django_filters.DateFilter(
        method="to_day", label=_("Counted to"), validators=DAYS, widget=DAY
    )

    class Meta:
        model = StockReport
        fields: list[str] = []

    def with_product(
        self, reports: StockReportQuerySet, name: str, sku: str
    ) -> StockReportQuerySet:
        lines = StockLine.objects.filter(report=OuterRef("pk"), product__external_id=sku)
        return reports.filter(Exists(lines))

    def from_day(self, reports: StockReportQuerySet, name: str, day: date) -> StockReportQuerySet:
        return reports.filter(reported_at__gte=day_bounds(day, day)[0])

    def to_day(self, reports: StockReportQuerySet, name: str, day: date) -> StockReportQuerySet:
        return reports.filter(reported_at__lt=day_bounds(day, day)[1])


class SellOutFilter(_OfCustomers):
    """Sell-outs."""

    q = django_filters.CharFilter(method="words", label=_("Search"))
    search = django_filters.CharFilter(method="words", label=_("Search"))
    product = django_filters.CharFilter(
        field_name="product__external_id", label=_("SKU"), widget=TYPED, max_length=100
    )
    source = django_filters.ChoiceFilter(
        method="written", choices=WRITTEN, label=_("Source"), empty_label=_("any")
    )
    buyer_division = django_filters.CharFilter(
        method="bought_in", label=_("Area of the buyer"), widget=TYPED, max_length=6
    )
    sold_from = django_filters.DateFilter(
        method="from_day", label=_("Sold from"), validators=DAYS, widget=DAY
    )
    sold_to = django_filters.DateFilter(
        method="to_day", label=_("Sold to"), validators=DAYS, widget=DAY
    )

    class Meta:
        model = SellOut
        fields: list[str] = []

    def written(self, sold: SellOutQuerySet, name: str, source: str) -> SellOutQuerySet:
        return sold.filter(external_id__isnull=source == "hand")

    def bought_in(self, sold: SellOutQuerySet, name: str, code: str) -> SellOutQuerySet:
        return sold.filter(buyer_division__startswith=code.strip())

    def from_day(self, sold: SellOutQuerySet, name: str, day: date) -> SellOutQuerySet:
        return sold.filter(sold_at__gte=day_bounds(day, day)[0])

    def to_day(self, sold: SellOutQuerySet, name: str, day: date) -> SellOutQuerySet:
        return sold.filter(sold_at__lt=day_bounds(day, day)[1])
