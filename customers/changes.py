"""What was changed in a customer's file, by whom, as far as the reader may know (P6)."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q, QuerySet
from django.utils.translation import pgettext

from accounts.history import Line, described
from accounts.models import AuditEntry, User
from accounts.models.audit import Action
from customers.models import Customer

#: The columns that people and the ERP write, in the order of the file; not the derived ones.
COLUMNS = {
    field.attname: field
    for field in Customer._meta.concrete_fields
    if field.editable and field.name not in ("id", "created_at", "updated_at")
}


def log_of(customer: Customer) -> QuerySet[AuditEntry]:
    """The audit entries of a file that touch what is on file, newest first."""
    touched = Q(action=Action.CREATE) | Q(before__has_any_keys=list(COLUMNS))
    return AuditEntry.objects.of(customer).filter(touched).order_by("-id")


def labels_of(columns: Iterable[str]) -> str:
    """The labels of these columns in the order of the file, as a list in words."""
    wanted = set(columns)
    labels = [str(field.verbose_name) for name, field in COLUMNS.items() if name in wanted]
    return pgettext("between the items of a list", ", ").join(labels)


def changes_of(customer: Customer, reader: User, *, limit: int) -> list[Line]:
    """The newest changes of a file, in words for `reader`."""
    return _told(list(log_of(customer)[:limit]), reader)


def changes_since(customer: Customer, version: int, reader: User) -> list[Line]:
    """What others changed in the file since it had `version`; empty where only figures that are
    worked out (tier, last visit) have moved.

    Every change raises the version by one and writes at most one entry, so the newest
    `customer.version - version` entries hold all of them.
    """
    newest = AuditEntry.objects.of(customer).order_by("-id")[: max(customer.version - version, 0)]
    touched = [entry for entry in newest if not COLUMNS.keys().isdisjoint(entry.before)]
    return _told(touched, reader)


def _told(entries: list[AuditEntry], reader: User) -> list[Line]:
    """The entries in words, without the names of suppliers that `reader` may not see."""
    sides = [side for entry in entries for side in (entry.before, entry.after)]
    parents = {side["parent_id"] for side in sides if side.get("parent_id")}
    if parents:
        seen = set(
            Customer.objects.visible_to(reader).filter(pk__in=parents).values_list("pk", flat=True)
        )
        for entry in entries:
            pair = {entry.before.get("parent_id"), entry.after.get("parent_id")} - {None}
            if not pair <= seen:
                entry.before.pop("parent_id", None)
                entry.after.pop("parent_id", None)
    return described(entries)
