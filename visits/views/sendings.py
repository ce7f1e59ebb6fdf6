"""Who received which market information, what came of it, and the shares taken up (P26)."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import may, needs, require
from accounts.exports import table_view
from accounts.history import described
from accounts.models import AuditEntry, User
from crm.lib.export import Table
from crm.lib.formats import local_day
from crm.lib.htmx import wants_part
from crm.lib.listing import (
    address,
    found_by,
    list_answer,
    parameters,
    quick_filters,
    shown,
)
from crm.lib.text import Text
from customers.filters import chips
from customers.models import Customer
from customers.views.promise_acts import version_sent
from visits.actions import take_back_sendings
from visits.information_filters import SendingFilter
from visits.information_forms import OutcomeForm
from visits.models import MarketInformation, Outcome, Sending, Suggestion
from visits.taking_up import Tally, by_month, by_person, by_source, tally

LATEST = ("-sent_at", "-id")
CHIPS = ("source", "way", "by", "sent_from", "sent_to", "late", "owner", "team")
REPORT_CHIPS = ("sent_from", "sent_to", "owner", "team")
TABS: tuple[tuple[Text, dict[str, str]], ...] = (
    (pgettext_lazy("sent information", "All"), {}),
    *((Outcome(value).label, {"outcome": value}) for value in Outcome.values),
)
#: Rows that the panel on a customer's file shows of each kind.
OF_CUSTOMER = 4


def _filtered(request: HttpRequest) -> SendingFilter:
    rows = Sending.objects.visible_to(request.user)
    rows = rows.select_related("information", "customer__owner", "contact", "by")
    return SendingFilter(request.GET, queryset=rows, request=request)


@require_safe
@needs("customers:read")
def sendings(request: HttpRequest) -> HttpResponse:
    """What customers in sight received, the latest first."""
    user = cast(User, request.user)
    filters = _filtered(request)
    names = parameters(filters)
    context = shown(request, filters, found_by(filters), order=LATEST, tabs=("outcome",))
    context |= {
        "chips": chips(filters, CHIPS),
        "tabs": quick_filters(request, names, TABS),
        "about": _asked_for(request, "information", MarketInformation.objects.visible_to(user)),
        "customer": _asked_for(request, "customer", Customer.objects.visible_to(user)),
        "without_about": address(request, names - {"information", "cursor"}),
        "without_customer": address(request, names - {"customer", "cursor"}),
        "may_write": may(user, "visits:write"),
    }
    return list_answer(request, "visits/sendings.html", "visits/_sendings_list.html", context)


def _asked_for(request: HttpRequest, name: str, rows: Any) -> Any:
    """The record that the address narrows the list to."""
    number = request.GET.get(name, "")
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    return rows.filter(pk=int(number)).first()


@require_safe
@needs("customers:read")
@table_view
def sendings_export(request: HttpRequest) -> Table:
    """The filtered list as an Excel or CSV file."""
    found = found_by(_filtered(request)).order_by(*LATEST)
    head = [
        _("Information"),
        _("Source"),
        _("Customer"),
        _("Number in the ERP"),
        _("Owner"),
        _("To whom"),
        _("Way of contact"),
        _("Sent"),
        _("Sent by"),
        _("In time until"),
        _("In time"),
        _("Outcome"),
        _("In words"),
        _("Outcome on"),
        _("Note"),
    ]
    name = _("Sent information %(day)s") % {"day": timezone.localdate()}
    return Table(name, head, map(_cells, found.iterator(chunk_size=1000)), counted=found)


def _cells(row: Sending) -> tuple[object, ...]:
    owner = row.customer.owner
    return (
        row.information.title,
        row.information.get_source_display(),
        row.customer.name,
        row.customer.external_id,
        owner and owner.display_name,
        row.contact and row.contact.name,
        row.get_way_display(),
        row.sent_at,
        row.by.display_name,
        row.information.valid_until,
        _("yes") if row.was_in_time else _("no"),
        row.get_outcome_display(),
        row.outcome_words,
        row.outcome_on,
        row.note,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@needs("customers:read")
def sending_outcome(request: HttpRequest, pk: int) -> HttpResponse:
    """One customer's copy, and what came of it: one tap from a list, or with words here."""
    user = cast(User, request.user)
    if request.method == "POST":
        return _answered(request, user, pk)
    sending = _load(user, pk)
    form = OutcomeForm(
        initial={
            "outcome": Outcome.TAKEN_UP if sending.is_waiting else sending.outcome,
            "words": sending.outcome_words,
        }
    )
    return _page(request, sending, form)


def _page(request: HttpRequest, sending: Sending, form: OutcomeForm) -> HttpResponse:
    context = {
        "sending": sending,
        "form": form,
        "changes": described(AuditEntry.objects.of(sending).order_by("-id")[:20]),
        "may_write": may(request.user, "visits:write"),
    }
    status = 422 if form.errors else 200
    return render(request, "visits/sending_outcome.html", context, status=status)


def _load(user: User, pk: int) -> Sending:
    rows = Sending.objects.visible_to(user)
    return get_object_or_404(
        rows.select_related("information", "customer__owner", "contact", "by"), pk=pk
    )


