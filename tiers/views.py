"""The pages of tiers: the report, the runs, one run, and why a customer has its tier."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh, push_url

from accounts.access import may, needs
from accounts.exports import table_view
from accounts.models import User
from crm.lib.export import Table
from crm.lib.htmx import page_or_part, wants_part
from crm.lib.keyset import count_up_to, keyset_page
from crm.lib.listing import Tab, address, turns
from customers.filters import CustomerFilter, teams_in_sight
from customers.models import Customer, CustomerQuerySet
from tiers import reasons
from tiers import report as figures
from tiers.actions import request_run
from tiers.filters import ChangeFilter
from tiers.forms import RunForm
from tiers.models import LADDER, TierChange, TierChangeQuerySet, TierRun

PAGE_SIZE = 20
#: Runs that the report offers to look back at; older ones are on the page of all runs.
RUNS_OFFERED = 30
#: What the addresses of the report and of a run carry.
SCOPE = ("run", "team", "owner")
NAMES = (*SCOPE, "move", "from_tier", "to_tier", "cursor")


@require_safe
@needs("tiers:read")
def report(request: HttpRequest) -> HttpResponse:
    """The tiers of one run: curve, migration, moved customers; htmx gets the part it asks for."""
    user = cast(User, request.user)
    runs = list(TierRun.objects.visible_to(user).decisive().select_related("policy")[:RUNS_OFFERED])
    run = picked_run(request, user, runs)
    waiting = TierRun.objects.visible_to(user).open().filter(dry_run=False).first()
    context: dict[str, Any] = {"waiting": waiting, "may_run": may(user, "tiers:write")}
    if run is None:
        return render(request, "tiers/none.html", context)
    customers, filters = scope(request, user, run)
    moved = moved_page(request, filters)
    if wants_part(request) and request.headers.get("HX-Target") == "results":
        return moved_part(request, run, filters, moved)
    shown = figures.read(run, customers, in_scope(filters))
    context |= {
        "run": run,
        "runs": runs,
        "latest": run == runs[0],
        "before": TierRun.objects.visible_to(user).before(run).first(),
        "report": shown,
        "filters": filters,
        "chips": [
            filters.form[name]
            for name in ("team", "owner")
            if name != "team" or teams_in_sight(request).exists()
        ],
        "scope": address(request, ("team", "owner")).partition("?")[2],
        "tabs": tabs(request, shown.migration),
        **moved,
    }
    response = page_or_part(request, "tiers/report.html", "tiers/_report.html", context)
    patch_vary_headers(response, ["HX-Target"])
    if wants_part(request):
        push_url(response, address(request, NAMES))
    return response


def picked_run(request: HttpRequest, user: User, runs: list[TierRun]) -> TierRun | None:
    """The run of the address, or the latest; None before the first. Raises Http404."""
    text = request.GET.get("run", "")
    if not text:
        return runs[0] if runs else None
    for run in runs:
        if str(run.pk) == text:
            return run
    if not text.isdecimal() or len(text) > 18:
        raise Http404
    found = TierRun.objects.visible_to(user).decisive().select_related("policy")
    return get_object_or_404(found, pk=int(text))


def scope(request: HttpRequest, user: User, run: TierRun) -> tuple[CustomerQuerySet, ChangeFilter]:
    """The customers that the reader sees and has picked, and the filters over their changes."""
    changes = TierChange.objects.visible_to(user).filter(run=run)
    filters = ChangeFilter(request.GET, queryset=changes, request=request)
    picked = {name: request.GET.get(name, "") for name in ("team", "owner")}
    customers = CustomerFilter(picked, queryset=Customer.objects.visible_to(user), request=request)
    if not filters.is_valid() or not customers.is_valid():
        return Customer.objects.none(), filters
    return cast(CustomerQuerySet, customers.qs), filters


def in_scope(filters: ChangeFilter) -> TierChangeQuerySet:
    """The changes of the picked team and owner, whatever the move."""
    if not filters.is_valid():
        return TierChange.objects.none()
    changes = filters.queryset
    for name in ("team", "owner"):
        changes = filters.filters[name].filter(changes, filters.form.cleaned_data[name])
    return cast(TierChangeQuerySet, changes)


def moved_page(request: HttpRequest, filters: ChangeFilter) -> dict[str, Any]:
    """One page of the changes that the filters leave, each with its reason."""
    found = filters.qs if filters.is_valid() else TierChange.objects.none()
    page = keyset_page(
        found.select_related("customer__owner", "run__policy"),
        order=("id",),
        cursor=request.GET.get("cursor", ""),
        size=PAGE_SIZE,
    )
    return {
        "page": page,
        "moved": [(change, reasons.why(change)) for change in page.rows],
        "count": count_up_to(found),
        "narrowed": any(request.GET.get(name) for name in ("move", "from_tier", "to_tier")),
        "from_tier": request.GET.get("from_tier", ""),
        "to_tier": request.GET.get("to_tier", ""),
        "everything_url": address(request, SCOPE),
        **turns(request, NAMES, page),
    }


def tabs(request: HttpRequest, migration: figures.Migration) -> list[tuple[Tab, int]]:
    """All, up, down, new, with how many customers each has."""
    shown = {name: request.GET.get(name, "") for name in ("move", "from_tier", "to_tier")}
    offered = [
        (_("All"), "", migration.moved),
        (_("Up"), "up", migration.up),
        (_("Down"), "down", migration.down),
        (_("New"), "new", migration.new_total),
    ]
    return [
        (
            Tab(
                label,
                address(request, SCOPE, move=move),
                shown == {"move": move, "from_tier": "", "to_tier": ""},
            ),
            number,
        )
        for label, move, number in offered
    ]


@require_safe
@needs("tiers:read")
@table_view
def export(request: HttpRequest) -> Table:
    """The moved customers of a run, or the ranking of the latest, as an Excel or CSV file."""
    user = cast(User, request.user)
    run = picked_run(request, user, list(TierRun.objects.decisive().select_related("policy")[:1]))
    if run is None:
        raise Http404
    customers, filters = scope(request, user, run)
    if request.GET.get("ranking"):
        return ranking_table(customers, TierRun.objects.decisive()[0])
    return changes_table(filters.qs if filters.is_valid() else TierChange.objects.none(), run)


def ranking_table(customers: CustomerQuerySet, run: TierRun) -> Table:
    head = [_("Rank"), _("Number in the ERP"), _("Customer"), _("Owner"), _("Tier")]
    head += [_("Net amount"), _("Share, %"), _("Cumulative share, %")]

    def rows() -> Iterator[tuple[object, ...]]:
        for *facts, share, running in figures.ranking(customers):
            yield (*facts, reasons.per_cent(share), reasons.per_cent(running))

    name = _("Ranking as of %(day)s") % {"day": run.as_of.isoformat()}
    return Table(name, head, rows(), counted=customers)


def changes_table(changes: TierChangeQuerySet, run: TierRun) -> Table:
    head = [_("Number in the ERP"), _("Customer"), _("Owner"), _("From"), _("To")]
    head += [_("Net amount before"), _("Net amount"), _("Rank before"), _("Rank"), _("Why")]
    found = changes.select_related("customer__owner").order_by("pk")

    def rows() -> Iterator[tuple[object, ...]]:
        for change in found.iterator(chunk_size=2000):
            change.run = run
            owner = change.customer.owner
            yield (
                change.customer.external_id,
                change.customer.name,
                owner.display_name if owner else "",
                change.from_tier or _("Unranked"),
                change.to_tier or _("Unranked"),
                change.net_before,
                change.net_amount,
                change.rank_before,
                change.rank,
                reasons.explain(change),
            )

    name = _("Tier changes as of %(day)s") % {"day": run.as_of.isoformat()}
    return Table(name, head, rows(), counted=found)


@require_safe
@needs("tiers:read")
def runs(request: HttpRequest) -> HttpResponse:
    """All runs, the newest first, and how many customers in sight each one moved."""
    return render(request, "tiers/runs.html", runs_page(request, RunForm(initial=today())))


def today() -> dict[str, date]:
    return {"as_of": timezone.localdate()}


def runs_page(request: HttpRequest, form: RunForm) -> dict[str, Any]:
    user = cast(User, request.user)
    found = TierRun.objects.visible_to(user).select_related("policy", "requested_by")
    page = keyset_page(found, order=("-id",), cursor=request.GET.get("cursor", ""), size=PAGE_SIZE)
    moved = dict(
        TierChange.objects.visible_to(user)
        .filter(run__in=[run.pk for run in page.rows])
        .order_by()
        .values_list("run")
        .annotate(n=Count("pk"))
    )
    return {
        "page": page,
        "rows": [(run, moved.get(run.pk, 0)) for run in page.rows],
        "form": form,
        "may_run": may(user, "tiers:write"),
        **turns(request, ("cursor",), page),
    }


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


def change_tabs(request: HttpRequest, filters: ChangeFilter) -> list[tuple[Tab, int]]:
    """The tabs where only the changes are counted, not who stayed."""
    return tabs(request, figures.migration({}, in_scope(filters)))


def moved_part(
    request: HttpRequest, job: TierRun, filters: ChangeFilter, moved: dict[str, Any]
) -> HttpResponse:
    """The list of moved customers alone, for htmx."""
    context = {"run": job, "tabs": change_tabs(request, filters), **moved}
    response = render(request, "tiers/_moved.html", context)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return push_url(response, address(request, NAMES))


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


@require_safe
@needs("tiers:read")
def of_customer(request: HttpRequest, pk: int) -> HttpResponse:
    """Why a customer has its tier: its numbers, the lines, and the tiers it had."""
    user = cast(User, request.user)
    customer = get_object_or_404(Customer.objects.visible_to(user), pk=pk)
    last = TierRun.objects.decisive().select_related("policy").first()
    standing = reasons.standings([customer.pk]).get(customer.pk) if customer.abc else None
    lines = reasons.Lines.of(last.policy) if last else None
    context = {
        "customer": customer,
        "run": last if customer.net_amount is not None else None,
        "standing": standing,
        "place": reasons.place(standing or reasons.unranked(customer), lines) if lines else "",
        "share": reasons.cut(standing.share, lines) if standing and lines else "",
        "history": [
            (change, reasons.title(change), reasons.explain(change))
            for change in TierChange.objects.decisive()
            .filter(customer=customer)
            .select_related("run__policy")
            .order_by("-pk")[:10]
        ],
    }
    return page_or_part(request, "tiers/of_customer.html", "tiers/_of_customer.html", context)
