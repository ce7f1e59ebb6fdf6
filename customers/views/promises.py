"""The pages of promises: the list, one promise, making one, and what can be done with it (P42)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Case, QuerySet, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import may, needs
from accounts.models import User
from accounts.roles import Role
from crm.lib.export import stream_table
from crm.lib.htmx import page_or_part, wants_part
from crm.lib.keyset import count_up_to
from crm.lib.listing import (
    found_by,
    list_answer,
    parameters,
    quick_filters,
    shown,
)
from crm.lib.text import Text
from customers.filters import chips
from customers.forms.promises import BreakForm, PromiseForm
from customers.models import Customer, Promise, PromiseState
from customers.models.promises import PromiseQuerySet
from customers.promise_filters import PromiseFilter
from customers.promising import keeping_rates, make, window

TABS: tuple[tuple[Text, dict[str, str]], ...] = (
    (pgettext_lazy("promise", "Open"), {}),
    (gettext_lazy("Due today"), {"state": "today"}),
    (pgettext_lazy("promise", "Late"), {"state": "late"}),
    (pgettext_lazy("promise", "Kept"), {"state": "kept"}),
    (pgettext_lazy("promise", "Broken"), {"state": "broken"}),
)
#: How many promises the panel of the day shows, and how many days it looks ahead.
SHOWN = 6


def in_sight(user: User) -> PromiseQuerySet:
    return Promise.objects.visible_to(user).select_related("customer", "owner")


def _filtered(request: HttpRequest, today: date) -> PromiseFilter:
    promises = in_sight(cast(User, request.user))
    return PromiseFilter(request.GET, promises, request=request, today=today)


def _ordered(request: HttpRequest) -> tuple[str, str]:
    """Open ones by what is due first; settled ones by the latest day."""
    settled = request.GET.get("state", "") not in ("", "open", "today", "late")
    return ("-due_on", "-id") if settled else ("due_on", "id")


@require_safe
@needs("customers:read")
def list_(request: HttpRequest) -> HttpResponse:
    """Promises in sight: a rep's own, a manager's teams'; open ones first by their day."""
    user = cast(User, request.user)
    today = timezone.localdate()
    filters = _filtered(request, today)
    own = user.role in (Role.REP, Role.SERVICE)
    fields = (*(("whose",) if own else ("owner", "team")), "due_from", "due_to")
    context = shown(request, filters, found_by(filters), order=_ordered(request))
    context |= {
        "chips": chips(filters, fields),
        "tabs": quick_filters(request, parameters(filters), TABS),
        "today": today,
        "may_write": may(user, "customers:write"),
        "shows_owner": not own or filters.form.cleaned_data.get("whose") != "mine",
        "customer": _customer_of(request, user),
    }
    if may(user, "reports:read") and not wants_part(request):
        context |= _rates(user, today)
    return list_answer(request, "customers/promises.html", "customers/_promises_list.html", context)


def _customer_of(request: HttpRequest, user: User) -> Customer | None:
    number = request.GET.get("customer", "")
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    return Customer.objects.visible_to(user).filter(pk=int(number)).first()


def _rates(user: User, today: date) -> dict[str, Any]:
    """Who keeps promises in time, and the span it is worked out over."""
    rates = keeping_rates(Promise.objects.visible_to(user), today=today)
    due, in_time = sum(one.due for one in rates), sum(one.in_time for one in rates)
    first, last = window(today)
    span = f"due_from={first.isoformat()}&due_to={last.isoformat()}"
    share = in_time / due if due else None
    return {"rates": rates, "due": due, "in_time": in_time, "share": share, "span": span}


@require_safe
@needs("customers:read")
def export(request: HttpRequest) -> HttpResponse:
    """The filtered list as an Excel or CSV file."""
    today = timezone.localdate()
    found = found_by(_filtered(request, today)).order_by(*_ordered(request))
    name = _("Promises %(day)s") % {"day": today.isoformat()}
    head, rows = export_table(found)
    return stream_table(name, head, rows, request.GET.get("format", "xlsx"))


