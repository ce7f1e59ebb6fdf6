"""The pages of imports: upload, columns, preview, result, taking back (P7)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from accounts.access import needs
from accounts.models import User
from crm.lib.export import stream_table
from crm.lib.htmx import page_or_part, wants_part
from crm.lib.keyset import keyset_page
from crm.lib.listing import Tab, turns
from customers.forms.imports import MappingForm, UploadForm, key_label
from customers.importing import choosing, fields, showing, steps
from customers.importing.reasons import WORDS, in_words
from customers.models import Alike, Import, ImportRow, ImportState, Outcome, RowState
from customers.views.duplicates import reasons_in_words

PAGE_SIZE = 20
#: So many rows are written without being asked once more.
UNASKED = 50
#: A worker that has said nothing for so long has died.
SILENT = timedelta(minutes=5)
NAMES = ("rows", "cursor")
NUMBER = re.compile(r"[0-9]{1,9}")


def in_sight(request: HttpRequest, pk: int) -> Import:
    runs = Import.objects.visible_to(cast(User, request.user))
    runs = runs.select_related("by", "written_by", "undone_by")
    return get_object_or_404(runs, pk=pk)


def acting(request: HttpRequest, pk: int) -> Import:
    """The import, for who may go on with it: its uploader, whoever leads that one's team, and
    administrators. It is written in the name of whoever presses the button."""
    run = in_sight(request, pk)
    if not run.answers_to(cast(User, request.user)):
        raise PermissionDenied
    return run


@needs("customers:write")
def list_(request: HttpRequest) -> HttpResponse:
    """All imports in sight, the newest first; takes an uploaded file."""
    user = cast(User, request.user)
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST":
        form = UploadForm(request.POST, request.FILES)
        if form.is_valid():
            file = form.cleaned_data["file"]
            try:
                run = steps.upload(file=file.file, name=file.name, by=user, now=timezone.now())
            except ValidationError as refused:
                form.add_error("file", refused)
            else:
                return redirect("customers:import", pk=run.pk)
    found = Import.objects.visible_to(user).select_related("by", "written_by", "undone_by")
    page = keyset_page(found, order=("-id",), cursor=request.GET.get("cursor", ""), size=PAGE_SIZE)
    rows = [(run, run.answers_to(user)) for run in page.rows]
    context = {"form": form, "rows": rows, **turns(request, ("cursor",), page)}
    status = 422 if form.errors else 200
    return render(request, "customers/imports.html", context, status=status)


@require_safe
@needs("customers:write")
def template(request: HttpRequest) -> HttpResponse:
    """An empty file with the usual heads in the reader's language and one example."""
    wanted = [fields.FIELDS[name] for name in fields.TEMPLATE]
    example = [str(field.example) for field in wanted]
    example[fields.TEMPLATE.index("kind")] = str(
        dict(fields.FIELDS["kind"].column.flatchoices)["dealer"]
    )
    heads = [field.label for field in wanted]
    return stream_table(
        _("Customers to import"), heads, [example], request.GET.get("format", "xlsx")
    )


