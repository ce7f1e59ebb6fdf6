"""The pages of sell-outs: the list, one of them, entering one, taking it back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import may, needs, require
from accounts.exports import table_view
from accounts.history import described
from accounts.models import AuditEntry, User
from crm.lib.export import Table
from crm.lib.listing import (
    address,
    found_by,
    list_answer,
    list_context,
    parameters,
    quick_filters,
    sort_heads,
    sort_of,
)
from crm.lib.text import Text
from customers import divisions
from customers.filters import chips
from customers.models import Customer
from customers.views.promise_acts import version_sent
from orders import taking_back
from orders.models import SellOut
from orders.stock_entries import enter_sell_out, restore_entry, take_back_entry
from orders.stock_filters import WRITTEN, SellOutFilter
from orders.stock_forms import SellOutForm

COLUMNS = (
    *("id", "external_id", "sold_at", "quantity", "unit_price", "buyer_division"),
    *("product__name", "product__unit", "product__external_id"),
    *("customer_id", "customer__name", "customer__owner__name"),
)
SORTS = {"-sold_at": ("-sold_at", "-id"), "sold_at": ("sold_at", "id")}
TABS: tuple[tuple[Text, dict[str, str]], ...] = (
    (gettext_lazy("All"), {}),
    *((label, {"source": name}) for name, label in WRITTEN),
)
CHIPS = ("sold_from", "sold_to", "product", "buyer_division", "owner", "team")
EXPORTED = (
    *("external_id", "sold_at", "customer__external_id", "customer__name"),
    *("customer__owner__name", "product__external_id", "product__name", "quantity"),
    *("product__unit", "unit_price", "buyer_division"),
)


def _filtered(request: HttpRequest) -> SellOutFilter:
    sold = SellOut.objects.visible_to(cast(User, request.user))
    return SellOutFilter(request.GET, queryset=sold, request=request)


@require_safe
@needs("stock:read")
def list_(request: HttpRequest) -> HttpResponse:
    """Sell-outs of the customers in sight, newest first; also answers htmx with the rows."""
    user = cast(User, request.user)
    filters = _filtered(request)
    names = parameters(filters)
    context = list_context(request, filters, columns=COLUMNS, sorts=SORTS)
    customer_id = filters.form.cleaned_data.get("customer_id") if filters.is_valid() else None
    context |= {
        "chips": chips(filters, CHIPS),
        "rows": [
            {**row, "area": divisions.name(row["buyer_division"])} for row in context["page"].rows
        ],
        "heads": sort_heads(request, names, context["sort"], ("-sold_at",)),
        "tabs": quick_filters(request, names, TABS),
        "customer": customer_id
        and Customer.objects.visible_to(user).filter(pk=customer_id).first(),
        "without_customer": address(request, names - {"customer_id", "cursor"}),
        "may_write": may(user, "stock:write"),
    }
    return list_answer(request, "orders/sell_outs.html", "orders/_sell_outs.html", context)


@require_safe
@needs("stock:read")
@table_view
def export(request: HttpRequest) -> Table:
    """The filtered list as an Excel or CSV file."""
    head = [
        _("Sell-out number"), pgettext("day and time of a sale", "Sold"), _("Customer number"),
        _("Customer"), _("Owner"), _("SKU"), _("Product"), _("Quantity"), _("Unit"),
        _("Unit price"), _("Division of the buyer"), _("Area of the buyer"),
    ]  # fmt: skip
    found = found_by(_filtered(request)).order_by(*SORTS[sort_of(request, SORTS)])
    name = _("Sell-outs %(day)s") % {"day": timezone.localdate().isoformat()}
    return Table(name, head, _exported(found), counted=found)


def _exported(sold: QuerySet[SellOut]) -> Iterator[tuple[object, ...]]:
    """The rows of the export, read from the database as they are written."""
    for *facts, division in sold.values_list(*EXPORTED).iterator(chunk_size=2000):
        yield (*facts, division, divisions.name(division))


@require_safe
@needs("stock:read")
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One sell-out and its changes."""
    user = cast(User, request.user)
    sold = get_object_or_404(
        SellOut.objects.visible_to(user).select_related("customer__owner", "product"), pk=pk
    )
    context = {
        "sold": sold,
        "area": divisions.name(sold.buyer_division),
        "changes": described(AuditEntry.objects.of(sold).order_by("-id")[:30]),
        "may_take_back": may(user, "stock:write")
        and sold.by_hand
        and taking_back.may_take_back(sold, by=user, today=timezone.localdate()),
    }
    return render(request, "orders/sell_out.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("stock:read")
def new(request: HttpRequest, pk: int) -> HttpResponse:
    """Enter what a dealer sold on."""
    user, now = cast(User, request.user), timezone.now()
    customer = get_object_or_404(Customer.objects.visible_to(user), pk=pk)
    require(user, "stock:write")
    form = SellOutForm(request.POST or None, user=user, now=now)
    if form.is_valid():
        try:
            sold = enter_sell_out(customer=customer, now=now, **form.entry())
        except ValidationError as refused:
            form.add_error(None, refused)
        else:
            undo = f"{reverse('orders:sell-out-back', args=[sold.pk])}?version={sold.version}"
            messages.success(request, _("The sell-out is on file."), extra_tags=undo)
            return redirect(f"{reverse('orders:sell-outs')}?customer_id={customer.pk}")
    context = {"form": form, "customer": customer}
    return render(request, "orders/sell_out_form.html", context, status=422 if form.errors else 200)


@require_POST
@needs("stock:write")
@transaction.atomic
def take_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Take out a sell-out that one entered today by mistake."""
    user = cast(User, request.user)
    sold = get_object_or_404(
        SellOut.objects.visible_to(user).select_for_update(of=("self",)), pk=pk
    )
    if version_sent(request) != sold.version:
        messages.error(request, _("It was changed meanwhile. Look at it again."))
        return redirect("orders:sell-out", pk=pk)
    try:
        take_back_entry(entry=sold, by=user, today=timezone.localdate())
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
        return redirect("orders:sell-out", pk=pk)
    undo = reverse("orders:sell-out-restore", args=[pk])
    messages.success(request, _("The sell-out was taken back."), extra_tags=undo)
    return redirect(f"{reverse('orders:sell-outs')}?customer_id={sold.customer_id}")


@require_POST
@needs("stock:write")
def restore(request: HttpRequest, pk: int) -> HttpResponse:
    """Bring back a sell-out that one took back today."""
    today = timezone.localdate()
    if restore_entry(SellOut, pk, by=cast(User, request.user), today=today) is None:
        raise Http404
    messages.success(request, _("The sell-out is there again."))
    return redirect("orders:sell-out", pk=pk)
