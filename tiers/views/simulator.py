"""The simulator: what a trial would change, and adopting or dropping what was tried (P13)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import may, needs
from accounts.exports import table_view
from accounts.models import User
from crm.lib.export import Table
from crm.lib.formats import money, signed
from crm.lib.htmx import wants_part
from crm.lib.listing import address
from customers.filters import chips
from tiers import actions, trials
from tiers import policies as versions
from tiers.models import RunState, TierPolicy, TierRun
from tiers.policy_forms import AdoptForm
from tiers.views.policies import in_force_from
from tiers.views.report import in_scope, moved_page, moved_part, scope, tabs
from tiers.workload import Load

#: Owners on the page of a trial, most changed first; the export has all.
OWNERS_SHOWN = 20


def trial_page(request: HttpRequest, run: TierRun) -> HttpResponse:
    """A finished trial beside the tiers as they stand: counts, moves, who moves, visits."""
    user = cast(User, request.user)
    customers, filters = scope(request, user, run)
    moved = moved_page(request, filters)
    if wants_part(request) and request.headers.get("HX-Target") == "results":
        return moved_part(request, run, filters, moved)
    found = trials.compare(run, customers, in_scope(filters))
    draft, doubts = run.policy, trials.caveats(run)
    standing = TierPolicy.objects.in_force(timezone.localdate()).first()
    context = {
        "run": run,
        "draft": draft,
        "standing": standing,
        "changes": versions.differences(standing, draft) if standing else [],
        "found": found,
        "shares": [line(share) for share in found.shares[:OWNERS_SHOWN]],
        "owners_left": max(len(found.shares) - OWNERS_SHOWN, 0),
        "visits": shown_line(found.load),
        "caveats": doubts,
        "beside": trials.beside(run, doubts.base) if user.sees_all else [],
        "filters": filters,
        "chips": chips(filters, ("team", "owner")),
        "scope": address(request, ("team", "owner")).partition("?")[2],
        "tabs": tabs(request, found.migration),
        "sees_all": user.sees_all,
        "may_write": may(user, "tiers:write"),
        "is_draft": draft.effective_from is None,
        **moved,
    }
    return render(request, "tiers/trial.html", context)


def load_line(load: Load) -> dict[str, Any]:
    """Customers, moves, and visits a month now, then and the difference, each rounded by itself."""
    return {
        "customers": load.customers,
        "moved": load.moved,
        "now": trials.visits(load.now),
        "then": trials.visits(load.then),
        "change": trials.visits(load.change),
    }


def shown_line(load: Load) -> dict[str, Any]:
    """The same for the page: visits with one decimal, the difference with its sign."""
    exact = load_line(load)
    return {
        **exact,
        "now": money(exact["now"], 1),
        "then": money(exact["then"], 1),
        "change": signed(exact["change"], 1) if exact["change"] else "0",
        "differs": bool(exact["change"]),
    }


def line(share: trials.Share) -> dict[str, Any]:
    return {"owner": share.owner, **shown_line(share.load)}


@require_safe
@needs("tiers:read")
@table_view
def visits_export(request: HttpRequest, pk: int) -> Table:
    """Visits a month of every owner, now and by the trial, as an Excel or CSV file."""
    user = cast(User, request.user)
    run = get_object_or_404(finished_trials(user), pk=pk)
    customers, filters = scope(request, user, run)
    found = trials.compare(run, customers, in_scope(filters))
    head = [_("Owner"), _("Customers"), _("Moved"), _("Visits a month now"), _("then"), _("Change")]

    def rows() -> Iterator[tuple[object, ...]]:
        for share in found.shares:
            shown = load_line(share.load)
            owner = share.owner.display_name if share.owner else _("no owner")
            yield (owner, *shown.values())
        yield (_("Total"), *load_line(found.load).values())

    name = _("Visits by %(policy)s") % {"policy": str(run.policy)}
    people = User.objects.filter(pk__in=[one.owner.pk for one in found.shares if one.owner])
    return Table(name, head, rows(), counted=people)


def finished_trials(user: User) -> Any:
    return (
        TierRun.objects.visible_to(user)
        .filter(dry_run=True, state=RunState.DONE)
        .select_related("policy")
    )


@require_http_methods(["GET", "HEAD", "POST"])
@needs("tiers:write")
def adopt(request: HttpRequest, pk: int) -> HttpResponse:
    """From which day the tried policy decides, once more in words, and the deed itself."""
    user = cast(User, request.user)
    run = get_object_or_404(finished_trials(user), pk=pk)
    today = timezone.localdate()
    if run.policy.effective_from is not None:
        messages.info(request, in_force_from(run.policy))
        return redirect("tiers:policy", pk=run.policy_id)
    form = AdoptForm(
        request.POST or None, today=today, initial={"effective_from": versions.next_month(today)}
    )
    if request.method == "POST" and form.is_valid():
        try:
            made = versions.adopt(run.policy, day=form.cleaned_data["effective_from"], today=today)
        except ValidationError as refused:
            form.add_error(None, refused)
        else:
            messages.success(request, in_force_from(made))
            return redirect("tiers:policy", pk=made.pk)
    customers, filters = scope(request, user, run)
    found = trials.compare(run, customers, in_scope(filters))
    standing = TierPolicy.objects.in_force(today).first()
    context = {
        "run": run,
        "form": form,
        "found": found,
        "visits": shown_line(found.load),
        "changes": versions.differences(standing, run.policy) if standing else [],
        "caveats": trials.caveats(run),
        "sees_all": user.sees_all,
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "tiers/adopt.html", context, status=status)


@require_POST
@needs("tiers:write")
def drop(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget a tried policy that was not adopted, with its trials, be they under way or not."""
    user = cast(User, request.user)
    trial = TierRun.objects.visible_to(user).filter(dry_run=True).select_related("policy")
    run = get_object_or_404(trial, pk=pk)
    name = str(run.policy)
    try:
        versions.drop(run.policy)
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
        return redirect("tiers:run", pk=pk)
    messages.success(request, _("%(policy)s was dropped.") % {"policy": name})
    return redirect("tiers:policies")


@require_POST
@needs("tiers:write")
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Call off a run that waits or is at work, a trial or one that would decide."""
    user = cast(User, request.user)
    run = get_object_or_404(TierRun.objects.visible_to(user), pk=pk)
    try:
        actions.cancel_run(run=run, by=user, now=timezone.now())
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
    else:
        messages.success(request, _("The run was cancelled; it changes nothing."))
    return redirect("tiers:run", pk=pk)
