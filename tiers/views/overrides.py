"""Tiers set by hand (P12): the form, and the list of all of them with who, why and until when."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import may, needs, require
from accounts.exports import table_view
from accounts.models import User
from crm.lib.export import Table
from crm.lib.formats import day
from crm.lib.keyset import count_up_to, keyset_page
from crm.lib.listing import PAGE_SIZE, Tab, address, found_by, list_answer, parameters, turns
from customers.filters import chips
from customers.models import Customer
from tiers import overrides, reasons
from tiers.hand_filters import STATES, OverrideFilter
from tiers.hand_forms import OverrideForm
from tiers.models import TierOverride
from tiers.models.overrides import TierOverrideQuerySet

CHIPS = ("tier", "owner", "team")
#: The order: what ends first where it is still in force, else the latest first.
IN_FORCE, LATEST = ("until", "id"), ("-id",)


def in_sight(user: User) -> TierOverrideQuerySet:
    return TierOverride.objects.visible_to(user).select_related("customer__owner", "by", "ended_by")


def _filtered(request: HttpRequest) -> OverrideFilter:
    found = in_sight(cast(User, request.user))
    return OverrideFilter(request.GET, queryset=found, request=request, today=timezone.localdate())


@require_safe
@needs("tiers:read")
def list_(request: HttpRequest) -> HttpResponse:
    """All overrides in sight: those in force by what ends first, the others latest first."""
    user = cast(User, request.user)
    filters = _filtered(request)
    found, names = found_by(filters), parameters(filters)
    state = request.GET.get("state", "") or "in_force"
    page = keyset_page(
        found,
        order=IN_FORCE if state == "in_force" else LATEST,
        cursor=request.GET.get("cursor", ""),
        size=PAGE_SIZE,
    )
    context = {
        "filters": filters,
        "page": page,
        "count": count_up_to(found),
        "today": timezone.localdate(),
        "chips": chips(filters, CHIPS),
        "state": state,
        "tabs": [
            Tab(label, address(request, names - {"cursor"}, state=value, cursor=""), value == state)
            for value, label in STATES
        ],
        "narrowed": any(request.GET.get(name) for name in CHIPS),
        "may_write": may(user, "tiers:write"),
        **turns(request, names, page),
    }
    return list_answer(request, "tiers/overrides.html", "tiers/_overrides.html", context)


@require_safe
@needs("tiers:read")
@table_view
def export(request: HttpRequest) -> Table:
    """The filtered overrides as an Excel or CSV file."""
    today = timezone.localdate()
    found = found_by(_filtered(request)).order_by("-id")
    head = [
        _("Number in the ERP"), _("Customer"), _("Owner"), _("Tier"), _("Reason"), _("From"),
        _("Until"), _("State"), _("Set by"), _("Ended"), _("Ended by"),
    ]  # fmt: skip

    def rows() -> Iterator[tuple[object, ...]]:
        for one in found.iterator(chunk_size=2000):
            owner = one.customer.owner
            yield (
                one.customer.external_id, one.customer.name, owner.display_name if owner else "",
                one.tier, one.reason, one.first_on, one.until, str(state_of(one, today)),
                one.by.display_name, one.ended_at,
                one.ended_by.display_name if one.ended_by else "",
            )  # fmt: skip

    name = _("Tiers set by hand %(day)s") % {"day": today.isoformat()}
    return Table(name, head, rows(), counted=found)


def state_of(override: TierOverride, today: Any) -> str:
    """In force, expired or ended early, in words."""
    if override.is_in_force(today):
        return pgettext("override", "In force")
    if override.ended_by_id:
        return pgettext("override", "Ended early")
    return pgettext("override", "Expired")


@require_http_methods(["GET", "HEAD", "POST"])
@needs("tiers:read")
def new(request: HttpRequest, pk: int) -> HttpResponse:
    """Set the tier of a customer by hand; where that has happened already, change it."""
    user, today = cast(User, request.user), timezone.localdate()
    customers = Customer.objects.visible_to(user).select_related("owner")
    customer = get_object_or_404(customers, pk=pk)
    require(user, "tiers:write")
    there = TierOverride.objects.in_force(today).filter(customer=customer).first()
    if there and request.method != "POST":
        return redirect("tiers:override", pk=there.pk)
    override = TierOverride(customer=customer, by=user, first_on=today)
    form = OverrideForm(request.POST or None, instance=override, today=today)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = overrides.set_tier(
                customer=customer,
                tier=given["tier"],
                reason=given["reason"],
                until=given["until"],
                by=user,
                now=timezone.now(),
                today=today,
            )
        except ValidationError as refused:
            _put_on(form, refused)
        else:
            _tell_set(request, made)
            return redirect("tiers:of-customer", pk=pk)
    return _form(request, form, customer, None)


def _tell_set(request: HttpRequest, override: TierOverride) -> None:
    said = _("Tier %(tier)s counts until %(day)s.")
    undo = reverse("tiers:override-end", args=[override.pk])
    values = {"tier": override.tier, "day": day(override.until)}
    messages.success(request, said % values, extra_tags=undo)


def _put_on(form: BaseForm, refused: ValidationError) -> None:
    """A refusal, at its field where the form shows it."""
    for name, errors in getattr(refused, "error_dict", {None: [refused]}).items():
        form.add_error(name if name in form.fields else None, errors)


def _form(
    request: HttpRequest, form: OverrideForm, customer: Customer, override: TierOverride | None
) -> HttpResponse:
    context = {
        "form": form,
        "customer": customer,
        "override": override,
        "computed": overrides.computed_tier(customer),
        "sentence": reasons.explain_many([customer]).get(customer.pk, {}).get("reason", ""),
        "last": TierOverride.objects.filter(customer=customer, ended_at__isnull=False)
        .select_related("by")
        .first(),
    }
    status = 422 if form.errors else 200
    return render(request, "tiers/override.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("tiers:read")
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Change an override that is in force, unless somebody else did since the form was opened."""
    if request.method == "POST":
        return _changed(request, pk)
    user, today = cast(User, request.user), timezone.localdate()
    override = get_object_or_404(in_sight(user), pk=pk)
    require(user, "tiers:write")
    if not override.is_in_force(today):
        messages.info(request, _("This override is not in force any more."))
        return redirect("tiers:of-customer", pk=override.customer_id)
    form = OverrideForm(instance=override, today=today)
    return _form(request, form, override.customer, override)


