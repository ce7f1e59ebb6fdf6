"""Which payments pay which orders: one rule over the orders and payments of one customer (P39).

Money goes to the order that a payment names, as far as that order owes it. Everything else, and
what returned orders give back, pays the other open orders, the one that was ordered first (and so
is due first) before the others; what is left stays on account. Confirmed, shipped and completed
orders owe their amount; drafts and cancelled orders owe nothing and release what was paid for
them. A reversal is a payment below zero: it takes back first what stands for the order it names.

The result depends on the records alone, never on the order they came in. `orders.balances` says
the same for many customers in SQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from orders.models import COUNTED, OrderStatus

ZERO = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class Bill:
    """An order as the ledger sees it; `amount` is never negative."""

    id: int
    number: str
    ordered_at: datetime
    status: str
    amount: Decimal

    @property
    def rank(self) -> tuple[datetime, str, int]:
        """The place in the queue for money; ids only part orders without numbers."""
        return self.ordered_at, self.number, self.id


@dataclass(frozen=True, slots=True)
class Money:
    """A payment: `amount` (below zero: taken back), and the order that it names, if any."""

    amount: Decimal
    order_id: int | None = None


@dataclass(frozen=True, slots=True)
class Ledger:
    """What is paid of each order that owes, and what is left.

    `on_account` is below zero where more was taken back than stood on account.
    """

    paid: Mapping[int, Decimal]
    open: Mapping[int, Decimal]
    on_account: Decimal


def settle(bills: Iterable[Bill], payments: Iterable[Money]) -> Ledger:
    """Spread the payments of one customer over its orders, to the cent.

    The paid amounts and what is on account add up to the payments and returns.
    """
    bills = sorted(bills, key=lambda bill: bill.rank)
    owing = [bill for bill in bills if bill.status in COUNTED]
    named: dict[int, Decimal] = {}
    free = sum((bill.amount for bill in bills if bill.status == OrderStatus.RETURNED), ZERO)
    known = {bill.id for bill in owing}
    for payment in payments:
        if payment.order_id in known and payment.order_id is not None:
            named[payment.order_id] = named.get(payment.order_id, ZERO) + payment.amount
        else:
            free += payment.amount
    paid = {bill.id: min(max(named.get(bill.id, ZERO), ZERO), bill.amount) for bill in owing}
    free += sum((amount - paid[order_id] for order_id, amount in named.items()), ZERO)
    for bill in owing:
        if free <= 0:
            break
        more = min(free, bill.amount - paid[bill.id])
        paid[bill.id] += more
        free -= more
    rest = {bill.id: bill.amount - paid[bill.id] for bill in owing}
    return Ledger(paid=paid, open=rest, on_account=free)
