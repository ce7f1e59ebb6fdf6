"""Writing a visit down: afterwards, or as it goes on; and moving a planned one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import uuid4

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.access import needs
from accounts.models import AuditEntry, User
from crm.lib.days import day_bounds
from crm.lib.keyset import by_id_if_few
from customers.models import Customer, Promise
from orders.counting_forms import CountLines
from orders.stocktaking import to_count
from visits import actions
from visits.answers import missing
from visits.forms import (
    MAX_NEW_PRODUCTS,
    LogForm,
    MoveForm,
    RecordForm,
    VisitForm,
    new_products,
)
from visits.models import Visit, VisitStatus
from visits.views.day import is_partial, number_in
from visits.views.sightings import lines_of
from visits.views.visits import load

FOUND = 20
OPEN_PROMISES = 8


@require_http_methods(["GET", "HEAD", "POST"])
@needs("visits:write")
def new(request: HttpRequest) -> HttpResponse:
    """Write down a visit: first the customer, then the record."""
    user = cast(User, request.user)
    now = timezone.now()
    values = request.POST if request.method == "POST" else request.GET
    if not values.get("customer"):
        return _pick_customer(request, user)
    customer = get_object_or_404(
        Customer.objects.visible_to(user), pk=number_in(values["customer"])
    )
    form = LogForm(
        request.POST or None,
        initial={"at": timezone.localtime(now), "client_id": uuid4()},
        products=_products(user, now),
        answers={},
        lines=lines_of(request, customer=customer),
        counts=counts_of(request, customer=customer, at=now),
        open_promises=_open_promises(customer),
        now=now,
    )
    if form.is_valid():
        try:
            visit = actions.log_visit(
                client_id=form.cleaned_data["client_id"],
                customer=customer,
                rep=user,
                at=form.cleaned_data["at"],
                answers=form.answers(),
                words=form.cleaned_data["words"],
                purpose=form.cleaned_data["purpose"],
                close="close" in request.POST,
                now=now,
                said=actions.Said(form.promised(), form.kept_promises()),
                seen=form.lines.seen(),
                counted=form.counts.counted(),
            )
        except ValidationError as error:
            refuse(form, error)
        else:
            return _recorded(request, visit, str(form.cleaned_data["client_id"]))
    today = timezone.localdate(now)
    context = {
        "form": form,
        "today": today,
        "customer": customer,
        "open_visits": Visit.objects.visible_to(user)
        .open()
        .filter(customer=customer, rep=user, scheduled_for__lt=day_bounds(today, today)[1])
        .order_by("scheduled_for")[:3],
    }
    return render(request, "visits/log.html", context)


def _pick_customer(request: HttpRequest, user: User) -> HttpResponse:
    """The customers to choose from: those whose words match, or the reader's own."""
    words = request.GET.get("q", "")[:200].replace("\x00", "")
    in_sight = Customer.objects.visible_to(user)
    customers: QuerySet[Customer] = in_sight
    if words.strip():
        customers, _count = by_id_if_few(in_sight.named_like(words))
    elif not user.sees_all:
        customers = in_sight.filter(owner=user)
    context = {
        "words": words,
        "customers": customers.order_by("name", "pk")[:FOUND],
        "next": "visits:plan" if "plan" in request.GET else "visits:new",
    }
    template = "visits/_pick.html" if is_partial(request) else "visits/pick.html"
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@needs("visits:write")
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """The record of a visit that goes on or was closed today; a planned one is moved instead."""
    user = cast(User, request.user)
    now = timezone.now()
    visit = load(user, pk)
    if visit.status == VisitStatus.PLANNED:
        return _move(request, visit)
    if not visit.may_be_written(now) and request.method != "POST":
        messages.info(request, _("This visit is closed; its record stays as it is."))
        return redirect("visits:detail", pk=visit.pk)
    form = RecordForm(
        request.POST or None,
        initial={**VisitForm.initial_of(visit), "version": visit.version},
        products=_products(user, now),
        answers=visit.answers,
        lines=lines_of(request, customer=visit.customer, visit=visit),
        counts=counts_of(
            request, customer=visit.customer, at=visit.checked_in_at or now, visit=visit
        ),
        open_promises=_open_promises(visit.customer),
    )
    changes: list[Change] = []
    if form.is_valid():
        try:
            visit = actions.record_visit(
                visit=visit,
                answers=form.answers(),
                words=form.cleaned_data["words"],
                purpose=form.cleaned_data["purpose"],
                close="close" in request.POST,
                now=now,
                version=form.cleaned_data["version"],
                said=actions.Said(form.promised(), form.kept_promises()),
                seen=form.lines.seen(),
                counted=form.counts.counted(),
            )
        except ValidationError as error:
            changes = _show_refusal(form, error, visit, user)
        else:
            return _recorded(request, visit, f"{visit.pk}-{form.cleaned_data['version']}")
    context = {
        "form": form,
        "today": timezone.localdate(now),
        "visit": visit,
        "changes": changes,
        "answered": 4 - len(missing(visit.answers)),
    }
    return render(request, "visits/record.html", context)


