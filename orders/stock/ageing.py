"""How old stock is, what moves slowly, and until when it can be exchanged (P24, P37)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from orders.stock.movements import Lot

ZERO = Decimal(0)
#: The last day of each age of a batch, in days after it was produced; beyond them, the last.
AGES = (90, 180, 365)
#: A deadline is marked so many days before it.
SOON_DAYS = 30


class Age(StrEnum):
    FRESH = "fresh"
    HALF = "half"
    YEAR = "year"
    OLDER = "older"
    UNKNOWN = "unknown"


def age_of(produced_on: date | None, today: date) -> Age:
    """Which age a batch has; one produced in days to come is fresh."""
    if produced_on is None:
        return Age.UNKNOWN
    days = (today - produced_on).days
    return (Age.FRESH, Age.HALF, Age.YEAR, Age.OLDER)[sum(days > last for last in AGES)]


def by_age(lots: Iterable[Lot], today: date) -> dict[Age, Decimal]:
    """How much there is of each age; all ages, the youngest first."""
    sums = dict.fromkeys(Age, ZERO)
    for lot in lots:
        sums[age_of(lot.produced_on, today)] += lot.quantity
    return sums


def oldest(lots: Iterable[Lot]) -> date | None:
    """The day on which the oldest batch that is still there was produced; None if unknown."""
    return min(
        (lot.produced_on for lot in lots if lot.quantity > 0 and lot.produced_on), default=None
    )


def is_slow(
    *,
    expected: Decimal,
    cover: Decimal | None,
    slow_cover_days: int,
    sold: Decimal,
    watched_days: int,
    demand_days: int,
) -> bool:
    """Whether stock moves slowly: it lasts for more than `slow_cover_days`, or nothing was sold
    (`sold`) although it was watched for `demand_days` at least."""
    if expected <= 0:
        return False
    if cover is not None:
        return cover > slow_cover_days
    return sold <= 0 and watched_days >= demand_days


@dataclass(frozen=True, slots=True)
class Deadline:
    """Until when a batch can be exchanged, and from which arrival on the days count."""

    batch: str
    arrived_on: date
    apply_by: date

    def days_left(self, today: date) -> int:
        """Below zero: so many days ago."""
        return (self.apply_by - today).days

    def is_soon(self, today: date) -> bool:
        return 0 <= self.days_left(today) <= SOON_DAYS


def deadlines(
    lots: Iterable[Lot],
    *,
    arrived: dict[str, date],
    arrived_any: date | None,
    first_counted: date,
    exchange_days: int,
) -> list[Deadline]:
    """The deadline of each batch that is still there, the first one first.

    It counts from the last delivery of the batch, else of the product (`arrived_any`), else from
    the day on which the dealer was first found to have the product.
    """
    found = []
    for lot in lots:
        if lot.quantity <= 0:
            continue
        on = arrived.get(lot.batch) if lot.batch else None
        on = on or arrived_any or first_counted
        found.append(Deadline(lot.batch, on, on + timedelta(days=exchange_days)))
    return sorted(found, key=lambda one: (one.apply_by, one.batch))


def next_deadline(found: Sequence[Deadline], today: date) -> Deadline | None:
    """The next one to come, else the one that passed last."""
    to_come = [one for one in found if one.apply_by >= today]
    return to_come[0] if to_come else (found[-1] if found else None)