@require_safe
@needs("customers:write")
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One import where it stands: its columns, its progress, its preview, or what it did."""
    run = in_sight(request, pk)
    if run.state == ImportState.UPLOADED:
        return mapping_page(request, run, MappingForm(run=run))
    context = {**_frame(request, run), **_rows(request, run)}
    return page_or_part(request, "customers/import.html", "customers/_import_rows.html", context)


def mapping_page(request: HttpRequest, run: Import, form: MappingForm) -> HttpResponse:
    context = {**_frame(request, run), "form": form, "odd": run.table.get("odd") or {}}
    status = 422 if form.errors else 200
    return render(request, "customers/import_columns.html", context, status=status)


def _frame(request: HttpRequest, run: Import) -> dict[str, Any]:
    """What every page of an import needs."""
    counts = {name: run.counts.get(name, 0) for name in (*Outcome.values, "alike")}
    to_write = counts[Outcome.CREATE] + counts[Outcome.UPDATE]
    acts = run.answers_to(cast(User, request.user))
    silent = run.is_open and (not run.stepped_at or run.stepped_at < timezone.now() - SILENT)
    return {
        "run": run,
        "acts": acts,
        "mine": run.by_id == request.user.pk,
        "chooses": acts and run.state == ImportState.CHECKED,
        "counts": counts,
        "to_write": to_write,
        "ask_first": to_write > UNASKED,
        "key_label": key_label(run),
        "error": in_words(run.error, {})
        if run.error in WORDS
        else run.error and in_words("error", {}),
        "silent": silent,
        "written": (run.state in (ImportState.DONE, ImportState.UNDOING, ImportState.UNDONE)),
        "upload_form": UploadForm(),
    }


def _rows(request: HttpRequest, run: Import) -> dict[str, Any]:
    """One page of the rows of one outcome, in words."""
    found, current = _of_tab(run, request.GET.get("rows", ""))
    page = keyset_page(
        found, order=("number",), cursor=request.GET.get("cursor", ""), size=PAGE_SIZE
    )
    rows = cast("list[ImportRow]", page.rows)
    return {
        "page": page,
        "shown": showing.shown(rows, run, cast(User, request.user), reasons_in_words),
        "choices": Alike.choices,
        "cursor": request.GET.get("cursor", ""),
        "tabs": _tabs(run, current),
        "tab": current,
        **turns(request, NAMES, page),
    }


def _of_tab(run: Import, wanted: str) -> tuple[Any, str]:
    """The rows of the tab, and which it is: the one asked for, or the first that has any."""
    if wanted == "kept" and run.counts.get("kept"):
        return run.rows.filter(state=RowState.KEPT), "kept"
    if wanted == "alike" and run.counts.get("alike"):
        return run.rows.exclude(choice=""), "alike"
    offered = (Outcome.REJECTED, Outcome.UPDATE, Outcome.CREATE, Outcome.UNCHANGED, Outcome.LEFT)
    if wanted not in offered:
        wanted = next((name for name in offered if run.counts.get(name)), Outcome.CREATE)
    return run.rows.filter(outcome=wanted), str(wanted)


def _tabs(run: Import, current: str) -> list[tuple[Tab, int]]:
    url = reverse("customers:import", args=[run.pk])
    offered: list[tuple[str, Any]] = [
        (name, label)
        for name, label in Outcome.choices
        if name != Outcome.LEFT or run.counts.get(name)
    ]
    if run.counts.get("alike"):
        offered.append(("alike", _("Look like one on file")))
    if run.counts.get("kept"):
        offered.append(("kept", RowState.KEPT.label))
    return [
        (Tab(label, f"{url}?rows={name}", name == current), run.counts.get(name, 0))
        for name, label in offered
    ]


@require_POST
@needs("customers:write")
def map_(request: HttpRequest, pk: int) -> HttpResponse:
    """Take what the columns mean and look at every row; or look at another sheet."""
    run, now = acting(request, pk), timezone.now()
    if run.state not in (ImportState.UPLOADED, ImportState.CHECKED):
        return redirect("customers:import", pk=run.pk)
    if "sheet" in request.POST:
        try:
            steps.choose_sheet(run, request.POST["sheet"][:100])
        except ValidationError as refused:
            messages.error(request, refused.messages[0])
        return redirect("customers:import", pk=run.pk)
    form = MappingForm(request.POST, run=run)
    if not form.is_valid():
        return mapping_page(request, run, form)
    form.put_into(run)
    steps.remember(run, now=now)
    steps.start(run, "check", by=cast(User, request.user), now=now)
    return redirect("customers:import", pk=run.pk)


@require_POST
@needs("customers:write")
def remap(request: HttpRequest, pk: int) -> HttpResponse:
    """Back from the preview to the columns."""
    run = acting(request, pk)
    Import.objects.filter(pk=run.pk, state=ImportState.CHECKED).exclude(
        rows__state=RowState.WRITTEN
    ).update(state=ImportState.UPLOADED)
    return redirect("customers:import", pk=run.pk)


@require_POST
@needs("customers:write")
def choose(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose for a row that looks like a customer on file (`row`), or for all such rows.

    `choice` is `create`, `leave`, or `same`, for one row with the customer: `same:12`.
    """
    run = acting(request, pk)
    choice, _sign, customer = request.POST.get("choice", "").partition(":")
    kept = {name: request.POST[name] for name in NAMES if request.POST.get(name)}
    page = f"{reverse('customers:import', args=[run.pk])}?{urlencode(kept)}"
    if choice not in Alike.values or run.state != ImportState.CHECKED:
        return redirect(page)
    user, now, row = cast(User, request.user), timezone.now(), request.POST.get("row", "")
    if not row:
        # Every row is looked at anew, in the background.
        Import.objects.filter(pk=run.pk, state=ImportState.CHECKED).update(alike=choice)
        steps.start(run, "check", by=user, now=now)
        return redirect(page)
    wanted = int(customer) if NUMBER.fullmatch(customer) else None
    number = int(row) if NUMBER.fullmatch(row) else 0
    try:
        choosing.choose(run, number, choice, customer_id=wanted, by=user, now=now)
    except ValidationError as refused:
        messages.error(request, refused.messages[0])
    return redirect(f"{page}#row-{number}")


