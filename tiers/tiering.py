"""The tier run: gather and judge in one statement (P8), then record what changed in another (P12).

The ranking is worked out into a temporary table without holding anybody up. Then one transaction
under a lock writes the history, the customers that differ and the run's end, so that whoever
looks sees the last run or this one, never a mixture.
"""

from __future__ import annotations

import time
from calendar import monthrange
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import TYPE_CHECKING

from django.db import IntegrityError, connection, transaction

from crm.lib.days import day_bounds
from tiers import sql
from tiers.models import Failure, RunState, TierRun

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

#: Whoever writes tiers, a run or a person, does it under this lock.
LOCK = 7_410_001
RANKED, WRITTEN = 60, 100

Progress = Callable[[int], None]


def months_before(day: date, months: int) -> date:
    """`day` of the month `months` earlier, on that month's last day where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def window(as_of: date, months: int) -> tuple[date, date]:
    """The first and the last day that count: as_of − N months < day ≤ as_of (P8)."""
    return months_before(as_of, months) + timedelta(days=1), as_of


def run(run_id: int, *, now: datetime, progress: Progress = lambda percent: None) -> TierRun:
    """Do the run, from wherever an earlier attempt left it; a finished run is left alone.

    `progress` hears 0–100 beside what the run's row shows. What goes wrong marks the run as
    failed, with every customer and the history as they were, and is raised.
    """
    begun = time.monotonic()

    def clock() -> datetime:
        return now + timedelta(seconds=time.monotonic() - begun)

    job = TierRun.objects.select_related("policy").get(pk=run_id)
    if job.state == RunState.DONE or not _take_up(job, now):
        return job

    def show(percent: int) -> None:
        TierRun.objects.filter(pk=job.pk).update(progress=percent)
        progress(percent)

    try:
        show(5)
        with connection.cursor() as cursor, _ranking(cursor, job):
            show(RANKED)
            with transaction.atomic():
                _record(cursor, job, clock)
        progress(WRITTEN)
    except Exception:  # whatever it is: the run is marked as failed, the error goes on
        TierRun.objects.open().filter(pk=job.pk).update(
            state=RunState.FAILED, error=Failure.ERROR, finished_at=clock()
        )
        raise
    job.refresh_from_db()
    return job


def _take_up(job: TierRun, now: datetime) -> bool:
    """Mark the run as being worked on; False where another one of the same question is open."""
    try:
        with transaction.atomic():
            taken = (
                TierRun.objects.filter(pk=job.pk)
                .exclude(state=RunState.DONE)
                .update(
                    state=RunState.RUNNING, started_at=now, finished_at=None, progress=0, error=""
                )
            )
    except IntegrityError:
        return False
    return bool(taken)


@contextmanager
def _ranking(cursor: CursorWrapper, job: TierRun) -> Iterator[None]:
    """The temporary table of all customers with their tiers, for as long as the block lasts."""
    start, end = day_bounds(*window(job.as_of, job.policy.window_months))
    cursor.execute("DROP TABLE IF EXISTS tier_ranking")
    cursor.execute(
        *sql.rank(start=start, end=end, a_share=job.policy.a_share, b_share=job.policy.b_share)
    )
    yield
    cursor.execute("DROP TABLE tier_ranking")


def _record(cursor: CursorWrapper, job: TierRun, clock: Callable[[], datetime]) -> None:
    """Write the history, the customers that differ and the end of the run, all or nothing."""
    if connection.vendor == "postgresql":
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    # On SQLite the transaction is immediate: nobody else writes from its first statement on.
    if TierRun.objects.filter(pk=job.pk, state=RunState.DONE).exists():
        return
    cursor.execute(sql.COUNT)
    per_one = sql.dialect().per_one
    found = {tier: (number, Decimal(net) / per_one) for tier, number, net in cursor.fetchall()}
    ranked = {tier: found.get(tier, (0, Decimal(0))) for tier in "ABC"}
    total = sum((net for _number, net in ranked.values()), Decimal(0))
    now = clock()
    last = TierRun.objects.decisive().values_list("finished_at", flat=True).first()
    if last is not None and last >= now:  # of two machines' clocks, the order of writing decides
        now = last + timedelta(microseconds=1)
    number = sum(number for number, _net in ranked.values())
    cursor.execute(*sql.keep_changes(run_id=job.pk, ranked=number, now=now))
    moved = cursor.rowcount
    if not job.dry_run:
        cursor.execute(*sql.write_customers(now=now))
    TierRun.objects.filter(pk=job.pk).update(
        state=RunState.DONE,
        progress=WRITTEN,
        finished_at=now,
        counts={
            **{tier: number for tier, (number, _net) in ranked.items()},
            "unranked": found.get(None, (0, Decimal(0)))[0],
        },
        shares={tier: str(share_of(net, total)) for tier, (_number, net) in ranked.items()},
        ranked_amount=total,
        moved=moved,
    )


def share_of(part: Decimal, whole: Decimal) -> Decimal:
    """What share of `whole` is `part`, 0–1, cut after six places; 0 of nothing."""
    if not whole:
        return Decimal(0)
    return (part / whole).quantize(Decimal("0.000001"), ROUND_DOWN)
