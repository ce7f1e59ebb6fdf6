"""Payments that a person enters and takes back."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from customers.models import Customer
from orders.events import tell_payments
from orders.models import Order, Payment
from orders.settling import settle_later


@transaction.atomic
def enter_payment(
    *,
    customer: Customer,
    order: Order | None,
    paid_at: datetime,
    amount: Decimal,
    method: str,
    note: str,
    client_id: UUID,
    now: datetime,
) -> Payment:
    """Put a payment on file; the second press of the same form finds the first one's.

    ValidationError where the amount is not above zero, the order is another customer's, or the
    moment has not come yet.
    """
    there = Payment.objects.filter(client_id=client_id, customer=customer).first()
    if there:
        return there
    if amount <= 0:
        raise ValidationError({"amount": _("An amount is above zero.")}, code="negative")
    if order is not None and order.customer_id != customer.pk:
        raise ValidationError({"order": _("This order is another customer’s.")}, code="order")
    if paid_at > now:
        raise ValidationError({"paid_at": _("This moment has not come yet.")}, code="future")
    payment = Payment(
        customer=customer,
        order=order,
        paid_at=paid_at,
        amount=amount,
        method=method.strip(),
        note=note.strip(),
        client_id=client_id,
    )
    payment.full_clean()
    try:
        with transaction.atomic():
            payment.save()
    except IntegrityError:  # the other press of the button came first
        return Payment.objects.get(client_id=client_id, customer=customer)
    settle_later([customer.pk])
    tell_payments(created=[payment.pk], at=now)
    return payment


@transaction.atomic
def reverse_payment(*, payment: Payment, reason: str, now: datetime) -> Payment:
    """Take a payment back: a payment of the opposite amount that points to it.

    A reversal is taken back the same way, so nothing is ever deleted. ValidationError where the
    payment was taken back already; of two people at once, the second one is told.
    """
    payment = Payment.objects.select_for_update(of=("self",)).get(pk=payment.pk)
    if Payment.objects.filter(reverses=payment).exists():
        raise ValidationError(_("This payment was taken back already."), code="reversed")
    reversal = Payment(
        customer_id=payment.customer_id,
        order_id=payment.order_id,
        paid_at=now,
        amount=-payment.amount,
        method=payment.method,
        note=reason.strip(),
        reverses=payment,
    )
    reversal.full_clean(exclude=["reverses"])
    reversal.save()
    settle_later([payment.customer_id])
    tell_payments(created=[reversal.pk], at=now)
    return reversal
