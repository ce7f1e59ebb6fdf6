"""The policy and its versions: which decides when, what changed, and making a new one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import may, needs
from accounts.exports import table_view
from accounts.history import described
from accounts.models import AuditEntry, User
from crm.lib.export import Table
from crm.lib.formats import day as day_of
from tiers import policies as versions
from tiers.described import grouped, told
from tiers.models import TierPolicy, TierRun
from tiers.policy_forms import NewVersionForm, PlannedForm

#: Runs of a version, and drafts with trials, that the pages show; the list of runs has all.
RUNS_SHOWN = 5
DRAFTS_SHOWN = 20


@require_safe
@needs("tiers:read")
def policies(request: HttpRequest) -> HttpResponse:
    """All versions with what each changed, and the trials that nobody has decided on."""
    user = cast(User, request.user)
    every = list(TierPolicy.objects.visible_to(user))
    found = versions.history(every, timezone.localdate())
    signed = versions.signatures([one.policy for one in found])
    current = next((one.policy for one in found if one.stage == versions.Stage.IN_FORCE), None)
    drafts = [policy for policy in every if policy.effective_from is None]
    trials = (
        TierRun.objects.visible_to(user)
        .filter(policy__in=drafts, dry_run=True)
        .select_related("policy", "requested_by")[:DRAFTS_SHOWN]
    )
    context = {
        "versions": [(one, signed.get(one.policy.pk)) for one in found],
        "trials": [
            (run, versions.differences(current, run.policy) if current else []) for run in trials
        ],
        "may_write": may(user, "tiers:write"),
    }
    return render(request, "tiers/policies.html", context)


@require_safe
@needs("tiers:read")
@table_view
def export(request: HttpRequest) -> Table:
    """All versions, drafts at the end, with every value in words and what it changed.

    A draft is set against the version in force.
    """
    today = timezone.localdate()
    every = TierPolicy.objects.visible_to(cast(User, request.user))
    dated = versions.history(every, today)
    current = next((one.policy for one in dated if one.stage == versions.Stage.IN_FORCE), None)
    drafts = [
        versions.Version(
            policy,
            versions.Stage.DRAFT,
            None,
            current,
            versions.differences(current, policy) if current else [],
        )
        for policy in every
        if policy.effective_from is None
    ]
    found = [*dated, *drafts]
    signed = versions.signatures([one.policy for one in dated])
    head = [
        _("Version"), _("State"), _("From"), _("Until"), pgettext("person", "By"), _("At"),
        _("What changed"),
    ]  # fmt: skip
    head += [label for label, _value in told(TierPolicy()).values()]

    def rows() -> Iterator[tuple[object, ...]]:
        for one in found:
            entry = signed.get(one.policy.pk)
            yield (
                str(one.policy),
                one.stage.label,
                one.policy.effective_from if one.before else None,  # the first: from the start
                one.until if one.stage != versions.Stage.REPLACED else None,
                (entry.actor_name or entry.get_through_display()) if entry else "",
                entry.at if entry else None,
                "; ".join(f"{c.field}: {c.before} → {c.after}" for c in one.changes),
                *(value for _label, value in told(one.policy).values()),
            )

    name = _("Tier policies %(day)s") % {"day": today.isoformat()}
    return Table(name, head, rows(), counted=every)


@require_safe
@needs("tiers:read")
def policy(request: HttpRequest, pk: int) -> HttpResponse:
    """One version: all it says, what it changed, who made it, and the runs that it decided."""
    user = cast(User, request.user)
    every = list(TierPolicy.objects.visible_to(user))
    shown = next((one for one in every if one.pk == pk), None)
    if shown is None:
        raise Http404
    today = timezone.localdate()
    found = versions.history(every, today)
    version = next((one for one in found if one.policy == shown), None)
    runs = list(shown.runs.select_related("requested_by")[: RUNS_SHOWN + 1])
    context = {
        "policy": shown,
        "version": version,
        "stage": version.stage if version else versions.Stage.DRAFT,
        "groups": grouped(shown),
        "history": described(AuditEntry.objects.of(shown)[:20]),
        "runs": runs[:RUNS_SHOWN],
        "more_runs": len(runs) > RUNS_SHOWN,
        "may_write": may(user, "tiers:write"),
        "still_to_come": versions.is_still_to_come(shown, today),
        "was_used": bool(runs),
    }
    return render(request, "tiers/policy.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("tiers:write")
def policy_new(request: HttpRequest) -> HttpResponse:
    """A new version, from the values of the one in force or of the one in the address.

    It is tried first (`try`), or put into force from a day.
    """
    user = cast(User, request.user)
    today = timezone.localdate()
    base = _base(request, user)
    form = new_version_form(base, request.POST or None, today)
    if request.method == "POST" and form.is_valid():
        try:
            return _made(request, form)
        except ValidationError as refused:
            form.add_error(None, refused)
    context = {"form": form, "base": base, "policy": None}
    status = 422 if request.method == "POST" else 200
    return render(request, "tiers/policy_form.html", context, status=status)


def new_version_form(base: TierPolicy, data: QueryDict | None, today: date) -> NewVersionForm:
    """The form of a new version; what `quick` `data` leave out stays as in `base`."""
    trying = data is not None and "try" in data
    blank = NewVersionForm(instance=versions.copy_of(base), base=base, trying=trying, today=today)
    if data is None:
        return blank
    if "quick" in data:
        data = data.copy()
        for bound in blank:
            data.setdefault(bound.html_name, bound.value())
    return NewVersionForm(
        data, instance=versions.copy_of(base), base=base, trying=trying, today=today
    )


def _base(request: HttpRequest, user: User) -> TierPolicy:
    seen = TierPolicy.objects.visible_to(user)
    asked = request.GET.get("base", "")
    if asked:
        number = int(asked) if asked.isdecimal() and asked.isascii() and len(asked) < 19 else 0
        return get_object_or_404(seen, pk=number)
    in_force = seen.in_force(timezone.localdate()).first()
    return in_force or seen.first() or TierPolicy(name=_("Standard"))


def _made(request: HttpRequest, form: NewVersionForm) -> HttpResponse:
    now, today = timezone.now(), timezone.localdate()
    if form.trying:
        user = cast(User, request.user)
        run = versions.try_out(form.instance, user=user, now=now, today=today)
        return redirect("tiers:run", pk=run.pk)
    made = versions.plan(form.instance, day=form.cleaned_data["effective_from"], today=today)
    messages.success(request, in_force_from(made))
    return redirect("tiers:policy", pk=made.pk)


def in_force_from(policy: TierPolicy) -> str:
    return _("%(policy)s is in force from %(day)s.") % {
        "policy": str(policy),
        "day": day_of(policy.effective_from),
    }


@require_http_methods(["GET", "HEAD", "POST"])
@needs("tiers:write")
def policy_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a version that is still to come and that no run has used; any other is copied."""
    user = cast(User, request.user)
    today = timezone.localdate()
    shown = get_object_or_404(TierPolicy.objects.visible_to(user), pk=pk)
    if not versions.is_still_to_come(shown, today) or shown.runs.exists():
        messages.info(request, _("This version stays as it is; a new one starts from its values."))
        return redirect(f"{reverse('tiers:policy-new')}?base={shown.pk}")
    form = PlannedForm(request.POST or None, instance=shown, today=today)
    if request.method == "POST" and form.is_valid():
        try:
            made = versions.change(form.instance, today=today)
        except ValidationError as refused:
            form.add_error(None, refused)
        else:
            messages.success(request, in_force_from(made))
            return redirect("tiers:policy", pk=made.pk)
    context = {"form": form, "policy": TierPolicy.objects.get(pk=pk)}
    status = 422 if request.method == "POST" else 200
    return render(request, "tiers/policy_form.html", context, status=status)


@require_POST
@needs("tiers:write")
def policy_take_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back a version whose day lies ahead."""
    user = cast(User, request.user)
    shown = get_object_or_404(TierPolicy.objects.visible_to(user), pk=pk)
    name = str(shown)
    try:
        versions.take_back(shown, today=timezone.localdate())
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
        return redirect("tiers:policy", pk=pk)
    messages.success(request, _("%(policy)s was taken back.") % {"policy": name})
    return redirect("tiers:policies")
