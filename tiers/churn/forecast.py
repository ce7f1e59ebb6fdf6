"""The estimate for all customers: gather, fit, judge, record what changed (P48).

What is found goes into a temporary table without holding anybody up; one transaction under a lock
then writes the rows that differ and the run, so that whoever looks sees one run, never a mixture.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import connection, transaction
from django.db.models import Count, Sum

from accounts.jobs import Step
from crm.lib import bulk
from customers.duplicates import GONE
from tiers import sql
from tiers.churn import bgnbd, rhythm
from tiers.churn.bgnbd import Fitted, Parameters
from tiers.churn.gathering import Purchases, gather
from tiers.models import ChurnRun, Method, Outlook, TierPolicy

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

T = TypeVar("T")
#: The coming days that purchases and money are expected for.
PERIOD_DAYS = 90
#: Customers that the model is fitted on: more of them do not move it by as much as it is sure of.
MOST_FITTED = 50_000
#: Customers of a group that its rhythm is counted from.
MOST_PEERS = 5_000
ROWS = 500
#: How far the job is, in per cent, when its parts are done.
GATHERED, FITTED, JUDGED = 40, 60, 95
#: Nobody is ever surely there or surely gone.
LOWEST, HIGHEST = Decimal("0.001"), Decimal("0.999")

COLUMNS = (
    "customer_id",
    "method",
    "alive",
    "pace",
    "expected",
    "per_purchase",
    "value_at_risk",
    "last_on",
    "usual_days",
    "intervals",
    "shorter",
)


def forecast(step: Step, *, as_of: date, now: datetime) -> dict[str, Any]:
    """Estimate all customers as of the end of a day: the work of one job, begun twice if need be.

    The policy in force on that day says who leaves, who has gone, and what is at risk. Returns what
    the job tells. Where a run as of a later day stands already, nothing is written.
    """
    begun = time.monotonic()

    def show(percent: float) -> None:
        step(int(percent), 100)

    policy = TierPolicy.objects.on(as_of)
    purchases = gather(as_of, policy.measure, progress=lambda share: show(GATHERED * min(share, 1)))
    show(GATHERED)
    outcome = bgnbd.fit(_thinned(purchases, MOST_FITTED, purchases.history))
    show(FITTED)
    rows = judged(purchases, outcome, show)
    with connection.cursor() as cursor, _found(cursor, rows), transaction.atomic():
        finished = now + timedelta(seconds=time.monotonic() - begun)
        return _record(cursor, purchases, outcome, policy=policy, as_of=as_of, now=finished)


def _thinned(purchases: Purchases, most: int, read: Callable[[int], T]) -> Iterator[T]:
    """At most `most` customers, evenly spread."""
    return (read(place) for place in range(0, len(purchases), -(-len(purchases) // most) or 1))


# --- judging


def judged(
    purchases: Purchases, outcome: bgnbd.Outcome, show: Callable[[float], None]
) -> Iterator[tuple[Any, ...]]:
    """The row of COLUMNS of each customer."""
    groups = _peers(purchases)
    model = _Model(outcome.parameters) if isinstance(outcome, Fitted) else None
    for place, customer in enumerate(purchases.customers):
        one = purchases.rhythm(place)
        number = len(one.intervals)
        peers = groups[purchases.groups[place]]
        verdict = rhythm.judge(one, peers)
        # Of who bought once the model says that it cannot have left; its peers know better.
        alive, pace, method = verdict.alive, PERIOD_DAYS / verdict.usual, Method.RHYTHM
        if not number:  # once is no pace: nobody counts on more than one purchase of it
            pace = min(pace, 1.0)
        elif model is not None:
            alive, pace, method = *model.judge(*purchases.history(place)), Method.MODEL
        usual = sum(one.intervals) / number if number else peers.usual
        yield (
            customer,
            method.value,
            *figures(alive, pace, purchases.cents[place]),
            date.fromordinal(purchases.as_of - one.silence).isoformat(),
            max(round(usual), 1),
            number,
            verdict.shorter,
        )
        if place % ROWS == 0:
            show(FITTED + (JUDGED - FITTED) * place / len(purchases))


def figures(
    alive: float, pace: float, cents: int
) -> tuple[Decimal, Decimal, Decimal, Decimal, Decimal]:
    """What is stored: alive, pace, expected purchases, money per purchase, value at risk.

    The last is the product of the others as they are stored, so that it can be checked by hand.
    """
    thousandth = Decimal("0.001")
    chance = min(max(_rounded(alive, thousandth), LOWEST), HIGHEST)
    purchases = min(_rounded(pace, thousandth), Decimal(PERIOD_DAYS))
    per_purchase = Decimal(cents) / 100
    return (
        chance,
        purchases,
        _rounded(purchases * chance, thousandth),
        per_purchase,
        _rounded(purchases * per_purchase * (1 - chance), Decimal("0.01")),
    )


def _rounded(value: Decimal | float, unit: Decimal) -> Decimal:
    return Decimal(value).quantize(unit, ROUND_HALF_UP)


class _Model:
    """The fitted model; customers of the same age and number of purchases share a calculation."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self.pace = lru_cache(maxsize=20_000)(self._pace)

    def _pace(self, x: int, age: float) -> float:
        return bgnbd.pace(self.parameters, x, age, PERIOD_DAYS)

    def judge(self, x: int, t_x: float, age: float) -> tuple[float, float]:
        return bgnbd.chance_alive(self.parameters, x, t_x, age), self.pace(x, age)


