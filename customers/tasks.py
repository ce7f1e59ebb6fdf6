"""Jobs over customers' files: each task loads by id and makes one call."""

from celery import shared_task
from django.db import OperationalError
from django.utils import timezone

from accounts import jobs
from accounts.audit import Through, acting
from crm.lib.days import clock_from
from customers import assigning_gaps, duplicates, reads
from customers.importing import steps
from customers.jobs import SEARCH


@shared_task(autoretry_for=(OperationalError,), retry_backoff=5, max_retries=5)
def run_import(*, job_id: int) -> None:
    """Check, write or take back an import; delivered again, it goes on where it stood."""
    now = timezone.now()
    clock = clock_from(now)
    jobs.work(job_id, lambda job, step: steps.do(job, step, clock=clock), now=now)


@shared_task
def clear_reads(*, days: int = reads.KEPT_DAYS) -> None:
    """Delete who read which file more than `days` days ago; the schedule says how many."""
    reads.clear(today=timezone.localdate(), days=days)


@shared_task
def clear_imports() -> None:
    """Delete uploaded files that are old, and what nobody needs of old imports."""
    with acting(through=Through.JOB):
        steps.clear(now=timezone.now())


@shared_task(autoretry_for=(OperationalError,), retry_backoff=5, max_retries=5)
def find_duplicates(*, job_id: int) -> None:
    """Search the whole database for files of one company, and keep the pairs."""
    now = timezone.now()
    jobs.work(job_id, lambda _job, step: duplicates.find(step, now=now), now=now)


@shared_task
def find_duplicates_nightly() -> None:
    """Ask for the search of the night."""
    jobs.request(SEARCH, owner=None, parameters={}, now=timezone.now())


@shared_task
def settle_assignments() -> None:
    """Call those gaps filled in which nothing is left."""
    assigning_gaps.settle(now=timezone.now())
