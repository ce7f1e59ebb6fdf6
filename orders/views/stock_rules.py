"""The pages of the rules by which dealers' stock is judged (P24, P37)."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

from django.contrib import messages
from django.db import transaction
from django.forms import model_to_dict
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import may, needs
from accounts.models import User
from orders.forms import StockRulesForm
from orders.models import StockRules
from orders.stock.positions import set_rules

#: So many rules are on the page: one for each time that the company changed them.
SHOWN = 50


@require_safe
@needs("stock:read")
def rules(request: HttpRequest) -> HttpResponse:
    """How stock is judged, by the day from which it is."""
    user, today = cast(User, request.user), timezone.localdate()
    seen = StockRules.objects.visible_to(user)
    context = {
        "rules": seen.order_by("-valid_from")[:SHOWN],
        "now": seen.on(today),
        "today": today,
        "may_write": may(user, "stock-rules:write"),
    }
    return render(request, "orders/stock_rules.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("stock-rules:write")
def new(request: HttpRequest) -> HttpResponse:
    """Judge otherwise from a day on; begins with the rules of now."""
    today = timezone.localdate()
    initial = {
        **model_to_dict(StockRules.objects.on(today), fields=StockRulesForm.Meta.fields),
        "valid_from": today + timedelta(days=1),
    }
    form = StockRulesForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        set_rules(rules=form.save(commit=False))
        messages.success(request, _("Saved."))
        return redirect("orders:stock-rules")
    status = 422 if form.errors else 200
    return render(request, "orders/stock_rules_form.html", {"form": form}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("stock-rules:write")
@transaction.atomic
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change rules, unless somebody else did since the form was opened."""
    found = StockRules.objects.visible_to(cast(User, request.user))
    if request.method == "POST":
        found = found.select_for_update()
    one = get_object_or_404(found, pk=pk)
    name = str(one)
    form = StockRulesForm(request.POST or None, instance=one)
    if request.method == "POST" and form.is_valid():
        set_rules(rules=form.save(commit=False))
        messages.success(request, _("Saved."))
        return redirect("orders:stock-rules")
    context = {"form": form, "name": name}
    status = 422 if form.errors else 200
    return render(request, "orders/stock_rules_form.html", context, status=status)
