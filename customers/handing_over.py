"""Handing one person's customers to others in one action, and taking that back (P6, P15)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count
from django.utils.translation import gettext as _

from accounts.access import require
from accounts.models import User
from crm.lib.text import Text
from customers import events
from customers.assigning import give, in_batches, lock, move_rows, require_successor
from customers.companions import companions
from customers.models import Customer, CustomerQuerySet, HandOver


@dataclass(frozen=True, slots=True)
class Share:
    """The files that one successor is to get; a file in two shares goes to the first."""

    customers: CustomerQuerySet
    successor: User


@dataclass(frozen=True, slots=True)
class Preview:
    """What one successor would get: how many files, of which tiers, and what passes with them."""

    successor: User
    count: int
    tiers: list[tuple[str | None, int]]
    beside: list[tuple[Text, int]]


def preview(shares: Sequence[Share], *, giver: User) -> list[Preview]:
    """What `hand_over` would do."""
    return [
        Preview(
            successor=share.successor,
            count=sum(count for _tier, count in tiers),
            tiers=tiers,
            beside=[(one.LABEL, one.waiting(customers, giver=giver.pk)) for one in companions()],
        )
        for share, customers in zip(shares, _apart(shares, giver), strict=True)
        for tiers in [_tiers(customers)]
    ]


@transaction.atomic
def hand_over(
    shares: Sequence[Share], *, giver: User, by: User, reason: str, now: datetime
) -> list[HandOver]:
    """Give the giver's files in sight of `by` to the successors, with what waits for the giver.

    All or nothing; one record for each successor who gets a file. Raises PermissionDenied where
    `by` may not assign files, ValidationError where a successor may not have them or is the giver.
    """
    made = []
    for share in shares:
        require_successor(share.successor, by=by)
        if share.successor.pk == giver.pk:
            raise ValidationError(_("The successor must be somebody else."), code="same", params={})
    for share in shares:  # in turn: what the first has got is no longer the giver's
        moved = list(give(share.customers.filter(owner=giver), to=share.successor, by=by, now=now))
        if not moved:
            continue
        beside = {
            one.KIND: one.hand_over(moved, giver=giver.pk, to=share.successor.pk, now=now)
            for one in companions()
        }
        made.append(
            HandOver.objects.create(
                giver=giver,
                successor=share.successor,
                by=by,
                at=now,
                count=len(moved),
                customer_ids=moved,
                beside=beside,
                reason=reason,
            )
        )
    if not made:
        raise ValidationError(_("There is nothing to hand over."), code="nothing")
    return made


@transaction.atomic
def hand_back(handed: HandOver, *, by: User, now: datetime) -> int:
    """Give those files that the successor still has, in sight of `by`, back; how many.

    The giver may have left meanwhile: the files then wait for the next hand-over.
    """
    require(by, "customers:assign")
    lock()
    handed = HandOver.objects.select_for_update(of=("self",)).get(pk=handed.pk)
    if handed.undone_at is not None:
        raise ValidationError(_("This hand-over was taken back already."), code="undone")
    giver, to = handed.giver_id, handed.successor_id
    seen = Customer.objects.visible_to(by).filter(owner=to)
    returned = 0
    for some in in_batches(seen, handed.customer_ids):
        moved = move_rows(some, "owner", giver, named="name", now=now)
        events.tell(changed=dict.fromkeys(moved, ("owner_id",)), at=now)
        returned += len(moved)
    for one in companions():
        one.hand_back(handed.beside.get(one.KIND, []), giver=giver, to=to, now=now)
    handed.undone_at, handed.undone_by, handed.undone_count = now, by, returned
    handed.save(update_fields=["undone_at", "undone_by", "undone_count"])
    return returned


def _apart(shares: Sequence[Share], giver: User) -> list[CustomerQuerySet]:
    """The files of each share without those that an earlier share takes."""
    apart: list[CustomerQuerySet] = []
    for number, share in enumerate(shares):
        own = share.customers.filter(owner=giver)
        for earlier in shares[:number]:
            own = own.exclude(pk__in=earlier.customers.values("pk"))
        apart.append(own)
    return apart


def _tiers(customers: CustomerQuerySet) -> list[tuple[str | None, int]]:
    """How many files of each tier, A first, the unranked last."""
    counts = dict(customers.order_by().values_list("abc").annotate(Count("pk")))
    return [(tier, counts[tier]) for tier in ("A", "B", "C", None) if tier in counts]
