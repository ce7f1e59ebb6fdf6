"""What passes with a customer that is handed over: the promises its former owner left open."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from crm.lib.text import Text
from customers.assigning import in_batches, move_rows
from customers.models import Customer, Promise, PromiseState

KIND = "promises"
LABEL: Text = _("Open promises")


def waiting(customers: QuerySet[Customer], *, giver: int) -> int:
    """How many rows would pass with `customers`."""
    return _open(giver).filter(customer__in=customers.values("pk")).count()


def hand_over(customer_ids: Collection[int], *, giver: int, to: int, now: datetime) -> list[int]:
    """Give the rows of these customers to `to`; their ids."""
    moved: list[int] = []
    for some in in_batches(Customer.objects.all(), list(customer_ids)):
        rows = _open(giver).filter(customer__in=some.values("pk"))
        moved += move_rows(rows, "owner", to, named="content", now=now)
    return moved


def hand_back(ids: Collection[int], *, giver: int, to: int, now: datetime) -> None:
    """Give those of the rows that `to` still holds back, as far as `giver` has the customer."""
    for some in in_batches(_open(to).filter(customer__owner=giver), list(ids)):
        move_rows(some, "owner", giver, named="content", now=now)


def _open(owner: int) -> QuerySet[Promise]:
    return Promise.objects.filter(owner=owner, state=PromiseState.OPEN)
