"""Logging contacts with customers, putting them right, and taking them back (P32)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import AuditEntry, User
from crm.lib.formats import local_day
from customers.models import Contact, Customer, Interaction


@transaction.atomic
def log_interaction(
    *,
    client_id: UUID,
    customer: Customer,
    channel: str,
    at: datetime,
    by: User,
    now: datetime,
    contact: Contact | None = None,
    inbound: bool = False,
    words: str = "",
) -> Interaction:
    """Put a contact with `customer` on the timeline, at `at`, which is not in the future.

    The same `client_id` again leads to the record that is there.
    """
    if there := _logged_as(client_id, by):
        return there
    _check(at, contact, customer, now)
    interaction = Interaction(
        client_id=client_id,
        customer=customer,
        contact=contact,
        channel=channel,
        inbound=inbound,
        at=at,
        by=by,
        words=words.strip(),
    )
    interaction.clean_fields()
    try:
        with transaction.atomic():
            interaction.save()
    except IntegrityError:  # the other press of the button came first
        there = _logged_as(client_id, by)
        if there is None:
            raise
        return there
    return interaction


def _logged_as(client_id: UUID, by: User) -> Interaction | None:
    return Interaction.objects.filter(client_id=client_id, by=by).first()


def _check(at: datetime, contact: Contact | None, customer: Customer, now: datetime) -> None:
    if at > now:
        raise ValidationError({"at": ValidationError(_("This lies in the future."), code="future")})
    if contact is not None and contact.customer_id != customer.pk:
        raise ValidationError(
            {"contact": ValidationError(_("Choose a contact of this customer."), code="contact")}
        )


def correct_interaction(*, interaction: Interaction, by: User, now: datetime) -> None:
    """Store what its author changed in it on the day of logging."""
    interaction.refuse_unless_changeable(by=by, now=now)
    _check(interaction.at, interaction.contact, interaction.customer, now)
    interaction.save()


def remove_interaction(*, interaction: Interaction, by: User, now: datetime) -> None:
    """Take out what was logged by mistake; the audit log keeps it."""
    interaction.refuse_unless_changeable(by=by, now=now)
    interaction.delete()


@transaction.atomic
def restore_interaction(*, pk: int, by: User, now: datetime) -> Interaction | None:
    """Bring back what `by` took out today, from the audit log; None where there is nothing such.

    What is still there stays as it is.
    """
    if there := Interaction.objects.visible_to(by).filter(pk=pk).first():
        return there
    stored = AuditEntry.objects.taken_out(Interaction, pk, by=by, on=local_day(now))
    if stored is None:
        return None
    if not Customer.objects.visible_to(by).filter(pk=stored["customer_id"]).exists():
        return None
    if not Contact.objects.filter(pk=stored["contact_id"]).exists():
        stored["contact_id"] = None
    at = datetime.fromisoformat(stored.pop("at"))
    interaction = Interaction(pk=pk, **stored, at=at)
    interaction.save(force_insert=True)
    return interaction
