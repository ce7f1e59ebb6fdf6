"""Cursor pages of the API: a page begins after the last row seen, so page 1,000 costs as page 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import F, Model, Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param
from rest_framework.views import APIView

DEFAULT_SIZE = 100
LARGEST_SIZE = 1000
_SALT = "crm.lib.pagination"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of an ordering; rows without a value come last in either direction."""

    name: str
    descending: bool
    nullable: bool

    def turned(self) -> Column:
        return Column(self.name, not self.descending, self.nullable)


@dataclass(frozen=True, slots=True)
class Position:
    """The row a page begins after, as its values of the ordering's columns."""

    values: tuple[Any, ...]
    backwards: bool = False


def columns(model: type[Model], ordering: Sequence[str]) -> list[Column]:
    """The columns of `ordering` ("-ordered_at"), ended by the primary key, which breaks ties."""
    found = []
    for term in ordering:
        name = term.lstrip("-")
        field = model._meta.pk if name == "pk" else model._meta.get_field(name)
        found.append(Column(name, term.startswith("-"), bool(getattr(field, "null", False))))
    if not any(column.name in {"pk", "id"} for column in found):
        found.append(Column("id", found[0].descending if found else False, False))
    return found


def in_order(order: Sequence[Column], *, backwards: bool = False) -> list[Any]:
    """Arguments of order_by(); columns that are never empty keep plain terms and their index."""
    terms = []
    for column in order:
        descending = column.descending != backwards
        empty: dict[str, Any] = {}
        if column.nullable:
            empty = {"nulls_first" if backwards else "nulls_last": True}
        by = F(column.name)
        terms.append(by.desc(**empty) if descending else by.asc(**empty))
    return terms


def beyond(order: Sequence[Column], position: Position) -> Q:
    """The rows after `position` (before it, when read backwards).

    Read from the last column to the first: strictly after by this column, or equal in it and
    after by the rest. The first column also gets a plain bound, which an index can start from.
    """
    condition: Q | None = None
    for column, value in reversed(list(zip(order, position.values, strict=True))):
        after, same = _after(column, value, backwards=position.backwards)
        condition = after if condition is None else after | (same & condition)
    assert condition is not None
    first, value = order[0], position.values[0]
    if len(order) > 1 and not first.nullable:
        operator = "lte" if first.descending != position.backwards else "gte"
        condition = Q(**{f"{first.name}__{operator}": value}) & condition
    return condition


_NOTHING = Q(pk__in=[])


def _after(column: Column, value: Any, *, backwards: bool) -> tuple[Q, Q]:
    """Strictly after `value` in this column, and equal to it; empty values stand last."""
    name = column.name
    if value is None:
        return (Q(**{f"{name}__isnull": False}) if backwards else _NOTHING), Q(
            **{f"{name}__isnull": True}
        )
    operator = "lt" if column.descending != backwards else "gt"
    after = Q(**{f"{name}__{operator}": value})
    if column.nullable and not backwards:
        after |= Q(**{f"{name}__isnull": True})
    return after, Q(**{name: value})


