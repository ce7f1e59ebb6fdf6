"""The customers behind a figure of the eight questions, as many as it says (P48, P57)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any

from django.db.models import Count, Max, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe
from django_htmx.http import push_url

from accounts.access import needs
from accounts.exports import table_view
from crm.lib import formats
from crm.lib.export import Table
from crm.lib.htmx import page_or_part, wants_part
from crm.lib.keyset import keyset_page
from crm.lib.listing import address, sort_heads, sort_of, turns
from crm.lib.text import Text
from customers.models import CustomerQuerySet
from orders.models import COUNTED
from tiers.questions.answers import CUSTOMERS
from tiers.questions.asking import Asked
from tiers.questions.cohorts import still_buying
from tiers.questions.slices import Slice
from tiers.views.question_cards import LISTS
from tiers.views.questions import asked_by, frame

PAGE_SIZE = 50
#: Customers whose orders an export looks up at a time.
BATCH = 2_000
SORTS = {
    "-net_amount": ("-net_amount", "-id"),
    "net_amount": ("net_amount", "id"),
    "name": ("name", "id"),
    "-name": ("-name", "-id"),
    "-last_visited_on": ("-last_visited_on", "-id"),
    "last_visited_on": ("last_visited_on", "id"),
}
SORTABLE = ("name", "-net_amount", "-last_visited_on")
COLUMNS = ("id", "external_id", "name", "abc", "net_amount", "last_visited_on", "owner__name")
LIST_NAMES = (*Asked.NAMES, "of", "cohort", "sort", "cursor")
#: Of a customer without any order.
NOTHING: dict[str, Any] = {"orders": 0, "ever": 0, "last_at": None}
#: Years that a month of the cohorts can lie in (see `customers.filters.DAYS`).
FIRST_YEAR, LAST_YEAR = 1900, 2199


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure as it was asked for: its name, its words, its customers."""

    key: str
    title: Text
    asked: Asked
    customers: CustomerQuerySet
    kept: dict[str, str]


def figure(request: HttpRequest) -> Figure:
    """The figure of the address, the buyers without one; raises Http404."""
    key = request.GET.get("of", "buyers")
    asked = asked_by(request)
    if key == "cohort":
        return _cell(asked, request.GET.get("cohort", ""))
    if key not in LISTS:
        raise Http404
    return Figure(key, LISTS[key], asked, CUSTOMERS[key](asked.slice), {})


def _cell(asked: Asked, cell: str) -> Figure:
    """A cell of the cohorts: the month of the first order, and how many months later."""
    if not (found := re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])\.(\d{1,4})", cell, re.ASCII)):
        raise Http404
    year, number, since = (int(part) for part in found.groups())
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise Http404
    month = date(year, number, 1)
    title = ngettext(
        "First bought in %(month)s, and again %(n)s month later",
        "First bought in %(month)s, and again %(n)s months later",
        since,
    ) % {"month": f"{month:%Y-%m}", "n": since}
    if not since:
        title = _("First bought in %(month)s") % {"month": f"{month:%Y-%m}"}
    customers = still_buying(asked.slice, month, since)
    return Figure("cohort", title, asked, customers, {"cohort": cell})


@require_safe
@needs("reports:read")
def customers(request: HttpRequest) -> HttpResponse:
    """The customers behind one figure, as many as it says."""
    shown = figure(request)
    asked, found = shown.asked, shown.customers
    sort = sort_of(request, SORTS)
    page = keyset_page(
        found.values(*COLUMNS),
        order=SORTS[sort],
        cursor=request.GET.get("cursor", ""),
        size=PAGE_SIZE,
    )
    bought = purchases_of(asked.slice, [row["id"] for row in page.rows])
    context = {
        **frame(
            asked,
            reverse("tiers:question-customers"),
            silence=shown.key == "silent",
            of=shown.key,
            **shown.kept,
        ),
        "of": shown.key,
        "title": shown.title,
        "lists": LISTS,
        "kept": shown.kept if shown.key == "silent" else {**shown.kept, **kept_silence(asked)},
        "page": page,
        "rows": [{**row, **bought.get(row["id"], NOTHING)} for row in page.rows],
        "count": found.order_by().count(),
        "heads": sort_heads(request, LIST_NAMES, sort, SORTABLE),
        "sort": sort,
        "back_url": f"{reverse('tiers:questions')}?{urlencode(asked.picked)}",
        **turns(request, LIST_NAMES, page),
    }
    response = page_or_part(
        request, "tiers/question_customers.html", "tiers/_question_customers.html", context
    )
    if wants_part(request):
        push_url(response, address(request, LIST_NAMES))
    return response


def kept_silence(asked: Asked) -> dict[str, str]:
    """The days of silence, kept for the other pages where the filter bar does not ask for them."""
    days = asked.picked.get("silence_days", "")
    return {"silence_days": days} if days else {}


def purchases_of(of: Slice, ids: list[int]) -> dict[int, dict[str, Any]]:
    """Of these customers: counted orders in the period and ever, and the last one up to its end."""
    rows: Any = (
        of.orders()
        .filter(customer__in=ids, status__in=COUNTED)
        .values("customer")
        .annotate(
            orders=Count("pk", filter=Q(ordered_at__gte=of.period.bounds[0])),
            ever=Count("pk"),
            last_at=Max("ordered_at"),
        )
    )
    return {row.pop("customer"): row for row in rows}


@require_safe
@needs("reports:read")
@table_view
def customers_export(request: HttpRequest) -> Table:
    """The customers behind a figure, as an Excel or CSV file."""
    shown = figure(request)
    found, of = shown.customers, shown.asked.slice
    head = [_("Number in the ERP"), _("Customer"), _("Tier"), _("Owner")]
    head += [_("Net amount, 12 months"), _("Orders in the period"), _("Orders ever")]
    head += [_("Last order"), _("Last visit")]

    def rows() -> Iterator[tuple[object, ...]]:
        ordered: Any = found.order_by(*SORTS["-net_amount"]).values(*COLUMNS)
        for some in batched(ordered.iterator(chunk_size=BATCH), BATCH):
            bought = purchases_of(of, [row["id"] for row in some])
            for row in some:
                known = bought.get(row["id"], NOTHING)
                last = known["last_at"]
                yield (
                    row["external_id"],
                    row["name"],
                    row["abc"],
                    row["owner__name"],
                    row["net_amount"],
                    known["orders"],
                    known["ever"],
                    formats.local_day(last) if last else None,
                    row["last_visited_on"],
                )

    name = _("%(figure)s %(first)s to %(last)s") % {
        "figure": shown.title,
        "first": of.period.first.isoformat(),
        "last": of.period.last.isoformat(),
    }
    return Table(name, head, rows(), counted=found)


def batched(rows: Iterator[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    """The rows, some at a time."""
    while some := list(islice(rows, size)):
        yield some
