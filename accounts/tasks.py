"""The nightly clearing out, and large exports."""

from celery import shared_task
from django.utils import timezone

from accounts import actions, exports, jobs, resending
from accounts.audit import Through, acting


@shared_task
def clear_expired() -> None:
    """Forget answers kept for retries, and sessions, once they have run out."""
    actions.clear_expired(now=timezone.now())


@shared_task
def clear_rejected(*, days: int = 90) -> None:
    """Delete the records that syncs rejected more than `days` ago."""
    resending.clear(now=timezone.now(), days=days)


@shared_task
def write_export(*, job_id: int) -> None:
    """Write an Excel file that somebody waits for; taken up again, it is written anew."""
    with acting(through=Through.JOB):
        jobs.work(job_id, exports.write, now=timezone.now())
