"""Jobs over what customers owe and have in stock: after a change, every night, and long ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial

from celery import shared_task
from django.db import OperationalError
from django.utils import timezone

from accounts import jobs
from accounts.audit import Through, acting
from orders import crediting, reviews, settling, stock_importing
from orders.jobs import REVIEW
from orders.stock import positions


def _today() -> date:
    return timezone.localdate(timezone=timezone.get_default_timezone())


@shared_task(autoretry_for=(OperationalError,), retry_backoff=5, max_retries=5)
def settle() -> None:
    """Work out what changed customers owe and have in stock, and which of their orders wait."""
    now, today = timezone.now(), _today()

    def work_out(money: Sequence[int], stock: Sequence[int]) -> None:
        crediting.settle_credit(customer_ids=money, today=today, now=now)
        positions.restock(customer_ids=stock, today=today)

    with acting(through=Through.JOB):
        settling.drain(work_out)


@shared_task(autoretry_for=(OperationalError,), retry_backoff=5, max_retries=5)
def settle_credit_nightly() -> None:
    """What every customer owes, shortly after midnight: overdue money grows older."""
    with acting(through=Through.JOB):
        crediting.settle_all(today=_today(), now=timezone.now())


@shared_task(autoretry_for=(OperationalError,), retry_backoff=5, max_retries=5)
def restock_nightly() -> None:
    """What every dealer has, shortly after midnight: stock is sold and grows older by itself."""
    with acting(through=Through.JOB):
        positions.restock_all(today=_today())


@shared_task(autoretry_for=(OperationalError,), retry_backoff=5, max_retries=5)
def import_stock(*, job_id: int) -> None:
    """Look an uploaded file of stock through, or write it; its own user acts."""
    now = timezone.now()
    jobs.work(job_id, partial(stock_importing.do, now=now), now=now)


@shared_task
def clear_stock_imports() -> None:
    """Delete old files of counts and sell-outs."""
    with acting(through=Through.JOB):
        stock_importing.clear(now=timezone.now())


@shared_task(autoretry_for=(OperationalError,), retry_backoff=5, max_retries=5)
def review_credit(*, job_id: int) -> None:
    """Review the credit of every customer; begun again, it brings the same proposals up to date."""
    now, today = timezone.now(), _today()
    with acting(through=Through.JOB):
        jobs.work(
            job_id, lambda _job, step: reviews.review_all(step, today=today, now=now), now=now
        )


@shared_task
def review_credit_monthly() -> None:
    """Ask for the review of the month."""
    jobs.request(REVIEW, owner=None, parameters={}, now=timezone.now())