def _move(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Another time or purpose for a planned visit."""
    initial = {
        "scheduled_for": timezone.localtime(visit.scheduled_for),
        "purpose": visit.purpose,
        "version": visit.version,
    }
    form = MoveForm(request.POST or None, initial=initial)
    changes: list[Change] = []
    if form.is_valid():
        try:
            actions.move_visit(
                visit=visit,
                to=form.cleaned_data["scheduled_for"],
                purpose=form.cleaned_data["purpose"],
                version=form.cleaned_data["version"],
            )
        except ValidationError as error:
            changes = _show_refusal(form, error, visit, cast(User, request.user))
        else:
            return redirect("visits:detail", pk=visit.pk)
    context = {"form": form, "visit": visit, "customer": visit.customer, "changes": changes}
    return render(request, "visits/plan.html", context)


def _open_promises(customer: Customer) -> list[Promise]:
    """The open promises to a customer, what is due first; the form asks whether they were kept."""
    return list(Promise.objects.open().filter(customer=customer)[:OPEN_PROMISES])


def refuse(form: Any, error: ValidationError) -> None:
    """Show a refusal at the top of the form, or at the promise that it is about."""
    if hasattr(error, "error_dict"):
        of_promise = {"due_on": "promise_due", "content": "promise"}
        for told, errors in error.error_dict.items():
            name = of_promise.get(told, told)
            form.add_error(name if name in form.fields else None, errors)
    else:
        form.add_error(None, error)


def _products(user: User, now: datetime) -> list[tuple[str, str]]:
    found = new_products(user, timezone.localdate(now))[:MAX_NEW_PRODUCTS]
    return list(found.values_list("external_id", "name"))


def _recorded(request: HttpRequest, visit: Visit, sent: str) -> HttpResponse:
    """Where a person goes on after writing: the closed visit, or the draft.

    `sent` names what visit.js keeps in the browser until it reads here that it is stored.
    """
    if visit.status == VisitStatus.DONE:
        messages.success(request, _("Visit completed."))
        response = redirect("visits:detail", pk=visit.pk)
    else:
        messages.success(request, _("Draft saved."))
        response = redirect("visits:edit", pk=visit.pk)
    response.set_cookie(
        "saved_draft", sent, max_age=3600, samesite="Lax", secure=request.is_secure()
    )
    return response


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody else wrote meanwhile: the entry, and the fields in words."""

    entry: AuditEntry
    fields: str


def _show_refusal(form: Any, error: ValidationError, visit: Visit, user: User) -> list[Change]:
    """Put a refusal on the form; returns the changes of others where they are the reason.

    The form then carries the present version: saving again is a decision made knowingly.
    """
    if getattr(error, "code", None) != "changed":
        refuse(form, error)
        return []
    seen = form.cleaned_data["version"]
    present = load(user, visit.pk).version
    form.data = form.data.copy()
    form.data["version"] = str(present)
    names = {field.attname: str(field.verbose_name) for field in Visit._meta.concrete_fields}
    names |= {name: str(label) for name, label in Visit.BESIDE.items()}
    return [
        Change(entry, " · ".join(names[name] for name in entry.after if name in names))
        for entry in AuditEntry.objects.of(visit)[: max(present - seen, 1)]
    ]


def counts_of(
    request: HttpRequest, *, customer: Customer, at: datetime, visit: Visit | None = None
) -> CountLines:
    """The lines on which the stock of `customer` is counted in the form of a visit begun `at`."""
    return CountLines(
        user=cast(User, request.user),
        stored=actions.counted_in(visit) if visit else (),
        offered=to_count(
            customer_id=customer.pk, at=at, besides=visit.stock_report_id if visit else None
        ),
        data=request.POST if request.method == "POST" else None,
    )
