"""P8 counted a second time, in plain Python with fractions: shares no code with the product."""

from __future__ import annotations

import calendar
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

HOME = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class Bought:
    customer: str
    at: datetime
    status: str
    amount: Decimal


@dataclass(frozen=True)
class Found:
    tier: str | None
    net: Decimal
    orders: int
    last_on: date | None
    rank: int | None
    before: Fraction | None


def window_start(as_of: date, months: int) -> date:
    """The day after which orders count."""
    year, month = as_of.year, as_of.month
    for _step in range(months):
        month -= 1
        if month == 0:
            year, month = year - 1, 12
    return date(year, month, min(as_of.day, calendar.monthrange(year, month)[1]))


def recount(
    customers: list[str],
    orders: list[Bought],
    as_of: date,
    *,
    months: int = 12,
    a: str = "0.8",
    b: str = "0.95",
) -> dict[str, Found]:
    start = window_start(as_of, months)
    net: dict[str, Fraction] = defaultdict(Fraction)
    number: dict[str, int] = defaultdict(int)
    last: dict[str, date] = {}
    for order in orders:
        day = order.at.astimezone(UTC).astimezone(HOME).date()
        if not start < day <= as_of:
            continue
        if order.status == "returned":
            net[order.customer] -= Fraction(order.amount)
        elif order.status in {"confirmed", "shipped", "completed"}:
            net[order.customer] += Fraction(order.amount)
            number[order.customer] += 1
            last[order.customer] = max(last.get(order.customer, day), day)
    line = sorted((c for c in customers if net[c] > 0), key=lambda c: (-net[c], c.encode()))
    total = sum((net[c] for c in line), Fraction(0))
    found: dict[str, Found] = {}
    running = Fraction(0)
    for place, c in enumerate(line, start=1):
        share = running / total
        tier = "A" if share < Fraction(a) else "B" if share < Fraction(b) else "C"
        found[c] = Found(tier, _money(net[c]), number[c], last.get(c), place, share)
        running += net[c]
    for c in customers:
        if c not in found:
            found[c] = Found(None, _money(net[c]), number[c], last.get(c), None, None)
    return found


def _money(value: Fraction) -> Decimal:
    return Decimal(value.numerator * 100 // value.denominator) / 100
