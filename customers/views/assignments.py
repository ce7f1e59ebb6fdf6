"""Gaps of the files that people are asked to fill: handing out, progress, withdrawing (P4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext, pgettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import may, needs
from accounts.exports import table_view
from accounts.models import User
from crm.lib.export import Table
from crm.lib.listing import (
    found_by,
    list_answer,
    parameters,
    quick_filters,
    shown,
)
from crm.lib.text import Text
from customers import assigning_gaps, completeness
from customers.filters import chips
from customers.forms.assignments import AssignForm
from customers.models import Assignment, CustomerQuerySet
from customers.record_filters import AssignmentFilter
from customers.views.completeness import SCOPE, scope

TABS: tuple[tuple[Text, dict[str, str]], ...] = (
    (pgettext_lazy("gap to fill", "Open"), {}),
    (pgettext_lazy("gap to fill", "Late"), {"state": "late"}),
    (gettext_lazy("Filled"), {"state": "filled"}),
    (gettext_lazy("Withdrawn"), {"state": "withdrawn"}),
)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("customers:assign")
def new(request: HttpRequest) -> HttpResponse:
    """Ask the owners of files that lack something to find it out by a day."""
    user, now = cast(User, request.user), timezone.now()
    asked = (request.POST if request.method == "POST" else request.GET).dict()
    wanted = asked.get("missing", "")
    if not assigning_gaps.may_be_assigned(wanted):
        return redirect("customers:completeness")
    customers = cast(CustomerQuerySet, found_by(scope(request, asked)))
    form = AssignForm(
        request.POST if request.method == "POST" else None,
        shares=assigning_gaps.shares(customers, wanted),
        today=timezone.localdate(now),
    )
    if form.is_valid():
        try:
            made = assigning_gaps.assign(
                customers,
                wanted,
                owners=form.cleaned_data["owners"],
                due_on=form.cleaned_data["due_on"],
                by=user,
                now=now,
            )
        except ValidationError as refused:
            form.add_error(
                None if not hasattr(refused, "error_dict") else "due_on", refused.messages
            )
        else:
            people = len(made)
            said = ngettext("Asked %(n)d person.", "Asked %(n)d people.", people) % {"n": people}
            messages.success(request, said)
            return redirect("customers:assignments")
    context = {
        "form": form,
        "wanted": completeness.BY_NAME[wanted],
        "narrowed": {name: asked[name] for name in SCOPE if asked.get(name)},
        "total": sum(one.count for one in form.shares.values()),
        "most": assigning_gaps.MOST,
    }
    return render(request, "customers/assignment_form.html", context)


def _filtered(request: HttpRequest) -> AssignmentFilter:
    seen = Assignment.objects.visible_to(cast(User, request.user))
    return AssignmentFilter(request.GET, queryset=seen, request=request, today=timezone.localdate())


@require_safe
@needs("customers:read")
def list_(request: HttpRequest) -> HttpResponse:
    """What people in sight are asked to fill, with how much is left of it."""
    user = cast(User, request.user)
    filters = _filtered(request)
    found = found_by(filters).select_related("owner", "by")
    order = ("due_on", "id") if filters.shows_open else ("-due_on", "-id")
    context = shown(request, filters, found, order=order, tabs=("state",))
    context |= {
        "rows": with_progress(context["page"].rows),
        "chips": chips(filters, ("wanted", "owner", "team", "due_from", "due_to")),
        "tabs": quick_filters(request, parameters(filters), TABS),
        "today": timezone.localdate(),
        "may_assign": may(user, "customers:assign"),
        "may_report": may(user, "reports:read"),
    }
    return list_answer(
        request, "customers/assignments.html", "customers/_assignments_list.html", context
    )


def with_progress(assignments: list[Assignment]) -> list[dict[str, Any]]:
    """Each with how many of its files are left, and the list of those."""
    left = assigning_gaps.left(assignments)
    return [
        {
            "assignment": one,
            "label": capfirst(str(one)),
            "left": left[one.pk],
            "filled": one.total - left[one.pk],
            "percent": 100 * (one.total - left[one.pk]) // max(one.total, 1),
            "url": f"{reverse('customers:list')}?missing={one.wanted}&assigned={one.pk}",
        }
        for one in assignments
    ]


@require_safe
@needs("customers:read")
@table_view
def export(request: HttpRequest) -> Table:
    """The filtered list."""
    found = found_by(_filtered(request)).order_by("due_on", "pk")
    name = _("Gaps to fill %(day)s") % {"day": timezone.localdate().isoformat()}
    head = [pgettext("of a file", "Field"), _("Who fills it"), _("Team"), _("Due"), _("Files")]
    head += [_("Left"), _("Asked by"), _("Asked"), _("Filled"), _("Withdrawn")]
    return Table(name, head, _cells(list(found.select_related("owner__team", "by"))), counted=found)


def _cells(found: list[Assignment]) -> Iterator[tuple[object, ...]]:
    for row in with_progress(found):
        one = row["assignment"]
        yield (
            row["label"], one.owner.display_name, one.owner.team and one.owner.team.name,
            one.due_on, one.total, row["left"], one.by.display_name, one.made_at, one.settled_at,
            one.withdrawn_at,
        )  # fmt: skip


@require_POST
@needs("customers:assign")
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for it no longer."""
    assignment = _in_sight(request, pk)
    assignment.withdraw(now=timezone.now())
    messages.success(
        request,
        _("No longer asked for: %(field)s, %(name)s.")
        % {"field": assignment, "name": assignment.owner.display_name},
        extra_tags=reverse("customers:assignment-restore", args=[pk]),
    )
    return redirect("customers:assignments")


@require_POST
@needs("customers:assign")
def restore(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for it after all."""
    _in_sight(request, pk).restore()
    messages.success(request, _("It is asked for again."))
    return redirect("customers:assignments")


def _in_sight(request: HttpRequest, pk: int) -> Assignment:
    seen = Assignment.objects.visible_to(cast(User, request.user)).select_related("owner")
    return get_object_or_404(seen, pk=pk)
