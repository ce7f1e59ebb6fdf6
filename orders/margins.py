"""The margin in the channel: what a dealer earns, what we earn, and what eats it (P16).

At the uniform prices a dealer earns the retail price less the dealer price. What it really earns
on an order follows from what it paid: a discount adds to its margin and takes from ours, a
surcharge the other way round. Freight is not known to this system and is in none of the figures.

Pure: prices come in as values, None where a price is not known. Each pair is added up only over
the lines where both of its sides are known, so that like is compared with like.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from orders.amounts import line_amount

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Sold:
    """One line: the quantity (negative for a return), and what one unit is paid, is at the
    uniform dealer and retail price of the day, and costs us."""

    quantity: Decimal
    paid: Decimal
    dealer: Decimal | None = None
    retail: Decimal | None = None
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """What is paid and what it is compared with, over the `lines` where that is known."""

    paid: Decimal = ZERO
    other: Decimal = ZERO
    lines: int = 0

    def __add__(self, more: Pair) -> Pair:
        return Pair(self.paid + more.paid, self.other + more.other, self.lines + more.lines)

    @property
    def known(self) -> bool:
        return self.lines > 0


@dataclass(frozen=True, slots=True)
class Margin:
    """What lines come to: of one line, of an order, or of many; all money is rounded by line."""

    lines: int = 0
    paid: Decimal = ZERO
    uniform: Pair = field(default_factory=Pair)
    retail: Pair = field(default_factory=Pair)
    cost: Pair = field(default_factory=Pair)
    #: The uniform dealer price beside the retail price, and beside our cost: without deviations.
    channel: Pair = field(default_factory=Pair)
    plain: Pair = field(default_factory=Pair)

    def __add__(self, more: Margin) -> Margin:
        return Margin(
            self.lines + more.lines,
            self.paid + more.paid,
            self.uniform + more.uniform,
            self.retail + more.retail,
            self.cost + more.cost,
            self.channel + more.channel,
            self.plain + more.plain,
        )

    @property
    def deviation(self) -> Decimal | None:
        """Paid above the uniform dealer price (a surcharge), or below it (a discount)."""
        return self.uniform.paid - self.uniform.other if self.uniform.known else None

    @property
    def deviation_share(self) -> Decimal | None:
        """The deviation as a share of the uniform dealer price."""
        return share(self.deviation, self.uniform.other)

    @property
    def dealer(self) -> Decimal | None:
        """What the dealer earns where it sells at the uniform retail price."""
        return self.retail.other - self.retail.paid if self.retail.known else None

    @property
    def dealer_share(self) -> Decimal | None:
        """The dealer's margin as a share of the retail price."""
        return share(self.dealer, self.retail.other)

    @property
    def own(self) -> Decimal | None:
        """What we earn: paid less what the goods cost us."""
        return self.cost.paid - self.cost.other if self.cost.known else None

    @property
    def own_share(self) -> Decimal | None:
        """Our margin as a share of what is paid."""
        return share(self.own, self.cost.paid)

    @property
    def uniform_dealer_share(self) -> Decimal | None:
        """What the dealer's share would be at the uniform dealer price."""
        return share(self.channel.other - self.channel.paid, self.channel.other)

    @property
    def uniform_own_share(self) -> Decimal | None:
        """What our share would be at the uniform dealer price."""
        return share(self.plain.paid - self.plain.other, self.plain.paid)


def share(part: Decimal | None, whole: Decimal) -> Decimal | None:
    """`part` of `whole`; None where nothing is known, or the whole is not above zero (returns)."""
    return part / whole if part is not None and whole > 0 else None


def of_line(sold: Sold) -> Margin:
    """The margin of one line."""

    def amount(unit: Decimal | None) -> Decimal | None:
        return None if unit is None else line_amount(sold.quantity, unit)

    def pair(one: Decimal | None, other: Decimal | None) -> Pair:
        return Pair() if one is None or other is None else Pair(one, other, 1)

    paid = line_amount(sold.quantity, sold.paid)
    dealer, retail, cost = amount(sold.dealer), amount(sold.retail), amount(sold.cost)
    return Margin(
        lines=1,
        paid=paid,
        uniform=pair(paid, dealer),
        retail=pair(paid, retail),
        cost=pair(paid, cost),
        channel=pair(dealer, retail),
        plain=pair(dealer, cost),
    )


def total(margins: Iterable[Margin]) -> Margin:
    """All of them together."""
    return sum(margins, Margin())


class Side(StrEnum):
    DEALER = "dealer"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class Warn:
    """A margin below the least. `eaten`: at the uniform dealer price it would not be below.

    The shares are of 1: what it is, the least, and what it would be at the uniform price.
    """

    side: Side
    share: Decimal
    least: Decimal
    uniform_share: Decimal | None

    @property
    def eaten(self) -> bool:
        return self.uniform_share is not None and self.uniform_share >= self.least


def judge(margin: Margin, *, least_dealer: Decimal | None, least_own: Decimal | None) -> list[Warn]:
    """The margins that are below the least: the dealer's, which a surcharge eats, and ours,
    which a discount eats. The least are shares of 1; None asks only that nobody loses money."""
    sides = (
        (Side.DEALER, margin.dealer_share, least_dealer, margin.uniform_dealer_share),
        (Side.OWN, margin.own_share, least_own, margin.uniform_own_share),
    )
    return [
        Warn(side, found, least or ZERO, uniform)
        for side, found, least, uniform in sides
        if found is not None and found < (least or ZERO)
    ]
