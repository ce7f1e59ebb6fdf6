"""Paging by position: page 1,000 costs what page 1 costs, and new rows do not shift the pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, NamedTuple, TypeVar, cast

from django.core import signing
from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import Field, Model, Q, QuerySet

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """The rows of one page, and the cursors of its neighbours (empty where there is none).

    `start` is the number of the first row in the whole list, counted from 1 along the pages that
    were turned: right as long as nobody adds rows before it meanwhile.
    """

    rows: list[Row]
    next: str
    previous: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.rows) - 1


class BadCursor(ValueError):
    """A cursor that this list, in this order, never offered."""


class _Position(NamedTuple):
    """A row to go on from, forward or back, and how many rows lie before that page's edge."""

    back: bool
    value: Any
    tie: Any
    before: int


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows there are, as far as it pays to count."""

    n: int
    more: bool

    def __str__(self) -> str:
        return f"{self.n:,}+" if self.more else f"{self.n:,}"


def count_up_to(queryset: QuerySet[Any, Any], limit: int = 1000) -> Count:
    """Count at most `limit` rows; beyond that it only says that there are more."""
    found = queryset.order_by().values("pk")[: limit + 1].count()
    return Count(min(found, limit), found > limit)


#: Rows that are cheaper asked for by id and sorted than found by walking along an order.
FEW = 5000


def by_id_if_few(
    queryset: QuerySet[Any, Row], limit: int = 1000
) -> tuple[QuerySet[Any, Row], Count]:
    """The rows of `queryset`, asked for by id if they are FEW, and how many, up to `limit`.

    For conditions that the database is bad at guessing, such as parts of words: in the order of
    a list it would walk through everything for the few rows that fit.
    """
    ids = list(queryset.order_by().values_list("pk", flat=True)[: FEW + 1])
    count = Count(min(len(ids), limit), len(ids) > limit)
    if len(ids) > FEW:
        return queryset, count
    few = queryset.model._default_manager.filter(pk__in=ids)
    return cast("QuerySet[Any, Row]", few), count


def count_many(querysets: Sequence[QuerySet[Any, Any]], limit: int = 1000) -> list[Count]:
    """`count_up_to` for several lists with one statement."""
    parts: list[str] = []
    parameters: list[Any] = []
    for queryset in querysets:
        try:
            sql, values = queryset.order_by().values("pk")[: limit + 1].query.sql_with_params()
        except EmptyResultSet:
            parts.append("0")
            continue
        parts.append(f"(SELECT count(*) FROM ({sql}) AS part)")  # noqa: S608  # Django's own SQL
        parameters.extend(values)
    if not parts:
        return []
    with connections[querysets[0].db].cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", parameters)
        found = cursor.fetchone()
    return [Count(min(n, limit), n > limit) for n in found]


def keyset_page(
    queryset: QuerySet[Any, Row], *, order: tuple[str, ...], cursor: str = "", size: int = 50
) -> Page[Row]:
    """`strict_page` for people: whatever is wrong with the cursor, they see the top of the list."""
    try:
        page = strict_page(queryset, order=order, cursor=cursor, size=size)
    except BadCursor:
        page = None
    if page is None or (cursor and not page.rows):
        page = strict_page(queryset, order=order, size=size)
    return page


def strict_page(
    queryset: QuerySet[Any, Row], *, order: tuple[str, ...], cursor: str = "", size: int = 50
) -> Page[Row]:
    """One page of `queryset` in the order of a column and a unique one: ("-net_amount", "-id").

    Rows whose column is empty come last, whichever the direction. `cursor` is what an earlier
    page offered ("" for the first page); raises BadCursor for any other, such as one of another
    list or order. The page is empty where the rows beyond the cursor are gone.
    The rows may be objects or `values()` that contain the columns of the order.
    """
    names = tuple(name.lstrip("-") for name in order)
    salt = f"keyset:{queryset.model._meta.label_lower}:{','.join(order)}"
    at = _read(cursor, salt, queryset.model, names) if cursor else None
    back = at is not None and at.back
    rows: list[Row] = []
    for part in _parts(queryset, order, at):
        rows.extend(part[: size + 1 - len(rows)])
        if len(rows) > size:
            break
    more = len(rows) > size
    rows = rows[:size]
    if back:
        rows.reverse()
    has_next, has_previous = (True, more) if back else (more, at is not None)
    before = 0
    if at is not None and has_previous:
        before = max(at.before - len(rows), 0) if back else at.before

    def sign(row: Row, *, back: bool, before: int) -> str:
        value, tie = _plain(_of(row, names[0])), _plain(_of(row, names[-1]))
        return signing.dumps([back, value, tie, before], salt=salt)

    return Page(
        rows=rows,
        next=sign(rows[-1], back=False, before=before + len(rows)) if rows and has_next else "",
        previous=sign(rows[0], back=True, before=before) if rows and has_previous else "",
        start=before + 1,
    )


def _parts(
    queryset: QuerySet[Any, Row], order: tuple[str, ...], at: _Position | None
) -> Iterator[QuerySet[Any, Row]]:
    """The list from the position on, in one piece or two: rows with a value, rows without.

    Two statements instead of NULLS LAST, because neither database would use its index for that.
    """
    lead, tie = order[0], order[-1]
    name = lead.lstrip("-")
    back = at is not None and at.back
    if lead == tie or not queryset.model._meta.get_field(name).null:
        part = queryset if at is None else queryset.filter(_beyond(order, at))
        yield part.order_by(*_directed(dict.fromkeys(order), back=back))
        return
    filled = queryset.exclude(**{name: None}).order_by(*_directed((lead, tie), back=back))
    empty = queryset.filter(**{name: None}).order_by(*_directed((tie,), back=back))
    if at is None:
        yield from (filled, empty)
    elif at.value is None:
        yield empty.filter(_beyond((tie,), at))
        if back:
            yield filled
    else:
        yield filled.filter(_beyond(order, at))
        if not back:
            yield empty


def _directed(order: Iterable[str], *, back: bool) -> list[str]:
    if not back:
        return list(order)
    return [name[1:] if name.startswith("-") else f"-{name}" for name in order]


def _beyond(order: tuple[str, ...], at: _Position) -> Q:
    """Rows after the position (before it, going back), written so that an index can serve it."""

    def after(name: str, value: Any, equal: str = "") -> Q:
        down = name.startswith("-") != at.back
        return Q(**{f"{name.lstrip('-')}__{'lt' if down else 'gt'}{equal}": value})

    lead, tie = order[0], order[-1]
    if lead == tie:
        return after(tie, at.tie)
    return after(lead, at.value, "e") & (after(lead, at.value) | after(tie, at.tie))


def _of(row: Any, name: str) -> Any:
    return row[name] if isinstance(row, dict) else getattr(row, name)


def _plain(value: Any) -> str | int | None:
    """`value` as JSON can carry it; the column's `to_python` reads it back."""
    if value is None or isinstance(value, (str, int)):
        return value
    return value.isoformat() if isinstance(value, date) else str(value)


def _read(cursor: str, salt: str, model: type[Model], names: tuple[str, ...]) -> _Position:
    """The position in a cursor that we signed for this list and order, else BadCursor."""
    try:
        back, value, tie, before = signing.loads(cursor, salt=salt)
    except signing.BadSignature as bad:
        raise BadCursor(cursor[:50]) from bad
    lead, last = (model._meta.get_field(name) for name in (names[0], names[-1]))
    assert isinstance(lead, Field)
    assert isinstance(last, Field)
    return _Position(
        back=back,
        value=None if value is None else lead.to_python(value),
        tie=last.to_python(tie),
        before=before,
    )
