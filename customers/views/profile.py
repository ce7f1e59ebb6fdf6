"""The page on which the profile of a customer is filled."""

from __future__ import annotations

from typing import cast

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.access import may, needs
from accounts.models import User
from crm.lib.forms import begin_at
from customers.actions import save_profile
from customers.forms.profile import ProfileForm, SupplierLines
from customers.models import Customer, Profile, Supplier
from customers.views.files import opened


@require_http_methods(["GET", "HEAD", "POST"])
@needs("customers:write")
@transaction.atomic
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Fill the profile and the suppliers, unless somebody else did since the form was opened."""
    user = cast(User, request.user)
    customers = Customer.objects.visible_to(user)
    if request.method == "POST":
        customers = customers.select_for_update(of=("self",))
    customer = get_object_or_404(customers, pk=pk)
    profile = Profile.objects.filter(customer=customer).first() or Profile(customer=customer)
    stored = list(Supplier.objects.filter(customer=customer))
    data = request.POST if request.method == "POST" else None
    form = ProfileForm(data, instance=profile)
    more = data is not None and "more" in data
    lines = SupplierLines(stored, data, more=more)
    if data is not None and not more and form.is_valid() & lines.is_valid():
        if form.has_changed() or lines.has_changed():
            save_profile(profile=form.save(commit=False), suppliers=lines.kept())
        messages.success(request, _("Saved."))
        return redirect("customers:file", pk=customer.pk)
    if data is None:
        opened(request, customer)
        begin_at(form, request.GET.get("at", ""))
    context = {
        "customer": customer,
        "form": form,
        "lines": lines,
        "currency": settings.CURRENCY,
        "may_orders": may(user, "orders:read"),
    }
    return render(request, "customers/profile_form.html", context)
