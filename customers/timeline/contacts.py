"""What the contacts tell on the timeline: who was added, changed, has left or was taken out."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.models import AuditEntry
from accounts.models.audit import Action
from customers.models import Contact, Customer
from customers.timeline import Entry, Group

KIND = "contact"
GROUP = Group.FILES
#: The columns that people and the ERP write, in the order of the form.
COLUMNS = {
    field.attname: field
    for field in Contact._meta.concrete_fields
    if field.editable and field.name not in ("id", "created_at", "updated_at")
}


def entries(customer: Customer, *, before: datetime | None, limit: int) -> list[Entry]:
    """What became of the people who are on file now, from the audit log."""
    people = Contact.objects.filter(customer=customer).order_by().values("pk")
    log = AuditEntry.objects.filter(model=Contact._meta.label_lower, object_id__in=people)
    log = log.filter(~Q(action=Action.UPDATE) | Q(before__has_any_keys=list(COLUMNS)))
    if before is not None:
        log = log.filter(at__lt=before)
    return [_entry(row, customer) for row in log.order_by("-at", "-id")[:limit]]


def _entry(row: AuditEntry, customer: Customer) -> Entry:
    who = row.actor_name or row.get_through_display()
    icon, title, text = _told(row)
    return Entry(
        at=row.at,
        kind=KIND,
        icon=icon,
        title=title % {"who": who, "name": row.object_name},
        text=text,
        url=reverse("customers:contacts", args=[customer.pk]),
        ref=pgettext("record", "Contact"),
    )


def _told(row: AuditEntry) -> tuple[str, str, str]:
    """Icon, title and the line under it."""
    if row.action == Action.CREATE:
        return "user-plus", _("%(who)s added the contact %(name)s"), ""
    if row.action == Action.DELETE:
        return "user-minus", _("%(who)s took out the contact %(name)s"), ""
    if "has_left" in row.after:
        if row.after["has_left"]:
            return "user-minus", _("%(name)s has left, says %(who)s"), ""
        return "user-plus", _("%(name)s is there again, says %(who)s"), ""
    wanted = [str(field.verbose_name) for name, field in COLUMNS.items() if name in row.before]
    between = pgettext("between the items of a list", ", ")
    return "user", _("%(who)s changed the contact %(name)s"), between.join(wanted)
