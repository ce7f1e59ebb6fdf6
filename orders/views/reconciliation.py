"""The page on which the ERP's people compare their sums with ours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from io import BytesIO
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import push_url

from accounts.access import needs
from accounts.exports import table_view
from crm.lib.export import Table, stream_table
from crm.lib.forms import DayInput
from crm.lib.htmx import page_or_part, wants_part
from crm.lib.listing import address
from customers.filters import DAYS, chips
from orders import erp_sums, reconciliation
from orders.models import OrderStatus
from orders.reconciliation import PARAMETERS, Asked, DaySum, Difference
from orders.views.orders import TONES

#: Days of the period that the page begins with, up to today.
USUAL_DAYS = 31
#: Days and differences on the page, the last and the first; the files have all.
DAYS_SHOWN = 366
DIFFERENCES_SHOWN = 200
NAMES = tuple(PARAMETERS.values())
CHIPS = ("ordered_from", "ordered_to", "team", "owner", "customer_division", "category")


class CompareForm(forms.Form):
    """The ERP's own sums, pasted or as a file, and the days that they are of."""

    text = forms.CharField(
        label=gettext_lazy("Pasted from the ERP or from Excel"),
        required=False,
        max_length=2_000_000,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "class": "mono"}),
        help_text=gettext_lazy("Day, status, number of orders, amount; with or without heads."),
    )
    file = forms.FileField(
        label=gettext_lazy("Excel or CSV file"),
        required=False,
        allow_empty_file=True,  # that it is empty is said with the other reasons
        widget=forms.FileInput(attrs={"accept": ".xlsx,.xlsm,.csv,.txt,.tsv"}),
    )
    first = forms.DateField(
        label=pgettext_lazy("period", "From"), required=False, validators=DAYS, widget=DayInput
    )
    last = forms.DateField(
        label=pgettext_lazy("period", "Until"),
        required=False,
        validators=DAYS,
        widget=DayInput,
        help_text=gettext_lazy("Left empty, the days are those of the table."),
    )
    theirs: list[DaySum]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if self.errors:
            return given
        text, file = given.get("text") or "", given.get("file")
        if not text.strip() and file is None:
            raise ValidationError(_("Paste the sums or choose a file."), code="required")
        self.theirs = erp_sums.read_sums(file.file if file else BytesIO(text.encode()))
        first = given.get("first") or min(one.day for one in self.theirs)
        last = given.get("last") or max(one.day for one in self.theirs)
        if first > last:
            raise ValidationError(
                _("The period ends before it begins."), code="ends_before_it_begins"
            )
        outside = {one.day for one in self.theirs if not first <= one.day <= last}
        if outside:
            raise ValidationError(
                _("The table has days outside of the period, such as %(day)s."),
                code="outside",
                params={"day": min(outside).isoformat()},
            )
        return {**given, "first": first, "last": last}


@dataclass(frozen=True, slots=True)
class Cell:
    """The sum of one status, with the address of the orders behind it."""

    status: OrderStatus
    orders: int
    amount: Any
    url: str

    @property
    def tone(self) -> str:
        return TONES[self.status]


@dataclass(slots=True)
class Day:
    """One day of the page: a cell for each status shown, None where there was nothing."""

    day: date
    cells: list[Cell | None] = field(default_factory=list)


