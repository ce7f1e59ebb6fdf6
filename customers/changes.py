"""What was changed in a customer's file, by whom, as far as the reader may know (P6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import models
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy, pgettext

from accounts.history import Line, described
from accounts.models import AuditEntry, User
from accounts.models.audit import Action
from crm.lib.text import Text
from customers import divisions
from customers.models import Contact, Customer, Profile, Promise


def _labels(model: type[models.Model]) -> dict[str, Text]:
    """The columns of `model` that people and the ERP write, with their labels, in their order."""
    return {
        field.attname: field.verbose_name
        for field in model._meta.concrete_fields
        if field.editable and field.name not in {"id", "created_at", "updated_at", "customer"}
    }


#: The columns of the customer that people and the ERP write; not the derived ones.
COLUMNS: Mapping[str, Text] = {**_labels(Customer), "division": gettext_lazy("area")}
#: Everything that the file shows of the customer and its profile.
LABELS: Mapping[str, Text] = {**COLUMNS, **_labels(Profile), **Profile.BESIDE}
#: Columns that name another customer, which may be out of the reader's sight.
OTHER_CUSTOMERS = ("parent_id", "group_head_id", "customer_id")


def log_of(customer: Customer) -> QuerySet[AuditEntry]:
    """The audit entries of a file and its profile that touch what people write, newest first."""
    return AuditEntry.objects.filter(_own(customer)).order_by("-id")


def whole_log_of(customer: Customer) -> QuerySet[AuditEntry]:
    """`log_of`, and the entries of the contacts and promises of the customer, deleted ones too.

    Their ids are read before: with ids in the statement each kind is found by the index.
    """
    touched = _own(customer)
    kinds = {model._meta.label_lower: model for model in (Contact, Promise)}
    gone = AuditEntry.objects.filter(
        action=Action.DELETE, model__in=kinds, before__customer_id=customer.pk
    )
    ids = set(gone.order_by().values_list("model", "object_id"))
    for label, model in kinds.items():
        found = model._default_manager.filter(customer=customer).values_list("pk", flat=True)
        numbers = [*found, *(number for kind, number in ids if kind == label)]
        if numbers:
            touched |= Q(model=label, object_id__in=numbers)
    return AuditEntry.objects.filter(touched).order_by("-id")


def _own(customer: Customer) -> Q:
    written = Q(action=Action.CREATE) | Q(before__has_any_keys=list(COLUMNS))
    own = Q(model=Customer._meta.label_lower, object_id=customer.pk) & written
    profile = getattr(customer, "profile", None)
    if profile is not None and profile.pk is not None:
        own |= Q(model=Profile._meta.label_lower, object_id=profile.pk)
    return own


def labels_of(changed: Mapping[str, Any]) -> str:
    """The labels of what changed (column → value), in the order of the file, in words.

    Of a profile that was just made only what it holds is named.
    """
    made = "customer_id" in changed
    labels = [
        str(label)
        for name, label in LABELS.items()
        if name in changed and not (made and changed[name] in (None, "", []))
    ]
    return pgettext("between the items of a list", ", ").join(labels)


def changes_of(customer: Customer, reader: User, *, limit: int) -> list[Line]:
    """The newest changes of a file and its profile, in words for `reader`."""
    return told(log_of(customer)[:limit], reader)


def changes_since(customer: Customer, version: int, reader: User) -> list[Line]:
    """What others changed in the file since it had `version`; empty where only figures that are
    worked out (tier, last visit) have moved.

    Every change raises the version by one and writes at most one entry, so the newest
    `customer.version - version` entries hold all of them.
    """
    newest = AuditEntry.objects.of(customer).order_by("-id")[: max(customer.version - version, 0)]
    return told((entry for entry in newest if not COLUMNS.keys().isdisjoint(entry.before)), reader)


def told(entries: Iterable[AuditEntry], reader: User) -> list[Line]:
    """The entries in words, without the names of customers that `reader` may not see."""
    entries = list(entries)
    named = {
        side[name]
        for entry in entries
        for side in (entry.before, entry.after)
        for name in OTHER_CUSTOMERS
        if side.get(name)
    }
    seen: set[int] = set()
    if named:
        seen.update(
            Customer.objects.visible_to(reader).filter(pk__in=named).values_list("pk", flat=True)
        )
    for entry in entries:
        for name in OTHER_CUSTOMERS:
            pair = {entry.before.get(name), entry.after.get(name)} - {None}
            if not pair <= seen or (name == "customer_id" and entry.action == Action.CREATE):
                entry.before.pop(name, None)
                entry.after.pop(name, None)
        if entry.model == Customer._meta.label_lower:
            _name_areas(entry.before)
            _name_areas(entry.after)
    return described(entries)


def _name_areas(side: dict[str, Any]) -> None:
    """Put the name of an area in the place of its code, which says nothing to people."""
    if "division" in side:
        code = side.pop("division") or ""
        side["area"] = divisions.name(code) or code
