"""What the file itself tells on the timeline: who made it, who changed which fields (P6)."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from accounts.models import AuditEntry
from accounts.models.audit import Action
from customers.changes import labels_of, log_of
from customers.models import Customer
from customers.timeline import Entry, Group

KIND = "file"
GROUP = Group.FILES


def entries(customer: Customer, *, before: datetime | None, limit: int) -> list[Entry]:
    """Who made and changed the file, and which fields, from the audit log."""
    log = log_of(customer)
    if before is not None:
        log = log.filter(at__lt=before)
    return [_entry(row) for row in log.order_by("-at", "-id")[:limit]]


def _entry(row: AuditEntry) -> Entry:
    who = {"who": row.actor_name or row.get_through_display()}
    if row.action == Action.CREATE and row.model == Customer._meta.label_lower:
        title, icon, text = _("%(who)s made the file"), "document-plus", ""
    else:
        title, icon = _("%(who)s changed the file"), "pencil-square"
        text = labels_of(row.after)
    return Entry(at=row.at, kind=KIND, icon=icon, title=title % who, text=text)
