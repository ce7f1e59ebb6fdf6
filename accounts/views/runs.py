"""The long jobs one has started: how far they are and what came of them."""

from __future__ import annotations

from typing import cast

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRefresh

from accounts import exports, jobs
from accounts.models import JobRun, User
from crm.lib.export import XLSX
from crm.lib.htmx import wants_part
from crm.lib.keyset import keyset_page
from crm.lib.listing import turns


@require_safe
def runs(request: HttpRequest) -> HttpResponse:
    """One's own long jobs and those of everybody that one may watch, newest first."""
    user = cast(User, request.user)
    page = keyset_page(
        jobs.watched_by(user).select_related("owner"),
        order=("-id",),
        cursor=request.GET.get("cursor", ""),
        size=50,
    )
    rows = [(job, jobs.label_of(job), jobs.page_of(job), jobs.told(job)) for job in page.rows]
    context = {"page": page, "rows": rows, **turns(request, ("cursor",), page)}
    return render(request, "accounts/runs.html", context)


@require_safe
def run(request: HttpRequest, pk: int) -> HttpResponse:
    """One job; htmx asks every two seconds how far it is, and reads its page anew at the end."""
    user = cast(User, request.user)
    job = get_object_or_404(jobs.watched_by(user).select_related("owner"), pk=pk)
    if not wants_part(request):
        return render(request, "accounts/run.html", shown(job))
    if not job.is_open:
        return HttpResponseClientRefresh()
    return render(request, "components/progress.html", shown(job))


@require_safe
def file(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The Excel file that a job has written."""
    user = cast(User, request.user)
    job = get_object_or_404(JobRun.objects.visible_to(user), pk=pk)
    path = exports.file_of(job, user)
    if path is None:
        return redirect("accounts:run", pk=pk)
    return FileResponse(
        path.open("rb"), as_attachment=True, filename=job.result["name"], content_type=XLSX
    )


def shown(job: JobRun) -> dict[str, object]:
    """What a page needs that shows a job (components/progress.html)."""
    return {
        "job": job,
        "job_label": jobs.label_of(job),
        "job_page": jobs.page_of(job),
        "job_told": jobs.told(job),
    }
