"""Competitors seen in visits (P52): the list, its export, and those of one customer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from django.db.models import Count, Max, Min, QuerySet, Window
from django.db.models.functions import RowNumber
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from accounts.access import needs
from accounts.exports import table_view
from accounts.models import User
from crm.lib.export import Table
from crm.lib.htmx import wants_part
from crm.lib.listing import address, found_by, list_answer, parameters, shown
from customers.filters import chips
from customers.models import Customer
from visits.actions import seen_in
from visits.models import Competitor, Sighting, Visit
from visits.sighting_filters import SightingFilter
from visits.sighting_forms import SightingLines

LATEST = ("-seen_at", "-id")
#: Competitors counted above the list; names suggested in a form.
COUNTED, SUGGESTED = 8, 300
#: Competitors' products that a form offers by itself, out of so many of the last sightings here.
OFFERED, LOOKED_AT = 3, 12
#: Products of competitors that the file of a customer shows.
OF_CUSTOMER = 6


def _filtered(request: HttpRequest) -> SightingFilter:
    found = Sighting.objects.visible_to(request.user).counted()
    rows = found.select_related("competitor", "visit__customer__owner__team", "visit__rep")
    return SightingFilter(request.GET, queryset=rows, request=request)


@require_safe
@needs("visits:read")
def sightings(request: HttpRequest) -> HttpResponse:
    """What was seen in closed visits in sight, the latest first; above it how often each was."""
    filters = _filtered(request)
    found = found_by(filters)
    known = parameters(filters)
    context = {
        **shown(request, filters, found, order=LATEST),
        "chips": chips(filters, ("competitor", "seen_from", "seen_to", "owner", "team")),
        "counted": [
            {**row, "url": address(request, known - {"cursor"}, competitor=str(row["competitor"]))}
            for row in per_competitor(found)[:COUNTED]
        ],
        "customer": _customer_of(request),
        "everyone_url": address(request, known - {"cursor", "customer"}),
    }
    return list_answer(request, "visits/sightings.html", "visits/_sightings_results.html", context)


def per_competitor(found: QuerySet[Sighting]) -> QuerySet[Any, Any]:
    """How often, at how many customers and at which prices each was seen, the most seen first."""
    counted: QuerySet[Any, Any] = (
        found.order_by()
        .values("competitor", "competitor__name")
        .annotate(
            number=Count("pk"),
            customers=Count("visit__customer", distinct=True),
            lowest=Min("price"),
            highest=Max("price"),
            last=Max("seen_at"),
        )
        .order_by("-number", "competitor__name", "competitor")
    )
    return counted


def _customer_of(request: HttpRequest) -> Customer | None:
    number = request.GET.get("customer", "")
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    return Customer.objects.visible_to(request.user).filter(pk=int(number)).first()


@require_safe
@needs("visits:read")
@table_view
def sightings_export(request: HttpRequest) -> Table:
    """The filtered sightings as an Excel or CSV file."""
    found = found_by(_filtered(request)).order_by(*LATEST)
    head = [
        _("Seen"),
        _("Customer"),
        _("Number in the ERP"),
        _("Owner"),
        _("Team"),
        _("Competitor"),
        _("Product"),
        pgettext("on the shelf", "How much"),
        _("Price on the shelf"),
        _("Note"),
        _("Rep"),
    ]
    name = _("Competitors seen %(day)s") % {"day": timezone.localdate()}
    return Table(name, head, map(_cells, found.iterator(chunk_size=1000)), counted=found)


def _cells(row: Sighting) -> tuple[object, ...]:
    visit, customer = row.visit, row.visit.customer
    owner = customer.owner
    return (
        row.seen_at,
        customer.name,
        customer.external_id,
        owner and owner.display_name,
        owner and owner.team and owner.team.name,
        row.competitor.name,
        row.product,
        row.get_size_display(),
        row.price,
        row.note,
        visit.rep.display_name,
    )


@require_safe
@needs("visits:read")
def sightings_of_customer(request: HttpRequest, pk: int) -> HttpResponse:
    """Which competitors' products were seen at a customer, the last of each: a part of its file."""
    customer = get_object_or_404(Customer.objects.visible_to(request.user), pk=pk)
    every = f"{reverse('visits:sightings')}?customer={customer.pk}"
    if not wants_part(request):
        return redirect(every)
    each: dict[str, Any] = {"partition_by": ["competitor", "product"]}
    last = (
        Sighting.objects.counted()
        .filter(visit__customer=customer)
        .annotate(
            place=Window(RowNumber(), order_by=["-seen_at", "-id"], **each),
            number=Window(Count("pk"), **each),
        )
        .filter(place=1)
        .select_related("competitor")
        .order_by(*LATEST)
    )
    context = {"rows": last[:OF_CUSTOMER], "url": every}
    return render(request, "visits/_sightings_of_customer.html", context)


def lines_of(
    request: HttpRequest, *, customer: Customer, visit: Visit | None = None
) -> SightingLines:
    """The lines about competitors in the form of a visit to `customer`."""
    data: Mapping[str, Any] | None = request.POST if request.method == "POST" else None
    names = Competitor.objects.visible_to(cast(User, request.user)).noted()
    return SightingLines(
        data,
        stored=seen_in(visit) if visit else (),
        offered=_seen_before(customer),
        names=list(names.values_list("name", flat=True)[:SUGGESTED]),
    )


def _seen_before(customer: Customer) -> list[tuple[str, str]]:
    """The competitors' products seen here last, each once."""
    rows = Sighting.objects.counted().filter(visit__customer=customer).order_by(*LATEST)
    found = rows.values_list("competitor__name", "product")[:LOOKED_AT]
    return list(dict.fromkeys(found))[:OFFERED]