def export_table(promises: QuerySet[Promise]) -> tuple[list[str], Iterator[tuple[object, ...]]]:
    """Titles and rows of the export, read from the database as they are written."""
    head = [
        *(_("Promise"), _("Customer"), _("Due"), _("State"), _("Days late"), _("Who keeps it")),
        *(_("Made"), _("Made by"), _("Settled"), _("What came of it")),
    ]

    def rows() -> Iterator[tuple[object, ...]]:
        for one in promises.select_related("customer", "owner", "made_by").iterator(2000):
            yield (
                one.content, one.customer.name, one.due_on, one.get_state_display(),
                one.days_late or None, one.owner.display_name, one.made_at,
                one.made_by.display_name, one.settled_at, one.outcome,
            )  # fmt: skip

    return head, rows()


@require_safe
@needs("customers:read")
def due(request: HttpRequest) -> HttpResponse:
    """What the reader is to keep today, what is late, and what comes next: a panel of the day."""
    user = cast(User, request.user)
    if not wants_part(request):
        return redirect("customers:promises")
    today = timezone.localdate()
    mine = in_sight(user) if user.role == Role.MANAGER else in_sight(user).of(user)
    context = {
        "promises": list(mine.open().order_by("due_on", "id")[:SHOWN]),
        "waiting": count_up_to(mine.waiting(today)),
        "today": today,
        "may_write": may(user, "customers:write"),
        "shows_customer": True,
        "shows_owner": user.role == Role.MANAGER,
    }
    return page_or_part(
        request, "customers/_promises_due.html", "customers/_promises_due.html", context
    )


def next_steps(customer: Customer) -> dict[str, Any]:
    """What the panel of the next steps on a customer's file needs (customers/_next_steps.html)."""
    known = list(
        Promise.objects.filter(customer=customer)
        .select_related("owner")
        .order_by(Case(When(state=PromiseState.OPEN, then=0), default=1), "due_on", "id")[:SHOWN]
    )
    return {
        "promises": [promise for promise in known if promise.is_open],
        "has_promises": bool(known),
        "today": timezone.localdate(),
    }


@require_http_methods(["GET", "HEAD", "POST"])
@needs("customers:write")
def new(request: HttpRequest, pk: int) -> HttpResponse:
    """Promise the customer something."""
    user = cast(User, request.user)
    now = timezone.now()
    customer = get_object_or_404(Customer.objects.visible_to(user).select_related("owner"), pk=pk)
    form = PromiseForm(
        request.POST or None, customer=customer, user=user, today=timezone.localdate(now)
    )
    if form.is_valid():
        try:
            make(customer=customer, by=user, now=now, **form.cleaned_data)
        except ValidationError as refused:
            form.add_error(None, refused)
        else:
            messages.success(request, _("The promise is on the file."))
            return redirect("customers:detail", pk=customer.pk)
    context = {"form": form, "customer": customer, "title": _("Make a promise")}
    context["action"] = _("Promise")
    return render(request, "customers/promise_form.html", context)


@require_safe
@needs("customers:read")
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One promise with its history, and what can be done with it."""
    user = cast(User, request.user)
    promise = get_object_or_404(in_sight(user).select_related("made_by"), pk=pk)
    today = timezone.localdate()
    may_write = may(user, "customers:write")
    context = {
        "promise": promise,
        "customer": promise.customer,
        "renegotiations": promise.renegotiations.select_related("by"),
        "today": today,
        "may_write": may_write,
        "may_renegotiate": may_write and promise.may_be_renegotiated(today),
        "may_reopen": may_write and promise.may_be_reopened(today),
        "break_form": BreakForm(),
        "source_url": _source_url(promise.source),
    }
    return render(request, "customers/promise.html", context)


def _source_url(source: str) -> str:
    """The page of the record a promise was made in; "" where it has none."""
    model, _colon, number = source.partition(":")
    if not number.isdigit():
        return ""
    try:
        return reverse(f"{model.partition('.')[0]}:detail", args=[int(number)])
    except NoReverseMatch:
        return ""
