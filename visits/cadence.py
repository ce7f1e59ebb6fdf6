"""Which customers are due for a visit, by the cadence of their tier (P28)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, cast

from django.core import signing
from django.db.models import Case, DateField, IntegerField, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce

from crm.lib.days import day_start
from customers.models import Customer, CustomerQuerySet
from visits.models import Cadence, Visit

#: Stands for the last visit of a customer that was never visited, so that it sorts first.
NEVER = date(1, 1, 1)
CURSOR = "visits.overdue"


def overdue(
    customers: CustomerQuerySet, cadences: Iterable[Cadence], today: date
) -> CustomerQuerySet:
    """Of `customers`, those whose last visit is longer ago than their tier's cadence.

    A ranked customer that was never visited is overdue from the start; an unranked one has no
    cadence. Adds `every_days`, and `seen_on` to sort by (NEVER where never visited).
    """
    late = Q(pk__in=[])
    whens = []
    for cadence in cadences:
        latest_good = today - timedelta(days=cadence.every_days)
        late |= Q(abc=cadence.abc) & (Q(last_visited_on=None) | Q(last_visited_on__lt=latest_good))
        whens.append(When(abc=cadence.abc, then=Value(cadence.every_days)))
    return customers.filter(late).annotate(
        every_days=Case(*whens, default=Value(0), output_field=IntegerField()),
        seen_on=Coalesce("last_visited_on", Value(NEVER, output_field=DateField())),
    )


def most_urgent_first(customers: CustomerQuerySet) -> CustomerQuerySet:
    """A customers first; in a tier those never visited, then those waiting longest."""
    annotated: Any = customers
    return cast(CustomerQuerySet, annotated.order_by("abc", "seen_on", "id"))


def with_next_visit(customers: CustomerQuerySet, today: date) -> CustomerQuerySet:
    """Adds `next_visit_id` and `next_visit_at`: the first open visit from `today` on, if any."""
    coming = (
        Visit.objects.open()
        .filter(customer=OuterRef("pk"), scheduled_for__gte=day_start(today))
        .order_by("scheduled_for", "id")
    )
    return customers.annotate(
        next_visit_id=Subquery(coming.values("pk")[:1]),
        next_visit_at=Subquery(coming.values("scheduled_for")[:1]),
    )


@dataclass(frozen=True, slots=True)
class OverduePage:
    """Some overdue customers, and the cursor of those after them (empty at the end)."""

    rows: list[Customer]
    next: str


def page_after(customers: CustomerQuerySet, cursor: str, size: int, today: date) -> OverduePage:
    """The next `size` of the overdue `customers`; a damaged cursor starts from the top.

    Each row carries `days_since` its last visit, and the `days_over` its cadence; None where
    there never was one.
    """
    position = _read(cursor)
    if position is not None:
        abc, seen_on, pk = position
        customers = customers.filter(
            Q(abc__gt=abc)
            | Q(abc=abc, seen_on__gt=seen_on)
            | Q(abc=abc, seen_on=seen_on, pk__gt=pk)
        )
    rows: list[Any] = list(most_urgent_first(customers)[: size + 1])
    more, rows = len(rows) > size, rows[:size]
    for row in rows:
        seen = row.last_visited_on
        row.days_since = None if seen is None else (today - seen).days
        row.days_over = None if seen is None else row.days_since - row.every_days
    following = ""
    if more:
        last = rows[-1]
        following = signing.dumps([last.abc, last.seen_on.isoformat(), last.pk], salt=CURSOR)
    return OverduePage(rows=rows, next=following)


def _read(cursor: str) -> tuple[str, date, int] | None:
    if not cursor:
        return None
    try:
        abc, seen_on, pk = signing.loads(cursor, salt=CURSOR)
    except signing.BadSignature:
        return None
    return cast(str, abc), date.fromisoformat(seen_on), cast(int, pk)
