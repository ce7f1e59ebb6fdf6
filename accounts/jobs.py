"""Long jobs that people start and watch: asking for one, doing it, telling how far it is.

An app offers its kinds of jobs from `offered()` in its module `jobs`. A page asks with `request`,
which puts a message into the queue on commit; the Celery task of the kind calls `work`.
"""

from __future__ import annotations

import fcntl
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from celery import current_app
from django.db import connection, models, transaction
from django.utils.translation import gettext_lazy
from kombu.exceptions import OperationalError

from accounts.models import JobRun, JobState, User
from crm.lib import bulk
from crm.lib.contributions import contributions
from crm.lib.days import clock_from
from crm.lib.text import Text

log = logging.getLogger(__name__)

#: A job that is still open after this long has lost its worker.
ABANDONED_AFTER = timedelta(hours=2)
#: Finished jobs are forgotten after this long.
KEPT = timedelta(days=90)
#: How far a job is gets written at most this often, in seconds.
EVERY = 1.0

#: What ends a job of any kind; a kind may add reasons of its own.
FAILURES: Mapping[str, Text] = {
    "error": gettext_lazy("It stopped with an error; the log of the worker says which."),
    "queue": gettext_lazy("The job queue could not be reached; try again later."),
    "abandoned": gettext_lazy("The worker never finished it."),
}

Result: TypeAlias = dict[str, Any]


#: Says how far the job is: done, total.
Step: TypeAlias = Callable[[int, int], None]


class JobFailed(Exception):
    """The job cannot go on; `code` is one of the reasons of its kind."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class JobKind:
    """One kind of job: what people call it, and the name of the Celery task that does it.

    `page` is the address of what it works for or has found, `tell` says in words what came of it.
    A job of a `shared` kind is the same question whoever asks, and who holds `permission` may
    watch it; any other is its owner's.
    """

    name: str
    label: Text
    task: str
    page: Callable[[JobRun], str]
    tell: Callable[[JobRun], str]
    failures: Mapping[str, Text] = field(default_factory=dict)
    shared: bool = False
    permission: str = ""


@cache
def kinds() -> Mapping[str, JobKind]:
    """All kinds of jobs by name."""
    return {kind.name: kind for offered in contributions("jobs", "offered") for kind in offered()}


def watched_by(user: User) -> models.QuerySet[JobRun]:
    """The jobs that `user` may watch: those in sight, and shared ones that are open to them."""
    shared = [kind.name for kind in kinds().values() if kind.shared and user.may(kind.permission)]
    return JobRun.objects.filter(
        models.Q(pk__in=JobRun.objects.visible_to(user).values("pk")) | models.Q(kind__in=shared)
    )


def label_of(job: JobRun) -> Text:
    kind = kinds().get(job.kind)
    return kind.label if kind else job.kind


def page_of(job: JobRun) -> str:
    """Where the result is to be seen; "" for a kind that is no more."""
    kind = kinds().get(job.kind)
    return kind.page(job) if kind else ""


def told(job: JobRun) -> str:
    """What came of the job, in the reader's words; "" as long as it is open."""
    kind = kinds().get(job.kind)
    if job.state == JobState.FAILED:
        reasons = {**FAILURES, **(kind.failures if kind else {})}
        return str(reasons.get(job.error, job.error))
    return kind.tell(job) if kind and job.state == JobState.DONE else ""


# --- asking


def request(
    kind: str, *, owner: User | None, parameters: Mapping[str, Any], now: datetime
) -> JobRun:
    """Have a worker do a job of `kind`, and return at once.

    The same question that is still waiting or being worked on is answered once: its job comes
    back. Where the queue cannot be reached, the job that comes back has failed and says so.
    """
    with transaction.atomic():
        job = _open_job(kinds()[kind], owner, dict(parameters), now)
    job.refresh_from_db()
    return job


