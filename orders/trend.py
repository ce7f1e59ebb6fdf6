"""How a customer's orders run: net amounts by month beside the year before, ready to draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Case, F, Sum, When
from django.db.models.functions import TruncMonth
from django.utils import timezone

from crm.lib.charts import Axis
from crm.lib.days import day_start
from customers.models import Customer
from orders.models import Order, OrderStatus

MONTHS = 12


@dataclass(frozen=True, slots=True)
class Month:
    """One month of the chart: its first day, its net amount and that of the year before.

    `x`, `y`, `height` and `mid` place its bar, `point` the comparison, all in per cent of the
    chart, as texts that need no localisation.
    """

    first: date
    net: Decimal
    before: Decimal
    x: str = ""
    mid: str = ""
    slot: str = ""
    y: str = ""
    height: str = ""
    point: str = ""


@dataclass(frozen=True, slots=True)
class Trend:
    """A chart of 12 months. `lines` are the marks of the axis: (amount in thousands, y)."""

    months: list[Month]
    lines: list[tuple[Decimal, str]]
    zero: str

    @property
    def highest(self) -> Month:
        return max(self.months, key=lambda month: month.net)

    @property
    def lowest(self) -> Month:
        return min(self.months, key=lambda month: month.net)

    @property
    def comparison(self) -> str:
        """The points of the line of the year before."""
        return " ".join(f"{month.mid},{month.point}" for month in self.months)


def of_customer(customer: Customer, *, today: date) -> Trend | None:
    """The 12 full months before the present one; None where there was nothing in two years."""
    months = [_months_back(today, back) for back in range(2 * MONTHS, -1, -1)]
    net = Case(When(status=OrderStatus.RETURNED, then=-F("amount")), default=F("amount"))
    sums: Any = (
        Order.objects.filter(customer=customer)
        .netted()
        .between(day_start(months[0]), day_start(months[-1]))
        .annotate(month=TruncMonth("ordered_at", tzinfo=timezone.get_default_timezone()))
        .order_by()
        .values("month")
        .annotate(total=Sum(net))
    )
    by_month = {row["month"].date(): row["total"] for row in sums}
    if not by_month:
        return None
    return drawn(
        [
            Month(month, by_month.get(month, Decimal(0)), by_month.get(before, Decimal(0)))
            for month, before in zip(months[MONTHS:-1], months[:MONTHS], strict=True)
        ]
    )


def _months_back(day: date, months: int) -> date:
    """The first day of the month that lies `months` before that of `day`."""
    index = day.year * 12 + day.month - 1 - months
    return date(index // 12, index % 12 + 1, 1)


def drawn(months: Sequence[Month]) -> Trend:
    """The months with their places on the chart, and an axis with three to six round marks."""
    axis = Axis.over([month.net for month in months] + [month.before for month in months])
    y = axis.y
    slot = Decimal(100) / len(months)
    placed = [
        Month(
            month.first,
            month.net,
            month.before,
            x=f"{slot * number + slot * Decimal('0.28'):.2f}",
            mid=f"{slot * number + slot / 2:.2f}",
            slot=f"{slot * number:.2f}",
            y=f"{min(y(month.net), y(Decimal(0))):.2f}",
            height=f"{abs(y(month.net) - y(Decimal(0))):.2f}",
            point=f"{y(month.before):.2f}",
        )
        for number, month in enumerate(months)
    ]
    lines = [(mark / 1000, f"{y(mark):.2f}") for mark in axis.marks]
    return Trend(placed, lines, f"{y(Decimal(0)):.2f}")
