"""What people do to customers' files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from django.db import transaction

from accounts.models import User
from accounts.roles import Role
from customers import cards, events
from customers.companions import follow
from customers.models import Customer, Profile, Supplier

NOTHING: Mapping[str, Any] = MappingProxyType({})


@transaction.atomic
def file_customer(*, customer: Customer, by: User) -> Customer:
    """Put a new customer on file. One without an owner that a rep or manager makes is theirs,
    so that it does not go out of their sight at once."""
    if customer.owner_id is None and by.role in (Role.REP, Role.MANAGER):
        customer.owner = by
    customer.save()
    cards.refresh([customer.pk])
    events.tell(created=[customer.pk], at=customer.updated_at)
    return customer


@transaction.atomic
def change_customer(
    *, customer: Customer, values: Mapping[str, Any] = NOTHING, now: datetime
) -> Customer:
    """Store a changed file: as it is, or with `values` (field → value) put in.

    What waits for a former owner goes along to the new one.
    """
    for name, value in values.items():
        setattr(customer, name, value)
    owner, changed = customer.was("owner_id"), events.changed_columns(customer)
    customer.save()
    follow({customer.pk: owner}, to=customer.owner_id, now=now)
    cards.refresh([customer.pk])
    events.tell(changed={customer.pk: changed}, at=now)
    return customer


@transaction.atomic
def save_profile(*, profile: Profile, suppliers: Sequence[Supplier] | None = None) -> Profile:
    """Store what was found out about a customer, and `suppliers` in place of those on file.

    Suppliers that are on file already carry their id. One entry of the log tells all of it, and
    the profile's version guards the suppliers too.
    """
    if suppliers is not None:
        stored = {one.pk: one for one in Supplier.objects.filter(customer=profile.customer_id)}
        profile.tell_also(
            "suppliers",
            [one.in_words for one in stored.values()],
            [one.in_words for one in suppliers],
        )
        kept = {one.pk for one in suppliers}
        Supplier.objects.filter(pk__in=stored.keys() - kept).delete()
        for one in suppliers:
            one.customer_id = profile.customer_id
            one.version += 1
        changed = [one for one in suppliers if one.pk and one.in_words != stored[one.pk].in_words]
        Supplier.objects.bulk_update(changed, ("name", "supplies", "satisfaction", "version"))
        Supplier.objects.bulk_create(one for one in suppliers if not one.pk)
    profile.save()
    return profile
