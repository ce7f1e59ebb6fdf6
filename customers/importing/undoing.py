"""Taking an import back: what nobody has touched since goes back to what it was."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from django.db import models, transaction

from accounts.models import User
from accounts.models.audit import Action
from crm.lib import bulk
from customers import cards, events, hierarchy
from customers.importing import attached, tying, writing
from customers.importing.fields import OWN
from customers.importing.filed import CUSTOMER, Filed, in_form, in_sight, read, same, stored
from customers.importing.reasons import Reasons
from customers.importing.values import Values, blank
from customers.importing.writing import Change
from customers.models import (
    Contact,
    Customer,
    DuplicatePair,
    FileRead,
    Import,
    ImportRow,
    IndexCard,
    Outcome,
    Profile,
    RowState,
    Supplier,
)

CHUNK = 1000
Filings: TypeAlias = dict[int, Filed]
#: Rows that go with a customer that was only imported: nobody's work hangs on them.
GO_ALONG: tuple[type[models.Model], ...] = (IndexCard, FileRead, DuplicatePair)


def undo_chunk(run: Import, by: User, *, now: datetime) -> int:
    """Take back the next rows of `run` in one transaction; how many, 0 at the end.

    Those that name others as the customers above them go before these.
    """
    with transaction.atomic():
        bulk.lock("sync customers")
        waiting = run.rows.filter(
            outcome__in=(Outcome.CREATE, Outcome.UPDATE), state=RowState.WRITTEN
        ).order_by("-level", "number")
        rows = list(waiting[:CHUNK])
        rows = [row for row in rows if row.level == rows[0].level]
        if not rows:
            return 0
        if any(map(tying.ties, rows)):
            hierarchy.lock()
        ids = {row.customer_id for row in rows if row.customer_id}
        files = read(ids, in_sight(by, run.by), locking=True)
        kept: dict[int, Reasons] = {}
        kept |= _remove([r for r in rows if r.outcome == Outcome.CREATE], files, now=now)
        kept |= _restore([r for r in rows if r.outcome == Outcome.UPDATE], files, now=now)
        bulk.update(
            ImportRow,
            [
                {
                    "id": row.pk,
                    "state": (RowState.KEPT if row.pk in kept else RowState.UNDONE).value,
                    "errors": kept.get(row.pk, {}),
                }
                for row in rows
            ],
        )
        Import.objects.filter(pk=run.pk).update(done=run.done + len(rows), stepped_at=now)
        run.done += len(rows)
        return len(rows)


def _missing(row: ImportRow, here: Collection[int]) -> Reasons:
    code = "not_yours" if row.customer_id in here else "gone_since"
    return {"": [[code, {}]]}


def _still_here(rows: Iterable[ImportRow], files: Filings) -> set[int]:
    """Customers that are on file, but out of sight."""
    unseen = {row.customer_id or 0 for row in rows} - files.keys()
    return (
        set(Customer.objects.filter(pk__in=unseen).values_list("pk", flat=True))
        if unseen
        else set()
    )


# --- customers that the import made


def _remove(rows: Sequence[ImportRow], files: Filings, *, now: datetime) -> dict[int, Reasons]:
    """Delete them; those that changed since, or on which something hangs, stay: row → why."""
    kept: dict[int, Reasons] = {}
    here = _still_here(rows, files)
    candidates: dict[int, ImportRow] = {}
    for row in rows:
        filed = files.get(row.customer_id or 0)
        if filed is None:
            kept[row.pk] = _missing(row, here)
        elif filed.version != row.version:
            kept[row.pk] = {"": [["changed_since", {}]]}
        else:
            candidates[filed.pk] = row
    for pk, what in _hanging(candidates).items():
        kept[candidates.pop(pk).pk] = {"": [["hangs", {"what": what}]]}
    _delete(candidates, files, now=now)
    return kept


def _hanging(rows: dict[int, ImportRow]) -> dict[int, str]:
    """Customer → what stands on its file that the import did not bring."""
    found: dict[int, str] = {}
    if not rows:
        return found
    ours = {Contact: {row.contact_id for row in rows.values() if row.contact_id}}
    for relation in Customer._meta.related_objects:
        model: Any = relation.related_model
        if model in GO_ALONG:
            continue
        column = relation.field.attname
        hanging = model._base_manager.filter(**{f"{column}__in": list(rows)})
        if model in ours or model in (Profile, Supplier):
            # What the import brought itself, and nobody has touched, goes as well. Whoever adds a
            # supplier moves the profile on.
            touched = hanging.exclude(version=1)
            others = hanging.exclude(pk__in=ours[model]) if model in ours else hanging.none()
            ids = {*touched.values_list(column, flat=True), *others.values_list(column, flat=True)}
        else:
            ids = set(hanging.values_list(column, flat=True).distinct())
        for pk in ids:
            found.setdefault(pk, model._meta.label_lower)
    return found


def _delete(rows: dict[int, ImportRow], files: Filings, *, now: datetime) -> None:
    gone = [files[pk] for pk in rows]
    contacts = [
        Change(contact["id"], contact["name"], contact, {}, 0)
        for filed in gone
        for contact in filed.contacts
    ]
    profiles = [
        Change(filed.profile["id"], filed.values["name"], filed.profile, {}, 0)
        for filed in gone
        if filed.profile
    ]
    customers = [
        Change(filed.pk, filed.values["name"], {**filed.values, "custom": filed.custom}, {}, 0)
        for filed in gone
    ]
    bulk.delete(Supplier, [one["id"] for filed in gone for one in filed.suppliers])
    for model, changes in ((Contact, contacts), (Profile, profiles), (Customer, customers)):
        if model is Customer:
            for other in GO_ALONG:
                for field in _to_customer(other):
                    other._base_manager.filter(**{f"{field}__in": list(rows)}).delete()
        bulk.delete(model, [change.pk for change in changes])
        writing.note(model, Action.DELETE, changes, now=now)
    events.tell_deleted(((one.pk, one.values["external_id"]) for one in gone), at=now)


def _to_customer(model: type[models.Model]) -> list[str]:
    return [
        field.name
        for field in model._meta.concrete_fields
        if isinstance(field, models.ForeignKey) and field.related_model is Customer
    ]


# --- customers that the import changed


def _restore(rows: Sequence[ImportRow], files: Filings, *, now: datetime) -> dict[int, Reasons]:
    """Put back what was replaced, unless somebody changed it since: row → fields that stay."""
    kept: dict[int, Reasons] = {}
    here = _still_here(rows, files)
    changes: dict[type[models.Model], list[Change]] = defaultdict(list)
    contacts_gone: list[Change] = []
    lines: dict[int, tuple[Filed | None, Sequence[Any]]] = {}
    barred = tying.barred([row for row in rows if row.customer_id in files])
    ids = []
    for row in rows:
        filed = files.get(row.customer_id or 0)
        if filed is None:
            kept[row.pk] = _missing(row, here)
            continue
        ids.append(filed.pk)
        stays = [
            *_customer_back(row, filed, changes[Customer], barred.get(filed.pk, set())),
            *_profile_back(row, filed, changes[Profile], lines),
            *_contact_back(row, filed, changes[Contact], contacts_gone),
        ]
        if stays:
            kept[row.pk] = {name: [["changed_since", {}]] for name in stays}
    attached.change_profiles(changes.pop(Profile, []), now=now)
    attached.put_suppliers(lines, now=now)
    for model, some in changes.items():
        writing.overwrite(model, some, now=now)
        writing.note(model, Action.UPDATE, some, now=now)
    events.tell(changed={change.pk: change.after for change in changes[Customer]}, at=now)
    bulk.delete(Contact, [change.pk for change in contacts_gone])
    writing.note(Contact, Action.DELETE, contacts_gone, now=now)
    cards.refresh(ids)
    return kept


def _customer_back(
    row: ImportRow, filed: Filed, changes: list[Change], barred: set[str]
) -> list[str]:
    before: Values = {}
    after: Values = {}
    stays = []
    own = dict(filed.custom)
    for name, old in row.before.items():
        if name not in CUSTOMER and not name.startswith(f"{OWN}."):
            continue
        now = stored(filed, name)
        if not same(now, row.values.get(name)) or name in barred:
            stays.append(name)
        elif name in CUSTOMER:
            before[name], after[name] = now, old
        elif old is None:
            own.pop(name.removeprefix(f"{OWN}."), None)
        else:
            own[name.removeprefix(f"{OWN}.")] = old
    if own != filed.custom:
        before["custom"], after["custom"] = filed.custom, own
    if after:
        changes.append(Change(filed.pk, filed.values["name"], before, after, filed.version + 1))
    return stays


def _profile_back(
    row: ImportRow,
    filed: Filed,
    changes: list[Change],
    lines: dict[int, tuple[Filed | None, Sequence[Any]]],
) -> list[str]:
    names = [name for name in row.before if name.startswith("profile.")]
    before, after, stays = {}, {}, []
    for name in names:
        now = stored(filed, name)
        if filed.profile is None or not same(now, row.values.get(name)):
            stays.append(name)
            continue
        column = name.removeprefix("profile.")
        before[column] = now
        after[column] = blank(name) if row.before[name] is None else row.before[name]
    if "suppliers" in after:
        lines[filed.pk] = (filed, after["suppliers"])
    if after:
        changes.append(attached.change_of(filed, before, after))
    return stays


def _contact_back(
    row: ImportRow, filed: Filed, changes: list[Change], gone: list[Change]
) -> list[str]:
    names = [name for name in row.before if name.startswith("contact.")]
    if not names:
        return []
    contact = next((one for one in filed.contacts if one["id"] == row.contact_id), None)
    if contact is None:
        return ["contact.name"]
    if row.before.get("contact.name", "") is None:  # the import brought the contact
        if contact["version"] != 1:
            return ["contact.name"]
        gone.append(Change(contact["id"], contact["name"], contact, {}, 0))
        return []
    before, after, stays = {}, {}, []
    for name in names:
        column = name.removeprefix("contact.")
        if same(contact[column], row.values.get(name)):
            before[column], after[column] = contact[column], in_form(row.before[name])
        else:
            stays.append(name)
    if after:
        changes.append(
            Change(contact["id"], contact["name"], before, after, contact["version"] + 1)
        )
    return stays
