"""The pages of networks: whom a customer supplies, which companies are its group (P25)."""

from __future__ import annotations

import re
from typing import Any, cast

from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import needs
from accounts.models import User
from crm.lib.htmx import wants_part
from crm.lib.keyset import keyset_page
from crm.lib.listing import Tab, list_answer, list_context, parameters, sort_heads
from customers import divisions, hierarchy
from customers.filters import CustomerFilter, chips
from customers.hierarchy import Tie
from customers.models import Customer, CustomerQuerySet, Kind
from customers.views.files import file_frame, in_sight, opened

#: Rows of one level that are shown before one asks for more.
LEVEL = 30
COLUMNS = (
    *("id", "name", "kind", "abc", "key_account", "division", "owner__name"),
    *("net_amount", "last_ordered_on", "last_visited_on"),
)
SORTS = {
    "-net_amount": ("-net_amount", "-id"),
    "net_amount": ("net_amount", "id"),
    "name": ("name", "id"),
    "-name": ("-name", "-id"),
}
CHIPS = ("kind", "abc", "division", "owner", "team")


@require_safe
@needs("customers:read")
def networks(request: HttpRequest) -> HttpResponse:
    """Who stands at the top of a network in the reader's sight, with what is below."""
    user, tie = cast(User, request.user), _tie(request)
    filters = CustomerFilter(request.GET, queryset=_tops(user, tie), request=request)
    context = list_context(request, filters, columns=COLUMNS, sorts=SORTS)
    rows = context["page"].rows
    totals = hierarchy.totals_of_many([row["id"] for row in rows], user, tie)
    for row in rows:
        _dress(row)
        row["below"] = totals[row["id"]]
    names = {*parameters(filters), "tie"}
    context |= {
        "tie": tie,
        "chips": chips(filters, CHIPS),
        "heads": sort_heads(request, names, context["sort"], ("name", "-net_amount")),
        "tabs": _ties(reverse("customers:networks"), tie),
    }
    return list_answer(request, "customers/networks.html", "customers/_networks.html", context)


@require_safe
@needs("customers:read")
def network(request: HttpRequest, pk: int) -> HttpResponse:
    """Who supplies the customer and whom it supplies, or its group, level by level."""
    user, tie = cast(User, request.user), _tie(request)
    customer = get_object_or_404(in_sight(user), pk=pk)
    opened(request, customer)
    totals = hierarchy.totals(customer.pk, user, tie)
    context = {
        **file_frame(customer, user, "network"),
        **_level(request, customer, tie),
        "above": hierarchy.path_to(customer, user, tie),
        "tabs": _ties(reverse("customers:network", args=[customer.pk]), tie),
        "totals": totals,
        "kinds": [
            (kind.value, kind.label, totals.by_kind[kind])
            for kind in Kind
            if totals.by_kind[kind].customers
        ],
        "narrow": "in_group" if tie == Tie.GROUP else "under",
    }
    return render(request, "customers/network.html", context)


@require_safe
@needs("customers:read")
def below(request: HttpRequest, pk: int) -> HttpResponse:
    """The customers right below one: a part of its network's page, where they also are."""
    user, tie = cast(User, request.user), _tie(request)
    customer = get_object_or_404(in_sight(user), pk=pk)
    if not wants_part(request):
        return redirect(f"{reverse('customers:network', args=[customer.pk])}?tie={tie}")
    return render(request, "customers/_below.html", _level(request, customer, tie))


def narrowed_to(request: HttpRequest) -> dict[str, Any] | None:
    """The network that a list of customers is narrowed to: parameter, label, customer."""
    user = cast(User, request.user)
    for name, label in (("under", _("In the network of")), ("in_group", _("In the group of"))):
        if re.fullmatch(r"[0-9]{1,18}", number := request.GET.get(name, "")):
            top = Customer.objects.visible_to(user).filter(pk=int(number)).first()
            return {"name": name, "label": label, "value": number, "top": top}
    return None


def _level(request: HttpRequest, customer: Customer, tie: Tie) -> dict[str, Any]:
    """One page of the customers right below `customer`, each with whether more stand below it."""
    user = cast(User, request.user)
    seen = Customer.objects.visible_to(user)
    rows = seen.filter(**{tie.value: customer}).annotate(leads=Exists(_below(user, tie)))
    page = keyset_page(
        rows.values(*COLUMNS, "leads"),
        order=SORTS["-net_amount"],
        cursor=request.GET.get("cursor", ""),
        size=LEVEL,
    )
    for row in page.rows:
        _dress(row)
        row["unusual"] = tie == Tie.SUPPLY and hierarchy.is_unusual(customer.kind, row["kind"])
    return {"customer": customer, "page": page, "tie": tie}


def _tops(user: User, tie: Tie) -> CustomerQuerySet:
    """Customers in sight above whom the reader sees nobody, and below whom somebody."""
    seen = Customer.objects.visible_to(user)
    above = seen.filter(pk=OuterRef(f"{tie.value}_id"))
    return seen.filter(Exists(_below(user, tie))).exclude(Exists(above))


def _below(user: User, tie: Tie) -> CustomerQuerySet:
    seen: CustomerQuerySet = Customer.objects.visible_to(user)
    return seen.filter(**{tie.value: OuterRef("pk")})


def _dress(row: dict[str, Any]) -> None:
    row["kind_label"] = Kind(row["kind"]).label
    row["place"] = divisions.short_name(row["division"])


def _tie(request: HttpRequest) -> Tie:
    return Tie.GROUP if request.GET.get("tie") == Tie.GROUP else Tie.SUPPLY


def _ties(url: str, shown: Tie) -> list[Tab]:
    labels = {Tie.SUPPLY: _("Supply"), Tie.GROUP: _("Group companies")}
    return [
        Tab(label, url if tie == Tie.SUPPLY else f"{url}?tie={tie.value}", tie == shown)
        for tie, label in labels.items()
    ]