def _open_job(kind: JobKind, owner: User | None, parameters: Result, now: datetime) -> JobRun:
    bulk.lock(f"job {kind.name}")
    still_open = JobRun.objects.filter(
        kind=kind.name, state__in=[JobState.QUEUED, JobState.RUNNING]
    )
    still_open.filter(
        models.Q(started_at=None, created_at__lt=now - ABANDONED_AFTER)
        | models.Q(started_at__lt=now - ABANDONED_AFTER)
    ).update(state=JobState.FAILED, error="abandoned", finished_at=now)
    asked = still_open if kind.shared else still_open.filter(owner=owner)
    for job in asked.order_by("pk"):
        if job.parameters == parameters:
            return job
    job = JobRun.objects.create(kind=kind.name, owner=owner, parameters=parameters, created_at=now)
    transaction.on_commit(lambda: _enqueue(job.pk, kind.task, now))
    return job


def _enqueue(job_id: int, task: str, now: datetime) -> None:
    try:
        current_app.send_task(task, kwargs={"job_id": job_id})
    except (OperationalError, OSError):
        log.exception("The job %s could not be queued", job_id)
        JobRun.objects.filter(pk=job_id, state=JobState.QUEUED).update(
            state=JobState.FAILED, error="queue", finished_at=now
        )


# --- doing


def work(job_id: int, do: Callable[[JobRun, Step], Result], *, now: datetime) -> JobRun | None:
    """Do the job: `do(job, step)` returns what it tells at the end.

    Delivered again after its worker died, the job is taken up again, so `do` must bear being
    begun twice; delivered twice while somebody is at it, or when it is done, nothing happens.
    What `do` raises ends the job with a reason; all but JobFailed goes on to the caller.
    None where the job is not on file any more.
    """
    clock = clock_from(now)
    with _alone(job_id) as alone:
        job = JobRun.objects.filter(pk=job_id).first()
        if job is None or not alone or job.state == JobState.DONE:
            return job
        job.state, job.started_at, job.finished_at = JobState.RUNNING, now, None
        job.done, job.error, job.result = 0, "", {}
        job.save()
        try:
            result = do(job, _stepping(job))
        except JobFailed as no:
            return _end(job, JobState.FAILED, clock(), error=no.code)
        except Exception:  # whatever it is: the job ends with a reason, the error goes on
            _end(job, JobState.FAILED, clock(), error="error")
            raise
        return _end(job, JobState.DONE, clock(), result=result)


def _end(
    job: JobRun, state: str, now: datetime, *, error: str = "", result: Result | None = None
) -> JobRun:
    job.state, job.error, job.finished_at, job.result = state, error[:50], now, result or {}
    if state == JobState.DONE:
        job.done = job.total
    job.save(update_fields=["state", "error", "finished_at", "result", "done"])
    return job


def _stepping(job: JobRun) -> Step:
    """A `step` that writes at most every second, and whenever the whole is known anew."""
    written = 0.0

    def step(done: int, total: int) -> None:
        nonlocal written
        moment = time.monotonic()
        if total == job.total and moment - written < EVERY:
            return
        written, job.done, job.total = moment, done, total
        JobRun.objects.filter(pk=job.pk).update(done=done, total=total)

    return step


@contextmanager
def _alone(job_id: int) -> Iterator[bool]:
    """Whether nobody else works on the job; the claim ends with the block, or with the process."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_LOCKS, job_id & 0x7FFFFFFF])
            (alone,) = cursor.fetchone()
            try:
                yield alone
            finally:
                if alone and connection.connection and not connection.connection.closed:
                    cursor.execute(
                        "SELECT pg_advisory_unlock(%s, %s)", [_LOCKS, job_id & 0x7FFFFFFF]
                    )
        return
    # Beside the database, whose jobs alone have these numbers.
    path = Path(f"{connection.settings_dict['NAME']}.job{job_id}.lock")
    with path.open("w") as claim:
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            try:
                yield True
            finally:
                path.unlink(missing_ok=True)


#: The family of PostgreSQL's advisory locks that jobs are claimed with.
_LOCKS = 0x6B6A6F62


def clear(*, now: datetime) -> None:
    """Forget jobs that ended long ago."""
    JobRun.objects.filter(finished_at__lt=now - KEPT).delete()


def offered() -> list[JobKind]:
    """The kinds of jobs that the house itself has."""
    from accounts.delivering import REPLAY_KIND  # all stand on this module
    from accounts.exports import EXPORT
    from accounts.resending import RESEND

    return [EXPORT, RESEND, REPLAY_KIND]