@require_POST
@needs("customers:write")
def apply(request: HttpRequest, pk: int) -> HttpResponse:
    """Write what the preview showed; pressed twice, it is written once."""
    run = acting(request, pk)
    steps.start(run, "apply", by=cast(User, request.user), now=timezone.now())
    return redirect("customers:import", pk=run.pk)


@require_POST
@needs("customers:write")
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the import back, as far as nobody has gone on with what it wrote."""
    run = acting(request, pk)
    steps.start(run, "undo", by=cast(User, request.user), now=timezone.now())
    return redirect("customers:import", pk=run.pk)


@require_POST
@needs("customers:write")
def again(request: HttpRequest, pk: int) -> HttpResponse:
    """Have the step done once more whose worker has died; a worker that lives goes on alone."""
    run = acting(request, pk)
    if step := steps.step_of(run):
        steps.request(run, step, by=cast(User, request.user), now=timezone.now())
    return redirect("customers:import", pk=run.pk)


@require_safe
@needs("customers:write")
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """How far the step is, asked every two seconds; once it has ended the page is read again."""
    run = in_sight(request, pk)
    if not wants_part(request):
        return redirect("customers:import", pk=run.pk)
    if not run.is_open:
        return HttpResponseClientRefresh()
    return render(request, "customers/_import_progress.html", _frame(request, run))


@require_safe
@needs("customers:write")
def rejected(request: HttpRequest, pk: int) -> HttpResponse:
    """The refused rows as a file: their own cells, and why, to be mended and uploaded again."""
    run = in_sight(request, pk)
    heads, rows = showing.rejected_table(run)
    name = _("Rejected rows of %(name)s") % {"name": run.name.rpartition(".")[0] or run.name}
    return stream_table(name, heads, rows, request.GET.get("format", "xlsx"))


@require_POST
@needs("customers:write")
def mended(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the mended rows, with the same choices as before, and look at them at once."""
    like, now = in_sight(request, pk), timezone.now()
    user = cast(User, request.user)
    if like.by_id != user.pk:
        raise PermissionDenied  # what is new and nobody's becomes the uploader's
    form = UploadForm(request.POST, request.FILES)
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            run = steps.upload(file=file.file, name=file.name, by=user, now=now, like=like)
        except ValidationError as refused:
            form.add_error("file", refused)
        else:
            steps.start(run, "check", by=user, now=now)
            return redirect("customers:import", pk=run.pk)
    for error in form.errors["file"]:
        messages.error(request, str(error))
    return redirect(f"{reverse('customers:import', args=[like.pk])}?rows=rejected")
