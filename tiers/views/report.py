"""The tier report: one run's figures and moves, for the customers of one scope."""

from __future__ import annotations

from typing import Any, cast

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django_htmx.http import push_url

from accounts.access import may, needs
from accounts.models import User
from crm.lib.htmx import page_or_part, wants_part
from crm.lib.keyset import count_up_to, keyset_page
from crm.lib.listing import Tab, address, turns
from customers.filters import CustomerFilter, teams_in_sight
from customers.models import Customer, CustomerQuerySet
from orders.models import Product
from tiers import reasons
from tiers import report as figures
from tiers.filters import ChangeFilter, of_scope
from tiers.models import TierChange, TierChangeQuerySet, TierPolicy, TierRun
from tiers.questions import concentration
from tiers.questions.periods import Period
from tiers.questions.slices import Slice
from tiers.tiering import window
from tiers.views import of_now
from tiers.views.policies import new_version_form
from tiers.workload import cadences

PAGE_SIZE = 20
#: Runs that the report offers to look back at; older ones are on the page of all runs.
RUNS_OFFERED = 30
#: What the addresses of the report and of a run carry.
SCOPE = ("run", "team", "owner")
#: What the report offers to try at once; the page of a new version has all the rest.
QUICK = ("a_share", "b_share", "window_months", "downgrade_runs")
NAMES = (*SCOPE, "move", "from_tier", "to_tier", "show", "cursor")


@require_safe
@needs("tiers:read")
def report(request: HttpRequest) -> HttpResponse:
    """The tiers of one run: curve, migration, moved customers; htmx gets the part it asks for.

    What is held and what is set by hand is known as of now: the latest run alone has them.
    """
    user = cast(User, request.user)
    runs = list(TierRun.objects.visible_to(user).decisive().select_related("policy")[:RUNS_OFFERED])
    run = picked_run(request, user, runs)
    waiting = TierRun.objects.visible_to(user).open().filter(dry_run=False).first()
    context: dict[str, Any] = {"waiting": waiting, "may_run": may(user, "tiers:write")}
    if run is None:
        return render(request, "tiers/none.html", context)
    customers, filters = scope(request, user, run)
    latest, target = run == runs[0], request.headers.get("HX-Target") if wants_part(request) else ""
    if target == "curve":
        return curve_part(request, run, customers, in_scope(filters))
    listed = of_now.lists(request, filters, run, NAMES) if latest else {}
    if "page" not in listed:
        listed |= moved_page(request, filters)
    if target == "results":
        return moved_part(request, run, filters, listed)
    shown = figures.read(run, customers, in_scope(filters))
    context |= {
        "run": run,
        "runs": runs,
        "latest": latest,
        "before": TierRun.objects.visible_to(user).before(run).first(),
        "report": shown,
        "filters": filters,
        "chips": [
            filters.form[name]
            for name in ("team", "owner")
            if name != "team" or teams_in_sight(request).exists()
        ],
        "scope": address(request, ("team", "owner")).partition("?")[2],
        **listed,
        "tabs": tabs(request, shown.migration) + listed.get("tabs", []),
        **curve(request, run, customers, shown.pareto),
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


def curve(
    request: HttpRequest, run: TierRun, customers: CustomerQuerySet, amounts: figures.Pareto | None
) -> dict[str, Any]:
    """What the panel of the Pareto curve shows: `margin` beside the amount, where costs are known.

    The margin is counted over the lines of all orders, which takes its time: the page comes
    without, and asks for it by `margin_url`.
    """
    found: dict[str, Any] = {"top_fifth": figures.first_fifth(amounts.customers) if amounts else 0}
    costs = Product.objects.filter(unit_cost__isnull=False)
    if amounts is None or not may(cast(User, request.user), "costs:read") or not costs.exists():
        return found
    if not request.GET.get("margin"):
        return {**found, "margin_url": address(request, SCOPE, margin="1")}
    days = Period(*window(run.as_of, run.policy.window_months))
    of = Slice(customers, days, today=run.as_of)
    margin = concentration.read(of, "margin")
    known = concentration.known_share(concentration.read(of), margin)
    return {**found, "margin": margin, "known": known}


def curve_part(
    request: HttpRequest, run: TierRun, customers: CustomerQuerySet, changes: TierChangeQuerySet
) -> HttpResponse:
    """The panel of the curve alone, for htmx."""
    shown = figures.read(run, customers, changes)
    context = {"run": run, "report": shown, **curve(request, run, customers, shown.pareto)}
    response = render(request, "tiers/_curve_part.html", context)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
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
    return of_scope(filters, cast(TierChangeQuerySet, filters.queryset))


def moved_page(request: HttpRequest, filters: ChangeFilter) -> dict[str, Any]:
    """One page of the changes that the filters leave, each with its reason."""
    found = filters.qs if filters.is_valid() else TierChange.objects.none()
    days = cadences()
    page = keyset_page(
        found.with_words().select_related("customer__owner"),
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
    picked = ("move", "from_tier", "to_tier", "show")
    shown = {name: request.GET.get(name, "") for name in picked}
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
                shown == {**dict.fromkeys(picked, ""), "move": move},
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
    """The list alone, for htmx."""
    every = change_tabs(request, filters) + moved.get("tabs", [])
    context = {"run": job, **moved, "tabs": every}
    response = render(request, "tiers/_moved.html", context)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return push_url(response, address(request, NAMES))
