"""What tiers cost in visits: by the cadence of each tier, a month of 30 days, per owner (P13, P28).

The cadences belong to visits, which stand above: they come as plain values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from crm.lib.contributions import contributions

#: Days of the month that visits are counted for.
MONTH = 30

Tier: TypeAlias = "str | None"
#: Owner of the customers, their tier, how many they are.
Standing: TypeAlias = "tuple[int | None, Tier, int]"
#: Owner, tier before, tier after, how many moved.
Move: TypeAlias = "tuple[int | None, Tier, Tier, int]"


def cadences() -> dict[Tier, int]:
    """Days between two visits to one customer, by tier; a tier without visits is missing."""
    return {
        tier: days
        for contributed in contributions("workload", "every_days")
        for tier, days in contributed().items()
    }


@dataclass(slots=True)
class Load:
    """Customers, those who would move, and visits a month now and then, of one owner or of all."""

    customers: int = 0
    moved: int = 0
    now: Fraction = Fraction(0)
    then: Fraction = Fraction(0)

    @property
    def change(self) -> Fraction:
        return self.then - self.now


def loads(
    standings: Iterable[Standing], moves: Iterable[Move], cadences: Mapping[Tier, int]
) -> dict[int | None, Load]:
    """The load of each owner (None: of customers without one); exact, so that sums are too."""
    visits = {tier: Fraction(MONTH, days) for tier, days in cadences.items()}
    found: dict[int | None, Load] = {}
    for owner, tier, number in standings:
        load = found.setdefault(owner, Load())
        load.customers += number
        asked = number * visits.get(tier, Fraction(0))
        load.now += asked
        load.then += asked
    for owner, start, end, number in moves:
        load = found.setdefault(owner, Load())
        load.moved += number
        load.then += number * (visits.get(end, Fraction(0)) - visits.get(start, Fraction(0)))
    return found


def total(parts: Iterable[Load]) -> Load:
    """All owners together."""
    whole = Load()
    for load in parts:
        whole.customers += load.customers
        whole.moved += load.moved
        whole.now += load.now
        whole.then += load.then
    return whole
