"""The pages on which counts and sell-outs come in from a file."""

from __future__ import annotations

from typing import cast

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import needs
from accounts.models import User
from crm.lib.export import stream_table
from crm.lib.keyset import keyset_page
from crm.lib.listing import turns
from crm.lib.text import Text
from orders import stock_importing
from orders.models import StockImport, StockImportKind, StockImportState
from orders.stock_files import COLUMNS

PAGE_SIZE = 25
#: So many rows are shown, the rejected ones first.
SHOWN = 100
BECAME: dict[str, tuple[Text, str]] = {
    "created": (gettext_lazy("new"), "good"),
    "updated": (gettext_lazy("changed"), "acc"),
    "unchanged": (gettext_lazy("as on file"), "off"),
    "stale": (gettext_lazy("as on file"), "off"),
    "rejected": (gettext_lazy("rejected"), "bad"),
}


class StockUploadForm(forms.Form):
    """What a file holds, and whether one bad row stops it."""

    kind = forms.ChoiceField(
        label=gettext_lazy("What it holds"),
        choices=StockImportKind.choices,
        initial=StockImportKind.COUNTS,
        widget=forms.RadioSelect,
    )
    file = forms.FileField(
        label=gettext_lazy("Excel or CSV file"),
        allow_empty_file=True,  # that it is empty is said with the other reasons
        widget=forms.FileInput(attrs={"accept": ".xlsx,.xlsm,.csv,.txt,.tsv"}),
        help_text=gettext_lazy(".xlsx or CSV, up to 5 MB and 20,000 rows."),
    )
    atomic = forms.BooleanField(
        label=gettext_lazy("All or nothing: one rejected row, and nothing is written"),
        required=False,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@needs("stock:write")
def list_(request: HttpRequest) -> HttpResponse:
    """The imports in sight, newest first; takes an uploaded file."""
    user = cast(User, request.user)
    sent = request.method == "POST"
    form = StockUploadForm(request.POST if sent else None, request.FILES if sent else None)
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            run = stock_importing.upload(
                file=file.file,
                name=file.name,
                kind=form.cleaned_data["kind"],
                atomic=form.cleaned_data["atomic"],
                by=user,
                now=timezone.now(),
            )
        except ValidationError as refused:
            form.add_error("file", refused)
        else:
            return redirect("orders:stock-import", pk=run.pk)
    found = StockImport.objects.visible_to(user).select_related("by").defer("rows", "outcomes")
    page = keyset_page(found, order=("-id",), cursor=request.GET.get("cursor", ""), size=PAGE_SIZE)
    context = {"form": form, "rows": page.rows, **turns(request, ("cursor",), page)}
    return render(request, "orders/stock_imports.html", context, status=422 if form.errors else 200)


@require_safe
@needs("stock:write")
def template(request: HttpRequest, kind: str) -> HttpResponse:
    """An empty file with the usual heads in the reader's language and one example."""
    columns = COLUMNS[kind]
    name = _("%(kind)s to import") % {"kind": StockImportKind(kind).label}
    heads = [str(column.head) for column in columns]
    example = [column.example for column in columns]
    return stream_table(name, heads, [example], request.GET.get("format", "xlsx"))


@require_safe
@needs("stock:write")
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One import: what would become of its rows, or what became of them."""
    user = cast(User, request.user)
    run = _in_sight(user, pk)
    rows = [
        {"number": number, "cells": cells, "became": became, "why": why}
        for (number, cells), (became, why) in zip(run.rows, run.outcomes, strict=False)
    ]
    rows.sort(key=lambda row: row["became"] != "rejected")
    context = {
        "run": run,
        "counts": [
            (label, tone, run.counts.get(name, 0))
            for name, (label, tone) in BECAME.items()
            if name != "stale"
        ],
        "rows": [
            {**row, "label": BECAME[row["became"]][0], "tone": BECAME[row["became"]][1]}
            for row in rows[:SHOWN]
        ],
        "more": max(len(rows) - SHOWN, 0),
        "is_open": run.state in (StockImportState.CHECKING, StockImportState.WRITING),
        "may_write": run.may_be_written and run.by_id == user.pk,
    }
    return render(request, "orders/stock_import.html", context)


@require_POST
@needs("stock:write")
def write(request: HttpRequest, pk: int) -> HttpResponse:
    """Write what was looked through."""
    user = cast(User, request.user)
    run = _in_sight(user, pk)
    if run.by_id != user.pk:
        raise PermissionDenied  # its customers are those in sight of whoever uploaded it
    stock_importing.write(run=run, by=user, now=timezone.now())
    return redirect("orders:stock-import", pk=pk)


@require_safe
@needs("stock:write")
def rejected(request: HttpRequest, pk: int) -> HttpResponse:
    """The rejected rows as a file: their own cells, and why, to be put right and uploaded again."""
    run = _in_sight(cast(User, request.user), pk)
    name = _("Rejected rows of %(name)s") % {"name": run.name.rpartition(".")[0] or run.name}
    heads = [*run.head, _("Why")]
    rows = stock_importing.rejected_rows(run)
    return stream_table(name, heads, rows, request.GET.get("format", "xlsx"))


def _in_sight(user: User, pk: int) -> StockImport:
    return get_object_or_404(StockImport.objects.visible_to(user).select_related("by"), pk=pk)
