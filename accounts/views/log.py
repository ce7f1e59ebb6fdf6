"""What happened: changes to records, and scheduled jobs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_POST, require_safe
from django_celery_beat.models import PeriodicTask

from accounts import history, schedule
from accounts.access import needs
from accounts.filters import AuditFilter
from accounts.models import AuditEntry
from crm.lib.export import stream_table
from crm.lib.keyset import keyset_page

CHUNK = 500


@require_safe
@needs("audit:read")
def audit(request: HttpRequest) -> HttpResponse:
    """Every change to domain data, newest first."""
    found = AuditFilter(request.GET, queryset=AuditEntry.objects.all(), request=request)
    if request.GET.get("format") == "csv":
        return _audit_table(found.qs.order_by("-id").iterator(CHUNK))
    page = keyset_page(found.qs, order=("-id",), cursor=request.GET.get("cursor", ""), size=50)
    context = {"filter": found, "page": page, "lines": history.described(page.rows)}
    template = "accounts/_audit.html" if cast(Any, request).htmx else "accounts/audit.html"
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _audit_table(entries: Iterator[AuditEntry]) -> HttpResponse:
    """One row for each changed field."""

    def rows() -> Iterator[list[object]]:
        while chunk := list(islice(entries, CHUNK)):
            for line in history.described(chunk):
                entry = line.entry
                for change in line.changes:
                    yield [
                        entry.at,
                        entry.actor_name,
                        entry.get_through_display(),
                        entry.get_action_display(),
                        line.kind,
                        entry.object_id,
                        entry.object_name,
                        change.field,
                        change.before,
                        change.after,
                    ]

    head = [
        _("Time"),
        _("Who"),
        _("Through"),
        _("Action"),
        _("Kind of record"),
        _("Record number"),
        _("Record"),
        pgettext("of a record", "Field"),
        _("Before"),
        _("After"),
    ]
    return stream_table("audit", head, rows(), "csv")


@require_safe
@needs("jobs:read")
def jobs(request: HttpRequest) -> HttpResponse:
    """What runs by itself, when, and when it last did."""
    tasks = PeriodicTask.objects.select_related("interval", "crontab", "solar", "clocked")
    context = {
        "rows": [(task, _(task.name), schedule.in_words(task)) for task in tasks.order_by("name")],
        "embedded": not settings.REDIS_URL and not settings.DEBUG,
    }
    return render(request, "accounts/jobs.html", context)


@require_POST
@needs("jobs:write")
@transaction.atomic
def job_toggle(request: HttpRequest, pk: int) -> HttpResponse:
    task = get_object_or_404(PeriodicTask.objects.select_for_update(of=("self",)), pk=pk)
    schedule.enable(task, request.POST.get("enabled") == "1")
    said = _("“%(name)s” runs again.") if task.enabled else _("“%(name)s” does not run any more.")
    messages.success(request, said % {"name": task.name})
    return redirect("accounts:jobs")
