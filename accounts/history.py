"""Audit entries in words: what the fields are called, and who or what their numbers mean."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from django.apps import apps
from django.db import models
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from accounts.models import AuditEntry
from crm.lib.formats import DASH

Names: TypeAlias = Mapping[type[models.Model], Mapping[int, models.Model]]


@dataclass(frozen=True, slots=True)
class Change:
    """One field of an entry, before and after, as people read it."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Line:
    """One entry with its kind of record and its changes in words."""

    entry: AuditEntry
    kind: str
    changes: list[Change]


def described(entries: Iterable[AuditEntry]) -> list[Line]:
    """The entries in words; one query for each kind of record that they point to."""
    entries = list(entries)
    names = _names_of_related(entries)
    return [Line(entry, kind_name(entry.model), _changes(entry, names)) for entry in entries]


def _changes(entry: AuditEntry, names: Names) -> list[Change]:
    """The fields of an entry; what was empty in a new or deleted record is left out."""
    rows = getattr(_model(entry.model), "ROWS", {})
    changes = [
        Change(
            _field_name(field, name, entry.model),
            _value(field, entry.before.get(name), names, rows.get(name, ())),
            _value(field, entry.after.get(name), names, rows.get(name, ())),
        )
        for name, field in _fields(entry)
    ]
    return [change for change in changes if change.before != DASH or change.after != DASH]


def kind_name(label: str) -> str:
    """“customer” for customers.customer; the label itself for what is no longer there."""
    model = _model(label)
    return str(model._meta.verbose_name) if model else label


def _model(label: str) -> type[models.Model] | None:
    try:
        return apps.get_model(label)
    except (LookupError, ValueError):
        return None


def _fields(entry: AuditEntry) -> list[tuple[str, models.Field[Any, Any] | None]]:
    """The names in an entry, each with the field it belongs to, in the order of the model."""
    model = _model(entry.model)
    known = {f.attname: f for f in model._meta.concrete_fields} if model else {}
    known |= {f.name: f for f in known.values()}
    order = {name: place for place, name in enumerate(known)}
    found = sorted({*entry.before, *entry.after}, key=lambda name: (order.get(name, 999), name))
    return [(name, known.get(name)) for name in found]


def _names_of_related(entries: Iterable[AuditEntry]) -> Names:
    wanted: dict[type[models.Model], set[int]] = defaultdict(set)
    for entry in entries:
        for name, field in _fields(entry):
            if isinstance(field, models.ForeignKey):
                values = (entry.before.get(name), entry.after.get(name))
                wanted[field.related_model] |= {v for v in values if isinstance(v, int)}
    return {model: model._base_manager.in_bulk(ids) for model, ids in wanted.items() if ids}


def _field_name(field: models.Field[Any, Any] | None, name: str, label: str) -> str:
    if field:
        return capfirst(str(field.verbose_name))
    beside = getattr(_model(label), "BESIDE", {})
    return capfirst(str(beside[name])) if name in beside else name


def _value(
    field: models.Field[Any, Any] | None, value: Any, names: Names, columns: Sequence[str]
) -> str:
    if not value and value not in (False, 0):
        return DASH
    if isinstance(field, models.ForeignKey):
        related = names.get(field.related_model, {}).get(value)
        return str(related) if related else _("no. %(number)s") % {"number": value}
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(field, models.DateTimeField) and (moment := parse_datetime(str(value))):
        return f"{timezone.localtime(moment):%Y-%m-%d %H:%M}"
    if isinstance(value, (list, dict)):
        return _listed(value, columns)
    choices = dict(field.flatchoices) if field else {}
    return str(choices.get(value, value))


def _listed(value: list[Any] | dict[str, Any], columns: Sequence[str]) -> str:
    """A list of plain things with commas, rows of `columns` by semicolons; else JSON."""
    if isinstance(value, list):
        if columns:
            return "; ".join(_row(one, columns) for one in value)
        if not any(isinstance(one, (list, dict)) for one in value):
            return ", ".join(str(one) for one in value)
    return json.dumps(value, ensure_ascii=False)


def _row(values: Mapping[str, Any], columns: Sequence[str]) -> str:
    told = (values.get(name) for name in columns)
    return " · ".join(str(value) for value in told if value not in (None, ""))
