"""What we never collect: the fields empty most often, by team and rep (P4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe
from django_htmx.http import push_url

from accounts.access import may, needs
from accounts.models import User
from crm.lib.export import stream_table
from crm.lib.htmx import page_or_part, wants_part
from crm.lib.listing import address, found_by
from customers import gaps
from customers.assigning_gaps import may_be_assigned
from customers.filters import CustomerFilter, chips, teams_in_sight
from customers.gaps import Gap, Group, Report, Tally
from customers.models import Customer, CustomerQuerySet

#: What narrows the report, and with it the lists that its figures open.
SCOPE = ("team", "owner", "division", "filed_from", "filed_to")
#: Reps on the page, and gaps named of each group; the export has all.
REPS_SHOWN = 30
GAPS_NAMED = 3


def scope(request: HttpRequest, asked: dict[str, str]) -> CustomerFilter:
    """The customers in sight that the report is about, narrowed by SCOPE alone."""
    picked = {name: asked.get(name, "") for name in SCOPE}
    user = cast(User, request.user)
    return CustomerFilter(picked, queryset=Customer.objects.visible_to(user), request=request)


def report_of(request: HttpRequest, filters: CustomerFilter) -> Report:
    customers = cast(CustomerQuerySet, found_by(filters))
    return gaps.report(customers, teams_in_sight(request))


@require_safe
@needs("reports:read")
def completeness(request: HttpRequest) -> HttpResponse:
    """The report; every figure opens the customers behind it, htmx gets the figures."""
    filters = scope(request, request.GET.dict())
    report = report_of(request, filters)
    picked = {name: request.GET[name] for name in SCOPE if request.GET.get(name)}
    spreads = list(report.spreads())
    context = {
        "report": report,
        "filters": filters,
        "chips": chips(filters, SCOPE),
        "spreads": [
            {
                "gap": one.gap,
                "width": f"{100 * one.gap.share:.0f}%",
                "url": listed(picked, missing=one.gap.wanted.name),
                "hand_out": hand_out(one.gap, picked, cast(User, request.user)),
                "worst": one.worst and side(one.worst, one.gap.wanted.name, picked),
                "best": one.best and side(one.best, one.gap.wanted.name, picked),
            }
            for one in spreads
        ],
        "teams": [group(one, picked) for one in report.teams],
        "reps": [group(one, picked) for one in report.reps[:REPS_SHOWN]],
        "reps_left": max(len(report.reps) - REPS_SHOWN, 0),
        "query": urlencode(picked),
    }
    response = page_or_part(request, "customers/gaps.html", "customers/_gaps.html", context)
    if wants_part(request):
        push_url(response, address(request, SCOPE))
    return response


def listed(picked: dict[str, str], **more: str) -> str:
    """The address of the list of customers behind a figure."""
    query = {name: value for name, value in {**picked, **more}.items() if value}
    return f"{reverse('customers:list')}?{urlencode(query)}"


def hand_out(gap: Gap, picked: dict[str, str], user: User) -> str:
    """Where people are asked to fill the gap; "" where nobody can be, or `user` may not ask."""
    name = gap.wanted.name
    if not (gap.empty and may_be_assigned(name) and may(user, "customers:assign")):
        return ""
    return f"{reverse('customers:assignment-new')}?{urlencode({**picked, 'missing': name})}"


def side(one: Group, field: str, picked: dict[str, str]) -> dict[str, Any]:
    """How often one group leaves a field empty, and the list of those customers."""
    return {
        "name": one.name,
        "share": one.tally.share(field),
        "url": listed({**picked, **one.narrowed}, missing=field),
    }


def group(one: Group, picked: dict[str, str]) -> dict[str, Any]:
    """The line of a team or rep: its figures, and the gaps that are worst there."""
    narrowed = {**picked, **one.narrowed}
    return {
        "name": one.name,
        "tally": one.tally,
        "url": listed(narrowed),
        "gaps": [
            (gap, listed(narrowed, missing=gap.wanted.name))
            for gap in one.tally.gaps[:GAPS_NAMED]
            if gap.empty
        ],
    }


@require_safe
@needs("reports:read")
def export(request: HttpRequest) -> HttpResponse:
    """The whole report as an Excel or CSV file."""
    report = report_of(request, scope(request, request.GET.dict()))
    name = _("Completeness %(day)s") % {"day": timezone.localdate().isoformat()}
    return stream_table(name, head(), rows(report), request.GET.get("format", "xlsx"))


def head() -> list[str]:
    return [
        _("Group"), _("Name"), _("Customers"), _("Completeness"), pgettext("of a file", "Field"),
        _("Weight"), _("Empty"), _("Share"),
    ]  # fmt: skip


def rows(report: Report) -> Iterator[tuple[object, ...]]:
    """One row for each group and field, the worst first."""
    groups: list[tuple[str, str, Tally]] = [(_("All"), "", report.total)]
    groups += [(_("Team"), one.name, one.tally) for one in report.teams]
    groups += [(_("Owner"), one.name, one.tally) for one in report.reps]
    for kind, name, tally in groups:
        for gap in tally.gaps:
            share = round(gap.share, 4)
            wanted = gap.wanted
            yield (
                kind, name, tally.customers, tally.percent, wanted.label, wanted.weight,
                gap.empty, share,
            )  # fmt: skip
