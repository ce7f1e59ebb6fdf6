"""Who else should be visited than those who are due: customers that leave silently (P28, P48)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from customers.models import Customer, CustomerQuerySet
from tiers.churn import leaving, words
from tiers.models import ChurnRun, Outlook
from visits.cadence import with_next_visit


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A customer that leaves silently, and why that is thought."""

    outlook: Outlook
    reason: str

    @property
    def customer(self) -> Customer:
        return self.outlook.customer


@dataclass(frozen=True, slots=True)
class Suggestions:
    """Why those who are due leave as well, by id; and who leaves besides."""

    reasons: dict[int, str] = field(default_factory=dict)
    besides: list[Suggestion] = field(default_factory=list)


def of_day(
    customers: CustomerQuerySet, *, due: Sequence[Customer], today: date, limit: int
) -> Suggestions:
    """Whom of `customers` to visit beside those who are `due`: at most `limit`.

    Only customers without a visit planned from `today` on, most value at risk first.
    """
    run = ChurnRun.objects.first()
    if run is None:
        return Suggestions()
    ids = [customer.pk for customer in due]
    planned: Any = with_next_visit(customers.exclude(pk__in=ids), today)
    found = leaving(planned.filter(next_visit_id=None), run=run, today=today)
    return Suggestions(
        reasons=_reasons(ids, run, today),
        besides=[
            Suggestion(one, words.reason(one, run.as_of))
            for one in found.select_related("customer__owner")[:limit]
        ],
    )


def reason_for(customer: Customer, today: date) -> str:
    """Why the customer is thought to leave silently; "" where it is not."""
    run = ChurnRun.objects.first()
    return _reasons([customer.pk], run, today).get(customer.pk, "") if run else ""


def _reasons(ids: list[int], run: ChurnRun, today: date) -> dict[int, str]:
    found = leaving(Customer.objects.filter(pk__in=ids), run=run, today=today) if ids else ()
    return {one.customer_id: words.reason(one, run.as_of) for one in found}
