"""The area of a file whose address does not decide it: chosen by one tap, or read once more."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.access import needs
from accounts.models import User
from customers import divisions
from customers.actions import change_customer
from customers.addresses import Area, find, settled
from customers.models import Customer, DivisionFound

UNCLEAR = (DivisionFound.AMBIGUOUS.value, DivisionFound.UNKNOWN.value)


def area_marks(customer: Customer) -> dict[str, object]:
    """How the area of a file was found, and the areas to choose from where that is unclear."""
    unclear = customer.division_found in UNCLEAR
    candidates = find(customer.address).candidates if unclear else ()
    return {
        "area_found": customer.get_division_found_display() if customer.division_found else "",
        "area_unclear": unclear,
        "area_choices": [(code, " ".join(divisions.path(code))) for code in candidates],
    }


@require_POST
@needs("customers:write")
@transaction.atomic
def choose(request: HttpRequest, pk: int) -> HttpResponse:
    """Take one of the areas that the address may mean."""
    customer = _locked(request, pk)
    code = request.POST.get("code", "")
    if customer.division_found in UNCLEAR and code in find(customer.address).candidates:
        change_customer(
            customer=customer,
            values={"division": code, "division_found": ""},
            now=timezone.now(),
        )
        messages.success(
            request,
            _("The area is %(area)s.") % {"area": divisions.name(code)},
            extra_tags=reverse("customers:area-again", args=[pk]),
        )
    else:
        messages.warning(request, _("The address has changed meanwhile. Look once more."))
    return redirect("customers:file", pk=pk)


@require_POST
@needs("customers:write")
@transaction.atomic
def again(request: HttpRequest, pk: int) -> HttpResponse:
    """Read the area from the address, whatever it is now."""
    customer = _locked(request, pk)
    place = settled(Area.of(customer), division="", address=customer.address)
    if (place.division, place.found) != (customer.division, customer.division_found):
        change_customer(
            customer=customer,
            values={"division": place.division, "division_found": place.found},
            now=timezone.now(),
        )
    if place.division:
        area = {"area": divisions.name(place.division)}
        messages.success(request, _("The area is %(area)s.") % area)
    else:
        messages.info(request, _("The address does not decide the area."))
    return redirect("customers:file", pk=pk)


def _locked(request: HttpRequest, pk: int) -> Customer:
    seen = Customer.objects.visible_to(cast(User, request.user))
    return get_object_or_404(seen.select_for_update(of=("self",)), pk=pk)
