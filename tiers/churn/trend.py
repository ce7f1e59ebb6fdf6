"""How many customers were leaving, and what was at risk, week by week, as the runs kept it (P48).

Every night's run counts all customers. How they would have split by owner is not kept, and today's
owners are not those of then: so this is for readers who see the whole company, and for nobody else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from accounts.access import ScopedQuerySet
from crm.lib.charts import Axis
from tiers.models import ChurnRun

#: As far back as the chart looks: half a year.
WEEKS = 26
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Bar:
    """What the last run of a week found, and where it stands, in per cent of the chart."""

    run: ChurnRun
    value: Decimal
    slot: str
    x: str
    mid: str
    y: str
    height: str


@dataclass(frozen=True, slots=True)
class Chart:
    """One figure of the runs over the weeks. `lines` are the marks of the axis: (value, y)."""

    bars: list[Bar]
    lines: list[tuple[Decimal, str]]
    slot_width: str
    bar_width: str

    @property
    def lines_in_thousands(self) -> list[tuple[Decimal, str]]:
        return [(mark / 1000, y) for mark, y in self.lines]

    @property
    def highest(self) -> Bar:
        return max(self.bars, key=lambda bar: bar.value)

    @property
    def lowest(self) -> Bar:
        return min(self.bars, key=lambda bar: bar.value)


@dataclass(frozen=True, slots=True)
class Trend:
    """The last run of each week, oldest first, and the charts of what they found.

    `at_risk` shows the weeks in which money was counted as it is now, by amount or by margin; it is
    None where fewer than two were. `is_one_line` says that all runs drew one line between leaving
    and staying: else a step may come from the policy.
    """

    runs: list[ChurnRun]
    leaving: Chart
    at_risk: Chart | None

    @property
    def first(self) -> ChurnRun:
        return self.runs[0]

    @property
    def last(self) -> ChurnRun:
        return self.runs[-1]

    @property
    def is_one_line(self) -> bool:
        return len({(run.leaving_below, run.gone_after_days) for run in self.runs}) == 1


def monday(day: date) -> date:
    """The first day of the week of `day`."""
    return day - timedelta(days=day.weekday())


def weekly(runs: Sequence[ChurnRun]) -> list[ChurnRun]:
    """Of `runs` in the order in which they were made, the last of each week."""
    return list({monday(run.as_of): run for run in runs}.values())


def of_company(runs: ScopedQuerySet[ChurnRun], *, today: date) -> Trend | None:
    """The weeks up to `today`; None with fewer than two of them."""
    since = monday(today) - (WEEKS - 1) * WEEK
    found = weekly(list(runs.filter(as_of__gte=since).order_by("as_of", "id")))
    if len(found) < 2:
        return None
    money = [
        (run, run.value_at_risk)
        for run in found
        if run.value_at_risk is not None and run.measure == found[-1].measure
    ]
    return Trend(
        found,
        drawn([(run, Decimal(run.leaving)) for run in found], least_step=Decimal(1)),
        drawn(money) if len(money) > 1 else None,
    )


def drawn(values: Sequence[tuple[ChurnRun, Decimal]], *, least_step: Decimal = Decimal(0)) -> Chart:
    """A bar for each value in its week; a week without a run stays empty."""
    axis = Axis.over([value for _run, value in values], least_step=least_step)
    begin, end = monday(values[0][0].as_of), monday(values[-1][0].as_of)
    slot = Decimal(100) / ((end - begin).days // 7 + 1)
    bars = []
    for run, value in values:
        left = slot * ((monday(run.as_of) - begin).days // 7)
        bars.append(
            Bar(
                run,
                value,
                slot=f"{left:.2f}",
                x=f"{left + slot * Decimal('0.2'):.2f}",
                mid=f"{left + slot / 2:.2f}",
                y=f"{axis.y(value):.2f}",
                height=f"{axis.y(Decimal(0)) - axis.y(value):.2f}",
            )
        )
    lines = [(mark, f"{axis.y(mark):.2f}") for mark in axis.marks]
    return Chart(bars, lines, f"{slot:.2f}", f"{slot * Decimal('0.6'):.2f}")
