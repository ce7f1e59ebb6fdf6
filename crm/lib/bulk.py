"""Writing many rows with one statement, on PostgreSQL and on SQLite.

PostgreSQL gets all rows as one JSON parameter and unpacks them itself (`json_to_recordset`), which
costs about half of what a long VALUES list does; elsewhere the plain way stands beside it. Rows
are dicts of column name → Python value, and all rows of a call have the same columns.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from django.db import connection, models

Row = Mapping[str, Any]
_json = msgspec.json.Encoder()


def lock(name: str) -> None:
    """Let one transaction at a time go on from here; held until it ends.

    SQLite has one writer anyway: its transactions begin IMMEDIATE.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [zlib.crc32(name.encode())])


def upsert(
    model: type[models.Model], rows: Sequence[Row], *, key: str, keep: Collection[str] = ()
) -> dict[str, int]:
    """Insert `rows`, or overwrite those that have the same `key`; the ids written, by key.

    Each row carries its new `version`: a stored row is overwritten only if its own is one less.
    A row that somebody else has changed meanwhile is left alone and missing in the answer.
    Columns in `keep` are written on insert only. Rows are written in the order of their keys, so
    that two transactions never wait for each other crosswise.
    """
    if not rows:
        return {}
    rows = sorted(rows, key=lambda row: str(row[key]))
    table, columns = _table(model), list(rows[0])
    changing = [name for name in columns if name != key and name not in keep]
    tail = (
        f"ON CONFLICT ({_q(key)}) DO UPDATE SET "
        + ", ".join(f"{_q(name)} = excluded.{_q(name)}" for name in changing)
        + f" WHERE {table}.{_q('version')} = excluded.{_q('version')} - 1"
    )
    if connection.vendor == "postgresql":
        pk = _q(_pk(model).attname)
        return dict(_insert_json(model, rows, f"{tail} RETURNING {_q(key)}, {pk}"))
    _insert_each(model, rows, tail)
    return _written(model, rows, key)


def insert(model: type[models.Model], rows: Sequence[Row]) -> None:
    """Insert `rows`; the database gives the ids."""
    if not rows:
        return
    if connection.vendor == "postgresql":
        _insert_json(model, rows, "")
    else:
        _insert_each(model, rows, "")


def update(model: type[models.Model], rows: Sequence[Row]) -> None:
    """Overwrite the columns of `rows` in the stored rows with the same id."""
    if not rows:
        return
    pk = _pk(model).attname
    rows = sorted(rows, key=lambda row: int(row[pk]))
    columns = [name for name in rows[0] if name != pk]
    table = _table(model)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                f"UPDATE {table} SET {', '.join(f'{_q(n)} = r.{_q(n)}' for n in columns)} "  # noqa: S608  # names of our own models
                f"FROM {_recordset(model, [pk, *columns])} WHERE {table}.{_q(pk)} = r.{_q(pk)}",
                [_json.encode(rows).decode()],
            )
        else:
            cursor.executemany(
                f"UPDATE {table} SET {', '.join(f'{_q(n)} = %s' for n in columns)} "  # noqa: S608
                f"WHERE {_q(pk)} = %s",
                _values(model, rows, [*columns, pk]),
            )


def delete(model: type[models.Model], column: str, values: Collection[int]) -> None:
    """Delete the rows whose integer `column` is among `values`."""
    if not values:
        return
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                f"DELETE FROM {_table(model)} WHERE {_q(column)} = ANY(%s)",  # noqa: S608
                [sorted(values)],
            )
        else:
            cursor.executemany(
                f"DELETE FROM {_table(model)} WHERE {_q(column)} = %s",  # noqa: S608
                [(value,) for value in sorted(values)],
            )


def _insert_json(model: type[models.Model], rows: Sequence[Row], tail: str) -> list[Any]:
    columns = list(rows[0])
    names = ", ".join(_q(name) for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {_table(model)} ({names}) "  # noqa: S608
            f"SELECT {names} FROM {_recordset(model, columns)} {tail}",
            [_json.encode(rows).decode()],
        )
        return cursor.fetchall() if "RETURNING" in tail else []


def _recordset(model: type[models.Model], columns: Iterable[str]) -> str:
    """`json_to_recordset(%s) AS r(…)` with the types of the model's columns."""
    fields = _fields(model)
    types = ", ".join(f"{_q(name)} {fields[name].rel_db_type(connection)}" for name in columns)
    return f"json_to_recordset(%s) AS r({types})"


def _insert_each(model: type[models.Model], rows: Sequence[Row], tail: str) -> None:
    columns = list(rows[0])
    names = ", ".join(_q(name) for name in columns)
    places = ", ".join(["%s"] * len(columns))
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {_table(model)} ({names}) VALUES ({places}) {tail}",  # noqa: S608
            _values(model, rows, columns),
        )


def _values(
    model: type[models.Model], rows: Sequence[Row], columns: Sequence[str]
) -> list[tuple[Any, ...]]:
    fields = _fields(model)
    adapt = [(name, fields[name].get_db_prep_save) for name in columns]
    return [tuple(save(row[name], connection) for name, save in adapt) for row in rows]


def _written(model: type[models.Model], rows: Sequence[Row], key: str) -> dict[str, int]:
    """The ids of those rows that now stand with the version they were to get."""
    versions = {row[key]: row["version"] for row in rows}
    stored = model._default_manager.filter(**{f"{key}__in": list(versions)})
    return {
        name: pk
        for name, pk, version in stored.values_list(key, "pk", "version")
        if version == versions[name]
    }


def _fields(model: type[models.Model]) -> dict[str, models.Field[Any, Any]]:
    return {field.attname: field for field in model._meta.concrete_fields}


def _pk(model: type[models.Model]) -> models.Field[Any, Any]:
    assert model._meta.pk is not None
    return model._meta.pk


def _table(model: type[models.Model]) -> str:
    return _q(model._meta.db_table)


def _q(name: str) -> str:
    return connection.ops.quote_name(name)