@transaction.atomic
def _answered(request: HttpRequest, user: User, pk: int) -> HttpResponse:
    sending = _locked(user, pk)
    require(user, "visits:write")
    form = OutcomeForm(request.POST)
    if not form.is_valid():
        return _page(request, _load(user, pk), form)
    said = form.cleaned_data
    return _changed(request, sending, outcome=said["outcome"], words=said["words"].strip())


@require_POST
@needs("visits:write")
@transaction.atomic
def sending_wait(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back what was said of the outcome."""
    sending = _locked(cast(User, request.user), pk)
    return _changed(request, sending, outcome=Outcome.WAITING, words="")


@require_POST
@needs("visits:write")
def sending_take_back(request: HttpRequest, pk: int) -> HttpResponse:
    """It was noted by mistake: the customer did not receive it."""
    user = cast(User, request.user)
    gone = AuditEntry.objects.taken_out(Sending, pk, by=user, on=timezone.localdate())
    if gone:  # the second press of the button
        return redirect("visits:information", pk=gone["information_id"])
    sending = _load(user, pk)
    if version_sent(request) != sending.version:
        messages.error(request, _("Somebody changed this meanwhile. It is shown as it is now."))
        return redirect("visits:sending-outcome", pk=pk)
    if take_back_sendings(ids=[pk], by=user):
        messages.success(request, _("Taken back: it counts as not sent."))
    else:
        messages.error(request, _("Its outcome is known; take that back first."))
    return redirect("visits:information", pk=sending.information_id)


def _locked(user: User, pk: int) -> Sending:
    rows = Sending.objects.visible_to(user).select_for_update(of=("self",))
    return get_object_or_404(rows.select_related("information"), pk=pk)


def _changed(request: HttpRequest, sending: Sending, *, outcome: str, words: str) -> HttpResponse:
    """Bring it to this outcome, unless somebody changed it since the button was drawn."""
    undo = ""
    if (sending.outcome, sending.outcome_words) != (outcome, words):  # else the second press
        if version_sent(request) != sending.version:
            messages.error(request, _("Somebody changed this meanwhile. It is shown as it is now."))
            return redirect(_back(request, sending.pk))
        if outcome == Outcome.WAITING:
            sending.wait_again()
        else:
            sending.answer(outcome=outcome, words=words, on=timezone.localdate())
            undo = f"{reverse('visits:sending-wait', args=[sending.pk])}?version={sending.version}"
    said = {
        Outcome.WAITING: _("The outcome is open again."),
        Outcome.TAKEN_UP: _("Noted: taken up."),
        Outcome.NOT_TAKEN_UP: _("Noted: not taken up."),
    }
    messages.success(request, said[Outcome(outcome)], extra_tags=undo)
    return redirect(_back(request, sending.pk))


def _back(request: HttpRequest, pk: int) -> str:
    """The page where the button stood, else the row's own."""
    to = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(
        to, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return to if safe else reverse("visits:sending-outcome", args=[pk])


@require_safe
@needs("customers:read")
def information_report(request: HttpRequest) -> HttpResponse:
    """Which share was taken up, by source, person and month; every figure opens its rows."""
    filters = _filtered(request)
    found = found_by(filters)
    kept = {name: request.GET[name] for name in REPORT_CHIPS if request.GET.get(name)}
    base = reverse("visits:sendings")

    def rows(part: list[Tally]) -> list[dict[str, Any]]:
        return [{"row": row, "urls": _opened_by(base, {**kept, **row.narrowed})} for row in part]

    context = {
        "filters": filters,
        "chips": chips(filters, REPORT_CHIPS),
        "total": rows([tally(found)])[0],
        "parts": [
            (gettext_lazy("By source"), gettext_lazy("Source"), rows(by_source(found))),
            (gettext_lazy("By person"), gettext_lazy("Sent by"), rows(by_person(found))),
            (gettext_lazy("By month"), gettext_lazy("Month"), rows(by_month(found, kept))),
        ],
    }
    return render(request, "visits/information_report.html", context)


def _opened_by(base: str, narrowed: dict[str, str]) -> dict[str, str]:
    """The lists behind the figures of one line: all of it, and each outcome."""
    every = {"sent": narrowed}
    every |= {value: {**narrowed, "outcome": value} for value in Outcome.values}
    return {name: f"{base}?{urlencode(asked)}" for name, asked in every.items()}


@require_safe
@needs("customers:read")
def information_of_customer(request: HttpRequest, pk: int) -> HttpResponse:
    """What a customer received and what was suggested to it: a part of its file."""
    user = cast(User, request.user)
    customer = get_object_or_404(Customer.objects.visible_to(user), pk=pk)
    every = f"{reverse('visits:sendings')}?customer={customer.pk}"
    if not wants_part(request):
        return redirect(every)
    received = (
        Sending.objects.filter(customer=customer)
        .select_related("information", "by")
        .order_by("-sent_at", "-pk")
    )
    suggested = (
        Suggestion.objects.filter(customer=customer)
        .select_related("product", "by")
        .order_by("-made_on", "-pk")
    )
    context = {
        "customer": customer,
        "received": received[:OF_CUSTOMER],
        "suggested": suggested[:OF_CUSTOMER],
        "received_url": every,
        "suggested_url": f"{reverse('visits:suggestions')}?customer={customer.pk}&state=all",
        "today": local_day(timezone.now()),
        "may_write": may(user, "visits:write"),
    }
    return render(request, "visits/_information_of_customer.html", context)
