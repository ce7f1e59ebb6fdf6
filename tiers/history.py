"""The tier that a customer had at any time, off the history of its changes (P12).

The history knows who had which tier when, also where a person had set it. What came over from a
file that was merged into this one says nothing of this one's tier.
"""

from __future__ import annotations

from datetime import date, datetime

from django.db.models import OuterRef, Subquery

from crm.lib.days import day_bounds
from customers.models import CustomerQuerySet
from tiers.models import TierChange


def tier_on(day: date, customers: CustomerQuerySet) -> CustomerQuerySet:
    """`customers` that were on file by then, with `tier`: the one stored at the end of `day`.

    It is empty for those that were unranked, or that no run had looked at yet.
    """
    end = day_bounds(day, day)[1]
    return _with_tier(customers.filter(created_at__lt=end), changed_at__lt=end)


def tier_at(moment: datetime, customers: CustomerQuerySet) -> CustomerQuerySet:
    """Like `tier_on`, for a moment; what changed at that very moment has changed."""
    return _with_tier(customers.filter(created_at__lte=moment), changed_at__lte=moment)


def _with_tier(customers: CustomerQuerySet, **by: datetime) -> CustomerQuerySet:
    last = (
        TierChange.objects.decisive()
        .own()
        .filter(customer=OuterRef("pk"), **by)
        .order_by("-pk")
        .values("to_tier")
    )
    return customers.annotate(tier=Subquery(last[:1]))
