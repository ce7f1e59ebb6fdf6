"""The pages of the rules by which credit is reviewed (P39)."""

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
from orders.models import CreditRules
from orders.payment_forms import CreditRulesForm

#: So many rules are on the page: one for each time that the company changed them.
SHOWN = 50
FIGURES = CreditRulesForm.Meta.fields[1:]


@require_safe
@needs("reports:read")
def rules(request: HttpRequest) -> HttpResponse:
    """How credit is reviewed, by the day from which it is."""
    user = cast(User, request.user)
    today = timezone.localdate()
    visible = CreditRules.objects.visible_to(user)
    now = visible.on(today)
    context = {
        "rules": visible.order_by("-valid_from")[:SHOWN],
        "now": now,
        "figures": [
            (field.label, getattr(now, name))
            for name, field in CreditRulesForm().fields.items()
            if name in FIGURES
        ],
        "today": today,
        "may_write": may(user, "credit:write"),
    }
    return render(request, "orders/credit_rules.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("credit:write")
def new(request: HttpRequest) -> HttpResponse:
    """Review in another way from a day on; begins with the present rules."""
    today = timezone.localdate()
    now = model_to_dict(CreditRules.objects.on(today), FIGURES)
    initial = {**now, "valid_from": today + timedelta(days=1)}
    form = CreditRulesForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("orders:credit-rules")
    status = 422 if form.errors else 200
    return render(request, "orders/credit_rules_form.html", {"form": form}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("credit:write")
@transaction.atomic
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change rules, unless somebody else did since the form was opened."""
    found = CreditRules.objects.visible_to(cast(User, request.user))
    if request.method == "POST":
        found = found.select_for_update()
    one = get_object_or_404(found, pk=pk)
    name = str(one)
    form = CreditRulesForm(request.POST or None, instance=one)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("orders:credit-rules")
    context = {"form": form, "name": name}
    status = 422 if form.errors else 200
    return render(request, "orders/credit_rules_form.html", context, status=status)
