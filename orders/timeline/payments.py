"""What payments tell on the customer's timeline (P2)."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from crm.lib.formats import price
from customers.models import Customer
from customers.timeline import Entry, Group
from orders.models import Payment

KIND = "payment"
GROUP = Group.TRADE


def entries(customer: Customer, *, before: datetime | None, limit: int) -> list[Entry]:
    """The payments of a customer before `before`, newest first; what was taken back says so."""
    payments = Payment.objects.filter(customer=customer).select_related("order", "reversal")
    if before is not None:
        payments = payments.filter(paid_at__lt=before)
    return [_entry(one) for one in payments.order_by("-paid_at", "-pk")[:limit]]


def _entry(payment: Payment) -> Entry:
    back = payment.amount < 0
    title = _("Paid back %(amount)s") if back else _("Paid %(amount)s")
    facts = [payment.method, payment.note]
    if payment.order:
        facts.append(_("for order %(order)s") % {"order": payment.order})
    if payment.is_reversed:
        facts.append(pgettext("payment", "taken back since"))
    return Entry(
        at=payment.paid_at,
        kind=KIND,
        icon="arrow-uturn-left" if back else "banknotes",
        tone="warn" if back else "good",
        title=title % {"amount": price(abs(payment.amount))},
        text=" · ".join(fact for fact in facts if fact),
        url=reverse("orders:payment", args=[payment.pk]),
        ref=str(payment),
    )
