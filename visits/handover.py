"""What passes with a customer that is handed over: the visits its former owner had planned."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from crm.lib.text import Text
from customers.assigning import in_batches, move_rows
from customers.models import Customer
from visits.models import Visit, VisitStatus

KIND = "visits"
LABEL: Text = _("Planned visits")


def waiting(customers: QuerySet[Customer], *, giver: int) -> int:
    """How many rows would pass with `customers`."""
    return _planned(giver).filter(customer__in=customers.values("pk")).count()


def hand_over(customer_ids: Collection[int], *, giver: int, to: int, now: datetime) -> list[int]:
    """Give the rows of these customers to `to`; their ids."""
    moved: list[int] = []
    for some in in_batches(Customer.objects.all(), list(customer_ids)):
        rows = _planned(giver).filter(customer__in=some.values("pk"))
        moved += move_rows(rows, "rep", to, named="purpose", now=now)
    return moved


def hand_back(ids: Collection[int], *, giver: int, to: int, now: datetime) -> None:
    """Give those of the rows that `to` still holds back, as far as `giver` has the customer."""
    for some in in_batches(_planned(to).filter(customer__owner=giver), list(ids)):
        move_rows(some, "rep", giver, named="purpose", now=now)


def _planned(rep: int) -> QuerySet[Visit]:
    return Visit.objects.filter(rep=rep, status=VisitStatus.PLANNED)
