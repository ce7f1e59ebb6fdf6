"""Charts that the server draws: from numbers to places on an SVG, in per cent of its size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

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
