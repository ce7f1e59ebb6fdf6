"""Visits: the list, one visit, and what happens to a planned one."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts.access import needs
from accounts.models import User
from crm.lib.keyset import count_up_to, keyset_page
from customers.models import Customer, Promise
from orders.models import Product
from visits import actions
from visits.answers import Answers, Care, Sales
from visits.filters import VisitFilter
from visits.forms import (
    PlaceForm,
)
from visits.models import Visit, VisitStatus
from visits.views.day import (
    filter_fields,
    list_or_part,
    plan_answer,
)

PAGE_SIZE = 50
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
    visit = load(user, pk)
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
        "counted": actions.counted_in(visit),
        "promises": Promise.objects.filter(
            customer=visit.customer_id, source=f"{Visit._meta.label_lower}:{visit.pk}"
        ).select_related("owner"),
        "today": timezone.localdate(now),
        "may_promise": user.may("customers:write") and not visit.is_open,
        "suggestions": visit.suggestions.select_related("product"),
        "may_suggest": may_write and visit.checked_in_at is not None,
    }
    return render(request, "visits/detail.html", context)


@require_POST
@needs("visits:write")
def check_in(request: HttpRequest, pk: int) -> HttpResponse:
    """Begin a planned visit, with the phone's place where it gave one."""
    user = cast(User, request.user)
    visit = load(user, pk)
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
    visit = load(user, pk)
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
    visit = load(cast(User, request.user), pk)
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


def load(user: User, pk: int) -> Visit:
    return get_object_or_404(
        Visit.objects.visible_to(user).select_related("customer__owner", "rep"), pk=pk
    )
