"""What the top 20 % bring in any period and slice, by amount and by margin (P14)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe
from django_htmx.http import push_url

from accounts.access import needs
from accounts.exports import table_view
from crm.lib.export import Table
from crm.lib.htmx import page_or_part, wants_part
from crm.lib.listing import Tab, address
from crm.lib.text import Text
from customers.models import Customer
from tiers.questions import concentration
from tiers.questions.asking import Asked
from tiers.questions.concentration import Concentration, Measure, Place
from tiers.questions.slices import Slice
from tiers.reasons import per_cent
from tiers.views.questions import frame, many_orders

PAGE_SIZE = 50
NAMES = (*Asked.NAMES, "measure", "part", "after")
MEASURES: dict[Measure, Text] = {
    "amount": gettext_lazy("Net amount"),
    "margin": gettext_lazy("Margin"),
}
PARTS: tuple[tuple[str, Text], ...] = (
    ("", gettext_lazy("All")),
    ("top", gettext_lazy("Top 20 %")),
    ("rest", gettext_lazy("The others")),
)


def measure_of(request: HttpRequest) -> Measure:
    return "margin" if request.GET.get("measure") == "margin" else "amount"


def range_of(request: HttpRequest, found: Concentration) -> tuple[int, int]:
    """The places that the picked part of the ranking has: after the first, up to the second."""
    part = request.GET.get("part", "")
    if part == "top":
        return 0, found.top
    return (found.top if part == "rest" else 0), found.customers


@require_safe
@needs("reports:read")
def pareto(request: HttpRequest) -> HttpResponse:
    """The curve and the customers behind it; htmx gets the part that it asks for.

    Where there are very many orders the page comes at once and asks for its report (`whole`).
    """
    asked = Asked.by(request.GET.dict(), request, today=timezone.localdate())
    measure = measure_of(request)
    if many_orders() and "whole" not in request.GET and not wants_part(request):
        return render(request, "tiers/pareto.html", waiting(request, asked, measure))
    by_amount = concentration.read(asked.slice)
    by_margin = concentration.read(asked.slice, "margin")
    shown, other = (by_margin, by_amount) if measure == "margin" else (by_amount, by_margin)
    context = {
        **framed(asked, measure),
        "shown": shown,
        "other": other,
        "measure": measure,
        "measure_label": MEASURES[measure],
        "other_label": MEASURES[other.measure],
        "by_amount": by_amount,
        "by_margin": by_margin,
        "known": concentration.known_share(by_amount, by_margin),
        "measures": [
            (Tab(label, address(request, NAMES, measure=name, after="", part=""), name == measure))
            for name, label in MEASURES.items()
        ],
        **ranked(request, asked.slice, shown),
    }
    response = page_or_part(request, "tiers/pareto.html", "tiers/_pareto_of_period.html", context)
    if wants_part(request):
        if request.headers.get("HX-Target") == "results":
            response = render(request, "tiers/_pareto_ranking.html", context)
        if "whole" not in request.GET:
            push_url(response, address(request, NAMES))
    return response


def framed(asked: Asked, measure: Measure) -> dict[str, Any]:
    """What stands around the report: filters, period, and the way back."""
    kept: dict[str, str] = {"measure": measure} if measure != "amount" else {}
    if days := asked.picked.get("silence_days"):
        kept["silence_days"] = days
    return {
        **frame(asked, reverse("tiers:pareto"), silence=False, **kept),
        "back_url": f"{reverse('tiers:questions')}?{urlencode(asked.picked)}",
    }


def waiting(request: HttpRequest, asked: Asked, measure: Measure) -> dict[str, Any]:
    """The page whose report is still to come, and where it comes from."""
    way = address(request, NAMES)
    whole = f"{way}{'&' if '?' in way else '?'}whole=true"
    return {**framed(asked, measure), "whole_url": whole}


def ranked(request: HttpRequest, of: Slice, found: Concentration) -> dict[str, Any]:
    """One page of the ranking, and the ways to its parts and other pages."""
    first, last = range_of(request, found)
    text = request.GET.get("after", "")
    after = int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else first
    after = after if first <= after < last else first
    until = min(after + PAGE_SIZE, last)
    rows = list(concentration.ranking(of, found.measure, after=after, until=until))
    customers = Customer.objects.select_related("owner").in_bulk([row.customer_id for row in rows])
    part = request.GET.get("part", "")
    sizes = {"": found.customers, "top": found.top, "rest": found.customers - found.top}
    return {
        "rows": [(row, customers[row.customer_id]) for row in rows],
        "start": after + 1 - first,
        "end": until - first,
        "total": last - first,
        "parts": [
            (Tab(label, address(request, NAMES, part=name, after=""), name == part), sizes[name])
            for name, label in PARTS
        ],
        "previous_url": after > first
        and address(request, NAMES, after=str(max(after - PAGE_SIZE, first))),
        "next_url": until < last and address(request, NAMES, after=str(until)),
    }


@require_safe
@needs("reports:read")
@table_view
def export(request: HttpRequest) -> Table:
    """The picked part of the ranking as an Excel or CSV file."""
    of = Asked.by(request.GET.dict(), request, today=timezone.localdate()).slice
    measure = measure_of(request)
    places = range_of(request, concentration.read(of, measure))
    name = _("Customers by rank %(first)s to %(last)s") % {
        "first": of.period.first.isoformat(),
        "last": of.period.last.isoformat(),
    }
    bought = of.orders().netted().filter(ordered_at__gte=of.period.bounds[0])
    return Table(
        name,
        ranking_head(measure),
        ranking_rows(of, measure, places),
        counted=of.customers.filter(pk__in=bought.values("customer")),
    )


def ranking_head(measure: Measure) -> list[str]:
    head = [_("Rank"), _("Number in the ERP"), _("Customer"), _("Owner"), _("Tier")]
    return [*head, str(MEASURES[measure]), _("Share, %"), _("Cumulative share, %")]


def ranking_rows(
    of: Slice, measure: Measure, places: tuple[int, int | None] = (0, None)
) -> Iterator[tuple[object, ...]]:
    """The ranking with the customers' names, some hundred looked up at a time."""
    ranking = concentration.ranking(of, measure, after=places[0], until=places[1])
    while some := list(islice(ranking, 500)):
        yield from _named(some)


def _named(some: Iterable[Place]) -> Iterator[tuple[object, ...]]:
    some = list(some)
    columns = ("external_id", "name", "owner__name", "abc")
    ids = [row.customer_id for row in some]
    named = {
        pk: values
        for pk, *values in Customer.objects.filter(pk__in=ids).values_list("pk", *columns)
    }
    for row in some:
        shares = per_cent(row.share), per_cent(row.running)
        yield (row.place, *named[row.customer_id], row.amount, *shares)
