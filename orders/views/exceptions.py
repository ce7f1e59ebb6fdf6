"""The pages of exceptions to the minimum order: the list, asking, answering, withdrawing (P36)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy
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
from customers.filters import chips
from customers.models import Customer
from orders.exceptions import ask_exception, change_exception
from orders.filters import ExceptionFilter
from orders.forms import ExceptionForm
from orders.models import Answer, MinimumException, TradeTerms

COLUMNS = (
    *("id", "customer_id", "customer__name", "customer__external_id", "customer__owner__name"),
    *("minimum", "valid_from", "valid_to", "reason", "answer", "withdrawn_on", "asked_at"),
    *("asked_by__name", "answered_by__name", "answered_at", "answer_reason"),
)
SORTS = {"-valid_to": ("-valid_to", "-id"), "valid_to": ("valid_to", "id")}
TABS: tuple[tuple[Text, dict[str, str]], ...] = (
    (gettext_lazy("All"), {}),
    (pgettext_lazy("exceptions", "Waiting"), {"state": "waiting"}),
    (gettext_lazy("In force today"), {"state": "in_force"}),
    (pgettext_lazy("exceptions", "Refused"), {"state": "refused"}),
    (pgettext_lazy("exceptions", "Withdrawn"), {"state": "withdrawn"}),
)
CHIPS = ("owner", "team")


def state(row: dict[str, Any], today: date) -> dict[str, str]:
    """How an exception stands on `today`, in words and as the tone of its dot."""
    if row["withdrawn_on"] is not None and row["withdrawn_on"] <= today:
        return {"label": pgettext("exception", "withdrawn"), "tone": "off"}
    if row["answer"] == Answer.ASKED:
        return {"label": pgettext("exception", "waits"), "tone": "warn"}
    if row["answer"] == Answer.REFUSED:
        return {"label": str(Answer.REFUSED.label), "tone": "off"}
    if row["valid_from"] > today:
        return {"label": _("to come"), "tone": "acc"}
    if row["valid_to"] < today:
        return {"label": _("past"), "tone": "off"}
    return {"label": _("in force"), "tone": "good"}


def _filtered(request: HttpRequest) -> ExceptionFilter:
    found = MinimumException.objects.visible_to(cast(User, request.user))
    return ExceptionFilter(request.GET, queryset=found, request=request)


@require_safe
@needs("orders:read")
def list_(request: HttpRequest) -> HttpResponse:
    """Exceptions for the customers in sight, last day first; also answers htmx with the rows."""
    user, today = cast(User, request.user), timezone.localdate()
    filters = _filtered(request)
    names = parameters(filters)
    context = list_context(request, filters, columns=COLUMNS, sorts=SORTS)
    customer_id = filters.form.cleaned_data.get("customer_id") if filters.is_valid() else None
    context |= {
        "chips": chips(filters, CHIPS),
        "rows": [{**row, **state(row, today)} for row in context["page"].rows],
        "heads": sort_heads(request, names, context["sort"], ("-valid_to",)),
        "tabs": quick_filters(request, names, TABS),
        "customer": customer_id
        and Customer.objects.visible_to(user).filter(pk=customer_id).first(),
        "without_customer": address(request, names - {"customer_id", "cursor"}),
    }
    return list_answer(request, "orders/exceptions.html", "orders/_exceptions.html", context)


@require_safe
@needs("orders:read")
@table_view
def export(request: HttpRequest) -> Table:
    """The filtered list as an Excel or CSV file."""
    head = [
        _("Customer number"), _("Customer"), _("Owner"), _("Minimum for this customer"),
        _("Valid from"), _("Valid to"), _("State"), _("Reason"), _("Asked for by"),
        _("Answered by"), _("Reason of the answer"),
    ]  # fmt: skip
    found = found_by(_filtered(request)).order_by(*SORTS[sort_of(request, SORTS)])
    name = _("Exceptions to the minimum order %(day)s") % {"day": timezone.localdate().isoformat()}
    return Table(name, head, _exported(found, timezone.localdate()), counted=found)


def _exported(found: QuerySet[MinimumException], today: date) -> Iterator[tuple[object, ...]]:
    for row in found.values(*COLUMNS).iterator(chunk_size=2000):
        yield (
            row["customer__external_id"], row["customer__name"], row["customer__owner__name"],
            row["minimum"], row["valid_from"], row["valid_to"], state(row, today)["label"],
            row["reason"], row["asked_by__name"], row["answered_by__name"], row["answer_reason"],
        )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@needs("orders:read")
def ask(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for a lower minimum for a customer; somebody else approves it."""
    user, today = cast(User, request.user), timezone.localdate()
    customer = get_object_or_404(Customer.objects.visible_to(user), pk=pk)
    require(user, "orders:draft")
    form = ExceptionForm(request.POST or None, initial={"valid_from": today})
    if request.method == "POST" and form.is_valid():
        try:
            one = ask_exception(customer=customer, by=user, now=timezone.now(), **form.cleaned_data)
        except ValidationError as refused:
            form.add_error(None, refused)
        else:
            undo = reverse("orders:exception-withdraw", args=[one.pk])
            messages.success(request, _("The request waits for approval."), extra_tags=undo)
            return redirect("orders:exception", pk=one.pk)
    context = {
        "form": form,
        "customer": customer,
        "usual": TradeTerms.objects.on(today).minimum_order,
    }
    status = 422 if form.errors else 200
    return render(request, "orders/exception_form.html", context, status=status)


