"""What orders tell on the customer's timeline."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Count
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.lib.formats import price
from customers.models import Customer
from customers.timeline import Entry, Group
from orders.models import Order, OrderStatus

KIND = "order"
GROUP = Group.TRADE


def entries(customer: Customer, *, before: datetime | None, limit: int) -> list[Entry]:
    """The orders of a customer before `before`, newest first; drafts are not told."""
    orders = Order.objects.filter(customer=customer).exclude(status=OrderStatus.DRAFT)
    if before is not None:
        orders = orders.filter(ordered_at__lt=before)
    newest: Any = orders.order_by("-ordered_at", "-pk").annotate(line_count=Count("lines"))[:limit]
    return [_entry(order, order.line_count) for order in newest]


def _entry(order: Order, lines: int) -> Entry:
    facts = {
        "amount": price(order.amount),
        "status": order.get_status_display(),
    }
    title = (
        _("Return %(amount)s") if order.status == OrderStatus.RETURNED else _("Order %(amount)s")
    )
    text = facts["status"]
    if lines:
        told = ngettext("%(status)s, %(lines)d line", "%(status)s, %(lines)d lines", lines)
        text = told % {**facts, "lines": lines}
    return Entry(
        at=order.ordered_at,
        kind=KIND,
        icon="arrow-uturn-left" if order.status == OrderStatus.RETURNED else "cube",
        tone="warn" if order.status == OrderStatus.RETURNED else "",
        title=title % facts,
        text=text,
        url=reverse("orders:detail", args=[order.pk]),
        ref=str(order),
    )
