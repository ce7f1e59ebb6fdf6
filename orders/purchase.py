"""How a customer buys, as its orders tell: what, how much, how often, when, what it likes (P1)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from django.db.models import Case, F, Sum, When
from django.db.models.functions import ExtractMonth
from django.utils import timezone

from crm.lib.days import day_bounds, months_before
from customers.models import Customer
from orders import stats
from orders.models import Order, OrderLine, OrderStatus

K = TypeVar("K")
#: Months are compared over two years, so that one odd season does not decide.
SEASON_MONTHS = 24
FAVOURITES = 5
#: A strong month brings at least this share of the year; an even one would bring a twelfth.
STRONG = Decimal("0.11")


@dataclass(frozen=True, slots=True)
class Share:
    """A product or category with its share (0–1) of what the customer bought."""

    name: str
    share: Decimal
    pk: int | None = None


@dataclass(frozen=True, slots=True)
class Habits:
    """What the orders tell: the last 12 months, but the months by their share of two years."""

    net_amount: Decimal
    orders: int
    interval_days: float | None
    categories: list[Share]
    favourites: list[Share]
    months: list[tuple[int, Decimal]]

    @property
    def strong_months(self) -> list[int]:
        """The months, 1–12, in which it buys clearly more than in others."""
        return [month for month, share in self.months if share >= STRONG]


def of_customer(customer: Customer, *, today: date) -> Habits | None:
    """The habits of `customer` up to `today`; None where it ordered nothing in two years."""
    months = _by_month(customer, today)
    if not months:
        return None
    figures = stats.of_customer(customer, today=today)
    sold: Any = (
        OrderLine.objects.filter(order__in=_orders(customer, today, stats.WINDOW_MONTHS).counted())
        .order_by()
        .values_list("product_id", "product__name", "product__category")
        .annotate(total=Sum(F("quantity") * F("unit_price")))
    )
    by_category: dict[str, Decimal] = defaultdict(Decimal)
    by_product: dict[tuple[int, str], Decimal] = {}
    for pk, name, category, total in sold:
        by_category[category] += total
        by_product[pk, name] = total
    return Habits(
        net_amount=figures["window_net_amount"],
        orders=figures["window_order_count"],
        interval_days=figures["average_interval_days"],
        categories=[Share(name, share) for name, share in shares(by_category) if name],
        favourites=[Share(name, share, pk) for (pk, name), share in shares(by_product)],
        months=months,
    )


def _orders(customer: Customer, today: date, months: int) -> Any:
    start, end = day_bounds(months_before(today, months) + timedelta(days=1), today)
    return Order.objects.filter(customer=customer).between(start, end)


def _by_month(customer: Customer, today: date) -> list[tuple[int, Decimal]]:
    """Each month of the year with its share of the net amount; [] where there is none."""
    net = Case(When(status=OrderStatus.RETURNED, then=-F("amount")), default=F("amount"))
    month = ExtractMonth("ordered_at", tzinfo=timezone.get_default_timezone())
    sums: dict[int, Decimal] = dict(
        _orders(customer, today, SEASON_MONTHS)
        .netted()
        .order_by()
        .values_list(month)
        .annotate(total=Sum(net))
    )
    bought = {number: max(total, Decimal(0)) for number, total in sums.items()}
    whole = sum(bought.values())
    if not whole:
        return []
    return [(number, bought.get(number, Decimal(0)) / whole) for number in range(1, 13)]


def shares(amounts: Mapping[K, Decimal]) -> list[tuple[K, Decimal]]:
    """The largest few of `amounts` with their share of all, largest first."""
    whole = sum(amounts.values())
    if whole <= 0:
        return []
    ranked = sorted(amounts.items(), key=lambda item: -item[1])
    return [(name, amount / whole) for name, amount in ranked[:FAVOURITES] if amount > 0]
