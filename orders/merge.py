"""What goes over when a customer's file is merged into another, and back when they are parted:
its trade, credit and stock.
"""

from __future__ import annotations

from datetime import datetime

from customers import moving
from orders.models import (
    Balance,
    Credit,
    CreditReview,
    MinimumException,
    Order,
    Payment,
    SellOut,
    StockAdjustment,
    StockPosition,
    StockReport,
)
from orders.settling import settle_later


def move(*, gone: int, into: int, now: datetime) -> moving.Moved:
    """Hand orders, payments and stock of `gone` over to `into`; what hangs on them comes along.

    The survivor's own credit counts; only without one, that of `gone` goes over. Both are worked
    out as one customer afterwards.
    """
    settle_later([into], stock=True)
    moved = {
        model._meta.label_lower: moving.hand_over(model, gone=gone, into=into, now=now)
        for model in (Order, Payment, MinimumException, StockReport, SellOut, StockAdjustment)
    }
    dropped: list[moving.Row] = []
    if Credit.objects.filter(customer=into).exists():
        own = Credit.objects.filter(customer=gone)
        dropped = moving.drop(Credit, list(own.values_list("pk", flat=True)))
    part = moving.hand_over(Credit, gone=gone, into=into, now=now)
    moved[Credit._meta.label_lower] = {**part, "dropped": dropped}
    proposed = CreditReview.objects.open().filter(customer=gone).values_list("pk", flat=True)
    dropped = moving.drop(CreditReview, list(proposed))  # the next run reviews both as one
    part = moving.hand_over(CreditReview, gone=gone, into=into, now=now)
    moved[CreditReview._meta.label_lower] = {**part, "dropped": dropped}
    for model in (Balance, StockPosition):
        worked_out = model._default_manager.filter(customer=gone).values_list("pk", flat=True)
        moved[model._meta.label_lower] = {"dropped": moving.drop(model, list(worked_out))}
    return moved


def part(*customer_ids: int) -> None:
    """Work out each of these customers for itself: a merge was taken back."""
    settle_later(customer_ids, stock=True)
