"""Jobs: one tier run, and the one of every night."""

from datetime import timedelta

from celery import shared_task
from django.db import OperationalError
from django.utils import timezone

from accounts.audit import Through, acting
from tiers import actions, tiering


@shared_task(autoretry_for=(OperationalError,), retry_backoff=5, max_retries=5)
def run_tiers(*, run_id: int) -> None:
    """Do one run; delivered again after a worker died, it takes the run up again."""
    with acting(through=Through.JOB):
        tiering.run(run_id, now=timezone.now())


@shared_task
def run_tiers_nightly() -> None:
    """Ask for the tiers as of yesterday, the last whole day in the company's time zone."""
    with acting(through=Through.JOB):
        now = timezone.now()
        yesterday = timezone.localdate(now, timezone.get_default_timezone()) - timedelta(days=1)
        actions.request_run(as_of=yesterday, user=None, now=now)
