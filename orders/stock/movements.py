"""What came, went and must have been sold between two counts of a product: a pure rule (P23)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any

ZERO = Decimal(0)
Batches = dict[str, Decimal]
SECONDS = Decimal(86_400)


@dataclass(frozen=True, slots=True)
class Lot:
    """So much of one batch; `batch` is "" where nobody said which."""

    batch: str
    quantity: Decimal
    produced_on: date | None = None


@dataclass(frozen=True)
class Count:
    """One count of the product, whole: a batch without a lot is gone."""

    pk: int
    at: datetime
    lots: tuple[Lot, ...]

    @cached_property
    def quantity(self) -> Decimal:
        return sum((lot.quantity for lot in self.lots), ZERO)

    def by_batch(self) -> Batches:
        return {lot.batch: lot.quantity for lot in self.lots}


class Kind(StrEnum):
    DELIVERY = "delivery"
    SALE = "sale"
    ADJUSTMENT = "adjustment"


@dataclass(frozen=True, slots=True)
class Move:
    """Goods that moved. A delivery is a line of an order at the moment it was ordered: nobody
    tells us when it arrived; that of a returned order is negative. `pk` is that of the order, the
    sell-out or the adjustment, `cause` that of an adjustment."""

    kind: Kind
    pk: int
    at: datetime
    quantity: Decimal
    batch: str = ""
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Arrival:
    """When a batch ("" without one) was delivered for the first and the last time before the last
    count."""

    batch: str
    first_at: datetime
    last_at: datetime


@dataclass(slots=True)
class History:
    """What is known of one product at one dealer; each list is in order of time.

    `moves` reach back to the first of `counts`. `arrivals` and `first_counted_at` look further
    back, `on_the_way` is what is confirmed and not shipped.
    """

    customer_id: int
    product_id: int
    counts: list[Count] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)
    first_counted_at: datetime | None = None
    on_the_way: Decimal = ZERO


class Problem(StrEnum):
    """Why the numbers cannot be right."""

    NEGATIVE = "negative"
    GREW = "grew"
    OVERSOLD = "oversold"
    FOREIGN = "foreign"
    CONTRADICTION = "contradiction"


@dataclass(frozen=True, slots=True)
class Finding:
    """A result that cannot be, with its numbers: what `orders.stock.words` needs to say why."""

    problem: Problem
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Overtaken:
    """Goods of a newer batch that left while an older one stayed (FIFO)."""

    newer: str
    newer_on: date
    older: str
    older_on: date
    gone: Decimal
    left: Decimal


@dataclass
class Interval:
    """From one count to the next: opening <= moment < closing. All quantities in units.

    Without a closing count the interval is still open: nothing can be derived in it. Its sums are
    worked out once: each is asked for many times.
    """

    opening: Count
    closing: Count | None
    moves: tuple[Move, ...]
    findings: tuple[Finding, ...] = ()
    overtaken: tuple[Overtaken, ...] = ()

    def of(self, kind: Kind) -> list[Move]:
        return [move for move in self.moves if move.kind == kind]

    def _sum(self, kind: Kind) -> Decimal:
        return sum((move.quantity for move in self.moves if move.kind == kind), ZERO)

    @cached_property
    def sell_in(self) -> Decimal:
        return self._sum(Kind.DELIVERY)

    @cached_property
    def adjusted(self) -> Decimal:
        return self._sum(Kind.ADJUSTMENT)

    @cached_property
    def reported(self) -> Decimal | None:
        """What the dealer says it sold; None where it says nothing."""
        sales = self.of(Kind.SALE)
        return sum((move.quantity for move in sales), ZERO) if sales else None

    @cached_property
    def available(self) -> Decimal:
        """What there was to sell: opening + sell-in + adjustments."""
        return self.opening.quantity + self.sell_in + self.adjusted

    @cached_property
    def derived(self) -> Decimal | None:
        """What must have been sold: opening + sell-in + adjustments − closing."""
        return None if self.closing is None else self.available - self.closing.quantity

    @cached_property
    def difference(self) -> Decimal | None:
        """Derived less reported; None where either is unknown."""
        if self.derived is None or self.reported is None:
            return None
        return self.derived - self.reported

    @cached_property
    def days(self) -> Decimal | None:
        """How long it took, to the second."""
        if self.closing is None:
            return None
        return Decimal((self.closing.at - self.opening.at).total_seconds()) / SECONDS


def intervals(history: History) -> list[Interval]:
    """Every interval from the first count on, the open one after the last count at the end.

    Before the first count nothing is known. Of counts at the same moment the last one stored is
    gone by; where they differ, that is a finding.
    """
    counts, clashes = _settled(history.counts)
    produced = {
        lot.batch: lot.produced_on
        for count in counts
        for lot in count.lots
        if lot.batch and lot.produced_on
    }
    found: list[Interval] = []
    place, moves = 0, history.moves
    for opening, closing in zip(counts, [*counts[1:], None], strict=True):
        while place < len(moves) and moves[place].at < opening.at:
            place += 1
        begun = place
        while place < len(moves) and (closing is None or moves[place].at < closing.at):
            place += 1
        span = Interval(opening, closing, tuple(moves[begun:place]))
        counted = [*([] if found else [opening]), *([closing] if closing else [])]
        strange = {one.at: _strangers(one, history) for one in counted}
        problems = [
            *(clashes[one.at] for one in counted if one.at in clashes),
            *_impossible(span),
            *_foreign(span, strange),
            *_grown(span, strange),
        ]
        span.findings = tuple(problems)
        span.overtaken = tuple(_overtaken(span, produced) if closing else ())
        found.append(span)
    return found


def _settled(counts: Sequence[Count]) -> tuple[list[Count], dict[datetime, Finding]]:
    """One count for each moment, and a finding for moments at which counts contradict."""
    settled: list[Count] = []
    clashes: dict[datetime, Finding] = {}
    for count in sorted(counts, key=lambda one: (one.at, one.pk)):
        if settled and settled[-1].at == count.at:
            before = settled.pop()
            if before.by_batch() != count.by_batch():
                facts = {
                    "first": before.quantity,
                    "second": count.quantity,
                    "reports": [before.pk, count.pk],
                }
                clashes[count.at] = Finding(Problem.CONTRADICTION, facts)
        settled.append(count)
    return settled, clashes


def _impossible(interval: Interval) -> Iterable[Finding]:
    """More sold than there was, by what was reported or by what the counts leave."""
    reported, derived = interval.reported, interval.derived
    facts = {
        "opening": interval.opening.quantity,
        "sell_in": interval.sell_in,
        "adjusted": interval.adjusted,
    }
    if reported is not None and reported > interval.available:
        yield Finding(
            Problem.OVERSOLD, {**facts, "reported": reported, "available": interval.available}
        )
    if derived is not None and derived < 0:
        assert interval.closing is not None
        closing = interval.closing.quantity
        yield Finding(Problem.NEGATIVE, {**facts, "closing": closing, "derived": derived})


def _strangers(count: Count, history: History) -> Batches:
    """Batches in a count that were never delivered to this dealer before it.

    Only where all earlier deliveries of the product name their batch, and no adjustment brought
    the batch: else it may well be ours.
    """
    before = [one for one in history.arrivals if one.first_at < count.at]
    if not before or any(not one.batch for one in before):
        return {}
    known = {one.batch for one in before} | {
        move.batch
        for move in history.moves
        if move.kind == Kind.ADJUSTMENT and move.quantity > 0 and move.at < count.at
    }
    if "" in known:
        return {}
    return {
        lot.batch: lot.quantity
        for lot in count.lots
        if lot.batch and lot.quantity > 0 and lot.batch not in known
    }


def _foreign(interval: Interval, strange: Mapping[datetime, Batches]) -> Iterable[Finding]:
    """A finding for each strange batch where it is counted for the first time."""
    for at, batches in strange.items():
        known = interval.opening.by_batch() if at != interval.opening.at else {}
        for batch, quantity in batches.items():
            if not known.get(batch):
                yield Finding(Problem.FOREIGN, {"batch": batch, "quantity": quantity})


def _grown(interval: Interval, strange: Mapping[datetime, Batches]) -> Iterable[Finding]:
    """Batches of which there is more than came; what came without a batch may be any of them."""
    if interval.closing is None:
        return
    before = interval.opening.by_batch()
    if "" in before:
        return
    came, unnamed = _came(interval)
    for lot in interval.closing.lots:
        if not lot.batch or lot.batch in strange[interval.closing.at]:
            continue
        opening, delivered = before.get(lot.batch, ZERO), came.get(lot.batch, ZERO)
        if lot.quantity > opening + delivered + unnamed:
            yield Finding(
                Problem.GREW,
                {
                    "batch": lot.batch,
                    "opening": opening,
                    "came": delivered + unnamed,
                    "closing": lot.quantity,
                },
            )


def _came(interval: Interval) -> tuple[Batches, Decimal]:
    """What came of each batch, by delivery or adjustment, and what came without a batch."""
    came: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
    unnamed = ZERO
    for move in interval.moves:
        if move.kind == Kind.SALE:
            continue
        if move.batch:
            came[move.batch] += move.quantity
        elif move.quantity > 0:
            unnamed += move.quantity
    return came, unnamed


def _overtaken(interval: Interval, produced: Mapping[str, date]) -> Iterable[Overtaken]:
    """Newer batches that went down while the oldest one that was there at both counts stayed."""
    assert interval.closing is not None
    before, after = interval.opening.by_batch(), interval.closing.by_batch()
    came, _unnamed = _came(interval)
    stayed = [
        (day, batch)
        for batch, left in after.items()
        if left > 0 and before.get(batch, ZERO) > 0 and (day := produced.get(batch))
    ]
    if not stayed:
        return
    older_on, older = min(stayed)
    for batch in sorted({*before, *after}):
        day = produced.get(batch)
        gone = before.get(batch, ZERO) + came.get(batch, ZERO) - after.get(batch, ZERO)
        if day and day > older_on and gone > 0:
            yield Overtaken(batch, day, older, older_on, gone, after[older])
