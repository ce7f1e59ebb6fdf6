"""The eight questions (八问) on one page, and as a file (P48)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django_htmx.http import push_url

from accounts.access import needs
from accounts.exports import table_view
from crm.lib import formats
from crm.lib.export import Table
from crm.lib.htmx import page_or_part, wants_part
from crm.lib.listing import Tab, address
from customers.models import Customer
from orders.models import Order
from tiers.models import TierPolicy
from tiers.questions.asking import Asked
from tiers.questions.cohorts import Cohort
from tiers.questions.periods import Period, presets
from tiers.views.question_cards import CARDS, Desk, decisions

#: With more orders than this, each card is fetched by itself, so that the first ones stand soon.
AT_ONCE = 300_000
#: What stands below the cards: the cohorts, and the table of decisions.
TABLES = ("cohorts", "table")
#: Cohorts on the page, the newest; the export has all.
COHORTS_SHOWN = 18
#: Months since the first order on the page; the export has all.
MONTHS_SHOWN = 24


def asked_by(request: HttpRequest) -> Asked:
    """The question of the address; who is silent, unless it says so, says the policy of today."""
    today = timezone.localdate()
    silence = TierPolicy.objects.on(today).silence_days
    return Asked.by(request.GET.dict(), request, today=today, silence_days=silence)


@require_safe
@needs("reports:read")
def questions(request: HttpRequest) -> HttpResponse:
    """All eight for one period and slice; every figure opens its customers."""
    asked = asked_by(request)
    desk = Desk(asked)
    context = {
        **frame(asked, reverse("tiers:questions"), silence=True),
        "pareto_url": f"{reverse('tiers:pareto')}?{urlencode(asked.picked)}",
        "without_lines": desk.answers.without_lines,
    }
    if many_orders() and "whole" not in request.GET:
        context["waiting"] = [(key, part_url(desk, key)) for key in CARDS]
        context["tables_waiting"] = [part_url(desk, key) for key in TABLES]
        context["whole_url"] = f"{request.path}?{urlencode({**asked.picked, 'whole': 'true'})}"
    else:
        context |= {"cards": [desk.card(key) for key in CARDS], **cohort_table(desk)}
        context["decisions"] = decisions(desk)
    response = page_or_part(request, "tiers/questions.html", "tiers/_questions.html", context)
    if wants_part(request):
        push_url(response, address(request, Asked.NAMES))
    return response


@require_safe
@needs("reports:read")
def part(request: HttpRequest) -> HttpResponse:
    """One card alone, or one of TABLES; without `of` the first card."""
    asked = asked_by(request)
    desk, key = Desk(asked), request.GET.get("of", "buyers")
    if key == "cohorts":
        return render(request, "tiers/_question_cohorts.html", cohort_table(desk))
    if key == "table":
        return render(request, "tiers/_question_decisions.html", {"decisions": decisions(desk)})
    if key not in CARDS:
        raise Http404
    return render(request, "tiers/_question.html", {"card": desk.card(key)})


def many_orders() -> bool:
    """Whether there are so many orders that one page with all answers would be waited for."""
    newest = Order.objects.order_by("-pk").values_list("pk", flat=True).first()
    return (newest or 0) > AT_ONCE


def part_url(desk: Desk, key: str) -> str:
    return f"{reverse('tiers:question-part')}?{urlencode({'of': key, **desk.asked.picked})}"


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure of the table of cohorts, and the customers behind it."""

    number: int
    share: float
    heat: int
    url: str


@dataclass(frozen=True, slots=True)
class Row:
    """A cohort as a row: its month, its customers, who bought in each month since, and a gap."""

    month: date
    first: Cell
    cells: list[Cell]
    gap: range


def cohort_table(desk: Desk) -> dict[str, Any]:
    """The cohorts as rows, the newest of them."""
    found = desk.answers.cohorts[-COHORTS_SHOWN:]
    months = min(max((len(one.buying) for one in found), default=0), MONTHS_SHOWN + 1)
    return {
        "cohorts": [_row(desk, one, months) for one in found],
        "months_since": range(1, months),
        "cohorts_left": max(len(desk.answers.cohorts) - COHORTS_SHOWN, 0),
    }


def _row(desk: Desk, cohort: Cohort, months: int) -> Row:
    parts = zip(cohort.buying, cohort.shares, cohort.heats, strict=True)
    cells = [
        Cell(number, part, heat, desk.opens("cohort", cohort=f"{cohort.month:%Y-%m}.{since}"))
        for since, (number, part, heat) in enumerate(parts)
    ][:months]
    return Row(cohort.month, cells[0], cells[1:], range(months - len(cells)))


def frame(asked: Asked, url: str, *, silence: bool = False, **more: str) -> dict[str, Any]:
    """Head and filters, the same on every page that asks of a slice; `more` stays in addresses.

    `silence`: whether the bar asks for the days of silence.
    """
    period = asked.slice.period
    ends = ("from", "to")
    kept = {**more, **{name: value for name, value in asked.picked.items() if name not in ends}}

    def of(one: Period) -> str:
        ends = {"from": one.first.isoformat(), "to": one.last.isoformat()}
        return f"{url}?{urlencode({**kept, **ends})}"

    return {
        "asked": asked,
        "period": period,
        "before": period.before(),
        "tabs": [
            Tab(label, of(one), one == period) for _name, label, one in presets(asked.form.today)
        ],
        "errors": [text for texts in asked.errors.values() for text in texts],
        "kept": more,
        "chips": [*asked.chips, *([asked.form["silence_days"]] if silence else [])],
    }


@require_safe
@needs("reports:read")
@table_view
def export(request: HttpRequest) -> Table:
    """The eight answers with their lists' numbers, and the cohorts, as an Excel or CSV file."""
    desk = Desk(asked_by(request))
    period = desk.asked.slice.period

    def rows() -> Iterator[tuple[object, ...]]:
        for key in CARDS:
            card = desk.card(key)
            yield card.question, "", card.value, card.change, card.meaning
            for link in card.links:
                yield card.question, link.label, link.number, "", ""
        for one in desk.answers.cohorts:
            for since, (number, part_) in enumerate(zip(one.buying, one.shares, strict=True)):
                label = _("First bought %(month)s, month %(n)s after") % {
                    "month": f"{one.month:%Y-%m}",
                    "n": since,
                }
                yield _("Cohorts"), label, number, formats.percent(part_), ""

    head = [_("Question"), _("Figure"), _("Number"), _("Against the period before"), _("Meaning")]
    name = _("Eight questions %(first)s to %(last)s") % {
        "first": period.first.isoformat(),
        "last": period.last.isoformat(),
    }
    return Table(name, head, rows(), counted=Customer.objects.none())
