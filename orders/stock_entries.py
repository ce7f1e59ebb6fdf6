"""Sell-outs and adjustments that a person enters (P23)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from customers.models import Customer
from orders import taking_back
from orders.models import Product, SellOut, StockAdjustment
from orders.settling import restock_later

E = TypeVar("E", SellOut, StockAdjustment)


def enter_sell_out(
    *,
    customer: Customer,
    product: Product,
    sold_at: datetime,
    quantity: Decimal,
    unit_price: Decimal | None,
    buyer_division: str,
    client_id: UUID,
    now: datetime,
) -> SellOut:
    """Put a sale of the dealer on file; below zero where goods came back to it.

    The second press of the same form finds the first one's. ValidationError where the quantity
    is zero or the moment has not come yet.
    """
    if sold_at > now:
        raise ValidationError({"sold_at": _("This moment has not come yet.")}, code="future")
    sold = SellOut(
        customer=customer,
        product=product,
        sold_at=sold_at,
        quantity=quantity,
        unit_price=unit_price,
        buyer_division=buyer_division,
        client_id=client_id,
    )
    return _enter(sold)


def enter_adjustment(
    *,
    customer: Customer,
    product: Product,
    batch: str,
    adjusted_at: datetime,
    quantity: Decimal,
    cause: str,
    note: str,
    client_id: UUID,
    now: datetime,
) -> StockAdjustment:
    """Note goods that came (above zero) or went without a delivery or a sale, and why.

    Like `enter_sell_out`.
    """
    if adjusted_at > now:
        raise ValidationError({"adjusted_at": _("This moment has not come yet.")}, code="future")
    adjustment = StockAdjustment(
        customer=customer,
        product=product,
        batch=batch.strip(),
        adjusted_at=adjusted_at,
        quantity=quantity,
        cause=cause,
        note=note.strip(),
        client_id=client_id,
    )
    return _enter(adjustment)


@transaction.atomic
def _enter(entry: E) -> E:
    """Store a new entry, unless its form was sent before."""
    if there := _made_as(entry):
        return there
    if not entry.quantity:
        raise ValidationError({"quantity": _("A quantity is not zero.")}, code="zero")
    entry.full_clean(exclude=["customer", "product"], validate_unique=False)
    try:
        with transaction.atomic():
            entry.save()
    except IntegrityError:  # the other press of the button came first
        there = _made_as(entry)
        if there is None:
            raise
        return there
    restock_later([entry.customer_id])
    return entry


def _made_as(entry: E) -> E | None:
    same = type(entry)._default_manager.filter(
        client_id=entry.client_id, customer=entry.customer_id
    )
    return same.first()


@transaction.atomic
def take_back_entry(*, entry: SellOut | StockAdjustment, by: User, today: date) -> None:
    """Take out what `by` entered today by hand; the audit log keeps it."""
    if isinstance(entry, SellOut) and not entry.by_hand:
        raise ValidationError(
            _("This sell-out was sent by a system and is changed there."), code="not_by_hand"
        )
    taking_back.take_back(entry, by=by, today=today)
    restock_later([entry.customer_id])


@transaction.atomic
def restore_entry(model: type[E], pk: int, *, by: User, today: date) -> E | None:
    """Bring back what `by` took out today; None where there is none such."""
    restored = taking_back.restore(model, pk, by=by, today=today)
    if restored is None:
        return None
    restock_later([restored.record.customer_id])
    return restored.record
