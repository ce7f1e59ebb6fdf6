"""The tier and the loyalty class that a customer had at any time, off their history (P9, P12).

The history knows who had which tier when, also where a person had set it. What came over from a
file that was merged into this one says nothing of this one's tier.
"""

from __future__ import annotations

from datetime import date, datetime

from django.db.models import OuterRef, Subquery

from crm.lib.days import day_bounds
from customers.models import CustomerQuerySet
from tiers.models import ClassChange, TierChange


def tier_on(day: date, customers: CustomerQuerySet) -> CustomerQuerySet:
    """`customers` that were on file by then, with `tier`: the one stored at the end of `day`.

    It is empty for those that were unranked, or that no run had looked at yet.
    """
    end = day_bounds(day, day)[1]
    return _with_tier(customers.filter(created_at__lt=end), changed_at__lt=end)


def tier_at(moment: datetime, customers: CustomerQuerySet) -> CustomerQuerySet:
    """Like `tier_on`, for a moment; what changed at that very moment has changed."""
    return _with_tier(customers.filter(created_at__lte=moment), changed_at__lte=moment)


def class_on(day: date, customers: CustomerQuerySet) -> CustomerQuerySet:
    """`customers` that were on file by then, with `loyalty_then`: the class at the end of `day`.

    It is empty for those without a class, or that no run had classed yet (P9).
    """
    end = day_bounds(day, day)[1]
    last = (
        ClassChange.objects.own()
        .filter(customer=OuterRef("pk"), changed_at__lt=end)
        .order_by("-pk")
        .values("to_loyalty")
    )
    known = customers.filter(created_at__lt=end)
    return known.annotate(loyalty_then=Subquery(last[:1]))


def _with_tier(customers: CustomerQuerySet, **by: datetime) -> CustomerQuerySet:
    last = (
        TierChange.objects.decisive()
        .own()
        .filter(customer=OuterRef("pk"), **by)
        .order_by("-pk")
        .values("to_tier")
    )
    return customers.annotate(tier=Subquery(last[:1]))
