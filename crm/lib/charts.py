"""Charts that the server draws: from numbers to places on an SVG, in per cent of its size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil, floor, log10

Share = Decimal


def per_cent(share: Share) -> str:
    """A share of 0–1 as a length on the chart: "41.3"; never localised."""
    return f"{float(share) * 100:.2f}".rstrip("0").rstrip(".")


def line_path(points: Sequence[tuple[Share, Share]]) -> str:
    """The `d` of a line through `points` (x, y as shares of 0–1), y upwards.

    For a box of 100 × 100 that is stretched over the chart (charts.css).
    """
    steps = [f"{per_cent(x)},{per_cent(1 - y)}" for x, y in points]
    return "M" + "L".join(steps) if steps else ""


def heat(count: int, largest: int) -> int:
    """A cell's step of heat, 1–4, by its share of the largest cell; 0 for an empty one."""
    if count <= 0 or largest <= 0:
        return 0
    return min(4, 1 + count * 4 // (largest + 1))


@dataclass(frozen=True, slots=True)
class Zone:
    """A ground under a curve, from x to x + width, with its name in the middle."""

    name: str
    x: str
    width: str
    middle: str


def zones(parts: Sequence[tuple[str, Share]]) -> list[Zone]:
    """Grounds side by side from the left; each part is a name and a width as a share of 0–1."""
    found: list[Zone] = []
    start = Decimal(0)
    for name, width in parts:
        found.append(Zone(name, per_cent(start), per_cent(width), per_cent(start + width / 2)))
        start += width
    return found


@dataclass(frozen=True, slots=True)
class Axis:
    """An upright axis from `low` to `high`, with a round mark at every `step`."""

    low: Decimal
    high: Decimal
    step: Decimal

    @classmethod
    def over(cls, values: Sequence[Decimal], *, least_step: Decimal = Decimal(0)) -> Axis:
        """An axis that takes in zero and all `values`, with three to six marks."""
        top, bottom = max([Decimal(1), *values]), min([Decimal(0), *values])
        step = max(_round_step((top - bottom) / 3), least_step)
        return cls(floor(bottom / step) * step, ceil(top / step) * step, step)

    def y(self, value: Decimal) -> Decimal:
        """How far below the top a value lies, in per cent of the height."""
        return (self.high - value) / (self.high - self.low) * 100

    @property
    def marks(self) -> list[Decimal]:
        """The values of the marks, from below."""
        number = int((self.high - self.low) / self.step)
        return [self.low + self.step * place for place in range(number + 1)]


def _round_step(size: Decimal) -> Decimal:
    """The next of 1, 2, 5 times a power of ten at or above `size`."""
    power = Decimal(10) ** floor(log10(size))
    return next(times * power for times in (1, 2, 5, 10) if times * power >= size)
