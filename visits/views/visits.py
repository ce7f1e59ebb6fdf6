"""Visits: the list, one visit, writing it down, and what happens to a planned one."""

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
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import needs
from accounts.models import AuditEntry, User
from crm.lib.days import day_bounds
from crm.lib.keyset import by_id_if_few, count_up_to, keyset_page
from customers.models import Customer, Promise
from orders.models import Product
from visits import actions
from visits.answers import Answers, Care, Sales, missing
from visits.filters import VisitFilter
from visits.forms import (
    MAX_NEW_PRODUCTS,
    LogForm,
    MoveForm,
    PlaceForm,
    RecordForm,
    VisitForm,
    new_products,
)
from visits.models import Visit, VisitStatus
from visits.views.day import (
    filter_fields,
    is_partial,
    list_or_part,
    number_in,
    plan_answer,
)
from visits.views.sightings import lines_of

PAGE_SIZE = 50
FOUND = 20
OPEN_PROMISES = 8
#: Why a check-in came without a place: what visit.js found out, in words.
NO_PLACE = {
    "denied": gettext_lazy("Checked in without a place: this device does not give it away."),
    "slow": gettext_lazy("Checked in without a place: finding it took too long."),
}


def visits_found(request: HttpRequest) -> QuerySet[Visit]:
    """The visits in sight that fit the filters."""
    found = _visit_filter(request)
    return found.qs if found.is_valid() else Visit.objects.none()


def _visit_filter(request: HttpRequest) -> VisitFilter:
    visits = Visit.objects.visible_to(cast(User, request.user))
    return VisitFilter(
        request.GET, queryset=visits.select_related("customer", "rep__team"), request=request
    )


@require_safe
@needs("visits:read")
def list_(request: HttpRequest) -> HttpResponse:
    """Visits in sight, the newest plans first."""
    user = cast(User, request.user)
    found = _visit_filter(request)
    rows = visits_found(request)
    page = keyset_page(
        rows,
        order=("-scheduled_for", "-id"),
        cursor=request.GET.get("cursor", ""),
        size=PAGE_SIZE,
    )
    context = {
        "filter": found,
        "filter_fields": filter_fields(
            request, "scheduled_from", "scheduled_to", "status", "rep", "team"
        ),
        "page": page,
        "count": count_up_to(rows),
        "may_log": user.may("visits:write"),
    }
    return list_or_part(request, "list", context, {*found.filters, "cursor"})


@require_safe
@needs("visits:read")
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One visit as it was written down."""
    user = cast(User, request.user)
    now = timezone.now()
    visit = _load(user, pk)
    answers: Answers = visit.answers
    skus = answers.get("new_products", [])
    names = dict(
        Product.objects.visible_to(user)
        .filter(external_id__in=skus)
        .values_list("external_id", "name")
    )
    may_write = user.may("visits:write")
    context = {
        "visit": visit,
        "sales": Sales(answers["sales"]).label if answers.get("sales") in Sales.values else "",
        "products": [names.get(sku, sku) for sku in skus],
        "care": [Care(code).label for code in answers.get("care", []) if code in Care.values],
        "may_write": may_write,
        "may_check_in": may_write and visit.may_become(VisitStatus.CHECKED_IN),
        "may_cancel": may_write and visit.may_become(VisitStatus.CANCELLED),
        "may_miss": may_write
        and visit.may_become(VisitStatus.MISSED)
        and visit.scheduled_for <= now,
        "may_record": may_write and visit.may_be_written(now),
        "is_late_log": timezone.localdate(visit.scheduled_for) < timezone.localdate(now),
        "sightings": visit.sightings.select_related("competitor"),
        "promises": Promise.objects.filter(
            customer=visit.customer_id, source=f"{Visit._meta.label_lower}:{visit.pk}"
        ).select_related("owner"),
        "today": timezone.localdate(now),
        "may_promise": user.may("customers:write") and not visit.is_open,
    }
    return render(request, "visits/detail.html", context)


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
    visit = _load(user, pk)
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


@require_POST
@needs("visits:write")
def check_in(request: HttpRequest, pk: int) -> HttpResponse:
    """Begin a planned visit, with the phone's place where it gave one."""
    user = cast(User, request.user)
    visit = _load(user, pk)
    place = PlaceForm(request.POST).place()
    try:
        visit = actions.check_in(visit=visit, by=user, now=timezone.now(), place=place)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("visits:detail", pk=pk)
    if place is None and (reason := NO_PLACE.get(request.POST.get("no_place", ""))):
        messages.warning(request, reason)
    return redirect("visits:edit", pk=visit.pk)


@require_POST
@needs("visits:write")
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Call a visit off."""
    user = cast(User, request.user)
    visit = _load(user, pk)
    try:
        actions.cancel_visit(visit=visit)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("visits:detail", pk=pk)
    if "from" in request.POST:
        return plan_answer(request, visit.customer, None, timezone.now())
    messages.success(request, _("Visit cancelled."))
    return redirect("visits:detail", pk=pk)


@require_POST
@needs("visits:write")
def miss(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that a planned visit did not take place."""
    visit = _load(cast(User, request.user), pk)
    try:
        actions.miss_visit(visit=visit, now=timezone.now())
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("visits:detail", pk=pk)


@require_safe
@needs("visits:read")
def of_customer(request: HttpRequest, pk: int) -> HttpResponse:
    """A customer's open and last visits, for the page of the customer."""
    user = cast(User, request.user)
    customer = get_object_or_404(Customer.objects.visible_to(user), pk=pk)
    visits = Visit.objects.filter(customer=customer).select_related("rep")
    context = {
        "customer": customer,
        "open_visits": visits.open().order_by("scheduled_for", "pk")[:5],
        "past_visits": visits.exclude(status__in=[VisitStatus.PLANNED, VisitStatus.CHECKED_IN])[:5],
        "may_log": user.may("visits:write"),
    }
    return render(request, "visits/_of_customer.html", context)


def _load(user: User, pk: int) -> Visit:
    return get_object_or_404(
        Visit.objects.visible_to(user).select_related("customer__owner", "rep"), pk=pk
    )


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
    present = _load(user, visit.pk).version
    form.data = form.data.copy()
    form.data["version"] = str(present)
    names = {field.attname: str(field.verbose_name) for field in Visit._meta.concrete_fields}
    names |= {name: str(label) for name, label in Visit.BESIDE.items()}
    return [
        Change(entry, " · ".join(names[name] for name in entry.after if name in names))
        for entry in AuditEntry.objects.of(visit)[: max(present - seen, 1)]
    ]
