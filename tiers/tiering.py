"""The tier run: gather and judge in one statement (P8–P11), then record what changed (P12).

The ranking is worked out into a temporary table without holding anybody up. Then one transaction
under a lock looks at overrides and at downgrades that wait, and writes the history, the customers
and findings that differ and the run's end, so that whoever looks sees the last run or this one,
never a mixture.
"""

from __future__ import annotations

import time
from calendar import monthrange
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import TYPE_CHECKING, Any

from django.core.exceptions import EmptyResultSet
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from crm.lib.contributions import contributions
from crm.lib.days import day_bounds, day_start
from orders.models import Product
from tiers import events, sql
from tiers.models import Failure, RunState, TierChange, TierOverride, TierRun
from tiers.sql.gathering import Window

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
    failed, with every customer and the history as they were, and is raised. One that somebody
    cancels meanwhile writes nothing; where it was dropped, TierRun.DoesNotExist is raised.
    """
    begun = time.monotonic()

    def clock() -> datetime:
        return now + timedelta(seconds=time.monotonic() - begun)

    job = TierRun.objects.select_related("policy").get(pk=run_id)
    if job.state == RunState.DONE:
        return job
    if not _take_up(job, now):
        job.refresh_from_db()
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
    """Mark the run as being worked on; False where another one of the same question is open,
    and where this one was cancelled."""
    try:
        with transaction.atomic():
            taken = (
                TierRun.objects.filter(pk=job.pk)
                .exclude(state=RunState.DONE)
                .exclude(error=Failure.CANCELLED)
                .update(
                    state=RunState.RUNNING, started_at=now, finished_at=None, progress=0, error=""
                )
            )
    except IntegrityError:
        return False
    return bool(taken)


@contextmanager
def _ranking(cursor: CursorWrapper, job: TierRun) -> Iterator[None]:
    """The temporary table of all customers as the orders say, for as long as the block lasts."""
    cursor.execute("DROP TABLE IF EXISTS tier_ranking")
    days = window_of(job.as_of, job.policy.window_months)
    cursor.execute(
        *sql.rank(
            policy=job.policy,
            window=days,
            costs=Product.objects.filter(unit_cost__isnull=False).exists(),
            sightings=_sightings(days),
        )
    )
    yield
    cursor.execute("DROP TABLE tier_ranking")


def window_of(as_of: date, months: int) -> Window:
    """The window of P8 as moments, with the beginnings of its calendar months."""
    first, last = window(as_of, months)
    start, end = day_bounds(first, last)
    begins = []
    day = first.replace(day=1)
    while (day := (day + timedelta(days=32)).replace(day=1)) <= last:
        begins.append(day_start(day))
    return Window(first, last, start, end, begins)


def _sightings(days: Window) -> list[tuple[str, list[Any]]]:
    """What higher apps know of competitors seen at customers (P9), as statements.

    An app offers `sightings(*, start, end)` in its module `sightings`: a QuerySet of customers'
    ids and numbers. Where none does, the fact is unknown.
    """
    found = []
    for offered in contributions("sightings", "sightings"):
        rows = offered(start=days.start, end=days.end)
        try:
            text, values = rows.query.get_compiler(connection=connection).as_sql()
        except EmptyResultSet:
            text, values = "SELECT id, 0 FROM customers_customer WHERE 1 = 0", ()
        found.append((text, list(values)))
    return found


@contextmanager
def _kept(cursor: CursorWrapper, job: TierRun, now: datetime) -> Iterator[None]:
    """The temporary table of those whose tier overrides and waiting downgrades decide."""
    cursor.execute("DROP TABLE IF EXISTS tier_kept")
    today = timezone.localdate(now, timezone.get_default_timezone())
    cursor.execute(
        *sql.keep(downgrade_runs=job.policy.downgrade_runs, as_of=job.as_of, today=today)
    )
    yield
    cursor.execute("DROP TABLE tier_kept")


def _record(cursor: CursorWrapper, job: TierRun, clock: Callable[[], datetime]) -> None:
    """Write the history, the customers that differ and the end of the run, all or nothing."""
    if connection.vendor == "postgresql":
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    # On SQLite the transaction is immediate: nobody else writes from its first statement on.
    # Whoever cancels or drops the run has done so before this line, or waits until it is written.
    stored = TierRun.objects.select_for_update(of=("self",)).filter(pk=job.pk).first()
    if stored is None or stored.state == RunState.DONE or stored.is_cancelled:
        return
    now = clock()
    last = TierChange.objects.order_by("-pk").values_list("changed_at", flat=True).first()
    before = TierRun.objects.decisive().select_related("policy").first()
    # Of two machines' clocks, the order of writing decides.
    for earlier in (last, before.finished_at if before else None):
        if earlier is not None and earlier >= now:
            now = earlier + timedelta(microseconds=1)
    with _kept(cursor, job, now):
        outcome = _outcome(cursor)
        cursor.execute(*sql.keep_changes(policy=job.policy, run_id=job.pk, now=now))
        moved = cursor.rowcount
        if not job.dry_run:
            if job.policy.classes or (before and before.policy.classes):
                line = before.policy.key_from if before else None
                cursor.execute(
                    *sql.keep_classes(policy=job.policy, line_before=line, run_id=job.pk, now=now)
                )
            cursor.execute(*sql.write_customers(now=now))
            cursor.execute(*sql.change_assessments(as_of=job.as_of))
            cursor.execute(*sql.add_assessments(as_of=job.as_of))
    if not job.dry_run:
        _expire(now)
        events.tell_run(job, moved=moved, at=now)
    TierRun.objects.filter(pk=job.pk).update(
        state=RunState.DONE, progress=WRITTEN, finished_at=now, moved=moved, **outcome
    )


def _outcome(cursor: CursorWrapper) -> dict[str, Any]:
    """What the run found, in numbers, for its own row."""
    cursor.execute(sql.COUNT)
    per_one = sql.dialect().per_one
    found = {tier: row for tier, *row in cursor.fetchall()}
    empty = [0] * 9
    ranked = {tier: found.get(tier, empty) for tier in "ABC"}
    amounts = {tier: Decimal(row[1]) / per_one for tier, row in found.items()}
    total = sum(amounts.values(), Decimal(0))
    loyal, switcher, none, proposed, unpriced, held, overridden = (
        sum(int(row[place]) for row in found.values() if row[place] is not None)
        for place in range(2, 9)
    )
    worked_out = any(row[6] is not None for row in found.values())
    return {
        "counts": {
            **{tier: row[0] for tier, row in ranked.items()},
            "unranked": found.get(None, empty)[0],
        },
        "shares": {tier: str(share_of(amounts.get(tier, Decimal(0)), total)) for tier in ranked},
        "ranked_amount": total,
        "loyalty_counts": {"loyal": loyal, "switcher": switcher, "none": none},
        "proposed": proposed,
        "without_margin": unpriced if worked_out else None,
        "held": held,
        "overridden": overridden,
    }


def _expire(now: datetime) -> None:
    """End the overrides whose last day has passed; the run has taken their tiers back."""
    today = timezone.localdate(now, timezone.get_default_timezone())
    for override in TierOverride.objects.expired(today):
        override.end(by=None, now=now)


def share_of(part: Decimal, whole: Decimal) -> Decimal:
    """What share of `whole` is `part`, 0–1, cut after six places; 0 of nothing."""
    if not whole:
        return Decimal(0)
    return (part / whole).quantize(Decimal("0.000001"), ROUND_DOWN)
