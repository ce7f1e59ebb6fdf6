"""The minimum order amount (P36): the value of a day, exceptions to it (P19), and who is below.

An exception that is approved for a customer and a period lowers the minimum for that customer on
those days; of several the lowest counts. `Minimums` says so of one order, `below` in SQL.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import TruncDate
from django.utils import timezone

from crm.lib.days import LATEST, day_start
from orders.models import MinimumException, OrderQuerySet, OrderStatus, TradeTerms

#: What is cancelled or comes back is no order to be too small.
NOT_ASKED = (OrderStatus.CANCELLED, OrderStatus.RETURNED)


def shortfall(*, status: str, amount: Decimal, minimum: Decimal | None) -> Decimal | None:
    """What an order lacks to the minimum of its day; None where it lacks nothing."""
    if minimum is None or status in NOT_ASKED or amount >= minimum:
        return None
    return minimum - amount


@dataclass(frozen=True, slots=True)
class Lowered:
    """The minimum of a customer from one day to another; `withdrawn_on` is no such day any more."""

    minimum: Decimal
    first: date
    last: date
    withdrawn_on: date | None = None

    def holds_on(self, day: date) -> bool:
        standing = self.withdrawn_on is None or day < self.withdrawn_on
        return self.first <= day <= self.last and standing


class Minimums:
    """The minimum of every day, for everybody and for `customers`, from two queries."""

    def __init__(self, customers: Collection[int] = ()) -> None:
        found = TradeTerms.objects.order_by("valid_from").values_list("valid_from", "minimum_order")
        self._days: list[date] = []
        self._amounts: list[Decimal | None] = []
        for day, amount in found:
            self._days.append(day)
            self._amounts.append(amount)
        self._lowered: dict[int, list[Lowered]] = {}
        if not customers or not any(self._amounts):
            return  # nothing to make an exception to
        approved = MinimumException.objects.approved().filter(customer__in=customers).order_by()
        for customer, minimum, first, last, withdrawn_on in approved.values_list(
            "customer_id", "minimum", "valid_from", "valid_to", "withdrawn_on"
        ):
            lowered = Lowered(minimum, first, last, withdrawn_on)
            self._lowered.setdefault(customer, []).append(lowered)

    def on(self, day: date, customer: int | None = None) -> Decimal | None:
        """What an order of `day` must reach; for `customer`, one of those named at the start."""
        at = bisect_right(self._days, day)
        usual = self._amounts[at - 1] if at else None
        lowered = [
            one.minimum
            for one in (self._lowered.get(customer, ()) if customer is not None else ())
            if one.holds_on(day)
        ]
        return usual if usual is None else min([usual, *lowered])

    def spans(self) -> list[tuple[datetime, datetime, Decimal]]:
        """The moments from and before which each minimum is asked of everybody."""
        ends = [*map(day_start, self._days[1:]), LATEST]
        return [
            (day_start(day), end, amount)
            for day, end, amount in zip(self._days, ends, self._amounts, strict=True)
            if amount is not None
        ]


def below(orders: OrderQuerySet) -> OrderQuerySet:
    """The orders below the minimum of their customer and day."""
    return _dated(orders).filter(_below())


def not_below(orders: OrderQuerySet) -> OrderQuerySet:
    """All the others."""
    return _dated(orders).exclude(_below())


def _dated(orders: OrderQuerySet) -> OrderQuerySet:
    day = TruncDate("ordered_at", tzinfo=timezone.get_default_timezone())
    return orders.alias(ordered_on=day)


def _below() -> Q:
    asked = Q(pk__in=[])
    for start, end, minimum in Minimums().spans():
        asked |= Q(ordered_at__gte=start, ordered_at__lt=end, amount__lt=minimum)
    let_pass = MinimumException.objects.on(OuterRef("ordered_on")).filter(
        customer=OuterRef("customer_id"), minimum__lte=OuterRef("amount")
    )
    return asked & ~Q(status__in=NOT_ASKED) & ~Q(Exists(let_pass))
