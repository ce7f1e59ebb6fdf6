"""What people do to customers' files."""

from __future__ import annotations

from django.db import transaction

from accounts.models import User
from accounts.roles import Role
from customers.models import Customer


@transaction.atomic
def file_customer(*, customer: Customer, by: User) -> Customer:
    """Put a new customer on file. One without an owner that a rep or manager makes is theirs,
    so that it does not go out of their sight at once."""
    if customer.owner_id is None and by.role in (Role.REP, Role.MANAGER):
        customer.owner = by
    customer.save()
    return customer