@require_safe
@needs("reports:read")
def page(request: HttpRequest) -> HttpResponse:
    """The sums of a period by day and status; also answers htmx with the table."""
    context = _frame(request)
    response = page_or_part(
        request, "orders/reconciliation.html", "orders/_reconciliation.html", context
    )
    if wants_part(request):
        push_url(response, address(request, NAMES))
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@needs("reports:read")
def compare(request: HttpRequest) -> HttpResponse:
    """The days and statuses on which the ERP's sums and ours differ; nothing is stored."""
    asked = _asked(request)
    form = CompareForm(request.POST or None, request.FILES or None)
    context: dict[str, Any] = {"form": form, "page_url": _here(asked)}
    status = 200
    if request.method == "POST":
        form = context["form"] = CompareForm(request.POST, request.FILES)
        status = 422
        if form.is_valid() and not asked.errors:
            first, last = form.cleaned_data["first"], form.cleaned_data["last"]
            ours = reconciliation.sums(asked.between(first, last))
            found = reconciliation.differences(form.theirs, ours)
            format_ = request.POST.get("format", "")
            if format_ in ("csv", "xlsx"):
                name = _("Differences %(first)s – %(last)s") % {"first": first, "last": last}
                return stream_table(name, _head_of_differences(), _told(found), format_)
            status = 200
            context |= {
                "compared": True,
                "first": first,
                "last": last,
                "days": (last - first).days + 1,
                "number": len(found),
                "differences": [
                    (
                        one,
                        OrderStatus(one.status),
                        TONES[OrderStatus(one.status)],
                        _orders_url(asked, one.day, one.day, one.status),
                    )
                    for one in found[:DIFFERENCES_SHOWN]
                ],
            }
    return render(request, "orders/reconciliation_compare.html", context, status=status)


@require_safe
@needs("reports:read")
@table_view
def export(request: HttpRequest) -> Table:
    """The sums as an Excel or CSV file, a row for each day and status."""
    asked = _asked(request)
    head = [_("Day"), _("Status"), _("Orders"), _("Amount")]
    rows = reconciliation.rows(reconciliation.sums(asked.orders))
    name = _("Reconciliation %(first)s – %(last)s") % {
        "first": asked.given["ordered_from"][:10],
        "last": asked.given["ordered_to"][:10],
    }
    return Table(name, head, rows, counted=reconciliation.grouped(asked.orders))


def _asked(request: HttpRequest) -> Asked:
    return Asked(request.GET.dict(), request, today=timezone.localdate(), usual_days=USUAL_DAYS)


def _here(asked: Asked) -> str:
    return f"{reverse('orders:reconciliation')}?{urlencode(asked.picked)}"


def _frame(request: HttpRequest) -> dict[str, Any]:
    asked = _asked(request)
    found = reconciliation.sums(asked.orders)
    whole = reconciliation.totals(found)
    shown = [status for status in OrderStatus if status in whole]
    days = _days(asked, found, shown)
    return {
        "errors": asked.errors,
        "chips": chips(asked.filters, CHIPS),
        "statuses": shown,
        "days": days[:DAYS_SHOWN],
        "more_days": len(days) > DAYS_SHOWN,
        "days_shown": DAYS_SHOWN,
        "totals": [
            Cell(
                status,
                whole[status].orders,
                whole[status].amount,
                _orders_url(asked, asked.first, asked.last, status),
            )
            for status in shown
        ],
        "compare_url": f"{reverse('orders:reconciliation-compare')}?{urlencode(asked.picked)}",
    }


def _days(asked: Asked, found: Iterable[DaySum], shown: list[OrderStatus]) -> list[Day]:
    """The days with orders, the last one first."""
    days: dict[date, dict[str, DaySum]] = {}
    for one in found:
        days.setdefault(one.day, {})[one.status] = one
    return [
        Day(
            day,
            [
                Cell(
                    status,
                    of_day[status].orders,
                    of_day[status].amount,
                    _orders_url(asked, day, day, status),
                )
                if status in of_day
                else None
                for status in shown
            ],
        )
        for day, of_day in sorted(days.items(), reverse=True)
    ]


def _orders_url(asked: Asked, first: date, last: date, status: str) -> str:
    """The orders behind a figure, in the list of orders."""
    ends = {"ordered_from": first.isoformat(), "ordered_to": last.isoformat()}
    return f"{reverse('orders:list')}?{urlencode({**asked.picked, **ends, 'status': str(status)})}"


def _head_of_differences() -> list[str]:
    return [
        _("Day"), _("Status"), _("Orders in the ERP"), _("Orders here"), _("Difference in orders"),
        _("Amount in the ERP"), _("Amount here"), _("Difference in amount"),
    ]  # fmt: skip


def _told(found: Iterable[Difference]) -> Iterator[tuple[object, ...]]:
    for one in found:
        yield (
            one.day, OrderStatus(one.status).label, one.their_orders, one.our_orders, one.orders,
            one.their_amount, one.our_amount, one.amount,
        )  # fmt: skip
