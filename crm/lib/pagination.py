"""Cursor pages of the API: a page begins after the last row seen, so page 1,000 costs as page 1."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from crm.lib.keyset import BadCursor, strict_page

DEFAULT_SIZE = 100
LARGEST_SIZE = 1000


class KeysetPagination(BasePagination):
    """`?cursor=`, `?page_size=` and `?ordering=`; the view names its `ordering_fields`.

    A cursor is signed: one that was not handed out by us is refused with 400.
    """

    def paginate_queryset(  # type: ignore[override]  # a page is cut by the database only
        self, queryset: QuerySet[Any], request: Request, view: APIView | None = None
    ) -> list[Any]:
        self.url = request.build_absolute_uri()
        size, order = page_size(request), order_of(request, view)
        cursor = request.query_params.get("cursor")
        try:
            if cursor == "":
                raise BadCursor
            page = strict_page(queryset, order=order, cursor=cursor or "", size=size)
        except BadCursor as bad:
            raise _refused("cursor", _("This cursor is not one of this list and order.")) from bad
        self.next, self.previous = self._link(page.next), self._link(page.previous)
        return page.rows

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"next": self.next, "previous": self.previous, "results": data})

    def _link(self, cursor: str) -> str | None:
        return replace_query_param(self.url, "cursor", cursor) if cursor else None

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


def order_of(request: Request, view: APIView | None) -> tuple[str, ...]:
    """`?ordering=` as the view allows it, else the view's own order; 400 for an unknown field.

    A column and the id, which breaks ties in the same direction.
    """
    allowed = tuple(getattr(view, "ordering_fields", ()))
    term = request.query_params.get("ordering")
    if term is None:
        changes = "updated_since" in request.query_params and "updated_at" in allowed
        term = "updated_at" if changes else getattr(view, "ordering", "id")
    elif term.removeprefix("-") not in allowed:
        raise _refused(
            "ordering",
            _("Sort by one of: %(fields)s.") % {"fields": ", ".join(allowed) or "–"},
        )
    name = term.removeprefix("-")
    return (term,) if name == "id" else (term, term.removesuffix(name) + "id")


def _refused(parameter: str, message: str) -> exceptions.ValidationError:
    return exceptions.ValidationError({parameter: [message]})
