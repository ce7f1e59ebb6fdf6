"""The pages of adjustments of a dealer's stock: one of them, entering one, taking it back."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import may, needs, require
from accounts.history import described
from accounts.models import AuditEntry, User
from customers.models import Customer
from customers.views.promise_acts import version_sent
from orders import taking_back
from orders.models import StockAdjustment
from orders.stock_entries import enter_adjustment, restore_entry, take_back_entry
from orders.stock_forms import AdjustmentForm


@require_safe
@needs("stock:read")
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One adjustment and its changes."""
    user = cast(User, request.user)
    found = StockAdjustment.objects.visible_to(user).select_related("customer__owner", "product")
    adjustment = get_object_or_404(found, pk=pk)
    context = {
        "adjustment": adjustment,
        "changes": described(AuditEntry.objects.of(adjustment).order_by("-id")[:30]),
        "may_take_back": may(user, "stock:write")
        and taking_back.may_take_back(adjustment, by=user, today=timezone.localdate()),
    }
    return render(request, "orders/adjustment.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("stock:read")
def new(request: HttpRequest, pk: int) -> HttpResponse:
    """Note goods that came or went without a delivery or a sale."""
    user, now = cast(User, request.user), timezone.now()
    customer = get_object_or_404(Customer.objects.visible_to(user), pk=pk)
    require(user, "stock:write")
    form = AdjustmentForm(request.POST or None, user=user, now=now)
    if form.is_valid():
        try:
            made = enter_adjustment(customer=customer, now=now, **form.entry())
        except ValidationError as refused:
            form.add_error(None, refused)
        else:
            undo = f"{reverse('orders:adjustment-back', args=[made.pk])}?version={made.version}"
            messages.success(request, _("The adjustment is on file."), extra_tags=undo)
            return redirect("orders:adjustment", pk=made.pk)
    context = {"form": form, "customer": customer}
    return render(
        request, "orders/adjustment_form.html", context, status=422 if form.errors else 200
    )


@require_POST
@needs("stock:write")
@transaction.atomic
def take_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Take out an adjustment that one entered today by mistake."""
    user = cast(User, request.user)
    found = StockAdjustment.objects.visible_to(user).select_for_update(of=("self",))
    adjustment = get_object_or_404(found, pk=pk)
    if version_sent(request) != adjustment.version:
        messages.error(request, _("It was changed meanwhile. Look at it again."))
        return redirect("orders:adjustment", pk=pk)
    try:
        take_back_entry(entry=adjustment, by=user, today=timezone.localdate())
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
        return redirect("orders:adjustment", pk=pk)
    undo = reverse("orders:adjustment-restore", args=[pk])
    messages.success(request, _("The adjustment was taken back."), extra_tags=undo)
    return redirect("customers:timeline", pk=adjustment.customer_id)


@require_POST
@needs("stock:write")
def restore(request: HttpRequest, pk: int) -> HttpResponse:
    """Bring back an adjustment that one took back today."""
    today = timezone.localdate()
    if restore_entry(StockAdjustment, pk, by=cast(User, request.user), today=today) is None:
        raise Http404
    messages.success(request, _("The adjustment is there again."))
    return redirect("orders:adjustment", pk=pk)
