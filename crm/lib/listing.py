"""What the lists of all apps share: addresses, quick filters, sortable heads, turning pages."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django_htmx.http import push_url

from crm.lib.htmx import page_or_part, wants_part
from crm.lib.keyset import Count, Page, by_id_if_few, count_up_to, keyset_page
from crm.lib.text import Text

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class Tab:
    """A quick filter: its label, address, and whether the page shows it now."""

    label: Text
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a sortable column: where it leads, and its `aria-sort` now ("" if unsorted)."""

    url: str
    aria: str


def address(request: HttpRequest, names: Collection[str], **changes: str) -> str:
    """The address of the page with only its known, filled parameters, some of them changed."""
    query = request.GET.copy()
    for name in list(query):
        if name not in names or not query[name]:
            del query[name]
    for name, value in changes.items():
        query.pop(name, None)
        if value:
            query[name] = value
    return f"{request.path}?{query.urlencode()}" if query else request.path


def sort_heads(
    request: HttpRequest, names: Collection[str], sort: str, columns: Iterable[str]
) -> dict[str, Head]:
    """The heads of `columns` by name, where the list is in the order `sort` (-column: falling).

    `columns` are written in the direction they begin with; a second press turns it round.
    """
    heads = {}
    for first in columns:
        column = first.lstrip("-")
        other = column if first.startswith("-") else f"-{column}"
        aria = {column: "ascending", f"-{column}": "descending"}.get(sort, "")
        to = other if sort == first else first
        heads[column] = Head(address(request, names, sort=to, cursor=""), aria)
    return heads


def quick_filters(
    request: HttpRequest,
    names: Collection[str],
    offered: Iterable[tuple[Text, Mapping[str, str]]],
) -> list[Tab]:
    """Tabs that each set some filters and keep the others; the current one is what is shown."""
    offered = list(offered)
    touched = {name for _label, wanted in offered for name in wanted}
    nothing = dict.fromkeys(touched, "")
    shown = {name: request.GET.get(name, "") for name in touched}
    kept = set(names) - touched - {"cursor"}
    return [
        Tab(label, address(request, kept, **wanted), shown == {**nothing, **wanted})
        for label, wanted in offered
    ]


def turns(request: HttpRequest, names: Collection[str], page: Page[Any]) -> dict[str, str]:
    """The addresses of the pages before and after; "" where there is none."""
    return {
        "previous_url": page.previous and address(request, names, cursor=page.previous),
        "next_url": page.next and address(request, names, cursor=page.next),
    }


def parameters(filters: Any) -> set[str]:
    """What the address of a list narrowed by the FilterSet `filters` may carry."""
    return {*filters.filters, "sort", "cursor"}


def found_by(filters: Any) -> QuerySet[Any]:
    """The rows that fit the FilterSet; none where the reader asks for what makes no sense."""
    found: QuerySet[Any] = filters.qs if filters.is_valid() else filters.queryset.none()
    return found


def sort_of(request: HttpRequest, sorts: Mapping[str, tuple[str, ...]]) -> str:
    """The order that the reader asks for among `sorts`, else their first."""
    asked = request.GET.get("sort", "")
    return asked if asked in sorts else next(iter(sorts))


def list_context(
    request: HttpRequest,
    filters: Any,
    *,
    columns: Iterable[str],
    sorts: Mapping[str, tuple[str, ...]],
    by_words: bool = False,
) -> dict[str, Any]:
    """What the page of every list needs; its rows are plain values of `columns`.

    `by_words` says that the filters look for parts of words, which few rows may hold.
    """
    found, sort = found_by(filters), sort_of(request, sorts)
    count = None
    if by_words:
        found, count = by_id_if_few(found)
    context = shown(request, filters, found.values(*columns), order=sorts[sort], count=count)
    return {**context, "sort": sort}


def shown(
    request: HttpRequest,
    filters: Any,
    rows: QuerySet[Any, Any],
    *,
    order: tuple[str, ...],
    tabs: Collection[str] = (),
    count: Count | None = None,
) -> dict[str, Any]:
    """The page of `rows`, which `filters` found, in `order`, with what stands around it.

    `tabs` are the filters that quick filters set: a list is not called narrowed by them.
    """
    page = keyset_page(rows, order=order, cursor=request.GET.get("cursor", ""), size=PAGE_SIZE)
    return {
        "filters": filters,
        "page": page,
        "count": count or count_up_to(rows),
        "narrowed": any(request.GET.get(name) for name in filters.filters if name not in tabs),
        **turns(request, parameters(filters), page),
    }


def list_answer(
    request: HttpRequest, page: str, part: str, context: Mapping[str, Any]
) -> HttpResponse:
    """The list, or its part for htmx, which then shows the address without what is not known."""
    response = page_or_part(request, page, part, context)
    if wants_part(request):
        push_url(response, address(request, parameters(context["filters"])))
    return response
