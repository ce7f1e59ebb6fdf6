"""What adjustments of its stock tell on the customer's timeline (P23)."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from crm.lib.formats import quantity
from customers.models import Customer
from customers.timeline import Entry, Group
from orders.models import StockAdjustment

KIND = "adjustment"
GROUP = Group.TRADE


def entries(customer: Customer, *, before: datetime | None, limit: int) -> list[Entry]:
    """The adjustments at a customer before `before`, newest first."""
    found = StockAdjustment.objects.filter(customer=customer).select_related("product")
    if before is not None:
        found = found.filter(adjusted_at__lt=before)
    return [_entry(one) for one in found.order_by("-adjusted_at", "-pk")[:limit]]


def _entry(adjustment: StockAdjustment) -> Entry:
    product, went = adjustment.product, adjustment.quantity < 0
    title = (
        _("%(number)s of %(product)s left the stock")
        if went
        else _("%(number)s of %(product)s came into stock")
    )
    number = f"{quantity(abs(adjustment.quantity))} {product.unit}".strip()
    facts = [adjustment.get_cause_display(), adjustment.batch, adjustment.note]
    return Entry(
        at=adjustment.adjusted_at,
        kind=KIND,
        icon="minus-circle" if went else "plus-circle",
        tone="warn" if went else "",
        title=title % {"number": number, "product": product.name},
        text=" · ".join(fact for fact in facts if fact),
        url=reverse("orders:adjustment", args=[adjustment.pk]),
        ref=_("Adjustment"),
    )