class KeysetPagination(BasePagination):
    """`?cursor=`, `?page_size=` and `?ordering=`; the view names its `ordering_fields`.

    A cursor is signed: one that was not handed out by us is refused with 400.
    """

    def paginate_queryset(  # type: ignore[override]  # a page is cut by the database only
        self, queryset: QuerySet[Any], request: Request, view: APIView | None = None
    ) -> list[Any]:
        self.url = request.build_absolute_uri()
        self.size = page_size(request)
        ordering = ordering_of(request, view)
        self.terms = ",".join(ordering)
        self.order = columns(queryset.model, ordering)
        position = self._read(request.query_params.get("cursor"), queryset.model)
        backwards = bool(position and position.backwards)
        rows_after = queryset.order_by(*in_order(self.order, backwards=backwards))
        if position:
            rows_after = rows_after.filter(beyond(self.order, position))
        rows = list(rows_after[: self.size + 1])
        more = len(rows) > self.size
        rows = rows[: self.size]
        if backwards:
            rows.reverse()
        forward_more, backward_more = (True, more) if backwards else (more, position is not None)
        self.next = self._link(rows[-1], backwards=False) if rows and forward_more else None
        self.previous = self._link(rows[0], backwards=True) if rows and backward_more else None
        if not rows and backwards:
            # Nothing stands before the position any more: the way on is the beginning.
            self.next = remove_query_param(self.url, "cursor")
        return rows

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"next": self.next, "previous": self.previous, "results": data})

    def _link(self, row: Any, *, backwards: bool) -> str:
        values = [
            None if (value := getattr(row, column.name)) is None else _as_text(row, column, value)
            for column in self.order
        ]
        cursor = signing.dumps([self.terms, int(backwards), values], salt=_SALT, compress=True)
        return replace_query_param(self.url, "cursor", cursor)

    def _read(self, cursor: str | None, model: type[Model]) -> Position | None:
        if cursor is None:
            return None
        try:
            terms, backwards, texts = signing.loads(cursor, salt=_SALT)
            if terms != self.terms:
                raise _refused("cursor", _("This cursor belongs to another ordering."))
            values = tuple(
                None if text is None else _field(model, column).to_python(text)
                for column, text in zip(self.order, texts, strict=True)
            )
        except (signing.BadSignature, ValueError, TypeError, ValidationError) as bad:
            raise _refused("cursor", _("This cursor is not one of ours.")) from bad
        return Position(values, bool(backwards))

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        parameters: list[dict[str, Any]] = [
            {
                "name": "cursor",
                "in": "query",
                "required": False,
                "description": "Where the page begins, from `next` or `previous`.",
                "schema": {"type": "string"},
            },
            {
                "name": "page_size",
                "in": "query",
                "required": False,
                "description": "Rows to a page.",
                "schema": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": LARGEST_SIZE,
                    "default": DEFAULT_SIZE,
                },
            },
        ]
        fields = getattr(view, "ordering_fields", ())
        if fields:
            parameters.append(
                {
                    "name": "ordering",
                    "in": "query",
                    "required": False,
                    "description": "The field to sort by; `-` before it sorts downwards.",
                    "schema": {
                        "type": "string",
                        "enum": [term for name in fields for term in (name, f"-{name}")],
                    },
                }
            )
        return parameters

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }


def page_size(request: Request) -> int:
    """`?page_size=`, 1 to 1,000; refused with 400 otherwise."""
    text = request.query_params.get("page_size")
    if text is None:
        return DEFAULT_SIZE
    size = int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else 0
    if not 1 <= size <= LARGEST_SIZE:
        raise _refused(
            "page_size",
            _("A page holds 1 to %(most)d rows.") % {"most": LARGEST_SIZE},
        )
    return size


def ordering_of(request: Request, view: APIView | None) -> Sequence[str]:
    """`?ordering=` as the view allows it, else the view's own order; 400 for an unknown field."""
    allowed = tuple(getattr(view, "ordering_fields", ()))
    text = request.query_params.get("ordering")
    if text is None:
        if "updated_since" in request.query_params and "updated_at" in allowed:
            return ("updated_at",)
        return tuple(getattr(view, "ordering", ("id",)))
    terms = [term.strip() for term in text.split(",")]
    names = [term.removeprefix("-") for term in terms]
    if len(names) > 3 or len(set(names)) != len(names) or any(n not in allowed for n in names):
        raise _refused(
            "ordering",
            _("Sort by one of: %(fields)s.") % {"fields": ", ".join(allowed) or "–"},
        )
    return terms


def _field(model: type[Model], column: Column) -> Any:
    try:
        return model._meta.pk if column.name == "pk" else model._meta.get_field(column.name)
    except FieldDoesNotExist as missing:
        raise ValueError(column.name) from missing


def _as_text(row: Model, column: Column, value: Any) -> str:
    return str(_field(type(row), column).value_to_string(row)) if value is not None else ""


def _refused(parameter: str, message: str) -> exceptions.ValidationError:
    return exceptions.ValidationError({parameter: [message]})
