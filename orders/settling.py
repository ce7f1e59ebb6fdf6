"""Customers whose orders, payments, credit or stock changed: noted at once, worked out after it.

`settle_later` writes one row in the transaction of the change. Once that is committed, a message
goes to the worker only if no older row waits: otherwise one is on its way, or a worker is at it
and looks again before it ends. The task drains the rows, so that a thousand small calls make a
few passes. A row is deleted in the transaction that works its customers out: a worker that is
killed loses nothing, and a task of every hour drains what a lost message left.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from orders.models import Unsettled

log = logging.getLogger(__name__)

TASK = "orders.tasks.settle"
#: Customers to a pass, more or less: rows are taken whole.
CHUNK = 1000


def settle_later(customer_ids: Iterable[int], *, money: bool = True, stock: bool = False) -> None:
    """Have these customers worked out once the transaction is committed.

    `money`: what they owe and which orders wait; `stock`, where goods may have moved: what they
    have.
    """
    ids = sorted(set(customer_ids))
    rows = [
        Unsettled.objects.create(customer_ids=ids[at : at + CHUNK], money=money, stock=stock)
        for at in range(0, len(ids), CHUNK)
    ]
    if rows:
        transaction.on_commit(lambda: _call(rows[0].pk))


def restock_later(customer_ids: Iterable[int]) -> None:
    """The same for what they have alone."""
    settle_later(customer_ids, money=False, stock=True)


def _call(pk: int) -> None:
    """Wake the worker, unless it was woken for an older row that still waits."""
    if not Unsettled.objects.filter(pk__lt=pk).exists():
        send(TASK)


def send(task: str) -> None:
    """Put a task into the queue; where that cannot be reached, a later one does its work."""
    try:
        current_app.send_task(task)
    except (OperationalError, OSError):
        log.exception("%s could not be queued; the schedule does it", task)


WorkOut = Callable[[Sequence[int], Sequence[int]], None]


def drain(work_out: WorkOut) -> None:
    """Hand the customers that wait to `work_out` until none waits: those whose money and those
    whose stock is to be worked out, sorted and each once.

    Two workers take different rows; what `work_out` raises leaves its rows for the next time.
    """
    while _drain_some(work_out):
        pass


@transaction.atomic
def _drain_some(work_out: WorkOut) -> bool:
    taken: list[int] = []
    money: set[int] = set()
    stock: set[int] = set()
    rows = Unsettled.objects.select_for_update(skip_locked=True).order_by("pk")
    for row in rows[:CHUNK]:
        if len(money | stock) >= CHUNK:
            break
        taken.append(row.pk)
        money.update(row.customer_ids if row.money else ())
        stock.update(row.customer_ids if row.stock else ())
    if not taken:
        return False
    work_out(sorted(money), sorted(stock))
    Unsettled.objects.filter(pk__in=taken).delete()
    return True
