"""When which part of an order was paid: the ledger's rule with days (P39).

`orders.ledger` says how far each order is paid; here each paid part keeps the day of the money.
What is taken back takes the newest money of its order, or of the rest, that came before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from orders.ledger import ZERO, Bill
from orders.models import COUNTED, OrderStatus


@dataclass(frozen=True, slots=True)
class Paid:
    """Money of a day; below zero where it went back. `order_id` is the order that it names."""

    on: date
    amount: Decimal
    order_id: int | None = None


Part = tuple[date, Decimal]


def parts_paid(
    bills: Mapping[int, tuple[Bill, date]], money: Iterable[Paid]
) -> dict[int, list[Part]]:
    """The paid parts (day, amount) of each order that owes, by its id.

    `bills` hold each order with its day in the company's time zone. The parts of an order add up
    to what `orders.ledger.settle` calls paid.
    """
    owing = sorted(
        (bill for bill, _on in bills.values() if bill.status in COUNTED), key=lambda one: one.rank
    )
    named: dict[int, list[Part]] = {bill.id: [] for bill in owing}
    free: list[Part] = [
        (on, bill.amount) for bill, on in bills.values() if bill.status == OrderStatus.RETURNED
    ]
    for one in money:
        pool = free if one.order_id is None else named.get(one.order_id, free)
        pool.append((one.on, one.amount))
    parts: dict[int, list[Part]] = {}
    for bill in owing:
        kept, rest = _take(_standing(named[bill.id]), bill.amount)
        parts[bill.id] = kept
        free += rest
    left = _standing(free)
    for bill in owing:
        missing = bill.amount - sum((amount for _on, amount in parts[bill.id]), ZERO)
        taken, left = _take(left, missing)
        parts[bill.id] += taken
    return parts


def _standing(pool: list[Part]) -> list[Part]:
    """The money of a pool by day, without what was taken back: all of it above zero, or below."""
    standing: list[Part] = []
    for day, amount in sorted(pool):
        on, left = day, amount
        while left and standing and (left < 0) != (standing[-1][1] < 0):
            last_on, last = standing.pop()
            left += last
            if (left < 0) == (last < 0):
                on = last_on
        if left:
            standing.append((on, left))
    return standing


def _take(pool: list[Part], wanted: Decimal) -> tuple[list[Part], list[Part]]:
    """The first `wanted` of a pool, and the rest of it; a debt is left in the rest."""
    if pool and pool[0][1] < 0:
        return [], pool
    taken: list[Part] = []
    for place, (on, amount) in enumerate(pool):
        if wanted <= 0:
            return taken, pool[place:]
        part = min(amount, wanted)
        taken.append((on, part))
        wanted -= part
        if part < amount:
            return taken, [(on, amount - part), *pool[place + 1 :]]
    return taken, []
