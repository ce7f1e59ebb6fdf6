"""The pages on which people enter, change and move on orders."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import needs, require
from accounts.models import User
from crm.lib.formats import local_day
from crm.lib.htmx import page_or_part
from crm.lib.keyset import by_id_if_few
from customers.models import Customer
from customers.views.promise_acts import version_sent
from orders.actions import move_order, take_back_move
from orders.amounts import lines_amount
from orders.entry import OrderForm, OrderLines, enter_order
from orders.minimum import Minimums, shortfall
from orders.models import Order, OrderStatus

#: So many customers are offered; a longer word finds the others.
FOUND = 20


@require_http_methods(["GET", "HEAD", "POST"])
@needs("orders:draft")
def new(request: HttpRequest) -> HttpResponse:
    """Enter an order as a draft; first the customer is chosen."""
    user = cast(User, request.user)
    wanted = request.GET.get("customer", "")
    if not (wanted.isascii() and wanted.isdigit() and len(wanted) < 19):
        return _pick(request, user)
    customer = get_object_or_404(Customer.objects.visible_to(user), pk=wanted)
    order = Order(
        customer=customer,
        status=OrderStatus.DRAFT,
        delivery_address=customer.address,
        delivery_division=customer.division,
    )
    initial = {"ordered_at": timezone.localtime().replace(second=0, microsecond=0)}
    return _entry(request, order, OrderForm(request.POST or None, instance=order, initial=initial))


def _pick(request: HttpRequest, user: User) -> HttpResponse:
    """The customers to choose from: those whose words match, or the reader's own."""
    words = request.GET.get("q", "")[:200].replace("\x00", "")
    in_sight = Customer.objects.visible_to(user)
    found: Any = in_sight
    if words.strip():
        found, _count = by_id_if_few(in_sight.named_like(words))
    context = {"words": words, "customers": found.order_by("name", "pk")[:FOUND]}
    return page_or_part(request, "orders/pick.html", "orders/_pick.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("orders:draft")
@transaction.atomic
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change an order that people keep, unless somebody else did since the form was opened."""
    user = cast(User, request.user)
    order = _one(request, pk)
    if order.status != OrderStatus.DRAFT:
        require(user, "orders:write")
    if not order.open_to_edits:
        messages.error(request, _("This order is not changed by hand."))
        return redirect("orders:detail", pk=pk)
    return _entry(request, order, OrderForm(request.POST or None, instance=order))


def _one(request: HttpRequest, pk: int) -> Order:
    """An order in sight; locked, where it is about to be changed."""
    found = Order.objects.visible_to(cast(User, request.user)).select_related("customer")
    if request.method == "POST":
        found = found.select_for_update(of=("self",))
    return get_object_or_404(found, pk=pk)


def _entry(request: HttpRequest, order: Order, form: OrderForm) -> HttpResponse:
    """The form with its lines: more lines, prices and total looked up, or stored."""
    user = cast(User, request.user)
    stored = list(order.lines.select_related("product").order_by("line_no")) if order.pk else []
    data = request.POST if request.method == "POST" else None
    lines = OrderLines(user=user, stored=stored, data=data, more="more" in request.POST)
    context: dict[str, Any] = {"form": form, "lines": lines, "order": order}
    context["customer"] = order.customer
    if data is not None and form.is_valid():
        day = local_day(form.cleaned_data["ordered_at"])
        kept = lines.priced(day)
        if kept is not None and not {"more", "check"} & set(request.POST):
            try:
                order = enter_order(
                    order=form.save(commit=False),
                    lines=kept,
                    client_id=form.cleaned_data.get("client_id"),
                )
            except ValidationError as refused:
                form.add_error(None, " ".join(refused.messages))
            else:
                messages.success(request, _("Order %(order)s is stored.") % {"order": order})
                return redirect("orders:detail", pk=order.pk)
        if kept:
            amount = lines_amount([(line.quantity, line.unit_price) for line in kept])
            minimum = Minimums([order.customer_id]).on(day, order.customer_id)
            lacks = shortfall(status=order.status, amount=amount, minimum=minimum)
            context |= {"total": amount, "minimum": minimum, "lacks": lacks}
    return render(request, "orders/entry.html", context)


@require_POST
@needs("orders:draft")
@transaction.atomic
def move(request: HttpRequest, pk: int, to: OrderStatus) -> HttpResponse:
    """Confirm, cancel, ship, complete or return an order, unless it changed since it was shown."""
    user = cast(User, request.user)
    order = _one(request, pk)
    if not (order.status == OrderStatus.DRAFT and to == OrderStatus.CANCELLED):
        require(user, "orders:write")
    if order.status != to:  # otherwise it is the second press of the button
        try:
            if version_sent(request) != order.version:
                raise ValidationError(
                    _("Somebody changed this order meanwhile. It is shown as it is now.")
                )
            move_order(order=order, to=to)
        except ValidationError as refused:
            messages.error(request, " ".join(refused.messages))
            return redirect("orders:detail", pk=pk)
    said = _("The order is now: %(status)s.") % {"status": order.get_status_display()}
    messages.success(request, said, extra_tags=reverse("orders:take-back", args=[pk]))
    return redirect("orders:detail", pk=pk)


@require_POST
@needs("orders:draft")
@transaction.atomic
def take_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Undo the reader's own last change of status, today."""
    order = _one(request, pk)
    try:
        take_back_move(order=order, by=cast(User, request.user), today=timezone.localdate())
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
    else:
        messages.success(request, _("The order is as it was before."))
    return redirect("orders:detail", pk=pk)
