"""Demand, safety stock, when to order and how much: rules without a database (P24)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from math import sqrt
from statistics import NormalDist

ZERO = Decimal(0)
#: Shorter pieces are joined with their neighbours: a recount of the same day says nothing of a day.
LEAST_DAYS = Decimal(1)
THOUSANDTH = Decimal("0.001")


@dataclass(frozen=True, slots=True)
class Piece:
    """So much was sold in so many days."""

    days: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Demand:
    """What is sold in a day: units, their standard deviation (None: unknown), and from how much."""

    per_day: Decimal
    deviation: float | None
    pieces: int
    days: Decimal


def demand(pieces: Sequence[Piece]) -> Demand | None:
    """The demand of a day from pieces of different lengths; None where there is none.

    Sales of separate days are taken as independent and alike, so that what is sold in n days has
    the mean d·n and the variance σ²·n. Weighted least squares through the origin, with the
    weights 1/n, then gives d = Σx / Σn and, without bias, σ² = Σ (x − d·n)² / n / (k − 1) for k
    pieces (Draper, Smith, Applied Regression Analysis, on weighted least squares). One piece
    tells d alone. Days on which the dealer had nothing to sell count as days without demand.
    """
    joined = _joined(pieces)
    if not joined:
        return None
    days = sum((piece.days for piece in joined), ZERO)
    per_day = sum((piece.quantity for piece in joined), ZERO) / days
    if len(joined) == 1:
        return Demand(per_day, None, 1, days)
    squares = sum(
        float(piece.quantity - per_day * piece.days) ** 2 / float(piece.days) for piece in joined
    )
    return Demand(per_day, sqrt(squares / (len(joined) - 1)), len(joined), days)


def _joined(pieces: Sequence[Piece]) -> list[Piece]:
    """Pieces of LEAST_DAYS at least; a short one at the end goes to the piece before it."""
    joined: list[Piece] = []
    days = quantity = ZERO
    for piece in pieces:
        days, quantity = days + piece.days, quantity + piece.quantity
        if days >= LEAST_DAYS:
            joined.append(Piece(days, quantity))
            days = quantity = ZERO
    if days and joined:
        last = joined.pop()
        joined.append(Piece(last.days + days, last.quantity + quantity))
    return joined


def factor(service_level: Decimal) -> float:
    """How many standard deviations keep `service_level` per cent of the cycles from running out."""
    return NormalDist().inv_cdf(float(service_level) / 100)


def safety_stock(
    *, per_day: float, deviation: float, lead_days: float, lead_spread: float, z: float
) -> float:
    """z · √(L·σ_d² + d²·σ_L²): what covers a demand and a lead time that both vary.

    Units; L and σ_L in days. Chopra, Meindl, Supply Chain Management, on the impact of supply
    uncertainty on safety inventory.
    """
    return z * sqrt(lead_days * deviation**2 + per_day**2 * lead_spread**2)


@dataclass(frozen=True, slots=True)
class Terms:
    """How stock is planned: service level in per cent, the rest in days."""

    service_level: Decimal
    lead_days: int
    lead_spread_days: int
    review_days: int


@dataclass(frozen=True, slots=True)
class Plan:
    """When to order and how much, with the numbers it follows from; whole units are suggested."""

    z: float
    safety: Decimal
    reorder_point: Decimal
    target: Decimal
    suggestion: Decimal

    @property
    def is_due(self) -> bool:
        return self.suggestion > 0


def plan(
    found: Demand | None, *, expected: Decimal, on_the_way: Decimal, terms: Terms
) -> Plan | None:
    """What to order now; None where two pieces at least are not known.

    At or below the reorder point (demand of the lead time and the safety stock) what is expected
    to be there and what is on the way are filled up to the demand of the lead time and of the
    days between orders, and the safety stock. Where nothing is sold nothing is ordered.
    """
    if found is None or found.deviation is None:
        return None
    z = factor(terms.service_level)
    per_day = max(found.per_day, ZERO)
    safety = Decimal(
        safety_stock(
            per_day=float(per_day),
            deviation=found.deviation,
            lead_days=terms.lead_days,
            lead_spread=terms.lead_spread_days,
            z=z,
        )
    ).quantize(THOUSANDTH)
    point = (per_day * terms.lead_days + safety).quantize(THOUSANDTH)
    target = (per_day * (terms.lead_days + terms.review_days) + safety).quantize(THOUSANDTH)
    there = max(expected, ZERO) + on_the_way
    lacking = target - there if per_day > 0 and there <= point else ZERO
    suggestion = max(lacking, ZERO).to_integral_value(ROUND_CEILING)
    return Plan(z, safety, point, target, suggestion)


def cover_days(expected: Decimal, found: Demand | None) -> Decimal | None:
    """How many days the stock lasts at the present demand; None where that is unknown or zero."""
    if found is None or found.per_day <= 0:
        return None
    return max(expected, ZERO) / found.per_day
