"""Asking for a lower minimum order, and answering that (P19, P36)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.models import User
from customers.models import Customer
from orders.models import MinimumException


@transaction.atomic
def ask_exception(
    *,
    customer: Customer,
    minimum: Decimal,
    valid_from: date,
    valid_to: date,
    reason: str,
    by: User,
    now: datetime,
    client_id: UUID | None = None,
) -> MinimumException:
    """Put a request on file; the second press of the same form finds the first one's.

    ValidationError where the period ends before it begins, or the reason is missing.
    """
    there = MinimumException.objects.filter(client_id=client_id, customer=customer).first()
    if client_id and there:
        return there
    wanted = MinimumException(
        customer=customer,
        minimum=minimum,
        valid_from=valid_from,
        valid_to=valid_to,
        reason=reason.strip(),
        asked_by=by,
        asked_at=now,
        client_id=client_id,
    )
    wanted.full_clean(
        exclude=["customer", "asked_by", "answered_by", "answered_at", "withdrawn_on"]
    )
    try:
        with transaction.atomic():
            wanted.save()
    except IntegrityError:  # the other press of the button came first
        return MinimumException.objects.get(client_id=client_id, customer=customer)
    return wanted


@transaction.atomic
def change_exception(
    exception: MinimumException, change: Callable[[MinimumException], None]
) -> MinimumException:
    """Answer, withdraw or take back, one person at a time: `change` is one of its methods."""
    locked = MinimumException.objects.select_for_update(of=("self",)).get(pk=exception.pk)
    change(locked)
    return locked
