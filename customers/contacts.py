"""Writing the people at a customer (P3); whoever is found by them is found at once."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from accounts.models import AuditEntry, User
from crm.lib.formats import local_day
from customers import cards
from customers.models import Contact, Customer


@transaction.atomic
def save_contact(*, contact: Contact) -> Contact:
    """Store a new or changed contact, who may have gone over to another customer."""
    before = Contact.objects.filter(pk=contact.pk).values_list("customer_id", flat=True)
    touched = {*before, contact.customer_id}
    contact.save()
    cards.refresh(touched)
    return contact


@transaction.atomic
def mark_left(*, contact: Contact, left: bool) -> Contact:
    """Note that somebody no longer works there, or does after all."""
    if contact.has_left != left:
        contact.has_left = left
        contact.save(update_fields=["has_left"])
        cards.refresh([contact.customer_id])
    return contact


@transaction.atomic
def remove_contact(*, contact: Contact) -> None:
    """Take out a contact noted by mistake; the audit log keeps it.

    ValidationError where other records name the contact: they would lose with whom it was.
    """
    for relation in Contact._meta.related_objects:
        rows = relation.related_model._base_manager
        if rows.filter(**{relation.field.name: contact}).exists():
            raise ValidationError(
                _("%(name)s is named in other records. Mark as left instead."),
                code="named",
                params={"name": contact.name},
            )
    contact.delete()
    cards.refresh([contact.customer_id])


@transaction.atomic
def restore_contact(*, pk: int, by: User, now: datetime) -> Contact | None:
    """Bring back whom `by` took out today, from the audit log; None where there is nobody such.

    Who is still there stays as she is.
    """
    if there := Contact.objects.visible_to(by).filter(pk=pk).first():
        return there
    stored = AuditEntry.objects.taken_out(Contact, pk, by=by, on=local_day(now))
    if stored is None:
        return None
    if not Customer.objects.visible_to(by).filter(pk=stored["customer_id"]).exists():
        return None
    number = stored["external_id"]
    if number and Contact.objects.filter(external_id=number).exists():
        stored["external_id"] = None  # the ERP has sent her again meanwhile
    sent = stored.pop("source_updated_at")
    contact = Contact(pk=pk, **stored, source_updated_at=sent and parse_datetime(sent))
    contact.save(force_insert=True)
    cards.refresh([contact.customer_id])
    return contact
