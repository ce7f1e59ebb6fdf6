"""The calls of the bulk sync, their rejected records, and sending these once more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import msgspec
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import jobs, resending
from accounts.access import needs
from accounts.exports import table_view
from accounts.filters import SyncFilter
from accounts.models import RejectedRecord, SyncCall, User
from accounts.sync_api import ENDPOINTS
from crm.lib.export import Table
from crm.lib.keyset import keyset_page
from crm.lib.listing import (
    found_by,
    list_answer,
    parameters,
    quick_filters,
    shown,
    turns,
)
from crm.lib.text import Text

PAGE_SIZE = 50
ERRORS_SHOWN = 200
COUNTS = ("received", "created", "updated", "unchanged", "stale", "rejected")
CHIPS = ("key", "resource", "since", "until", "rejected")
TABS: tuple[tuple[Text, dict[str, str]], ...] = (
    (gettext_lazy("All calls"), {}),
    (gettext_lazy("With rejected records"), {"rejected": "true"}),
)


def _filters(request: HttpRequest) -> SyncFilter:
    calls = SyncCall.objects.select_related("key").defer("errors")
    return SyncFilter(request.GET, queryset=calls, request=request)


@require_safe
@needs("keys:write")
def syncs(request: HttpRequest) -> HttpResponse:
    """The calls, newest first; also answers htmx with the rows."""
    filters = _filters(request)
    context = shown(request, filters, found_by(filters), order=("-id",), tabs=("rejected",))
    context |= {
        "chips": [filters.form[name] for name in CHIPS],
        "tabs": quick_filters(request, parameters(filters), TABS),
    }
    return list_answer(request, "accounts/syncs.html", "accounts/_syncs.html", context)


@require_safe
@needs("keys:write")
def by_key(request: HttpRequest) -> HttpResponse:
    """The last call of every key to every resource: whether each system still sends."""
    calls = SyncCall.objects.last_of_each_key(sorted(ENDPOINTS)).select_related("key")
    rows = calls.defer("errors").order_by("key__name", "key", "resource")
    return render(request, "accounts/syncs_by_key.html", {"rows": rows})


@require_safe
@needs("keys:write")
@table_view
def export(request: HttpRequest) -> Table:
    """The filtered calls as an Excel or CSV file."""
    found = found_by(_filters(request)).order_by("-id")
    head = [
        _("Time"), _("Resource"), _("Key"), _("Received"), _("Created"), _("Updated"),
        _("Unchanged"), _("Stale"), _("Rejected"),
    ]  # fmt: skip

    def rows() -> Iterator[list[object]]:
        for call in found.iterator(chunk_size=2000):
            yield [
                call.at,
                call.resource_label,
                call.sender,
                *(getattr(call, name) for name in COUNTS),
            ]

    return Table(_("Sync log"), head, rows(), counted=found)


@require_safe
@needs("keys:write")
@never_cache
def sync(request: HttpRequest, pk: int) -> HttpResponse:
    """One call with the records it rejected, why, and what has become of them since."""
    call = _call(pk)
    records = call.records.select_related("settled_by")
    page = keyset_page(
        records, order=("index",), cursor=request.GET.get("cursor", ""), size=PAGE_SIZE
    )
    waiting = call.records.sendable().count()
    context = {
        "call": call,
        "page": page,
        "records": page.rows,
        # A call from before records were kept, or whose records are deleted.
        "errors": [] if page.rows else call.errors[:ERRORS_SHOWN],
        "shown": ERRORS_SHOWN,
        "waiting": waiting,
        "obstacle": waiting
        and resending.obstacle(call, by=cast(User, request.user), now=timezone.now()),
        **turns(request, {"cursor"}, page),
    }
    return render(request, "accounts/sync.html", context)


@require_safe
@needs("keys:write")
@table_view
def rejected_export(request: HttpRequest, pk: int) -> Table:
    """The rejected records of a call, with the reasons, as an Excel or CSV file."""
    call = _call(pk)
    found = call.records.order_by("index")
    head = [
        pgettext("of a record in a call", "Index"),
        _("Number in the ERP"),
        _("Why"),
        _("State"),
        _("Record"),
    ]

    def rows() -> Iterator[list[object]]:
        for one in found.iterator(chunk_size=500):
            why = "\n".join(f"{name}: {' '.join(texts)}" for name, texts in one.errors.items())
            yield [one.index, one.external_id, why, one.get_state_display(), one.body]

    name = _("Rejected records %(number)d") % {"number": call.pk}
    return Table(name, head, rows(), counted=found)


@require_POST
@needs("keys:write")
def again(request: HttpRequest, pk: int) -> HttpResponse:
    """Send all records of a call that still wait: a few at once, many by a job one can watch."""
    call = _call(pk)
    user, now = cast(User, request.user), timezone.now()
    if call.records.sendable().count() > resending.CHUNK and not resending.obstacle(
        call, by=user, now=now
    ):
        job = jobs.request(resending.RESEND.name, owner=user, parameters={"call": pk}, now=now)
        return redirect("accounts:run", pk=job.pk)
    try:
        sent = resending.send_again(call=call, by=user, now=now)
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
    else:
        _say(request, sent)
    return redirect("accounts:sync", pk=pk)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("keys:write")
@never_cache
def rejected(request: HttpRequest, pk: int) -> HttpResponse:
    """One rejected record: what it says, what is wrong, and a way to correct and send it."""
    record = get_object_or_404(
        RejectedRecord.objects.select_related("call__key__user", "call__actor", "settled_by"),
        pk=pk,
    )
    user, now = cast(User, request.user), timezone.now()
    body, refusal = _readable(record.body), ""
    if request.method == "POST":
        body = request.POST.get("body", "")
        try:
            sent = resending.correct_and_send(record=record, body=body, by=user, now=now)
        except ValidationError as refused:
            refusal = " ".join(refused.messages)
        else:
            if not sent.rejected:
                _say(request, sent)
                return redirect("accounts:sync", pk=record.call_id)
            refusal = _("It was rejected again; what is wrong stands below.")
    context = {
        "record": record,
        "call": record.call,
        "body": body,
        "refusal": refusal,
        "obstacle": resending.obstacle(record.call, by=user, now=now),
    }
    status = 422 if refusal else 200
    return render(request, "accounts/rejected.html", context, status=status)


def _call(pk: int) -> SyncCall:
    return get_object_or_404(
        SyncCall.objects.select_related("key__user", "actor", "again_of"), pk=pk
    )


def _readable(body: str) -> str:
    """The record with a line for each field, its values as they were sent; else as it is."""
    try:
        return msgspec.json.format(body, indent=2)
    except (msgspec.MsgspecError, RecursionError):
        return body


def _say(request: HttpRequest, sent: resending.Sent) -> None:
    say = messages.warning if sent.stale or sent.rejected else messages.success
    say(request, resending.in_words(sent))
