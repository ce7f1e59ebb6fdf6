"""Rows that go from one customer's file to another's, and back: what every app's `merge` uses.

`move(*, gone, into, now)` in the module `merge` of an app hands its rows over and returns what it
did as `Moved`: by the label of each model, in plain values that a Merge keeps as JSON. Taking it
back needs nothing more, so one function here does it for all apps.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any, TypeAlias, TypedDict
from uuid import UUID

from django.apps import apps
from django.db import models
from django.db.models import F

from accounts.models import AuditEntry, Tracked
from accounts.models.audit import Action

CHUNK = 1000
Row: TypeAlias = dict[str, Any]


class Part(TypedDict, total=False):
    """What became of the rows of one model.

    `moved` are ids by the column that pointed to the gone file; `dropped` rows that could not
    stand beside one of the survivor's; `changed` [id, values before, values after] of rows that
    took something over from those; `made` ids of rows that were not there before.
    """

    moved: dict[str, list[int]]
    dropped: list[Row]
    changed: list[tuple[int, Row, Row]]
    made: list[int]


Moved: TypeAlias = dict[str, Part]


def as_json(value: Any) -> Any:
    """A column's value as JSON keeps it, to the microsecond and the last digit."""
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return str(value) if isinstance(value, (Decimal, UUID)) else value


def row_as_json(row: models.Model) -> Row:
    """All columns of a row."""
    return {f.attname: as_json(getattr(row, f.attname)) for f in row._meta.concrete_fields}


def from_json(model: type[models.Model], values: Mapping[str, Any]) -> Row:
    """The columns as the model has them; columns that are no more are left out."""
    fields = {f.attname: f for f in model._meta.concrete_fields}
    return {
        name: value if isinstance(fields[name], models.JSONField) else fields[name].to_python(value)
        for name, value in values.items()
        if name in fields
    }


def copied(values: Mapping[str, Any]) -> Row:
    """A copy that shares nothing with `values`."""
    return dict(json.loads(json.dumps({name: as_json(value) for name, value in values.items()})))


# --- there


def hand_over(
    model: type[models.Model],
    *,
    gone: int,
    into: int,
    now: datetime,
    column: str = "customer_id",
    but: Collection[int] = (),
) -> Part:
    """Point the rows of `gone` to `into`, all `but` some; each change is audited."""
    rows = model._base_manager.filter(**{column: gone}).exclude(pk__in=list(but))
    ids = sorted(rows.values_list("pk", flat=True))
    _point(model, ids, column=column, old=gone, new=into, now=now)
    return {"moved": {column: ids}}


def drop(model: type[models.Model], ids: Collection[int]) -> list[Row]:
    """Delete rows that cannot stand beside the survivor's; they come back as JSON, to be kept."""
    rows = list(model._base_manager.filter(pk__in=list(ids)).order_by("pk"))
    kept = [row_as_json(row) for row in rows]
    _audit(rows, Action.DELETE, {row["id"]: (_audited(model, row), {}) for row in kept})
    model._base_manager.filter(pk__in=[row.pk for row in rows])._raw_delete("default")
    return kept


def change(row: models.Model, values: Mapping[str, Any]) -> tuple[int, Row, Row]:
    """Let a row of the survivor's take something over; what it had and has, to be kept."""
    before = {name: as_json(getattr(row, name)) for name in values}
    for name, value in values.items():
        setattr(row, name, value)
    row.save(update_fields=list(values))
    return row.pk, before, {name: as_json(value) for name, value in values.items()}


# --- and back


def put_back(moved: Mapping[str, Part], *, gone: int, into: int, now: datetime) -> None:
    """Undo `move`: what still is as the merge left it goes back, what was changed since stays."""
    for label, part in moved.items():
        model = apps.get_model(label)
        for column, ids in part.get("moved", {}).items():
            still = model._base_manager.filter(pk__in=ids, **{column: into})
            there = sorted(still.values_list("pk", flat=True))
            _point(model, there, column=column, old=into, new=gone, now=now)
        for pk, before, after in part.get("changed", ()):
            row = model._base_manager.filter(pk=pk).first()
            if row is not None and all(
                as_json(getattr(row, name)) == value for name, value in after.items()
            ):
                change(row, from_json(model, before))
        made = model._base_manager.filter(pk__in=part.get("made", ()))
        made._raw_delete("default")
        for values in part.get("dropped", ()):
            insert(model, from_json(model, values))


def _point(
    model: type[models.Model],
    ids: list[int],
    *,
    column: str,
    old: int,
    new: int,
    now: datetime,
) -> None:
    fields = {field.name for field in model._meta.concrete_fields}
    raised: dict[str, Any] = {"version": F("version") + 1} if "version" in fields else {}
    if "updated_at" in fields:
        raised["updated_at"] = now
    for some in _chunks(ids):
        if issubclass(model, Tracked):
            rows = list(model._base_manager.filter(pk__in=some).order_by("pk"))
            _audit(rows, Action.UPDATE, {pk: ({column: old}, {column: new}) for pk in some})
        model._base_manager.filter(pk__in=some).update(**{column: new}, **raised)


def insert(model: type[models.Model], values: Row) -> None:
    """Write a kept row as it was, its times and version too; nothing where it is there again."""
    if model._base_manager.filter(pk=values["id"]).exists():
        return
    row = model(**values)
    insert_silently(row)
    _audit([row], Action.CREATE, {row.pk: ({}, _audited(model, values))})


def insert_silently(row: models.Model) -> None:
    """Write a row as it is, past what saving sets; the caller writes the audit entry."""
    models.Model.save_base(row, raw=True, force_insert=True)


def _audited(model: type[models.Model], values: Row) -> Row:
    if not issubclass(model, Tracked):
        return {}
    return {field.attname: values[field.attname] for field in model._audited_fields()}


def _audit(
    rows: list[Any], action: str, sides: Mapping[int, tuple[Mapping[str, Any], Mapping[str, Any]]]
) -> None:
    AuditEntry.write_many(
        AuditEntry.build(
            model=type(row),
            object_id=row.pk,
            object_name=str(row),
            action=action,
            before=sides[row.pk][0],
            after=sides[row.pk][1],
        )
        for row in rows
        if isinstance(row, Tracked)
    )


def _chunks(ids: list[int]) -> Iterator[list[int]]:
    rest = iter(ids)
    while some := list(islice(rest, CHUNK)):
        yield some
