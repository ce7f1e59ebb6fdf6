"""How orders, products, prices and exceptions are narrowed: one FilterSet for page and API each."""

from __future__ import annotations

from datetime import date

import django_filters
from django import forms
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_filters.rest_framework import FilterSet

from crm.lib.days import day_bounds
from customers.filters import (
    DAYS,
    MOMENTS,
    TYPED,
    AreaFilter,
    OwnerFilter,
    TeamFilter,
    YesNo,
)
from customers.models import Customer
from orders.minimum import below, not_below
from orders.models import (
    Answer,
    MinimumException,
    MinimumExceptionQuerySet,
    Order,
    OrderLine,
    OrderQuerySet,
    OrderStatus,
    Price,
    PriceQuerySet,
    Product,
    ProductQuerySet,
    TradeTerms,
)

LARGEST_ID = 2**63 - 1
DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class OrderFilter(FilterSet):
    """Days are whole days in the company's time zone, both inclusive."""

    q = django_filters.CharFilter(method="numbered", label=_("Order number"))
    search = django_filters.CharFilter(method="numbered", label=_("Order number"))
    external_id = django_filters.CharFilter(label=_("Order number"))
    status = django_filters.ChoiceFilter(
        choices=OrderStatus.choices, label=_("Status"), empty_label=_("any")
    )
    customer = django_filters.CharFilter(method="of_number", label=_("Number of the customer"))
    customer_id = django_filters.NumberFilter(
        field_name="customer", label=_("Customer"), min_value=1, max_value=LARGEST_ID
    )
    owner = OwnerFilter("customer__owner")
    team = TeamFilter("customer__owner__team")
    customer_division = AreaFilter(
        "customer__division", label=_("Area of the customer"), widget=TYPED
    )
    category = django_filters.CharFilter(
        method="of_category", label=_("Category"), widget=TYPED, max_length=100
    )
    ordered_from = django_filters.DateFilter(
        method="from_day", label=_("Ordered from"), validators=DAYS, widget=DAY
    )
    ordered_to = django_filters.DateFilter(
        method="to_day", label=_("Ordered to"), validators=DAYS, widget=DAY
    )
    held = django_filters.BooleanFilter(label=_("Held"), widget=YesNo)
    below_minimum = django_filters.BooleanFilter(
        method="too_small", label=_("Below the minimum"), widget=YesNo
    )
    updated_since = django_filters.IsoDateTimeFilter(
        field_name="updated_at", lookup_expr="gte", label=_("Changed since"), validators=MOMENTS
    )

    class Meta:
        model = Order
        fields: list[str] = []

    def of_number(self, orders: OrderQuerySet, name: str, number: str) -> OrderQuerySet:
        return orders.filter(customer__in=Customer.objects.numbered(number))

    def of_category(self, orders: OrderQuerySet, name: str, category: str) -> OrderQuerySet:
        """Orders with a line of this category, whole; those without lines are in none."""
        lines = OrderLine.objects.filter(product__category=category)
        return orders.filter(pk__in=lines.order_by().values("order"))

    def numbered(self, orders: OrderQuerySet, name: str, words: str) -> OrderQuerySet:
        return orders.filter(external_id__istartswith=words.strip())

    def too_small(self, orders: OrderQuerySet, name: str, wanted: bool) -> OrderQuerySet:
        return below(orders) if wanted else not_below(orders)

    def from_day(self, orders: OrderQuerySet, name: str, first: date) -> OrderQuerySet:
        return orders.filter(ordered_at__gte=day_bounds(first, first)[0])

    def to_day(self, orders: OrderQuerySet, name: str, last: date) -> OrderQuerySet:
        return orders.filter(ordered_at__lt=day_bounds(last, last)[1])


class ProductFilter(FilterSet):
    q = django_filters.CharFilter(method="search_words", label=_("Search"))
    search = django_filters.CharFilter(method="search_words", label=_("Search"))
    external_id = django_filters.CharFilter(label=_("SKU"))
    category = django_filters.CharFilter(label=_("Category"), widget=TYPED)
    active = django_filters.BooleanFilter(label=_("On sale"), widget=YesNo)
    updated_since = django_filters.IsoDateTimeFilter(
        field_name="updated_at", lookup_expr="gte", label=_("Changed since"), validators=MOMENTS
    )

    class Meta:
        model = Product
        fields: list[str] = []

    def search_words(self, products: ProductQuerySet, name: str, words: str) -> ProductQuerySet:
        words = words.strip()
        return products.filter(
            Q(name__icontains=words)
            | Q(external_id__istartswith=words)
            | Q(category__icontains=words)
        )


