"""The customer share (P49): one calculation, those that are kept, and several beside each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import push_url

from accounts.access import needs
from accounts.exports import table_view
from accounts.models import User
from crm.lib.charts import per_cent
from crm.lib.export import Table
from crm.lib.htmx import page_or_part, wants_part
from crm.lib.keyset import keyset_page
from crm.lib.listing import address, turns
from customers import divisions
from tiers import share
from tiers.models import Scenario
from tiers.models.scenarios import ScenarioQuerySet
from tiers.share_forms import InputsForm, ScenarioForm, typed

PAGE_SIZE = 20
#: As many as stand beside each other on a screen.
MOST_COMPARED = 6
INPUTS = tuple(share.Inputs.__dataclass_fields__)
#: What the page shows before anything is typed: the worked example of P49.
EXAMPLE = share.Inputs(
    population=5_000_000,
    age_share=Fraction(15, 100),
    reachable_share=Fraction(20, 100),
    valid_share=Fraction(2, 3),
    spender_share=Fraction(20, 100),
    yearly_spend=share.amount(Fraction(3000)),
)


@dataclass(frozen=True, slots=True)
class Stage:
    """A line of the funnel: whole people, the bar's width, and the share of the line above."""

    label: str
    people: int
    width: str
    of_above: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A calculation as people read it."""

    inputs: share.Inputs
    outcome: share.Outcome

    @classmethod
    def of(cls, inputs: share.Inputs) -> Shown:
        return cls(inputs, share.work_out(inputs))

    @property
    def group(self) -> int:
        return share.people(self.outcome.group)

    @property
    def reachable(self) -> int:
        return share.people(self.outcome.reachable)

    @property
    def won(self) -> int:
        return share.people(self.outcome.won)

    @property
    def spenders(self) -> int:
        return share.people(self.outcome.spenders)

    @property
    def share(self) -> float | None:
        return None if self.outcome.share is None else float(self.outcome.share)

    @property
    def revenue(self) -> Any:
        return share.amount(self.outcome.revenue)

    @property
    def written(self) -> dict[str, str]:
        """The shares that went in, as 15 % or 2/3."""
        return {name: share.written(getattr(self.inputs, name)) for name in share.SHARES}

    def stages(self) -> list[Stage]:
        given, found = self.inputs, self.outcome
        lines: list[tuple[str, Fraction, Fraction | None]] = [
            (_("Population"), Fraction(given.population), None),
            (_("Right age"), found.group, given.age_share),
            (_("Reachable"), found.reachable, given.reachable_share),
            (pgettext("a share of the target group", "Won"), found.won, given.valid_share),
            (_("Buy every year"), found.spenders, given.spender_share),
        ]
        return [
            Stage(
                label,
                share.people(number),
                bar(number / given.population),
                "" if part is None else share.written(part),
            )
            for label, number, part in lines
        ]


def bar(part: Fraction) -> str:
    """The width of a bar, in per cent."""
    return f"{per_cent(share.amount(part * 100) / 100)}%"


def in_sight(user: User) -> ScenarioQuerySet:
    return Scenario.objects.visible_to(user).select_related("owner")


@require_http_methods(["GET", "HEAD", "POST"])
@needs("reports:read")
def calculate(request: HttpRequest) -> HttpResponse:
    """A calculation from the figures of the address, at first from an example; kept by POST."""
    user = cast(User, request.user)
    if request.method == "POST":
        return _posted(request, Scenario(owner=user))
    return _answer(request, Scenario(owner=user), EXAMPLE)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("reports:read")
def scenario(request: HttpRequest, pk: int) -> HttpResponse:
    """A calculation that was kept: look, try other figures, save them."""
    if request.method == "POST":
        return _change(request, pk)
    kept = get_object_or_404(in_sight(cast(User, request.user)), pk=pk)
    return _answer(request, kept, kept.inputs)


@transaction.atomic
def _change(request: HttpRequest, pk: int) -> HttpResponse:
    user = cast(User, request.user)
    kept = get_object_or_404(in_sight(user).select_for_update(of=("self",)), pk=pk)
    if request.POST.get("act") != "compute" and not kept.may_be_changed_by(user):
        raise PermissionDenied
    return _posted(request, kept)


def _posted(request: HttpRequest, kept: Scenario) -> HttpResponse:
    """Save the form; the button that only computes leads to the address of its figures."""
    if request.POST.get("act") == "compute":
        figures = {name: request.POST.get(name, "") for name in INPUTS}
        return redirect(f"{request.path}?{urlencode(figures)}")
    form = ScenarioForm(request.POST, instance=kept)
    if form.is_valid():
        saved = form.save()
        messages.success(request, _("Saved as “%(name)s”.") % {"name": saved.name})
        return redirect("tiers:share-scenario", pk=saved.pk)
    # what was typed is in the form; what it comes to is shown where it makes sense
    tried = InputsForm(request.POST)
    shown = Shown.of(tried.inputs) if tried.is_valid() else None
    return render(request, "tiers/share.html", _page(request, form, shown), status=422)


def _answer(request: HttpRequest, kept: Scenario, start: share.Inputs) -> HttpResponse:
    """The page, or to htmx what the typed figures come to."""
    given = any(name in request.GET for name in INPUTS)
    form = InputsForm(request.GET if given else typed(start))
    shown = Shown.of(form.inputs) if form.is_valid() else None
    if wants_part(request) and request.headers.get("HX-Target") == "outcome":
        context: dict[str, Any] = {"shown": shown, "faults": form.faults()}
    else:
        initial = {name: form[name].value() for name in INPUTS}
        full = ScenarioForm(instance=kept, initial=initial)
        context = {
            **_page(request, full, shown),
            "faults": form.faults(),
            "example": start is EXAMPLE and not given,
            "tried": kept.pk and given,
        }
    response = page_or_part(request, "tiers/share.html", "tiers/_share_outcome.html", context)
    if wants_part(request):
        push_url(response, address(request, INPUTS))
    return response


def _page(request: HttpRequest, form: ScenarioForm, shown: Shown | None) -> dict[str, Any]:
    user = cast(User, request.user)
    kept = form.instance
    page = keyset_page(
        in_sight(user),
        order=("-updated_at", "-id"),
        cursor=request.GET.get("cursor", ""),
        size=PAGE_SIZE,
    )
    return {
        "form": form,
        "kept": kept if kept.pk else None,
        "name": kept.was("name"),
        "may_change": bool(kept.pk) and kept.may_be_changed_by(user),
        "shown": shown,
        "page": page,
        "rows": [(one, Shown.of(one.inputs), divisions.name(one.division)) for one in page.rows],
        **turns(request, (*INPUTS, "cursor"), page),
    }


@require_POST
@needs("reports:read")
@transaction.atomic
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a calculation; today it can be brought back."""
    user = cast(User, request.user)
    kept = get_object_or_404(in_sight(user).select_for_update(of=("self",)), pk=pk)
    if not kept.may_be_changed_by(user):
        raise PermissionDenied
    kept.delete()
    messages.success(
        request,
        _("The calculation “%(name)s” is deleted.") % {"name": kept.name},
        extra_tags=reverse("tiers:share-restore", args=[pk]),
    )
    return redirect("tiers:share")


