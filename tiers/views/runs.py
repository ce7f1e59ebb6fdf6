"""The runs: asking for one, its progress, what it moved."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from accounts.access import may, needs
from accounts.exports import table_view
from accounts.models import User
from crm.lib.export import Table
from crm.lib.htmx import wants_part
from crm.lib.keyset import keyset_page
from crm.lib.listing import found_by, parameters, turns
from tiers.actions import request_run
from tiers.filters import RunFilter
from tiers.forms import RunForm
from tiers.models import LADDER, RunState, TierChange, TierRun
from tiers.views.report import PAGE_SIZE, change_tabs, moved_page, moved_part, scope
from tiers.views.report_files import changes_table
from tiers.views.simulator import trial_page


@require_safe
@needs("tiers:read")
def runs(request: HttpRequest) -> HttpResponse:
    """All runs, the newest first, and how many customers in sight each one moved."""
    return render(request, "tiers/runs.html", runs_page(request, RunForm(initial=today())))


def today() -> dict[str, date]:
    return {"as_of": timezone.localdate()}


def filtered(request: HttpRequest) -> RunFilter:
    every = TierRun.objects.visible_to(cast(User, request.user))
    return RunFilter(
        request.GET, queryset=every.select_related("policy", "requested_by"), request=request
    )


def moved_by(runs: Any, user: User) -> dict[int, int]:
    """How many customers in sight each of `runs` moved; runs that moved none are missing."""
    changes = TierChange.objects.visible_to(user).filter(run__in=runs).order_by()
    return dict(changes.values_list("run").annotate(n=Count("pk")))


def runs_page(request: HttpRequest, form: RunForm) -> dict[str, Any]:
    user = cast(User, request.user)
    filters = filtered(request)
    names = parameters(filters)
    page = keyset_page(
        found_by(filters), order=("-id",), cursor=request.GET.get("cursor", ""), size=PAGE_SIZE
    )
    moved = moved_by([run.pk for run in page.rows], user)
    return {
        "page": page,
        "rows": [(run, moved.get(run.pk, 0)) for run in page.rows],
        "form": form,
        "may_run": may(user, "tiers:write"),
        "filters": filters,
        "chips": [filters.form[name] for name in ("policy", "dry_run", "state")],
        "narrowed": any(request.GET.get(name) for name in filters.filters),
        **turns(request, names, page),
    }


@require_safe
@needs("tiers:read")
@table_view
def export(request: HttpRequest) -> Table:
    """The filtered runs as an Excel or CSV file; `moved` counts the customers in sight.

    What a run counted over the whole company is left out for those who do not see all of it.
    """
    user = cast(User, request.user)
    found = found_by(filtered(request)).order_by("-id")
    moved = moved_by(found.order_by().values("pk"), user)
    head = [
        _("Run"), _("As of"), _("Policy"), _("State"), _("Trial"), _("Asked for by"),
        _("Asked for"), _("Finished"), _("Seconds"), _("Moved"),
    ]  # fmt: skip
    if user.sees_all:
        head += [tier or _("Unranked") for tier in LADDER]
        head += [_("Downgrades held"), _("Set by hand")]

    def rows() -> Iterator[tuple[object, ...]]:
        for run in found.iterator(chunk_size=2000):
            done = run.state == RunState.DONE
            row = [
                run.pk, run.as_of, str(run.policy), run.get_state_display(), run.dry_run,
                run.requested_by.display_name if run.requested_by else _("the schedule"),
                run.created_at, run.finished_at, run.seconds,
                moved.get(run.pk, 0) if done else None,
            ]  # fmt: skip
            if user.sees_all:
                counts = [run.counts.get(tier or "unranked", 0) for tier in LADDER]
                row += [n if done else None for n in (*counts, run.held, run.overridden)]
            yield tuple(row)

    name = _("Tier runs %(day)s") % {"day": timezone.localdate().isoformat()}
    return Table(name, head, rows(), counted=found)


@require_POST
@needs("tiers:write")
def run_start(request: HttpRequest) -> HttpResponse:
    """Have the tiers computed; without a day, as of today."""
    form = RunForm(request.POST if "as_of" in request.POST else today())
    if form.is_valid():
        try:
            run = request_run(
                **form.cleaned_data, user=cast(User, request.user), now=timezone.now()
            )
        except ValidationError as refused:
            form.add_error(None, refused)
        else:
            return redirect("tiers:run", pk=run.pk)
    return render(request, "tiers/runs.html", runs_page(request, form), status=422)


@require_safe
@needs("tiers:read")
def run(request: HttpRequest, pk: int) -> HttpResponse:
    """One run: its progress while it lasts, then its counts and every change in sight."""
    user = cast(User, request.user)
    job = get_object_or_404(
        TierRun.objects.visible_to(user).select_related("policy", "requested_by"), pk=pk
    )
    if job.dry_run and job.state == RunState.DONE:
        return trial_page(request, job)
    _customers, filters = scope(request, user, job)
    moved = moved_page(request, filters)
    if wants_part(request):
        return moved_part(request, job, filters, moved)
    context = {
        "run": job,
        "tabs": change_tabs(request, filters),
        "sees_all": user.sees_all,
        "counts": [(tier, job.counts.get(tier or "unranked", 0)) for tier in LADDER],
        **moved,
    }
    return render(request, "tiers/run.html", context)


@require_safe
@needs("tiers:read")
def run_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """How far the run is, asked every two seconds; once it has ended the page is read again."""
    user = cast(User, request.user)
    job = get_object_or_404(TierRun.objects.visible_to(user), pk=pk)
    if not wants_part(request):
        return redirect("tiers:run", pk=job.pk)
    if not job.is_open:
        return HttpResponseClientRefresh()
    return render(request, "tiers/_progress.html", {"waiting": job})


@require_safe
@needs("tiers:read")
@table_view
def run_export(request: HttpRequest, pk: int) -> Table:
    """Every change of the run in sight, as an Excel or CSV file."""
    user = cast(User, request.user)
    job = get_object_or_404(TierRun.objects.visible_to(user).select_related("policy"), pk=pk)
    _customers, filters = scope(request, user, job)
    return changes_table(filters.qs if filters.is_valid() else TierChange.objects.none(), job)