class PriceFilter(FilterSet):
    """Days are compared with the first and the last day of a price, both inclusive."""

    q = django_filters.CharFilter(method="search_words", label=_("Search"))
    search = django_filters.CharFilter(method="search_words", label=_("Search"))
    external_id = django_filters.CharFilter(label=_("Number in the ERP"))
    product = django_filters.CharFilter(field_name="product__external_id", label=_("SKU"))
    category = django_filters.CharFilter(
        field_name="product__category", label=_("Category"), widget=TYPED
    )
    on = django_filters.DateFilter(
        method="in_force", label=_("In force on"), validators=DAYS, widget=DAY
    )
    begins_after = django_filters.DateFilter(
        method="to_come", label=_("Begins after"), validators=DAYS, widget=DAY
    )
    ended_before = django_filters.DateFilter(
        method="past", label=_("Ended before"), validators=DAYS, widget=DAY
    )
    updated_since = django_filters.IsoDateTimeFilter(
        field_name="updated_at", lookup_expr="gte", label=_("Changed since"), validators=MOMENTS
    )

    class Meta:
        model = Price
        fields: list[str] = []

    def search_words(self, prices: PriceQuerySet, name: str, words: str) -> PriceQuerySet:
        words = words.strip()
        return prices.filter(
            Q(product__name__icontains=words) | Q(product__external_id__istartswith=words)
        )

    def in_force(self, prices: PriceQuerySet, name: str, day: date) -> PriceQuerySet:
        return prices.on(day)

    def to_come(self, prices: PriceQuerySet, name: str, day: date) -> PriceQuerySet:
        return prices.beginning_after(day)

    def past(self, prices: PriceQuerySet, name: str, day: date) -> PriceQuerySet:
        return prices.ended_before(day)


class ExceptionFilter(FilterSet):
    """Exceptions to the minimum order; `in_force` is as of today."""

    STATES = (
        ("waiting", pgettext_lazy("exceptions", "Waiting")),
        ("in_force", _("In force today")),
        ("refused", pgettext_lazy("exceptions", "Refused")),
        ("withdrawn", pgettext_lazy("exceptions", "Withdrawn")),
    )

    state = django_filters.ChoiceFilter(
        method="in_state", choices=STATES, label=_("State"), empty_label=_("any")
    )
    customer_id = django_filters.NumberFilter(
        field_name="customer", label=_("Customer"), min_value=1, max_value=LARGEST_ID
    )
    owner = OwnerFilter("customer__owner")
    team = TeamFilter("customer__owner__team")

    class Meta:
        model = MinimumException
        fields: list[str] = []

    def in_state(
        self, exceptions: MinimumExceptionQuerySet, name: str, state: str
    ) -> MinimumExceptionQuerySet:
        if state == "waiting":
            return exceptions.waiting()
        if state == "in_force":
            return exceptions.on(timezone.localdate())
        if state == "refused":
            return exceptions.filter(answer=Answer.REFUSED)
        return exceptions.exclude(withdrawn_on=None)


class TradeTermsFilter(FilterSet):
    """Days are compared with the first day of the terms, both inclusive."""

    begins_from = django_filters.DateFilter(
        field_name="valid_from",
        lookup_expr="gte",
        label=_("Begins from"),
        validators=DAYS,
        widget=DAY,
    )
    begins_to = django_filters.DateFilter(
        field_name="valid_from",
        lookup_expr="lte",
        label=_("Begins to"),
        validators=DAYS,
        widget=DAY,
    )
    updated_since = django_filters.IsoDateTimeFilter(
        field_name="updated_at", lookup_expr="gte", label=_("Changed since"), validators=MOMENTS
    )

    class Meta:
        model = TradeTerms
        fields: list[str] = []
