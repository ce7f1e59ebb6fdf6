"""Writing many rows with one statement, on PostgreSQL and on SQLite.

PostgreSQL gets each column as one JSON list and unpacks them side by side, which costs a third of
what a long VALUES list does; elsewhere the plain way stands beside it. Rows are dicts of column
name → Python value, and all rows of a call have the same columns.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from types import MappingProxyType
from typing import Any

import msgspec
from django.db import connection, models

Row = Mapping[str, Any]
#: Rows to a statement.
CHUNK = 2000
NOTHING: Row = MappingProxyType({})
_json = msgspec.json.Encoder()


def unpacks_json() -> bool:
    """Whether the database takes a column of many rows as one JSON parameter."""
    return connection.vendor == "postgresql"


def lock(name: str) -> None:
    """Let one transaction at a time go on from here; held until it ends.

    SQLite has one writer anyway: its transactions begin IMMEDIATE.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [zlib.crc32(name.encode())])


def upsert(
    model: type[models.Model],
    rows: Sequence[Row],
    *,
    key: str,
    same: Row = NOTHING,
    keep: Collection[str] = (),
) -> dict[str, int]:
    """Insert `rows`, or overwrite those that have the same `key`; the ids written, by key.

    Each row carries its new `version`: a stored row is overwritten only if its own is one less.
    A row that somebody else has changed meanwhile is left alone and missing in the answer.
    `same` are columns with one value for all rows; columns in `keep` are written on insert only.
    Rows are written in the order of their keys, so that two transactions never wait for each
    other crosswise.
    """
    if not rows:
        return {}
    rows = sorted(rows, key=lambda row: str(row[key]))
    changing = [name for name in (*rows[0], *same) if name != key and name not in keep]
    version = _q("version")
    tail = (
        f"ON CONFLICT ({_q(key)}) DO UPDATE SET {_overwrite(changing)} "
        f"WHERE {_table(model)}.{version} = excluded.{version} - 1"
    )
    if unpacks_json():
        tail += f" RETURNING {_q(key)}, {_q(_pk(model).attname)}"
        return dict(one for some in _chunks(rows) for one in _insert_json(model, some, same, tail))
    for some in _chunks(rows):
        _insert_each(model, some, same, tail)
    return _written(model, rows, key, {n: v for n, v in same.items() if n not in keep})


def insert(model: type[models.Model], rows: Iterable[Row], *, same: Row = NOTHING) -> None:
    """Insert `rows`, which are made as they are written; the database gives the ids.

    `same` are columns with one value for all rows.
    """
    way = _insert_json if unpacks_json() else _insert_each
    for some in _chunks(rows):
        way(model, some, same)


def append(model: type[models.Model], rows: Iterable[Row], *, same: Row = NOTHING) -> None:
    """Like `insert`, for rows with large JSON values: COPY reads them once, not three times.

    The database takes each row as it is made: making them must ask nothing of it.
    """
    if unpacks_json():
        _copy(model, rows, same)
        return
    for some in _chunks(rows):
        _insert_each(model, some, same)


def next_ids(model: type[models.Model], number: int) -> list[int]:
    """So many ids that nobody else will get, for rows that are to be appended (PostgreSQL)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)",
            [_table(model), _pk(model).attname, number],
        )
        return [pk for (pk,) in cursor.fetchall()]


def update(model: type[models.Model], rows: Iterable[Row]) -> None:
    """Overwrite the columns of `rows`, made as they are written, in the stored ones with their id.

    In no certain order: hold a lock that keeps others away from these rows.
    """
    pk = _pk(model).attname
    table = _table(model)
    with connection.cursor() as cursor:
        for some in _chunks(rows):
            columns = [name for name in some[0] if name != pk]
            if unpacks_json():
                cursor.execute(
                    f"UPDATE {table} SET {', '.join(f'{_q(n)} = r.{_q(n)}' for n in columns)} "  # noqa: S608  # quoted names
                    f"FROM {_unpacked(model, some[0])} WHERE {table}.{_q(pk)} = r.{_q(pk)}",
                    _packed(some),
                )
            else:
                cursor.executemany(
                    f"UPDATE {table} SET {', '.join(f'{_q(n)} = %s' for n in columns)} "  # noqa: S608  # quoted names
                    f"WHERE {_q(pk)} = %s",
                    _values(model, some, [*columns, pk]),
                )


def delete(model: type[models.Model], ids: Collection[int]) -> None:
    """Delete the rows with these ids, and nothing that hangs on them."""
    if not ids:
        return
    pk = _q(_pk(model).attname)
    with connection.cursor() as cursor:
        if unpacks_json():
            cursor.execute(
                f"DELETE FROM {_table(model)} WHERE {pk} = ANY(%s)",  # noqa: S608  # quoted names
                [sorted(ids)],
            )
        else:
            cursor.executemany(
                f"DELETE FROM {_table(model)} WHERE {pk} = %s",  # noqa: S608  # quoted names
                [(one,) for one in sorted(ids)],
            )


def _chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """At most `CHUNK` rows at a time: beyond, a statement costs memory and saves no time."""
    rows = iter(rows)
    while some := list(islice(rows, CHUNK)):
        yield some


def _insert_json(
    model: type[models.Model], rows: Sequence[Row], same: Row, tail: str = ""
) -> list[Any]:
    varied = ", ".join(_q(name) for name in rows[0])
    names = ", ".join([varied, *(_q(name) for name in same)])
    places = ", ".join([varied, *["%s"] * len(same)])
    (constants,) = _values(model, [same], list(same))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {_table(model)} ({names}) "  # noqa: S608  # quoted names
            f"SELECT {places} FROM {_unpacked(model, rows[0])} {tail}",
            [*constants, *_packed(rows)],
        )
        return cursor.fetchall() if "RETURNING" in tail else []


def _copy(model: type[models.Model], rows: Iterable[Row], same: Row) -> None:
    rows = iter(rows)
    first = next(rows, None)
    if first is None:
        return
    fields = _fields(model)
    columns = [*first, *same]
    cells = [_json_cell if isinstance(fields[n], models.JSONField) else _cell for n in columns]
    varied = cells[: len(first)]
    constants = [cell(v) for cell, v in zip(cells[len(varied) :], same.values(), strict=True)]
    lines = (
        "\t".join([*(cell(v) for cell, v in zip(varied, row.values(), strict=True)), *constants])
        + "\n"
        for row in chain([first], rows)
    )
    names = ", ".join(_q(name) for name in columns)
    with connection.cursor() as cursor, connection.wrap_database_errors:
        cursor.copy_expert(f"COPY {_table(model)} ({names}) FROM STDIN", _Stream(lines))


class _Stream:
    """A file for COPY to read: its lines are made while the server takes those before."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.lines = lines

    def read(self, _size: int) -> str:
        return "".join(islice(self.lines, 50))


