"""The minimum order amount (P36): the value of a day, and the orders below it.

Exceptions that are approved for a customer and a period (P19) belong here: they lower the
minimum that `shortfall` and `below` compare with. There are none yet.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Q

from crm.lib.days import LATEST, day_start
from orders.models import OrderQuerySet, OrderStatus, TradeTerms

#: What is cancelled or comes back is no order to be too small.
NOT_ASKED = (OrderStatus.CANCELLED, OrderStatus.RETURNED)


def shortfall(*, status: str, amount: Decimal, minimum: Decimal | None) -> Decimal | None:
    """What an order lacks to the minimum of its day; None where it lacks nothing."""
    if minimum is None or status in NOT_ASKED or amount >= minimum:
        return None
    return minimum - amount


class Minimums:
    """The minimum of every day, from one query."""

    def __init__(self) -> None:
        found = TradeTerms.objects.order_by("valid_from").values_list("valid_from", "minimum_order")
        self._days: list[date] = []
        self._amounts: list[Decimal | None] = []
        for day, amount in found:
            self._days.append(day)
            self._amounts.append(amount)

    def on(self, day: date) -> Decimal | None:
        at = bisect_right(self._days, day)
        return self._amounts[at - 1] if at else None

    def spans(self) -> list[tuple[datetime, datetime, Decimal]]:
        """The moments from and before which each minimum is asked for."""
        ends = [*map(day_start, self._days[1:]), LATEST]
        return [
            (day_start(day), end, amount)
            for day, end, amount in zip(self._days, ends, self._amounts, strict=True)
            if amount is not None
        ]


def below(orders: OrderQuerySet) -> OrderQuerySet:
    """The orders below the minimum of their day."""
    return orders.filter(_below())


def not_below(orders: OrderQuerySet) -> OrderQuerySet:
    """All the others."""
    return orders.exclude(_below())


def _below() -> Q:
    asked = Q(pk__in=[])
    for start, end, minimum in Minimums().spans():
        asked |= Q(ordered_at__gte=start, ordered_at__lt=end, amount__lt=minimum)
    return asked & ~Q(status__in=NOT_ASKED)
