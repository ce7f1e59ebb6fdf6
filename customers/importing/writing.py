"""Writing many customers, profiles and contacts at once, each with its audit entry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models

from accounts.models import AuditEntry
from accounts.models.audit import Action
from crm.lib import bulk
from customers.importing.values import Values


@dataclass(slots=True)
class Change:
    """One row of a table: its columns before (None: it is new) and after the change.

    `version` is the one it gets. Columns that stay are left out of both.
    """

    pk: int
    name: str
    before: Values | None
    after: Values
    version: int


def insert(model: type[models.Model], rows: Sequence[Values], *, now: datetime) -> list[int]:
    """Insert `rows` (column → value) as version 1; their ids in the same order.

    PostgreSQL hands out the ids first and then copies the rows, which costs half of what making
    objects of them does.
    """
    fields = {field.attname: field for field in model._meta.concrete_fields}
    if not bulk.unpacks_json():
        made = model._default_manager.bulk_create(
            [
                model(version=1, **{n: fields[n].to_python(v) for n, v in row.items()})
                for row in rows
            ],
            batch_size=1000,
        )
        return [row.pk for row in made]
    ids = bulk.next_ids(model, len(rows))
    same = {"version": 1, "created_at": now, "updated_at": now}
    blank = {
        name: field.get_default()
        for name, field in fields.items()
        if name not in same and not field.primary_key
    }
    bulk.append(
        model,
        ({**blank, **row, "id": pk} for row, pk in zip(rows, ids, strict=True)),
        same=same,
    )
    return ids


def overwrite(model: type[models.Model], changes: Sequence[Change], *, now: datetime) -> None:
    """Write the changed columns; rows with the same columns go with one statement."""
    alike: dict[tuple[str, ...], list[Values]] = {}
    for change in changes:
        row = {"id": change.pk, **change.after, "version": change.version, "updated_at": now}
        alike.setdefault(tuple(row), []).append(row)
    for rows in alike.values():
        bulk.update(model, rows)


def note(
    model: type[models.Model], action: str, changes: Iterable[Change], *, now: datetime
) -> None:
    """The audit entries of `changes`, under whoever is acting, with one statement."""
    blank = AuditEntry.build(
        model=model, object_id=0, object_name="", action=action, before={}, after={}
    )
    same = {
        "at": now,
        "actor_id": blank.actor_id,
        "actor_name": blank.actor_name,
        "key_id": blank.key_id,
        "through": blank.through,
        "action": action,
        "model": blank.model,
    }
    bulk.append(AuditEntry, (_entry(action, change) for change in changes), same=same)


def _entry(action: str, change: Change) -> dict[str, Any]:
    before, after = change.before or {}, change.after
    if action != Action.UPDATE:
        before, after = (
            {n: v for n, v in side.items() if v not in (None, "", [], {})}
            for side in (before, after)
        )
    return {
        "object_id": change.pk,
        "object_name": change.name[:200],
        "before": before,
        "after": after,
    }
