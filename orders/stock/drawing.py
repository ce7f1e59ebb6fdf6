"""A dealer's stock of one product over time, as places on a chart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from crm.lib.charts import Axis, line_path, per_cent
from crm.lib.days import day_start
from crm.lib.formats import local_day
from orders.stock.judging import Judgement

#: So many counts are drawn, the last ones.
MOST = 60
#: So many months are named below the chart.
MOST_MONTHS = 6


@dataclass(frozen=True, slots=True)
class Point:
    """A count, or what is expected: `x` and `y` in per cent of the chart."""

    at: datetime
    quantity: Decimal
    x: str
    y: str


@dataclass(frozen=True, slots=True)
class Picture:
    """The line through the counts, and the dashed one on to what is expected now."""

    counts: list[Point]
    expected: Point | None
    line: str
    dashed: str
    #: (quantity, y) of the marks of the axis.
    marks: list[tuple[Decimal, str]]
    #: (first day, x) of the months below it.
    months: list[tuple[date, str]]
    reorder_y: str


def draw(found: Judgement, *, today: date) -> Picture | None:
    """The chart from the first count (of the last MOST) to today; None with a single moment."""
    openings = [interval.opening for interval in found.intervals[-MOST:]]
    begin, end = openings[0].at, max(day_start(today), openings[-1].at)
    span = Decimal((end - begin).total_seconds())
    if not span:
        return None
    point = found.plan.reorder_point if found.plan else None
    axis = Axis.over(
        [*(one.quantity for one in openings), found.expected, *([point] if point else [])]
    )

    def share(at: datetime) -> Decimal:
        return Decimal((at - begin).total_seconds()) / span

    def place(at: datetime, quantity: Decimal) -> Point:
        return Point(at, quantity, per_cent(share(at)), f"{axis.y(quantity):.2f}")

    def path(*some: tuple[datetime, Decimal]) -> str:
        return line_path([(share(at), 1 - axis.y(quantity) / 100) for at, quantity in some])

    last = openings[-1]
    later = last.at < end
    return Picture(
        counts=[place(one.at, one.quantity) for one in openings],
        expected=place(end, found.expected) if later else None,
        line=path(*((one.at, one.quantity) for one in openings)),
        dashed=path((last.at, last.quantity), (end, found.expected)) if later else "",
        marks=[(mark, f"{axis.y(mark):.2f}") for mark in axis.marks],
        months=[(day, per_cent(share(day_start(day)))) for day in _months(local_day(begin), today)],
        reorder_y=f"{axis.y(point):.2f}" if point else "",
    )


def _months(first: date, last: date) -> list[date]:
    """The firsts of the months after `first` up to `last`, at most MOST_MONTHS evenly taken."""
    number = (last.year - first.year) * 12 + last.month - first.month
    step = -(-number // MOST_MONTHS) or 1
    indexes = range(first.year * 12 + first.month, first.year * 12 + first.month + number, step)
    return [date(index // 12, index % 12 + 1, 1) for index in indexes]