def _cell(value: Any) -> str:
    """A value in COPY's text format."""
    if value is None:
        return "\\N"
    text = value if isinstance(value, str) else str(value)
    text = text.replace("\\", "\\\\").replace("\t", "\\t")
    return text.replace("\n", "\\n").replace("\r", "\\r")


def _json_cell(value: Any) -> str:
    """JSON in COPY's text format: it writes no control character as it is."""
    return "\\N" if value is None else _json.encode(value).decode().replace("\\", "\\\\")


def _packed(rows: Sequence[Row]) -> list[str]:
    """The columns of `rows`, each as a JSON list."""
    return [_json.encode([row[name] for row in rows]).decode() for name in rows[0]]


def _unpacked(model: type[models.Model], columns: Iterable[str]) -> str:
    """The rows `r` of the columns that `_packed` made, with the types of the model's columns.

    Texts stay as long as they are: a cast would cut off what the column cannot hold, in silence.
    """
    fields = _fields(model)
    lists, values = [], []
    for name in columns:
        column, field = f"c.{_q(name)}", fields[name]
        as_text = not isinstance(field, models.JSONField)
        lists.append(f"json_array_elements{'_text' if as_text else ''}(%s)")
        if not as_text:
            column = f"NULLIF({column}::text, 'null')::jsonb"
        elif not isinstance(field, (models.CharField, models.TextField)):
            column += f"::{field.rel_db_type(connection)}"
        values.append(f"{column} AS {_q(name)}")
    names = ", ".join(_q(name) for name in columns)
    return f"(SELECT {', '.join(values)} FROM ROWS FROM ({', '.join(lists)}) AS c({names})) AS r"  # noqa: S608  # quoted names


def _insert_each(model: type[models.Model], rows: Sequence[Row], same: Row, tail: str = "") -> None:
    names = ", ".join(_q(name) for name in (*rows[0], *same))
    places = ", ".join(["%s"] * (len(rows[0]) + len(same)))
    (constants,) = _values(model, [same], list(same))
    values = _values(model, rows, list(rows[0]))
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {_table(model)} ({names}) VALUES ({places}) {tail}",  # noqa: S608  # quoted names
            [(*row, *constants) for row in values],
        )


def _values(
    model: type[models.Model], rows: Sequence[Row], columns: Sequence[str]
) -> list[tuple[Any, ...]]:
    fields = _fields(model)
    adapt = [(name, fields[name].get_db_prep_save) for name in columns]
    return [tuple(save(row[name], connection) for name, save in adapt) for row in rows]


def _written(model: type[models.Model], rows: Sequence[Row], key: str, same: Row) -> dict[str, int]:
    """The ids of those rows that now stand as they were to be written."""
    versions = {row[key]: row["version"] for row in rows}
    stored = model._default_manager.filter(**{f"{key}__in": list(versions)}, **same)
    return {
        name: pk
        for name, pk, version in stored.values_list(key, "pk", "version")
        if version == versions[name]
    }


def _overwrite(columns: Iterable[str]) -> str:
    return ", ".join(f"{_q(name)} = excluded.{_q(name)}" for name in columns)


def _fields(model: type[models.Model]) -> dict[str, models.Field[Any, Any]]:
    return {field.attname: field for field in model._meta.concrete_fields}


def _pk(model: type[models.Model]) -> models.Field[Any, Any]:
    assert model._meta.pk is not None
    return model._meta.pk


def _table(model: type[models.Model]) -> str:
    return _q(model._meta.db_table)


def _q(name: str) -> str:
    return connection.ops.quote_name(name)
