"""The pages of market information (P26): the list, one piece, writing and changing it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import may, needs
from accounts.exports import table_view
from accounts.history import described
from accounts.models import AuditEntry, User
from crm.lib.export import Table
from crm.lib.keyset import count_up_to
from crm.lib.listing import found_by, list_answer, parameters, quick_filters, shown
from crm.lib.text import Text
from customers.filters import chips
from customers.models import Customer
from visits.actions import write_information
from visits.information_filters import MarketInformationFilter
from visits.information_forms import InformationForm
from visits.informing import fits, whom_it_helps
from visits.models import MarketInformation, Sending
from visits.taking_up import Tally, by_information

LATEST = ("-learned_on", "-id")
CHIPS = ("source", "by", "learned_from", "learned_to")
#: Customers and sendings that the page of one piece shows.
OFFERED, RECEIVED = 6, 12


def _filtered(request: HttpRequest) -> MarketInformationFilter:
    rows = MarketInformation.objects.visible_to(request.user).select_related("by")
    return MarketInformationFilter(request.GET, queryset=rows, request=request)


def _tallies(user: User, ids: Any) -> dict[int, Tally]:
    """How many customers in sight received each piece, and what came of it, by its id."""
    return by_information(Sending.objects.visible_to(user).filter(information__in=ids))


@require_safe
@needs("customers:read")
def information_list(request: HttpRequest) -> HttpResponse:
    """What is known of the market, the latest first, and how far it got."""
    user = cast(User, request.user)
    today = timezone.localdate()
    filters = _filtered(request)
    on = today.isoformat()
    tabs: tuple[tuple[Text, dict[str, str]], ...] = (
        (pgettext_lazy("market information", "All"), {}),
        (gettext_lazy("In time"), {"in_time_on": on}),
        (gettext_lazy("Expired"), {"expired_on": on}),
    )
    context = shown(
        request, filters, found_by(filters), order=LATEST, tabs=("in_time_on", "expired_on")
    )
    counted = _tallies(user, [row.pk for row in context["page"].rows])
    context |= {
        "chips": chips(filters, CHIPS),
        "tabs": quick_filters(request, parameters(filters), tabs),
        "rows": [
            {
                "information": row,
                "helps": whom_it_helps(row),
                "in_time": row.is_in_time(today),
                "tally": counted.get(row.pk),
            }
            for row in context["page"].rows
        ],
        "may_write": may(user, "visits:write"),
    }
    return list_answer(request, "visits/information.html", "visits/_information_list.html", context)


@require_safe
@needs("customers:read")
@table_view
def information_export(request: HttpRequest) -> Table:
    """The filtered list as an Excel or CSV file."""
    user = cast(User, request.user)
    found = found_by(_filtered(request)).order_by(*LATEST)
    head = [
        _("Title"),
        pgettext("of information", "Text"),
        _("Source"),
        _("Where from"),
        _("Learned"),
        _("In time until"),
        _("Whom it helps"),
        _("Written by"),
        _("Sent to"),
        pgettext("information", "Taken up"),
        pgettext("information", "Not taken up"),
        pgettext("information", "Waiting"),
    ]
    name = _("Market information %(day)s") % {"day": timezone.localdate()}
    return Table(name, head, _cells(found, user), counted=found)


def _cells(found: Any, user: User) -> Iterator[tuple[object, ...]]:
    counted = _tallies(user, found.values("pk"))
    for row in found.iterator(chunk_size=1000):
        tally = counted.get(row.pk) or Tally("", 0, 0, 0, 0)
        yield (
            row.title,
            row.text,
            row.get_source_display(),
            row.where,
            row.learned_on,
            row.valid_until,
            whom_it_helps(row),
            row.by.display_name,
            tally.sent,
            tally.taken_up,
            tally.not_taken_up,
            tally.waiting,
        )


def one(request: HttpRequest, pk: int) -> MarketInformation:
    """A piece of information, which everybody sees who may read customers."""
    rows = MarketInformation.objects.visible_to(request.user).select_related("by")
    return get_object_or_404(rows, pk=pk)


@require_safe
@needs("customers:read")
def information(request: HttpRequest, pk: int) -> HttpResponse:
    """One piece: its text, whom it helps, whom it fits, who received it and what came of it."""
    user = cast(User, request.user)
    today = timezone.localdate()
    known = one(request, pk)
    fitting = fits(known, Customer.objects.visible_to(user), today=today)
    received = (
        Sending.objects.visible_to(user)
        .filter(information=known)
        .select_related("customer", "by", "contact")
        .order_by("-sent_at", "-pk")
    )
    context = {
        "information": known,
        "helps": whom_it_helps(known),
        "in_time": known.is_in_time(today),
        "fitting": fitting.select_related("owner").order_by("name", "pk")[:OFFERED],
        "fitting_count": count_up_to(fitting),
        "received": received[:RECEIVED],
        "tally": _tallies(user, [known.pk]).get(known.pk),
        "changes": described(AuditEntry.objects.of(known).order_by("-id")[:20]),
        "may_write": may(user, "visits:write"),
        "may_change": known.may_be_changed(user),
    }
    return render(request, "visits/information_detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("visits:write")
def information_new(request: HttpRequest) -> HttpResponse:
    """Write down what was read, heard or seen."""
    user = cast(User, request.user)
    form = InformationForm(request.POST or None, today=timezone.localdate())
    if request.method == "POST" and form.is_valid():
        known = write_information(
            information=form.save(commit=False),
            by=user,
            client_id=form.cleaned_data["client_id"],
        )
        messages.success(request, _("The information is on file."))
        return redirect("visits:information", pk=known.pk)
    status = 422 if form.errors else 200
    return render(request, "visits/information_form.html", {"form": form}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("visits:write")
@transaction.atomic
def information_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change it, unless somebody else did since the form was opened; its author and managers."""
    known = one(request, pk)
    if not known.may_be_changed(cast(User, request.user)):
        raise PermissionDenied
    if request.method == "POST":
        known = MarketInformation.objects.select_for_update(of=("self",)).get(pk=pk)
    title = known.title
    form = InformationForm(request.POST or None, instance=known, today=timezone.localdate())
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("visits:information", pk=pk)
    context = {"form": form, "information": known, "title": title}
    status = 422 if form.errors else 200
    return render(request, "visits/information_form.html", context, status=status)
