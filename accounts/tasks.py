"""Clearing out every night, large exports, rejected records sent again, sending to webhooks."""

from celery import shared_task
from django.db import OperationalError
from django.utils import timezone

from accounts import actions, delivering, exports, jobs, resending
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


@shared_task(autoretry_for=(OperationalError,), retry_backoff=5, max_retries=5)
def deliver_webhook(*, webhook_id: int, first: int | None = None) -> None:
    """Send what is due to one webhook; what a worker leaves behind, the next minute takes up."""
    with acting(through=Through.JOB):
        delivering.deliver(webhook_id=webhook_id, first=first, now=timezone.now())


@shared_task
def deliver_webhooks() -> None:
    """Every minute: send what is due, whether its message was lost or its time has come."""
    delivering.deliver_due(now=timezone.now())


@shared_task
def replay_dead(*, job_id: int) -> None:
    """Send again what was given up; begun again after a worker died, it goes on with the rest."""
    now = timezone.now()
    with acting(through=Through.JOB):
        jobs.work(job_id, lambda job, step: delivering.do_replay(job, step, now=now), now=now)


@shared_task
def clear_webhooks(*, days: int = 30, dead_days: int = 90) -> None:
    """Delete deliveries `days` after they arrived, or `dead_days` after they were given up."""
    delivering.clear(now=timezone.now(), days=days, dead_days=dead_days)


@shared_task(autoretry_for=(OperationalError,), retry_backoff=5, max_retries=5)
def resend_rejected(*, job_id: int) -> None:
    """Send the rejected records of a call again; delivered again, those that still wait."""
    jobs.work(job_id, resending.resend, now=timezone.now())
