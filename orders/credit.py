"""What a customer owes and whether an order has to wait for it: rules without a database (P39)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from orders.models import Cause, HoldAt, OrderStatus

ZERO = Decimal("0.00")
#: The last day of each age of what is overdue, in days after the due day; beyond them, the last.
AGES = (30, 60, 90)
#: Days of sales that the days-sales-outstanding looks back over.
DSO_DAYS = 90


@dataclass(frozen=True, slots=True)
class Item:
    """What is open of one order: `ordered_on` is its day in the company's time zone."""

    order_id: int
    ordered_on: date
    status: str
    open: Decimal

    @property
    def is_delivered(self) -> bool:
        return self.status != OrderStatus.CONFIRMED


@dataclass(frozen=True, slots=True)
class Exposure:
    """What a customer owes, by kind and age; the kinds never overlap.

    `ordered` is not shipped yet, `not_due` and `overdue` (by AGES) are delivered and unpaid.
    """

    ordered: Decimal = ZERO
    not_due: Decimal = ZERO
    overdue_by_age: tuple[Decimal, Decimal, Decimal, Decimal] = (ZERO, ZERO, ZERO, ZERO)
    on_account: Decimal = ZERO

    @property
    def overdue(self) -> Decimal:
        return sum(self.overdue_by_age, ZERO)

    @property
    def delivered(self) -> Decimal:
        return self.not_due + self.overdue

    @property
    def total(self) -> Decimal:
        """What counts against the limit; what is on account counts for the customer."""
        return self.ordered + self.delivered - self.on_account

    def available(self, limit: Decimal | None) -> Decimal | None:
        """What may still be ordered (below zero: beyond the limit); None without a limit."""
        return None if limit is None else limit - self.total


def due_on(ordered_on: date, terms_days: int) -> date:
    """The last day on which an order is paid in time."""
    return ordered_on + timedelta(days=terms_days)


def days_overdue(ordered_on: date, terms_days: int, today: date) -> int:
    """Days after the due day; 0 on the due day and before it."""
    return max((today - due_on(ordered_on, terms_days)).days, 0)


def age_of(days: int) -> int:
    """The place among AGES of what is overdue for `days`; raises ValueError where nothing is."""
    if days < 1:
        raise ValueError("not overdue")
    return sum(days > last for last in AGES)


def exposure(
    items: Iterable[Item], *, on_account: Decimal, terms_days: int, today: date
) -> Exposure:
    """Add up what is open of a customer's orders; only what was delivered can be overdue."""
    ordered = not_due = ZERO
    ages = [ZERO] * (len(AGES) + 1)
    for item in items:
        if not item.is_delivered:
            ordered += item.open
            continue
        days = days_overdue(item.ordered_on, terms_days, today)
        if days:
            ages[age_of(days)] += item.open
        else:
            not_due += item.open
    first, second, third, last = ages
    return Exposure(ordered, not_due, (first, second, third, last), on_account)


def taken_as_paid(items: Iterable[Item], *, terms_days: int, today: date) -> list[Item]:
    """What counts as open where nobody keeps payments: what is delivered is paid when due."""
    return [
        item
        for item in items
        if not (item.is_delivered and days_overdue(item.ordered_on, terms_days, today))
    ]


def days_sales_outstanding(
    receivable: Decimal, sales: Decimal, days: int = DSO_DAYS
) -> Decimal | None:
    """Days of sales that are not paid yet: receivable ÷ sales of the last `days` days × `days`.

    `receivable` is delivered and unpaid less what is on account, `sales` the net amount delivered
    in those days. None where nothing was sold. It is the usual average collection period
    (Brealey, Myers, Allen, Principles of Corporate Finance, on financial analysis).
    """
    if sales <= 0:
        return None
    return (max(receivable, ZERO) / sales * days).quantize(Decimal("0.1"), ROUND_HALF_UP)


# --- holding


@dataclass(frozen=True, slots=True)
class Rule:
    """What was agreed with a customer; `limit` None is no limit."""

    limit: Decimal | None
    terms_days: int
    hold_at: str
    hold_overdue_days: int | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """That an order waits, and the numbers that say why."""

    order_id: int
    cause: str
    facts: dict[str, Any]


def judge(
    rule: Rule,
    items: Iterable[Item],
    *,
    on_account: Decimal,
    today: date,
    paid_since: date | None,
    released: Collection[tuple[int, str]] = (),
) -> list[Held]:
    """The orders of a customer that wait, and why; `items` in the order of the queue for money.

    Only confirmed orders can wait. Held when ordered, an order waits if it and everything open
    before it, but for what waits itself, goes beyond the limit. Held before delivery, only what
    was delivered counts beside it. With `hold_overdue_days` every confirmed order waits while
    anything delivered is overdue for more days. What a person `released` (order, cause) passes.

    Nobody is late in books that do not go back so far: for overdue money an order waits only
    where that was ordered on or after `paid_since`, the day of the first payment that the company
    has stored; None where it stored none. What was open before that day stays visible as overdue;
    what was paid of it is entered as one payment.
    """
    if rule.hold_at == HoldAt.NEVER:
        return []
    items = list(items)
    used = sum((item.open for item in items if item.is_delivered), ZERO) - on_account
    late = _late(rule, items, today, paid_since)
    held: list[Held] = []
    for item in items:
        if item.is_delivered or not item.open:
            continue
        waits = False
        if late and (item.order_id, Cause.OVERDUE) not in released:
            held.append(Held(item.order_id, Cause.OVERDUE, late))
            waits = True
        beyond = rule.limit is not None and used + item.open > rule.limit
        if beyond and (item.order_id, Cause.LIMIT) not in released:
            facts = {
                "limit": f"{rule.limit:.2f}",
                "used": f"{used:.2f}",
                "open": f"{item.open:.2f}",
            }
            held.append(Held(item.order_id, Cause.LIMIT, facts))
            waits = True
        if not waits and rule.hold_at == HoldAt.ORDER:
            used += item.open
    return held


def _late(
    rule: Rule, items: Iterable[Item], today: date, paid_since: date | None
) -> dict[str, Any]:
    """The numbers of what is overdue for too long; empty where nothing is."""
    if rule.hold_overdue_days is None or paid_since is None:
        return {}
    late = [
        (days, item.open)
        for item in items
        if item.is_delivered
        and item.open
        and item.ordered_on >= paid_since
        and (days := days_overdue(item.ordered_on, rule.terms_days, today)) > rule.hold_overdue_days
    ]
    if not late:
        return {}
    return {
        "overdue": f"{sum((amount for _days, amount in late), ZERO):.2f}",
        "days": max(days for days, _amount in late),
        "allowed": rule.hold_overdue_days,
    }
