"""One dealer's stock of one product, judged for its list, its page and the API (P23, P24)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from crm.lib.days import day_start
from crm.lib.formats import local_day
from orders.models import StockRules
from orders.stock.ageing import Deadline, deadlines, is_slow, next_deadline, oldest
from orders.stock.movements import SECONDS, ZERO, History, Interval, Problem, intervals
from orders.stock.planning import Demand, Piece, Plan, Terms, cover_days, demand, plan

THOUSANDTH = Decimal("0.001")
#: Findings after which the quantity that was sold in an interval is not believed.
SPOILING = {Problem.NEGATIVE, Problem.OVERSOLD, Problem.CONTRADICTION}


@dataclass(frozen=True, slots=True)
class Judgement:
    """What follows from a history as of a day. Quantities in units, `cover` in days.

    `expected` is what should be there now: last count + sell-in + adjustments − reported sales
    since; where none are reported the sales are estimated by the demand (`is_estimated`).
    `demand` and `plan` are None where too little is known.
    """

    intervals: list[Interval]
    expected: Decimal
    is_estimated: bool
    demand: Demand | None
    cover: Decimal | None
    plan: Plan | None
    on_the_way: Decimal
    is_slow: bool
    deadlines: list[Deadline]
    deadline: Deadline | None
    oldest_on: date | None
    is_impossible: bool

    @property
    def last(self) -> Interval:
        """The interval that is open: it begins with the last count."""
        return self.intervals[-1]


def judge(
    history: History, rules: StockRules, *, today: date, exchange_days: int | None = None
) -> Judgement:
    """Judge a history that holds a count at least; `exchange_days` as agreed with the dealer.

    Demand comes from the intervals that ended in the rules' days of demand and whose result can
    be; what is impossible counts where it happened in these days.
    """
    all_of_them = intervals(history)
    start = day_start(today - timedelta(days=rules.demand_days))
    recent = [one for one in all_of_them if one.closing is None or one.closing.at >= start]
    believed = [one for one in recent if one.closing and not _is_spoilt(one)]
    found = demand(_pieces(believed))
    last = all_of_them[-1]
    expected, is_estimated = _expected(last, found, today)
    cover = cover_days(expected, found)
    lots = last.opening.lots
    arrived = {one.batch: local_day(one.last_at) for one in history.arrivals}
    first = history.first_counted_at or all_of_them[0].opening.at
    dates = deadlines(
        lots,
        arrived=arrived,
        arrived_any=max(arrived.values(), default=None),
        first_counted=local_day(first),
        exchange_days=rules.exchange_days if exchange_days is None else exchange_days,
    )
    return Judgement(
        intervals=all_of_them,
        expected=expected,
        is_estimated=is_estimated,
        demand=found,
        cover=cover,
        plan=plan(found, expected=expected, on_the_way=history.on_the_way, terms=_terms(rules)),
        on_the_way=history.on_the_way,
        is_slow=is_slow(
            expected=expected,
            cover=cover,
            slow_cover_days=rules.slow_cover_days,
            sold=sum((one.quantity for one in _pieces(believed)), ZERO) + (last.reported or ZERO),
            watched_days=(today - local_day(believed[0].opening.at)).days if believed else 0,
            demand_days=rules.demand_days,
        ),
        deadlines=dates,
        deadline=next_deadline(dates, today),
        oldest_on=oldest(lots),
        is_impossible=any(one.findings for one in recent),
    )


def _is_spoilt(interval: Interval) -> bool:
    return any(one.problem in SPOILING for one in interval.findings)


def _pieces(believed: Sequence[Interval]) -> list[Piece]:
    return [
        Piece(one.days, one.derived)
        for one in believed
        if one.days is not None and one.derived is not None
    ]


def _expected(last: Interval, found: Demand | None, today: date) -> tuple[Decimal, bool]:
    """What should be there as `today` begins, and whether sales were estimated for it."""
    if last.reported is not None:
        return last.available - last.reported, False
    if found is None or found.per_day <= 0 or last.available <= 0:
        return last.available, False
    since = day_start(today) - last.opening.at
    days = max(Decimal(since.total_seconds()) / SECONDS, ZERO)
    left = last.available - found.per_day * days
    return max(left, ZERO).quantize(THOUSANDTH), True


def _terms(rules: StockRules) -> Terms:
    return Terms(
        service_level=Decimal(rules.service_level),
        lead_days=rules.lead_days,
        lead_spread_days=rules.lead_spread_days,
        review_days=rules.review_days,
    )
