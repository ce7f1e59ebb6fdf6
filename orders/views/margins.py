"""The pages of the channel margin and of the trade terms (P16, P36)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import may, needs
from accounts.exports import table_view
from accounts.models import User
from crm.lib.days import months_before
from crm.lib.export import Table
from crm.lib.forms import DayInput
from crm.lib.htmx import page_or_part
from customers.filters import DAYS
from customers.models import Customer
from customers.views.files import file_frame, opened
from orders import channel
from orders.crediting import set_terms
from orders.forms import TradeTermsForm
from orders.models import TradeTerms

WINDOW_MONTHS = 12
#: So many terms are on the page: one for each time that the company changed them.
SHOWN = 50
EXPORTED = (
    *("valid_from", "minimum_order", "least_dealer_margin", "least_own_margin"),
    "keeps_payments",
)


class PeriodForm(forms.Form):
    """From one day to another, both inclusive."""

    first = forms.DateField(label=gettext_lazy("From"), widget=DayInput(), validators=DAYS)
    last = forms.DateField(label=gettext_lazy("To"), widget=DayInput(), validators=DAYS)

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if cleaned and "first" in cleaned and cleaned["first"] > cleaned.get("last", date.max):
            raise ValidationError(_("The period ends before it begins."), code="turned")
        return cleaned


@require_safe
@needs("orders:read")
def of_customer(request: HttpRequest, pk: int) -> HttpResponse:
    """What a customer earns and we earn on its orders of a period; to htmx for its file."""
    user = cast(User, request.user)
    customer = get_object_or_404(Customer.objects.visible_to(user).select_related("owner"), pk=pk)
    opened(request, customer)
    today = timezone.localdate()
    usual = {"first": months_before(today, WINDOW_MONTHS) + timedelta(days=1), "last": today}
    given = {name: request.GET[name] for name in usual if request.GET.get(name)}
    form = PeriodForm({**usual, **given})
    period = form.cleaned_data if form.is_valid() else usual
    costs = may(user, "costs:read")
    margin = channel.of_customer(customer, first=period["first"], last=period["last"])
    context = {
        **file_frame(customer, user, "orders"),
        "form": form,
        "period": period,
        "told": channel.told(margin, TradeTerms.objects.on(period["last"]), costs=costs),
        "sees_costs": costs,
    }
    return page_or_part(
        request, "orders/margin_of_customer.html", "orders/_margin_of_customer.html", context
    )


@require_safe
@needs("prices:read")
def terms(request: HttpRequest) -> HttpResponse:
    """What the company asks of every order, by the day from which it does."""
    user = cast(User, request.user)
    today = timezone.localdate()
    visible = TradeTerms.objects.visible_to(user)
    context = {
        "terms": visible.order_by("-valid_from")[:SHOWN],
        "now": visible.on(today),
        "today": today,
        "may_write": may(user, "prices:write"),
        "sees_costs": may(user, "costs:read"),
    }
    return render(request, "orders/terms.html", context)


@require_safe
@needs("prices:read")
@table_view
def terms_export(request: HttpRequest) -> Table:
    """All terms, newest first, as an Excel or CSV file; our margin for who may see costs."""
    user = cast(User, request.user)
    found = TradeTerms.objects.visible_to(user).order_by("-valid_from")
    costs = may(user, "costs:read")
    names = [name for name in EXPORTED if costs or name != "least_own_margin"]
    labels = {field.name: field.verbose_name for field in TradeTerms._meta.concrete_fields}
    head = [str(capfirst(labels[name])) for name in names]
    name = _("Trade terms %(day)s") % {"day": timezone.localdate().isoformat()}
    return Table(name, head, found.values_list(*names).iterator(chunk_size=2000), counted=found)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("prices:write")
def terms_new(request: HttpRequest) -> HttpResponse:
    """Ask for something else from a day on; begins with what is asked now."""
    today = timezone.localdate()
    now = TradeTerms.objects.on(today)
    switched = request.GET.get("keeps_payments") == "no"
    initial = {
        "valid_from": today if switched else today + timedelta(days=1),
        "minimum_order": now.minimum_order,
        "least_dealer_margin": now.least_dealer_margin,
        "least_own_margin": now.least_own_margin,
        "keeps_payments": now.keeps_payments and not switched,
    }
    form = TradeTermsForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        set_terms(terms=form.save(commit=False))
        messages.success(request, _("Saved."))
        return redirect("orders:terms")
    return render(request, "orders/terms_form.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@needs("prices:write")
@transaction.atomic
def terms_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change terms, unless somebody else did since the form was opened."""
    found = TradeTerms.objects.visible_to(cast(User, request.user))
    if request.method == "POST":
        found = found.select_for_update()
    one = get_object_or_404(found, pk=pk)
    name = str(one)
    form = TradeTermsForm(request.POST or None, instance=one)
    if request.method == "POST" and form.is_valid():
        set_terms(terms=form.save(commit=False))
        messages.success(request, _("Saved."))
        return redirect("orders:terms")
    return render(request, "orders/terms_form.html", {"form": form, "name": name})
