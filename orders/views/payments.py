"""The pages of payments: the list, one payment, entering one, taking one back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import may, needs, require
from accounts.exports import table_view
from accounts.history import described
from accounts.models import AuditEntry, User
from crm.lib.export import Table
from crm.lib.formats import price
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
from customers.filters import chips
from customers.models import Customer
from orders import balances
from orders.models import Payment
from orders.payment_filters import PaymentFilter
from orders.payment_forms import PaymentForm
from orders.payments import enter_payment, reverse_payment

COLUMNS = (
    *("id", "external_id", "paid_at", "amount", "method", "order_id", "order__external_id"),
    *("customer_id", "customer__name", "customer__owner__name", "reverses_id", "reversal"),
)
SORTS = {"-paid_at": ("-paid_at", "-id"), "paid_at": ("paid_at", "id")}
TABS: tuple[tuple[Text, dict[str, str]], ...] = (
    (gettext_lazy("All"), {}),
    (pgettext_lazy("payments", "Taken back"), {"state": "reversed"}),
)
CHIPS = ("paid_from", "paid_to", "owner", "team")
EXPORTED = (
    *("external_id", "paid_at", "customer__external_id", "customer__name"),
    *("customer__owner__name", "order__external_id", "amount", "method", "note"),
    *("reverses__external_id", "reverses_id"),
)
#: How many open orders the form offers by name.
OFFERED = 50


def in_sight(user: User) -> QuerySet[Payment]:
    return Payment.objects.visible_to(user).select_related(
        "customer__owner", "order", "reverses", "reversal"
    )


def _filtered(request: HttpRequest) -> PaymentFilter:
    payments = Payment.objects.visible_to(cast(User, request.user))
    return PaymentFilter(request.GET, queryset=payments, request=request)


@require_safe
@needs("payments:read")
def list_(request: HttpRequest) -> HttpResponse:
    """Payments of the customers in sight, newest first; also answers htmx with the rows."""
    user = cast(User, request.user)
    filters = _filtered(request)
    names = parameters(filters)
    context = list_context(request, filters, columns=COLUMNS, sorts=SORTS)
    customer_id = filters.form.cleaned_data.get("customer_id") if filters.is_valid() else None
    context |= {
        "chips": chips(filters, CHIPS),
        "rows": context["page"].rows,
        "heads": sort_heads(request, names, context["sort"], ("-paid_at",)),
        "tabs": quick_filters(request, names, TABS),
        "customer": customer_id
        and Customer.objects.visible_to(user).filter(pk=customer_id).first(),
        "without_customer": address(request, names - {"customer_id", "cursor"}),
    }
    return list_answer(request, "orders/payments.html", "orders/_payments.html", context)


@require_safe
@needs("payments:read")
@table_view
def export(request: HttpRequest) -> Table:
    """The filtered list as an Excel or CSV file."""
    head = [
        _("Payment number"), _("Paid"), _("Customer number"), _("Customer"), _("Owner"),
        _("Order number"), _("Amount"), _("Method"), _("Note"), _("Takes back"),
    ]  # fmt: skip
    found = found_by(_filtered(request)).order_by(*SORTS[sort_of(request, SORTS)])
    name = _("Payments %(day)s") % {"day": timezone.localdate().isoformat()}
    return Table(name, head, _exported(found), counted=found)


def _exported(payments: QuerySet[Payment]) -> Iterator[tuple[object, ...]]:
    """The rows of the export, read from the database as they are written."""
    for *facts, number, pk in payments.values_list(*EXPORTED).iterator(chunk_size=2000):
        yield (*facts, number or (f"#{pk}" if pk else None))


@require_safe
@needs("payments:read")
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One payment with what took it back, and its changes."""
    user = cast(User, request.user)
    payment = get_object_or_404(in_sight(user), pk=pk)
    context = {
        "payment": payment,
        "changes": described(AuditEntry.objects.of(payment).order_by("-id")[:30]),
        "may_write": may(user, "payments:write"),
    }
    return render(request, "orders/payment.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("payments:read")
def new(request: HttpRequest, pk: int) -> HttpResponse:
    """Enter what a customer paid."""
    user, now = cast(User, request.user), timezone.now()
    customer = get_object_or_404(Customer.objects.visible_to(user), pk=pk)
    require(user, "payments:write")
    form = PaymentForm(
        request.POST or None,
        customer=customer,
        now=now,
        initial={"order": request.GET.get("order", "")[:100]},
    )
    if form.is_valid():
        try:
            payment = enter_payment(customer=customer, now=now, **form.cleaned_data)
        except ValidationError as refused:
            form.add_error(None, refused)
        else:
            said = _("%(amount)s from %(name)s is on file.")
            messages.success(
                request,
                said % {"amount": price(payment.amount), "name": customer.name},
                extra_tags=f"{reverse('orders:payment-reverse', args=[payment.pk])}?undo=1",
            )
            return redirect("orders:credit", pk=customer.pk)
    ledger = balances.ledger_of(customer.pk)
    context = {
        "form": form,
        "customer": customer,
        "open_orders": [
            (order, ledger.open[order.pk])
            for order in balances.open_orders(ledger)
            if order.external_id
        ][:OFFERED],
    }
    status = 422 if form.errors else 200
    return render(request, "orders/payment_form.html", context, status=status)


@require_POST
@needs("payments:write")
def take_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a payment back (or a reversal: then the payment counts again)."""
    user = cast(User, request.user)
    payment = get_object_or_404(in_sight(user), pk=pk)
    reason = request.POST.get("reason", "").replace("\x00", "").strip()
    if "undo" in request.GET:
        reason = reason or _("Entered by mistake")
    if not reason:
        messages.error(request, _("Say why the payment is taken back."))
        return redirect("orders:payment", pk=pk)
    try:
        reversal = reverse_payment(payment=payment, reason=reason[:300], now=timezone.now())
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
        return redirect("orders:payment", pk=pk)
    messages.success(
        request,
        _("%(amount)s was taken back.") % {"amount": price(payment.amount)}
        if payment.reverses_id is None
        else _("%(amount)s counts again.") % {"amount": price(-payment.amount)},
        extra_tags=f"{reverse('orders:payment-reverse', args=[reversal.pk])}?undo=1",
    )
    return redirect("orders:credit", pk=payment.customer_id)
