"""The tier report: one run's figures and moves, for the customers of one scope."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django_htmx.http import push_url

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
from tiers.filters import ChangeFilter
from tiers.models import TierChange, TierChangeQuerySet, TierPolicy, TierRun
from tiers.views.policies import new_version_form
from tiers.workload import cadences

PAGE_SIZE = 20
#: Runs that the report offers to look back at; older ones are on the page of all runs.
RUNS_OFFERED = 30
#: What the addresses of the report and of a run carry.
SCOPE = ("run", "team", "owner")
#: What the report offers to try at once; the page of a new version has all the rest.
QUICK = ("a_share", "b_share", "window_months", "downgrade_runs")
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
        "top_fifth": figures.first_fifth(shown.pareto.customers) if shown.pareto else 0,
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
    if context["may_run"] and (
        standing := TierPolicy.objects.in_force(timezone.localdate()).first()
    ):
        quick = new_version_form(standing, None, timezone.localdate())
        context |= {"standing": standing, "quick": [quick[name] for name in QUICK]}
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
    days = cadences()
    page = keyset_page(
        found.select_related("customer__owner", "run__policy"),
        order=("id",),
        cursor=request.GET.get("cursor", ""),
        size=PAGE_SIZE,
    )
    return {
        "page": page,
        "moved": [
            (change, reasons.why(change), (days.get(change.from_tier), days.get(change.to_tier)))
            for change in page.rows
        ],
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
