"""Who read and who changed a customer's file (P6)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from accounts.access import may, needs
from accounts.models import User
from crm.lib.export import stream_table
from crm.lib.htmx import page_or_part, wants_part
from crm.lib.listing import Tab
from crm.lib.text import Text
from customers.filelog import MOST_EXPORTED, Kind, Told, page
from customers.models import Customer
from customers.views.files import by_day, file_frame, in_sight, moment, opened


def told_to(user: User, asked: str) -> frozenset[Kind]:
    """What is shown: who sees the file sees its changes, but not everybody who else reads it."""
    offered = {Kind.CHANGED, Kind.READ} if may(user, "reads:read") else {Kind.CHANGED}
    return frozenset({kind for kind in offered if kind == asked} or offered)


@require_safe
@needs("customers:read")
def log(request: HttpRequest, pk: int) -> HttpResponse:
    """Reads by day and changes with before and after, newest first; htmx gets the older ones."""
    user = cast(User, request.user)
    customer = get_object_or_404(in_sight(user), pk=pk)
    opened(request, customer)
    asked = request.GET.get("kind", "")
    before = moment(request.GET.get("before", ""))
    lines, older = page(customer, user, kinds=told_to(user, asked), before=before)
    context = {
        **file_frame(customer, user, "log"),
        "days": by_day(lines),
        "older": older,
        "kind": asked,
        "kinds": kinds(customer, user, asked),
        "begun_on": timezone.localtime(before).date() if before and wants_part(request) else None,
        "before": before,
    }
    return page_or_part(request, "customers/filelog.html", "customers/_filelog.html", context)


def kinds(customer: Customer, user: User, asked: str) -> list[Tab]:
    """The filters of the log; none where there is one kind only."""
    if not may(user, "reads:read"):
        return []
    url = reverse("customers:log", args=[customer.pk])
    offered: list[tuple[str, Text]] = [("", _("All"))]
    offered += [(kind.value, capfirst(kind.label)) for kind in Kind]
    return [
        Tab(label, f"{url}?kind={name}" if name else url, name == asked) for name, label in offered
    ]


@require_safe
@needs("customers:read")
def export(request: HttpRequest, pk: int) -> HttpResponse:
    """The log as an Excel or CSV file, one row for each field that changed."""
    user = cast(User, request.user)
    customer = get_object_or_404(in_sight(user), pk=pk)
    shown = told_to(user, request.GET.get("kind", ""))
    lines, _older = page(customer, user, kinds=shown, limit=MOST_EXPORTED)
    name = _("Log of %(name)s") % {"name": customer.name}
    head = [_("Time"), _("Who"), _("What"), _("Times"), _("Record")]
    head += [pgettext("of a file", "Field"), _("Before"), _("After")]
    return stream_table(name, head, export_rows(lines), request.GET.get("format", "xlsx"))


def export_rows(lines: list[Told]) -> Iterator[tuple[object, ...]]:
    for one in lines:
        if one.line is None:
            yield (one.at, one.who, one.kind.label, one.times, None, None, None, None)
            continue
        what = one.line.entry.get_action_display()
        record = f"{one.line.kind}: {one.line.entry.object_name}"
        for change in one.line.changes:
            yield (one.at, one.who, what, None, record, change.field, change.before, change.after)
        if not one.line.changes:
            yield (one.at, one.who, what, None, record, None, None, None)
