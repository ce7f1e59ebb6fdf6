"""What stands beside a customer: its profile with the main suppliers, and its people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from accounts.models.audit import Action
from crm.lib import bulk
from customers.importing import writing
from customers.importing.filed import Filed, contact_of
from customers.importing.matching import Files, Verdict
from customers.importing.values import SUPPLIERS, Values
from customers.importing.writing import Change
from customers.models import Contact, Profile, Supplier

LINE = ("name", "supplies", "satisfaction")


def write(verdicts: Sequence[Verdict], files: Files, *, now: datetime) -> None:
    """Write the profiles, suppliers and people of these rows; their customers are written."""
    _profiles(verdicts, files, now=now)
    _contacts(verdicts, files, now=now)


def _part(values: Values, prefix: str) -> Values:
    """The values of the profile or of the contact, by column."""
    return {
        name.removeprefix(prefix): value
        for name, value in values.items()
        if name.startswith(prefix)
    }


def _profiles(verdicts: Sequence[Verdict], files: Files, *, now: datetime) -> None:
    new: list[tuple[Verdict, Values]] = []
    changes = []
    lines: dict[int, tuple[Filed | None, Sequence[Any]]] = {}
    for verdict in verdicts:
        wanted = _part(verdict.values, "profile.")
        filed = files.filed.get(verdict.customer_id or 0)
        pk = verdict.customer_id or 0
        if SUPPLIERS in verdict.values and (filed is None or SUPPLIERS in verdict.before):
            lines[pk] = (filed, verdict.values[SUPPLIERS])
        if filed and filed.profile:
            after = {n: v for n, v in wanted.items() if f"profile.{n}" in verdict.before}
            if after:
                before = {name: verdict.before[f"profile.{name}"] for name in after}
                changes.append(change_of(filed, before, after))
        elif any(value not in (None, "", []) for value in wanted.values()):
            new.append((verdict, {"customer_id": pk, **wanted}))
    _insert(Profile, new, now=now)
    change_profiles(changes, now=now)
    put_suppliers(lines, now=now)


def change_of(filed: Filed, before: Values, after: Values) -> Change:
    """A change of the profile on file; suppliers may be among the columns."""
    assert filed.profile is not None
    version = filed.profile["version"] + 1
    return Change(filed.profile["id"], filed.values["name"], before, after, version)


def change_profiles(changes: Sequence[Change], *, now: datetime) -> None:
    """Write and note changes of profiles; the suppliers among them are noted only."""
    columns = [
        Change(one.pk, one.name, one.before, _columns(one.after), one.version) for one in changes
    ]
    writing.overwrite(Profile, columns, now=now)
    told = [
        Change(one.pk, one.name, _in_words(one.before or {}), _in_words(one.after), one.version)
        for one in changes
    ]
    writing.note(Profile, Action.UPDATE, told, now=now)


def _columns(values: Values) -> Values:
    return {name: value for name, value in values.items() if name != "suppliers"}


def _in_words(values: Values) -> Values:
    """The values with the suppliers as the log of the file tells them."""
    if "suppliers" not in values:
        return values
    return {**values, "suppliers": [line_in_words(line) for line in values["suppliers"] or []]}


def line_in_words(line: Sequence[Any]) -> str:
    """恒信粮油 · 调味品 · 8"""
    return Supplier(**dict(zip(LINE, line, strict=True))).in_words


def put_suppliers(
    wanted: Mapping[int, tuple[Filed | None, Sequence[Any]]], *, now: datetime
) -> None:
    """Let each customer (its id → as it stands, the lines) have these suppliers and no others."""
    new, gone, changes = [], [], []
    for customer_id, (filed, lines) in wanted.items():
        on_file = filed.suppliers if filed else []
        known = {one["name"]: one for one in reversed(on_file)}
        kept = set()
        for line in lines or []:
            values = dict(zip(LINE, line, strict=True))
            one = known.get(values["name"])
            if one is None:
                new.append({"customer_id": customer_id, **values})
                continue
            kept.add(one["id"])
            if any(one[name] != values[name] for name in LINE):
                changes.append(Change(one["id"], "", None, values, one["version"] + 1))
        gone += [one["id"] for one in on_file if one["id"] not in kept]
    writing.insert(Supplier, new, now=now)
    writing.overwrite(Supplier, changes, now=now)
    bulk.delete(Supplier, gone)


def _contacts(verdicts: Sequence[Verdict], files: Files, *, now: datetime) -> None:
    new: list[tuple[Verdict, Values]] = []
    changes = []
    for verdict in verdicts:
        wanted = _part(verdict.values, "contact.")
        if not wanted.get("name"):
            continue
        filed = files.filed.get(verdict.customer_id or 0)
        contact = contact_of(verdict.values, filed) if filed else None
        if contact is None:
            filled = {name: value for name, value in wanted.items() if value is not None}
            new.append((verdict, {"customer_id": verdict.customer_id, **filled}))
            continue
        verdict.contact_id = contact["id"]
        after = {n: v for n, v in wanted.items() if f"contact.{n}" in verdict.before}
        if after:
            before = {name: contact[name] for name in after}
            version = contact["version"] + 1
            changes.append(Change(contact["id"], wanted["name"], before, after, version))
    for (verdict, _values), pk in zip(new, _insert(Contact, new, now=now), strict=True):
        verdict.contact_id = pk
    writing.overwrite(Contact, changes, now=now)
    writing.note(Contact, Action.UPDATE, changes, now=now)


def _insert(
    model: type[Profile | Contact], new: Sequence[tuple[Verdict, Values]], *, now: datetime
) -> list[int]:
    ids = writing.insert(model, [_columns(values) for _verdict, values in new], now=now)
    changes = [
        Change(
            pk,
            str(values.get("name") or verdict.values.get("name", "")),
            None,
            _in_words(values),
            1,
        )
        for pk, (verdict, values) in zip(ids, new, strict=True)
    ]
    writing.note(model, Action.CREATE, changes, now=now)
    return ids
