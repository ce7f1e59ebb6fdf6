"""Writing market information down, sending it to customers, and taking that back (P26)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import AuditEntry, User
from accounts.models.audit import Action
from crm.lib.formats import local_day
from customers import moving
from customers.models import Contact, CustomerQuerySet
from visits.models import MarketInformation, Sending

#: Customers that can be marked at once.
MOST_SENT = 10_000
BATCH = 1000


@transaction.atomic
def write_information(
    *, information: MarketInformation, by: User, client_id: UUID | None = None
) -> MarketInformation:
    """Put a piece of information on file; the second press of a form finds what the first made."""
    if client_id is not None and (there := _written_as(client_id, by)):
        return there
    information.by, information.client_id = by, client_id
    information.full_clean(exclude=["by"])
    try:
        with transaction.atomic():
            information.save()
    except IntegrityError:  # the other press of the button came first
        there = _written_as(client_id, by) if client_id else None
        if there is None:
            raise
        return there
    return information


def _written_as(client_id: UUID, by: User) -> MarketInformation | None:
    return MarketInformation.objects.filter(client_id=client_id, by=by).first()


@transaction.atomic
def send_information(
    *,
    information: MarketInformation,
    customers: CustomerQuerySet,
    by: User,
    way: str,
    sent_at: datetime,
    now: datetime,
    note: str = "",
    contact: Contact | None = None,
) -> list[Sending]:
    """Note that those of `customers` that `by` sees received it; who has it already stays as it is.

    The new rows, in the order of the customers' ids. ValidationError where the moment has not
    come yet or lies before the day it was learned, or `contact` is not of the one customer.
    """
    if not by.may("visits:write"):
        raise PermissionDenied
    if sent_at > now:
        raise ValidationError({"sent_on": _("This day has not come yet.")}, code="future")
    if local_day(sent_at) < information.learned_on:
        raise ValidationError(
            {"sent_on": _("This lies before the day it was learned.")}, code="early"
        )
    # The information's row is the queue: of two people at once, the second finds the first's rows.
    MarketInformation.objects.select_for_update(of=("self",)).get(pk=information.pk)
    known = Sending.objects.filter(information=information).values("customer")
    ids = list(
        customers.visible_to(by)
        .exclude(pk__in=known)
        .order_by("pk")
        .values_list("pk", flat=True)[: MOST_SENT + 1]
    )
    if len(ids) > MOST_SENT:
        raise ValidationError(
            _("At most %(limit)s customers at once: narrow the filter."),
            code="too_many",
            params={"limit": f"{MOST_SENT:,}"},
        )
    if contact is not None and ids and ids != [contact.customer_id]:
        raise ValidationError(
            {"contact": _("This person works for another customer.")}, code="contact"
        )
    rows = [
        Sending(
            information=information,
            customer_id=pk,
            contact=contact,
            sent_at=sent_at,
            by=by,
            way=way,
            note=note.strip(),
            version=1,
        )
        for pk in ids
    ]
    if rows:
        rows[0].clean_fields(exclude=["information", "customer", "contact", "by"])
    made = Sending.objects.bulk_create(rows, batch_size=BATCH)
    AuditEntry.write_many(_entry(one) for one in made)
    return made


def _entry(sending: Sending) -> AuditEntry:
    return AuditEntry.build(
        model=Sending,
        object_id=sending.pk,
        object_name=sending.information.title,
        action=Action.CREATE,
        before={},
        after={
            "information_id": sending.information_id,
            "customer_id": sending.customer_id,
            "contact_id": sending.contact_id,
            "sent_at": sending.sent_at,
            "by_id": sending.by_id,
            "way": sending.way,
            "note": sending.note,
            "outcome": sending.outcome,
        },
    )


@transaction.atomic
def take_back_sendings(*, ids: Collection[int], by: User) -> int:
    """Take out sendings that were noted by mistake, as far as `by` sees them; how many.

    One whose outcome is known stays: it did reach the customer.
    """
    if not by.may("visits:write"):
        raise PermissionDenied
    waiting = Sending.objects.visible_to(by).waiting().filter(pk__in=ids)
    found = list(
        waiting.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True)
    )
    return len(moving.drop(Sending, found))