@transaction.atomic
def _changed(request: HttpRequest, pk: int) -> HttpResponse:
    user, today = cast(User, request.user), timezone.localdate()
    override = get_object_or_404(in_sight(user).select_for_update(of=("self",)), pk=pk)
    require(user, "tiers:write")
    form = OverrideForm(request.POST, instance=override, today=today)
    if form.is_valid():
        try:
            overrides.change(
                override=form.save(commit=False), by=user, now=timezone.now(), today=today
            )
        except ValidationError as refused:
            _put_on(form, refused)
        else:
            messages.success(request, _("Saved."))
            return redirect("tiers:of-customer", pk=override.customer_id)
    return _form(request, form, override.customer, override)


@require_POST
@needs("tiers:read")
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """End an override before its day; the computed tier counts again."""
    user = cast(User, request.user)
    override = get_object_or_404(in_sight(user), pk=pk)
    require(user, "tiers:write")
    overrides.end(override=override, by=user, now=timezone.now())
    messages.success(
        request,
        _("The computed tier counts again."),
        extra_tags=reverse("tiers:override-reopen", args=[pk]),
    )
    return redirect("tiers:of-customer", pk=override.customer_id)


@require_POST
@needs("tiers:read")
def reopen(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back that an override was ended early."""
    user = cast(User, request.user)
    override = get_object_or_404(in_sight(user), pk=pk)
    require(user, "tiers:write")
    try:
        overrides.reopen(override=override, by=user, now=timezone.now(), today=timezone.localdate())
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
    else:
        _tell_set(request, override)
    return redirect("tiers:of-customer", pk=override.customer_id)