@require_POST
@needs("reports:read")
def restore(request: HttpRequest, pk: int) -> HttpResponse:
    """Bring back a calculation that the reader deleted today."""
    user = cast(User, request.user)
    try:
        with transaction.atomic():
            kept = Scenario.objects.restore(pk=pk, by=user, now=timezone.now())
    except (ValidationError, IntegrityError):
        messages.error(request, _("There is a calculation of this name again already."))
        return redirect("tiers:share")
    if kept is None:
        raise Http404
    messages.success(request, _("The calculation “%(name)s” is back.") % {"name": kept.name})
    return redirect("tiers:share-scenario", pk=pk)


def picked(request: HttpRequest) -> ScenarioQuerySet:
    """The calculations in sight that the address names with `of`; all of them without."""
    found = in_sight(cast(User, request.user))
    texts = request.GET.getlist("of")
    if not texts:
        return found
    return found.filter(pk__in=[int(text) for text in texts if text.isdecimal() and len(text) < 18])


@require_safe
@needs("reports:read")
def compare(request: HttpRequest) -> HttpResponse:
    """Some calculations side by side; the first one is what the others are measured against."""
    found = list(picked(request).order_by("name", "pk")[: MOST_COMPARED + 1])
    if len(found) < 2 or "of" not in request.GET:
        messages.info(request, _("Pick at least two calculations to compare."))
        return redirect("tiers:share")
    shown = found[:MOST_COMPARED]
    columns = [(one, Shown.of(one.inputs), divisions.name(one.division)) for one in shown]
    first = columns[0][1].revenue
    context = {
        "columns": columns,
        "differences": [one.revenue - first for _kept, one, _area in columns],
        "query": urlencode([("of", one.pk) for one in shown]),
        "left_out": len(found) > MOST_COMPARED,
        "most": MOST_COMPARED,
    }
    return render(request, "tiers/share_compare.html", context)


@require_safe
@needs("reports:read")
@table_view
def export(request: HttpRequest) -> Table:
    """The calculations in sight, or those picked, as an Excel or CSV file."""
    found = picked(request).order_by("name", "pk")
    head = [_("Name"), _("Area"), _("Owner"), _("Shared"), *figures_head(), _("Notes")]

    def rows() -> Iterator[tuple[object, ...]]:
        for one in found.iterator(chunk_size=500):
            yield (
                one.name, divisions.name(one.division), one.owner.display_name, one.shared,
                *figures_row(Shown.of(one.inputs)), one.notes,
            )  # fmt: skip

    name = _("Customer share %(day)s") % {"day": timezone.localdate().isoformat()}
    return Table(name, head, rows(), counted=found)


def figures_head() -> list[str]:
    """The titles of a calculation's inputs and results in a file."""
    return [
        _("Population"), _("Right age"), _("Reachable"),
        pgettext("a share of the target group", "Won"), _("Buy every year"), _("Spends a year"),
        pgettext("of the right age", "Group"), _("Target group"), _("Customers won"),
        _("Customer share"), _("Revenue"),
    ]  # fmt: skip


def figures_row(shown: Shown) -> tuple[object, ...]:
    """The inputs and results of a calculation in a file; shares from 0 to 1 with six places."""
    given = shown.inputs
    shares = [round(float(getattr(given, name)), 6) for name in share.SHARES]
    return (
        given.population, *shares, given.yearly_spend, shown.group, shown.reachable, shown.won,
        None if shown.share is None else round(shown.share, 6), shown.revenue,
    )  # fmt: skip
