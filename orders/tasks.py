"""Jobs over what customers owe and have in stock: after a change, and every night."""

from __future__ import annotations

from datetime import date
from functools import partial

from celery import shared_task
from django.db import OperationalError
from django.utils import timezone

from accounts import jobs
from accounts.audit import Through, acting
from orders import crediting, stock_importing
from orders.stock import positions


def _today() -> date:
    return timezone.localdate(timezone=timezone.get_default_timezone())


@shared_task(autoretry_for=(OperationalError,), retry_backoff=5, max_retries=5)
def settle_credit(*, customer_ids: list[int]) -> None:
    """Work out balances and holds of customers whose orders, payments or credit changed."""
    with acting(through=Through.JOB):
        now = timezone.now()
        today = timezone.localdate(now, timezone.get_default_timezone())
        crediting.settle_credit(customer_ids=customer_ids, today=today, now=now)


@shared_task(autoretry_for=(OperationalError,), retry_backoff=5, max_retries=5)
def settle_trade(*, customer_ids: list[int]) -> None:
    """The same for customers whose orders changed, and what they have in stock."""
    settle_credit(customer_ids=customer_ids)
    restock(customer_ids=customer_ids)


@shared_task(autoretry_for=(OperationalError,), retry_backoff=5, max_retries=5)
def restock(*, customer_ids: list[int]) -> None:
    """Work out the stock of customers whose counts, sell-outs, adjustments or orders changed."""
    with acting(through=Through.JOB):
        positions.restock(customer_ids=customer_ids, today=_today())


@shared_task(autoretry_for=(OperationalError,), retry_backoff=5, max_retries=5)
def restock_nightly() -> None:
    """The same for everybody, shortly after midnight: stock is sold and grows older by itself."""
    with acting(through=Through.JOB):
        positions.restock_all(today=_today())


@shared_task(autoretry_for=(OperationalError,), retry_backoff=5, max_retries=5)
def settle_credit_nightly() -> None:
    """The same for every customer, shortly after midnight: overdue money grows older."""
    with acting(through=Through.JOB):
        now = timezone.now()
        today = timezone.localdate(now, timezone.get_default_timezone())
        crediting.settle_all(today=today, now=now)


@shared_task(autoretry_for=(OperationalError,), retry_backoff=5, max_retries=5)
def import_stock(*, job_id: int) -> None:
    """Look an uploaded file of stock through, or write it; its own user acts."""
    now = timezone.now()
    jobs.work(job_id, partial(stock_importing.do, now=now), now=now)
