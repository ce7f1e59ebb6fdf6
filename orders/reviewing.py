"""What credit a customer needs and earns: the rule of a credit review, without a database (P39).

The need is what the customer buys in the days until it must pay and some more: net amount of the
last YEAR days ÷ YEAR × (terms + spread), times a share by tier. How it pays says whether it gets
that: late or overdue, it is lowered; slow, or released too often, it is not raised; overdue for
very long, it gets nothing. One review moves a limit by the cap at most.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any

from orders.credit import ZERO, Item, days_overdue, exposure
from orders.ledger import Bill
from orders.models import Proposal
from orders.paying import Part

#: Days that a review looks back over.
YEAR = 365
HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Limits:
    """The rules in force: days, and shares in per cent (see `orders.models.CreditRules`)."""

    spread_days: int
    factors: Mapping[str, int]
    slow_days: int
    late_days: int
    overdue_share: int
    stop_days: int
    most_releases: int
    cap: int
    band: int
    step: int


@dataclass(frozen=True, slots=True)
class Habits:
    """What a customer bought and how it paid.

    `pay_days` are the days from order to money, weighted by the money of the last YEAR days;
    None where nothing was paid in them, or where nobody keeps payments. `overdue_share` is the
    part of what is delivered and unpaid, 0–1.
    """

    net: Decimal
    pay_days: Decimal | None
    delivered: Decimal
    overdue: Decimal
    oldest_days: int
    releases: int = 0

    @property
    def overdue_share(self) -> Decimal:
        return self.overdue / self.delivered if self.delivered else ZERO


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is proposed, and the numbers that say why; `reasons` name what decided."""

    kind: Proposal
    proposed: Decimal
    facts: dict[str, Any]


def first_day(as_of: date) -> date:
    """The first of the YEAR days up to `as_of`."""
    return as_of - timedelta(days=YEAR - 1)


def habits_of(
    bills: Mapping[int, tuple[Bill, date]],
    parts: Mapping[int, Iterable[Part]],
    *,
    net: Decimal,
    terms_days: int,
    as_of: date,
    releases: int,
    keeps_payments: bool = True,
) -> Habits:
    """How a customer pays, from its orders with their days and the paid parts of each."""
    if not keeps_payments:
        return Habits(net, None, ZERO, ZERO, 0, releases)
    since = first_day(as_of)
    weighted = money = ZERO
    items = []
    for order_id, paid in parts.items():
        bill, ordered_on = bills[order_id]
        rest = bill.amount
        for paid_on, amount in paid:
            rest -= amount
            if since <= paid_on <= as_of:
                weighted += amount * max((paid_on - ordered_on).days, 0)
                money += amount
        if rest:
            items.append(Item(order_id, ordered_on, bill.status, rest))
    owed = exposure(items, on_account=ZERO, terms_days=terms_days, today=as_of)
    late = [days_overdue(i.ordered_on, terms_days, as_of) for i in items if i.is_delivered]
    pay_days = (weighted / money).quantize(Decimal("0.1"), ROUND_HALF_UP) if money else None
    return Habits(net, pay_days, owed.delivered, owed.overdue, max(late, default=0), releases)


def propose(
    limits: Limits, habits: Habits, *, current: Decimal | None, terms_days: int, tier: str
) -> Verdict | None:
    """The limit that a customer should have; None where the present one may stay.

    `current` None is no limit, `tier` one of the factors. What is proposed is a multiple of the
    step and, but for a stop and a first limit, within the cap of the present limit, or one step.
    """
    days = terms_days + limits.spread_days
    need = max(habits.net, ZERO) / YEAR * days
    wanted = need * limits.factors[tier] / HUNDRED
    target = _rounded(wanted, limits.step, ROUND_HALF_UP)
    if wanted:  # who buys little needs little, not nothing: that would stop it
        step = Decimal(limits.step)
        target = max(target, min(current or step, step))
    late = None if habits.pay_days is None else habits.pay_days - terms_days
    found = _decide(limits, habits, target=target, current=current, late=late)
    if found is None:
        return None
    kind, proposed, reasons = found
    facts = {
        "net": f"{habits.net:.2f}",
        "days": days,
        "terms": terms_days,
        "need": f"{need:.2f}",
        "tier": tier,
        "factor": limits.factors[tier],
        "wanted": f"{wanted:.2f}",
        "pay_days": None if habits.pay_days is None else str(habits.pay_days),
        "delivered": f"{habits.delivered:.2f}",
        "overdue": f"{habits.overdue:.2f}",
        "oldest": habits.oldest_days,
        "releases": habits.releases,
        "slow_days": limits.slow_days,
        "late_days": limits.late_days,
        "overdue_share": limits.overdue_share,
        "stop_days": limits.stop_days,
        "most_releases": limits.most_releases,
        "cap": limits.cap,
        "reasons": reasons,
    }
    return Verdict(kind, proposed, facts)


def _decide(
    limits: Limits,
    habits: Habits,
    *,
    target: Decimal,
    current: Decimal | None,
    late: Decimal | None,
) -> tuple[Proposal, Decimal, list[str]] | None:
    """The proposal and what decided it; `late` are the days after the due day on average."""
    bad, weak = [], []
    if late is not None and late > limits.late_days:
        bad.append("late")
    elif late is not None and late > limits.slow_days:
        weak.append("slow")
    if habits.overdue_share * HUNDRED > limits.overdue_share:
        bad.append("overdue")
    if habits.releases > limits.most_releases:
        weak.append("released")
    if bad and habits.overdue and habits.oldest_days > limits.stop_days:
        return None if current == 0 else (Proposal.STOP, ZERO, [*bad, "stop"])
    if current is None:
        # Nobody is given a first limit on bad habits, and nobody needs one that buys nothing.
        return (Proposal.SET, target, ["need"]) if target and not bad else None
    most = (current or target) * limits.cap / HUNDRED
    # One step at least: the cap of a small limit would be less than that.
    lowest = min(
        _rounded(current - most, limits.step, ROUND_CEILING),
        _rounded(current, limits.step, ROUND_CEILING) - limits.step,
    )
    lowest = max(lowest, ZERO)
    highest = max(
        _rounded(current + most, limits.step, ROUND_FLOOR),
        _rounded(current, limits.step, ROUND_FLOOR) + limits.step,
    )
    near = abs(target - current) * HUNDRED <= current * limits.band
    if bad:
        proposed, reasons = lowest, bad
    elif near or (target > current and weak):
        return None
    elif target > current:
        proposed, reasons = min(target, highest), ["need"]
    else:
        proposed, reasons = max(target, lowest), [*weak, "need"]
    if proposed not in (target, ZERO) and not bad:
        reasons = [*reasons, "cap"]
    if proposed > current:
        return Proposal.RAISE, proposed, reasons
    return (Proposal.LOWER, proposed, reasons) if proposed < current else None


def _rounded(amount: Decimal, step: int, way: str) -> Decimal:
    return ((amount / step).quantize(Decimal(1), way) * step).quantize(ZERO)
