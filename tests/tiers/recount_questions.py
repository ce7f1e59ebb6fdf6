"""P48 and P14 counted a second time, order by order: shares no code with the product."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

HOME = ZoneInfo("Asia/Shanghai")
PURCHASES = {"confirmed", "shipped", "completed"}


@dataclass(frozen=True)
class Line:
    category: str
    quantity: Decimal
    price: Decimal
    cost: Decimal | None

    @property
    def amount(self) -> Decimal:
        return (self.quantity * self.price).quantize(Decimal("0.01"), ROUND_HALF_UP)

    @property
    def margin(self) -> Decimal | None:
        if self.cost is None:
            return None
        return self.amount - (self.quantity * self.cost).quantize(Decimal("0.01"), ROUND_HALF_UP)


@dataclass(frozen=True)
class Bought:
    customer: str
    at: datetime
    status: str
    amount: Decimal
    lines: tuple[Line, ...] = ()

    @property
    def day(self) -> date:
        return self.at.astimezone(UTC).astimezone(HOME).date()

    def is_of(self, category: str) -> bool:
        return not category or any(line.category == category for line in self.lines)


@dataclass
class History:
    customers: list[str]
    orders: list[Bought]
    #: Days on which somebody dealt with a customer.
    contacts: dict[str, list[date]] = field(default_factory=dict)

    def purchases(self, category: str, until: date) -> dict[str, list[Bought]]:
        found: dict[str, list[Bought]] = {name: [] for name in self.customers}
        for order in sorted(self.orders, key=lambda order: order.at):
            if (
                order.customer in found
                and order.status in PURCHASES
                and order.is_of(category)
                and order.day <= until
            ):
                found[order.customer].append(order)
        return found

    def population(self, category: str, until: date) -> set[str]:
        if not category:
            return set(self.customers)
        return {name for name, orders in self.purchases(category, until).items() if orders}

    def figures(
        self, first: date, last: date, before: tuple[date, date], category: str, silence: int
    ) -> dict[str, set[str]]:
        """The customers behind each figure; `before` is the period to compare with."""
        found: dict[str, set[str]] = defaultdict(set)
        for name, orders in self.purchases(category, last).items():
            days = [order.day for order in orders]
            now = [day for day in days if first <= day]
            prior = [day for day in days if before[0] <= day <= before[1]]
            if now:
                found["buyers"].add(name)
            if len(now) == 1:
                found["once"].add(name)
            if len(now) > 1:
                found["repeat"].add(name)
            if len(days) == 1 and (last - days[0]).days >= silence:
                found["silent"].add(name)
            if days and days[0] >= first:
                found["newcomers"].add(name)
                found["returned" if len(days) > 1 else "unreturned"].add(name)
            if prior:
                found["buyers_before"].add(name)
                found["stayed" if now else "dropped"].add(name)
        everybody = self.population(category, last)
        found["idle"] = everybody - found["buyers"]
        met = {name for name, days in self.contacts.items() if any(day <= last for day in days)}
        found["untouched"] = everybody - met
        found["unseen"] = found["unreturned"] - met
        return found

    def days_to_second(self, first: date, last: date, category: str) -> list[int]:
        return sorted(
            (orders[1].day - orders[0].day).days
            for orders in self.purchases(category, last).values()
            if len(orders) > 1 and orders[0].day >= first
        )

    def cohorts(self, first: date, last: date, category: str) -> dict[str, list[int]]:
        """By month: how many of its newcomers bought in that month and in each one since."""
        months: list[str] = []
        day = first
        while day <= last:
            if day.strftime("%Y-%m") not in months:
                months.append(day.strftime("%Y-%m"))
            day += timedelta(days=1)
        found: dict[str, list[set[str]]] = {}
        for name, orders in self.purchases(category, last).items():
            if not orders or orders[0].day < first:
                continue
            born = orders[0].day.strftime("%Y-%m")
            line = months[months.index(born) :]
            sets = found.setdefault(born, [set() for _month in line])
            for order in orders:
                sets[line.index(order.day.strftime("%Y-%m"))].add(name)
        return {month: [len(one) for one in sets] for month, sets in sorted(found.items())}

    def sums(self, first: date, last: date, category: str, *, margin: bool) -> dict[str, Decimal]:
        """What each customer brought in the period, returns against it."""
        found: dict[str, Decimal] = defaultdict(Decimal)
        for order in self.orders:
            if order.customer not in self.customers or not first <= order.day <= last:
                continue
            if order.status not in {*PURCHASES, "returned"} or not order.is_of(category):
                continue
            sign = -1 if order.status == "returned" else 1
            lines = [line for line in order.lines if category in ("", line.category)]
            if margin:
                value = sum((line.margin for line in lines if line.margin is not None), Decimal(0))
            elif category:
                value = sum((line.amount for line in lines), Decimal(0))
            else:
                value = order.amount
            found[order.customer] += sign * value
        return found


def pareto(sums: dict[str, Decimal]) -> tuple[list[str], Fraction, Fraction]:
    """Who brought something, largest first; all together; and the share of the top fifth."""
    line = sorted((name for name in sums if sums[name] > 0), key=lambda n: (-sums[n], n.encode()))
    total = sum((Fraction(sums[name]) for name in line), Fraction(0))
    top = line[: (len(line) + 4) // 5]
    part = sum((Fraction(sums[name]) for name in top), Fraction(0))
    return line, total, part / total if total else Fraction(0)