def _one(request: HttpRequest, pk: int) -> MinimumException:
    found = MinimumException.objects.visible_to(cast(User, request.user))
    people = ("customer__owner", "asked_by", "answered_by")
    return get_object_or_404(found.select_related(*people), pk=pk)


@require_safe
@needs("orders:read")
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One exception: who asked for what and why, what was answered, and the orders of its days."""
    user, today = cast(User, request.user), timezone.localdate()
    one = _one(request, pk)
    days = f"ordered_from={one.valid_from}&ordered_to={one.valid_to}"
    context = {
        "exception": one,
        **state(vars(one), today),
        "usual": TradeTerms.objects.on(one.valid_from).minimum_order,
        "orders_url": f"{reverse('orders:list')}?customer_id={one.customer_id}&{days}",
        "changes": described(AuditEntry.objects.of(one).order_by("-id")[:30]),
        "may_answer": one.waits and may(user, "exceptions:approve") and one.asked_by_id != user.pk,
        "own": one.asked_by_id == user.pk,
        "may_withdraw": _may_withdraw(one, user)
        and one.withdrawn_on is None
        and one.answer != Answer.REFUSED,
    }
    return render(request, "orders/exception.html", context)


def _may_withdraw(one: MinimumException, user: User) -> bool:
    """Who asked takes the request back; what is approved ends with who may approve."""
    if one.answer == Answer.ASKED:
        return one.asked_by_id == user.pk
    return may(user, "exceptions:approve")


@require_POST
@needs("exceptions:approve")
def answer(request: HttpRequest, pk: int, to: str) -> HttpResponse:
    """Approve or refuse somebody else's request."""
    one = _one(request, pk)
    change = partial(
        MinimumException.reply,
        answer=to,
        by=cast(User, request.user),
        reason=request.POST.get("reason", "").replace("\x00", "").strip()[:300],
        now=timezone.now(),
    )
    said = (
        _("The exception is approved.") if to == Answer.APPROVED else _("The request is refused.")
    )
    return _changed(request, one, change, said, undo="orders:exception-answer-back")


@require_POST
@needs("exceptions:approve")
def answer_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Take one's own answer of today back."""
    change = partial(
        MinimumException.take_answer_back,
        by=cast(User, request.user),
        today=timezone.localdate(),
    )
    return _changed(request, _one(request, pk), change, _("The request waits again."))


@require_POST
@needs("orders:read")
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Let an exception hold no longer, or take a request back."""
    one = _one(request, pk)
    if not _may_withdraw(one, cast(User, request.user)):
        raise PermissionDenied
    change = partial(MinimumException.withdraw, today=timezone.localdate())
    return _changed(request, one, change, _("It is withdrawn."), undo="orders:exception-restore")


@require_POST
@needs("orders:read")
def restore(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back that it was withdrawn today."""
    one = _one(request, pk)
    if not _may_withdraw(one, cast(User, request.user)):
        raise PermissionDenied
    change = partial(MinimumException.restore, today=timezone.localdate())
    return _changed(request, one, change, _("It stands as before."))


def _changed(
    request: HttpRequest,
    one: MinimumException,
    change: Callable[[MinimumException], None],
    said: str,
    *,
    undo: str = "",
) -> HttpResponse:
    try:
        change_exception(one, change)
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
    else:
        tags = reverse(undo, args=[one.pk]) if undo else ""
        messages.success(request, said, extra_tags=tags)
    return redirect("orders:exception", pk=one.pk)
