"""Writes many rows at once: COPY on PostgreSQL, one prepared INSERT on SQLite.

These writes leave no audit entries: the demo is the state that the audit log starts from.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from django.core.management.color import no_style
from django.db import connection, models
from django.db.models import Max

Row = Sequence[Any]
Say = Callable[[str], None]

#: Rows per executemany call; small, so that a generator of a million rows stays a generator.
BATCH = 5_000


class Writer:
    """Writes rows with ids of the caller's choosing; columns that are not given get defaults."""

    def __init__(self, *, now: datetime) -> None:
        self.now = now
        self._written: list[type[models.Model]] = []

    def next_id(self, model: type[models.Model]) -> int:
        """The first id that is free in `model`'s table."""
        top = model._default_manager.aggregate(top=Max("pk"))["top"]
        return int(top or 0) + 1

    def write(self, model: type[models.Model], columns: Sequence[str], rows: Iterable[Row]) -> None:
        """Store `rows`, values in the order of `columns` (attribute names of `model`)."""
        fields = {field.attname: field for field in model._meta.concrete_fields}
        missing = [name for name in fields if name not in columns]
        rest = tuple(self._default(fields[name]) for name in missing)
        names = [str(fields[name].column) for name in (*columns, *missing)]
        table = connection.ops.quote_name(model._meta.db_table)
        quoted = ", ".join(connection.ops.quote_name(name) for name in names)
        self._written.append(model)
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                lines = _CopyLines(rows, rest)
                cursor.copy_expert(f"COPY {table} ({quoted}) FROM STDIN", lines)
                return
            marks = ", ".join(["%s"] * len(names))
            adapted = (tuple(map(sqlite_value, (*row, *rest))) for row in rows)
            while batch := list(islice(adapted, BATCH)):
                cursor.executemany(
                    f"INSERT INTO {table} ({quoted}) VALUES ({marks})",  # noqa: S608  # our names
                    batch,
                )

    def settle(self) -> None:
        """Let later rows of the tables just written get free ids, and the planner know the sizes.

        The product's own code may write these tables only after this.
        """
        written = list(dict.fromkeys(self._written))
        self._written.clear()
        with connection.cursor() as cursor:
            for statement in connection.ops.sequence_reset_sql(no_style(), written):
                cursor.execute(statement)
            for model in written:
                cursor.execute(f"ANALYZE {connection.ops.quote_name(model._meta.db_table)}")

    def _default(self, field: models.Field[Any, Any]) -> Any:
        if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
            return self.now
        if field.name == "version":
            return 1
        value = field.get_default()
        if value == "" and field.null and not isinstance(field, models.CharField):
            return None
        return value


def copy_text(values: Iterable[Any]) -> str:
    """`values` as one line of PostgreSQL's COPY text format, without the line's end."""
    return "\t".join(
        [_COPY[type(v)](v) if type(v) in _COPY else _escaped(str(v)) for v in values],
    )


def sqlite_value(value: Any) -> Any:
    """A value as Django stores it in SQLite."""
    adapt = _SQLITE.get(type(value))
    return adapt(value) if adapt else value


def _escaped(text: str) -> str:
    if "\\" in text or "\n" in text or "\t" in text or "\r" in text:
        text = text.replace("\\", "\\\\").replace("\n", "\\n")
        text = text.replace("\t", "\\t").replace("\r", "\\r")
    return text


_COPY: dict[type, Callable[[Any], str]] = {
    type(None): lambda _: "\\N",
    str: _escaped,
    int: str,
    float: repr,
    bool: lambda v: "t" if v else "f",
    Decimal: str,
    date: date.isoformat,
    datetime: datetime.isoformat,
    dict: lambda v: _escaped(json.dumps(v)),
    list: lambda v: _escaped(json.dumps(v)),
}
_SQLITE: dict[type, Callable[[Any], Any]] = {
    Decimal: str,
    date: date.isoformat,
    datetime: lambda v: v.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" "),
    dict: json.dumps,
    list: json.dumps,
}


class _CopyLines:
    """A file of COPY lines that is made while it is read."""

    def __init__(self, rows: Iterable[Row], rest: Row) -> None:
        end = f"\t{copy_text(rest)}\n" if rest else "\n"
        self._lines: Iterator[str] = (copy_text(row) + end for row in rows)
        self._left = ""

    def read(self, size: int = 8192) -> str:
        parts, length = [self._left], len(self._left)
        while length < size:
            line = next(self._lines, None)
            if line is None:
                break
            parts.append(line)
            length += len(line)
        text = "".join(parts)
        self._left = text[size:]
        return text[:size]