def _peers(purchases: Purchases) -> dict[int, rhythm.Peers]:
    """Each group of peers; where a group has too few intervals, all customers stand in."""
    everybody = list(_thinned(purchases, MOST_PEERS, purchases.rhythm))
    everyone = _counted(everybody)
    members: dict[int, array[int]] = {}
    for place, group in enumerate(purchases.groups):
        members.setdefault(group, array("i")).append(place)
    found = {}
    for group, places in members.items():
        spread = places[:: -(-len(places) // MOST_PEERS)]
        peers = _counted([purchases.rhythm(place) for place in spread])
        found[group] = peers if len(peers.ratios) >= rhythm.FEWEST_INTERVALS else everyone
    return found


def _counted(rhythms: list[rhythm.Rhythm]) -> rhythm.Peers:
    return rhythm.peers_of(rhythms, rhythm.usual_of_all(rhythms))


# --- recording


@contextmanager
def _found(cursor: CursorWrapper, rows: Iterable[tuple[Any, ...]]) -> Iterator[None]:
    """The temporary table of what was found, for as long as the block lasts."""
    cursor.execute("DROP TABLE IF EXISTS churn_found")
    cursor.execute(
        f"CREATE TEMPORARY TABLE churn_found AS SELECT {', '.join(COLUMNS)} "  # noqa: S608  # own names
        "FROM tiers_outlook WHERE 1 = 0"
    )
    one = f"({', '.join(['%s'] * len(COLUMNS))})"
    rows = iter(rows)
    while some := list(islice(rows, ROWS)):
        cursor.execute(
            f"INSERT INTO churn_found VALUES {', '.join([one] * len(some))}",  # noqa: S608  # placeholders
            [value for row in some for value in row],
        )
    cursor.execute("CREATE INDEX churn_found_by_customer ON churn_found (customer_id)")
    yield
    cursor.execute("DROP TABLE churn_found")


def _record(
    cursor: CursorWrapper,
    purchases: Purchases,
    outcome: bgnbd.Outcome,
    *,
    policy: TierPolicy,
    as_of: date,
    now: datetime,
) -> dict[str, Any]:
    """Write the rows that differ and the run, all or nothing."""
    bulk.lock(GONE)  # no customer disappears meanwhile, and one run writes at a time
    if ChurnRun.objects.filter(as_of__gt=as_of).exists():
        return {"superseded": True}
    written = _write(cursor, as_of)
    fitted = isinstance(outcome, Fitted)
    run = ChurnRun(
        as_of=as_of,
        finished_at=now,
        period_days=PERIOD_DAYS,
        outcome="fitted" if isinstance(outcome, Fitted) else outcome.why.value,
        method=Method.MODEL if fitted else Method.RHYTHM,
        parameters=outcome.parameters._asdict() if outcome.parameters else {},
        customers=len(purchases),
        repeat_customers=sum(
            purchases.starts[place + 1] - purchases.starts[place] > 1
            for place in range(len(purchases))
        ),
        leaving_below=policy.leaving_below,
        gone_after_days=policy.gone_after_days,
        measure=policy.measure,
        written=written,
    )
    found = Outlook.objects.leaving(run, as_of).order_by()
    counted = found.aggregate(number=Count("pk"), sum=Sum("value_at_risk"))
    run.leaving = counted["number"]  # SQLite adds floating point: to the cent again
    run.value_at_risk = _rounded(counted["sum"] or Decimal(0), Decimal("0.01"))
    run.save()
    return {"run": run.pk, "outcome": run.outcome, "written": written}


def _write(cursor: CursorWrapper, as_of: date) -> int:
    """How many rows were written: new ones, and those that differ; what is no more goes."""
    differs = sql.dialect().differs
    names = ", ".join(COLUMNS)
    values = ", ".join(f"found.{name}" for name in COLUMNS)
    updated = ", ".join(f"{name} = excluded.{name}" for name in (*COLUMNS[1:], "as_of"))
    other = " OR ".join(f"tiers_outlook.{name} {differs} excluded.{name}" for name in COLUMNS[1:])
    cursor.execute(
        f"""
        INSERT INTO tiers_outlook ({names}, as_of)
        SELECT {values}, %s FROM churn_found found
        JOIN customers_customer c ON c.id = found.customer_id
        WHERE TRUE ORDER BY found.customer_id
        ON CONFLICT (customer_id) DO UPDATE SET {updated} WHERE {other}
        """,  # noqa: S608  # made of this module's own pieces; values are parameters
        [as_of.isoformat()],
    )
    written = cursor.rowcount
    cursor.execute(
        "DELETE FROM tiers_outlook WHERE NOT EXISTS"
        " (SELECT 1 FROM churn_found WHERE churn_found.customer_id = tiers_outlook.customer_id)"
    )
    return int(written)
