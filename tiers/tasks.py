"""Jobs: one tier run, one estimate of who leaves, and those of every night."""

from contextlib import suppress
from datetime import timedelta

from celery import shared_task
from django.db import OperationalError
from django.utils import timezone

from accounts import jobs
from accounts.audit import Through, acting
from tiers import actions, overrides, tiering
from tiers.jobs import do_forecast, request_forecast, yesterday
from tiers.models import TierRun


@shared_task(autoretry_for=(OperationalError,), retry_backoff=5, max_retries=5)
def run_tiers(*, run_id: int) -> None:
    """Do one run; delivered again after a worker died, it takes the run up again."""
    # One that was dropped meanwhile has nothing left to judge.
    with acting(through=Through.JOB), suppress(TierRun.DoesNotExist):
        tiering.run(run_id, now=timezone.now())


@shared_task
def run_tiers_nightly() -> None:
    """Ask for the tiers as of yesterday, the last whole day in the company's time zone."""
    with acting(through=Through.JOB):
        now = timezone.now()
        yesterday = timezone.localdate(now, timezone.get_default_timezone()) - timedelta(days=1)
        actions.request_run(as_of=yesterday, user=None, now=now)


@shared_task(autoretry_for=(OperationalError,), retry_backoff=5, max_retries=5)
def end_overrides() -> None:
    """End the tiers set by hand whose last day has passed, shortly after midnight."""
    with acting(through=Through.JOB):
        now = timezone.now()
        today = timezone.localdate(now, timezone.get_default_timezone())
        overrides.expire(today=today, now=now)


@shared_task(autoretry_for=(OperationalError,), retry_backoff=5, max_retries=5)
def forecast_churn(*, job_id: int) -> None:
    """Estimate who leaves silently; begun again after a worker died, nothing of it was written."""
    now = timezone.now()
    jobs.work(job_id, lambda job, step: do_forecast(job, step, now=now), now=now)


@shared_task
def forecast_churn_nightly() -> None:
    """Ask for the estimate as of yesterday."""
    now = timezone.now()
    request_forecast(as_of=yesterday(now), user=None, now=now)
