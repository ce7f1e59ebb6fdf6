"""How payments, balances and credit reviews are narrowed down."""

from __future__ import annotations

from datetime import date
from typing import Any

import django_filters
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_filters.rest_framework import FilterSet

from crm.lib.days import day_bounds
from customers.filters import ABC_CHOICES, DAYS, MOMENTS, OwnerFilter, TeamFilter, YesNo
from customers.models import Customer
from orders.filters import DAY, LARGEST_ID
from orders.models import (
    Balance,
    BalanceQuerySet,
    CreditReview,
    CreditReviewQuerySet,
    Payment,
    PaymentQuerySet,
    Proposal,
    ReviewState,
)

STATES = (
    ("standing", pgettext_lazy("payments", "Standing")),
    ("reversed", pgettext_lazy("payments", "Taken back")),
)


class PaymentFilter(FilterSet):
    """Days are whole days in the company's time zone, both inclusive."""

    q = django_filters.CharFilter(method="numbered", label=_("Payment number"))
    search = django_filters.CharFilter(method="numbered", label=_("Payment number"))
    external_id = django_filters.CharFilter(label=_("Payment number"))
    customer = django_filters.CharFilter(method="of_number", label=_("Number of the customer"))
    customer_id = django_filters.NumberFilter(
        field_name="customer", label=_("Customer"), min_value=1, max_value=LARGEST_ID
    )
    order = django_filters.CharFilter(field_name="order__external_id", label=_("Order number"))
    owner = OwnerFilter("customer__owner")
    team = TeamFilter("customer__owner__team")
    paid_from = django_filters.DateFilter(
        method="from_day", label=_("Paid from"), validators=DAYS, widget=DAY
    )
    paid_to = django_filters.DateFilter(
        method="to_day", label=_("Paid to"), validators=DAYS, widget=DAY
    )
    state = django_filters.ChoiceFilter(
        method="in_state", choices=STATES, label=_("State"), empty_label=_("any")
    )
    updated_since = django_filters.IsoDateTimeFilter(
        field_name="updated_at", lookup_expr="gte", label=_("Changed since"), validators=MOMENTS
    )

    class Meta:
        model = Payment
        fields: list[str] = []

    def numbered(self, payments: PaymentQuerySet, name: str, words: str) -> PaymentQuerySet:
        words = words.strip()
        return payments.filter(
            Q(external_id__istartswith=words) | Q(order__external_id__istartswith=words)
        )

    def of_number(self, payments: PaymentQuerySet, name: str, number: str) -> PaymentQuerySet:
        return payments.filter(customer__in=Customer.objects.numbered(number))

    def from_day(self, payments: PaymentQuerySet, name: str, first: date) -> PaymentQuerySet:
        return payments.filter(paid_at__gte=day_bounds(first, first)[0])

    def to_day(self, payments: PaymentQuerySet, name: str, last: date) -> PaymentQuerySet:
        return payments.filter(paid_at__lt=day_bounds(last, last)[1])

    def in_state(self, payments: PaymentQuerySet, name: str, state: str) -> PaymentQuerySet:
        if state == "standing":
            return payments.standing()
        return payments.exclude(reversal=None, reverses=None)


class BalanceFilter(FilterSet):
    """What customers owe."""

    owner = OwnerFilter("customer__owner")
    team = TeamFilter("customer__owner__team")
    overdue = django_filters.BooleanFilter(
        method="late", label=pgettext_lazy("amount", "Overdue"), widget=YesNo
    )
    over_limit = django_filters.BooleanFilter(
        method="beyond", label=_("Over the limit"), widget=YesNo
    )

    class Meta:
        model = Balance
        fields: list[str] = []

    def late(self, balances: BalanceQuerySet, name: str, wanted: bool) -> BalanceQuerySet:
        return balances.overdue() if wanted else balances.filter(overdue=0)

    def beyond(self, balances: BalanceQuerySet, name: str, wanted: bool) -> BalanceQuerySet:
        over: Any = balances.over_limit()
        return over if wanted else balances.exclude(pk__in=over.values("pk"))


class ReviewFilter(FilterSet):
    """Proposals of credit reviews; open ones unless a state is asked for."""

    state = django_filters.ChoiceFilter(
        choices=ReviewState.choices, label=_("State"), empty_label=_("any")
    )
    kind = django_filters.ChoiceFilter(
        choices=Proposal.choices, label=_("Proposal"), empty_label=_("any")
    )
    owner = OwnerFilter("customer__owner")
    team = TeamFilter("customer__owner__team")
    abc = django_filters.ChoiceFilter(
        method="of_tier", choices=ABC_CHOICES[1:], label=_("Tier"), empty_label=_("any")
    )

    class Meta:
        model = CreditReview
        fields: list[str] = []

    def of_tier(self, reviews: CreditReviewQuerySet, name: str, tier: str) -> CreditReviewQuerySet:
        if tier == "none":
            return reviews.filter(customer__abc=None)
        return reviews.filter(customer__abc__in=tier.split(","))
