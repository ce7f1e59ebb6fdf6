"""The pages of credit: what a customer owes and may owe, all receivables, and orders that wait."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet, Sum
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
from crm.lib.formats import local_day
from crm.lib.htmx import page_or_part
from crm.lib.listing import (
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
from customers.views.files import file_frame, opened
from orders import balances
from orders.credit import (
    ZERO,
    Item,
    age_of,
    days_overdue,
    days_sales_outstanding,
    due_on,
    exposure,
)
from orders.crediting import hold_again, reasons_of, release, set_credit
from orders.models import (
    Balance,
    Credit,
    CreditReview,
    Hold,
    Order,
    OrderStatus,
    Payment,
    usual_credit,
)
from orders.payment_filters import BalanceFilter
from orders.payment_forms import CreditForm
from orders.reviews import why as why_proposed

#: The kinds of what is open, by the name in the address.
PARTS: dict[str, Text] = {
    "ordered": pgettext_lazy("credit", "Ordered"),
    "not_due": gettext_lazy("Not yet due"),
    "overdue_30": gettext_lazy("0–30 days"),
    "overdue_60": gettext_lazy("31–60 days"),
    "overdue_90": gettext_lazy("61–90 days"),
    "overdue_over_90": gettext_lazy("Over 90 days"),
}
AGES = tuple(PARTS)[2:]
SUMS = (*PARTS, "delivered", "overdue", "on_account", "exposure")
COLUMNS = (
    *("customer_id", "customer__name", "customer__external_id", "customer__owner__name"),
    *("customer__credit__limit", *SUMS),
)
SORTS = {
    "-overdue": ("-overdue", "-customer_id"),
    "overdue": ("overdue", "customer_id"),
    "-exposure": ("-exposure", "-customer_id"),
    "exposure": ("exposure", "customer_id"),
}
TABS: tuple[tuple[Text, dict[str, str]], ...] = (
    (gettext_lazy("All"), {}),
    (pgettext_lazy("amount", "Overdue"), {"overdue": "true"}),
    (gettext_lazy("Over the limit"), {"over_limit": "true"}),
)
CHIPS = ("owner", "team")
LATEST = 5
#: Open orders on the page of a customer; more are counted.
MOST_SHOWN = 200


# --- one customer


@require_safe
@needs("payments:read")
def of_customer(request: HttpRequest, pk: int) -> HttpResponse:
    """What a customer owes and may owe, with the orders behind it: a page or a part."""
    user, today = cast(User, request.user), timezone.localdate()
    customer = get_object_or_404(Customer.objects.visible_to(user).select_related("owner"), pk=pk)
    opened(request, customer)
    credit = Credit.objects.filter(customer=customer).first() or usual_credit(pk)
    part = request.GET.get("part", "")
    rows, owed = account(customer, credit, today)
    sales = balances.sales_of([customer.pk], today=today)
    rows = [row for row in rows if part not in PARTS or row["part"] == part]
    # Reviews are for who reads receivables; the file of a rep says nothing of them.
    reviews = CreditReview.objects.open().filter(customer=customer)
    review = reviews.first() if may(user, "reports:read") else None
    context = {
        **file_frame(customer, user, "credit"),
        "credit": credit,
        "payments_known": payments_known(user, today, customer=customer),
        "review": review,
        "review_why": why_proposed(review)[0] if review else "",
        "owed": owed,
        "available": owed.available(credit.limit),
        "parts": [
            (name, label, value)
            for (name, label), value in zip(
                PARTS.items(), (owed.ordered, owed.not_due, *owed.overdue_by_age), strict=True
            )
        ],
        "rows": rows,
        "shown": rows[:MOST_SHOWN],
        "more": len(rows) - MOST_SHOWN,
        "part": part if part in PARTS else "",
        "part_label": PARTS.get(part, ""),
        "dso": days_sales_outstanding(owed.delivered - owed.on_account, sales),
        "payments": Payment.objects.filter(customer=customer).select_related("order", "reversal")[
            :LATEST
        ],
        "changes": described(AuditEntry.objects.of(credit).order_by("-id")[:30])
        if credit.pk
        else [],
        "may_payments": may(user, "payments:write"),
        "may_credit": may(user, "credit:write"),
    }
    return page_or_part(request, "orders/credit.html", "orders/_credit.html", context)


def payments_known(user: User, today: date, *, customer: Customer | None = None) -> dict[str, Any]:
    """What a page of receivables says of the payments behind it, and where one goes from there.

    `none` where no payment is stored at all, `none_of` where none is of this customer; with
    `kept` false the company does not keep payments here.
    """
    kept = balances.keeps_payments(today)
    stored = kept and Payment.objects.exists()
    own = customer is None or (stored and Payment.objects.filter(customer=customer).exists())
    return {
        "kept": kept,
        "none": kept and not stored,
        "none_of": stored and not own,
        "may_enter": may(user, "payments:write"),
        "may_switch": may(user, "prices:write"),
    }


def account(customer: Customer, credit: Credit, today: date) -> tuple[list[dict[str, Any]], Any]:
    """The open orders of a customer, first due first, and its exposure."""
    ledger = balances.ledger_of(customer.pk)
    keeps_payments = balances.keeps_payments(today)
    rows, items = [], []
    for order in balances.open_orders(ledger):
        rest = ledger.open[order.pk]
        item = Item(order.pk, local_day(order.ordered_at), order.status, rest)
        days = days_overdue(item.ordered_on, credit.terms_days, today) if item.is_delivered else 0
        if days and not keeps_payments:
            continue  # taken as paid when it was due
        items.append(item)
        rows.append(
            {
                "order": order,
                "open": rest,
                "paid": ledger.paid[order.pk],
                "due": due_on(item.ordered_on, credit.terms_days),
                "days": days,
                "part": AGES[age_of(days)]
                if days
                else ("not_due" if item.is_delivered else "ordered"),
            }
        )
    owed = exposure(items, on_account=ledger.on_account, terms_days=credit.terms_days, today=today)
    return rows, owed


@require_http_methods(["GET", "HEAD", "POST"])
@needs("payments:read")
@transaction.atomic
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Set what a customer may owe, unless somebody else did since the form was opened."""
    user = cast(User, request.user)
    customers = Customer.objects.visible_to(user)
    if request.method == "POST":
        customers = customers.select_for_update(of=("self",))
    customer = get_object_or_404(customers, pk=pk)
    require(user, "credit:write")
    credit = Credit.objects.filter(customer=customer).first() or usual_credit(pk)
    form = CreditForm(request.POST or None, instance=credit)
    if request.method == "POST" and form.is_valid():
        set_credit(credit=form.save(commit=False))
        messages.success(request, _("Saved."))
        return redirect("orders:credit", pk=pk)
    context = {"form": form, "customer": customer, "last": credit.was("reason")}
    status = 422 if form.errors else 200
    return render(request, "orders/credit_form.html", context, status=status)


# --- all of them


def _filtered(request: HttpRequest) -> BalanceFilter:
    owing = Balance.objects.visible_to(cast(User, request.user)).owing()
    return BalanceFilter(request.GET, queryset=owing, request=request)


@require_safe
@needs("reports:read")
def receivables(request: HttpRequest) -> HttpResponse:
    """Who owes how much, by age, with the totals; also answers htmx with the rows."""
    user, today = cast(User, request.user), timezone.localdate()
    filters = _filtered(request)
    names = parameters(filters)
    context = list_context(request, filters, columns=COLUMNS, sorts=SORTS)
    found: Any = found_by(filters).order_by()
    totals = found.aggregate(**{name: Sum(name) for name in SUMS})
    sales = balances.sales_of(found.values("customer_id"), today=today)
    receivable = (totals["delivered"] or ZERO) - (totals["on_account"] or ZERO)
    context |= {
        "payments_known": payments_known(user, today),
        "chips": chips(filters, CHIPS),
        "rows": [_shown(row) for row in context["page"].rows],
        "totals": totals,
        "parts": [(name, PARTS[name], totals[name]) for name in PARTS],
        "dso": days_sales_outstanding(receivable, sales),
        "heads": sort_heads(request, names, context["sort"], ("-exposure", "-overdue")),
        "tabs": quick_filters(request, names, TABS),
        "narrowed": any(request.GET.get(name) for name in filters.filters),
    }
    return list_answer(request, "orders/receivables.html", "orders/_receivables.html", context)


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """A row with its figures by part, and what may still be ordered."""
    limit: Decimal | None = row["customer__credit__limit"]
    return {
        **row,
        "parts": [(name, row[name]) for name in PARTS],
        "limit": limit,
        "available": None if limit is None else limit - row["exposure"],
    }


@require_safe
@needs("reports:read")
@table_view
def receivables_export(request: HttpRequest) -> Table:
    """The filtered list as an Excel or CSV file."""
    head = [
        _("Customer number"), _("Customer"), _("Owner"), _("Credit limit"), _("Exposure"),
        _("Available"), str(PARTS["ordered"]), _("Delivered, unpaid"), _("Not yet due"),
        pgettext("amount", "Overdue"), *(str(PARTS[name]) for name in AGES), _("On account"),
        _("As of"),
    ]  # fmt: skip
    found = found_by(_filtered(request)).order_by(*SORTS[sort_of(request, SORTS)])
    name = _("Receivables %(day)s") % {"day": timezone.localdate().isoformat()}
    return Table(name, head, _exported(found), counted=found)


def _exported(found: QuerySet[Balance]) -> Iterator[tuple[object, ...]]:
    for row in found.values(*COLUMNS, "as_of").iterator(chunk_size=2000):
        shown = _shown(row)
        yield (
            row["customer__external_id"], row["customer__name"], row["customer__owner__name"],
            shown["limit"], row["exposure"], shown["available"], row["ordered"], row["delivered"],
            row["not_due"], row["overdue"], *(row[name] for name in AGES), row["on_account"],
            row["as_of"],
        )  # fmt: skip


# --- orders that wait


@require_safe
@needs("payments:read")
def of_order(request: HttpRequest, pk: int) -> HttpResponse:
    """What is paid of an order, why it waits, and who let it go: a page or a part."""
    user, today = cast(User, request.user), timezone.localdate()
    order = get_object_or_404(Order.objects.visible_to(user).select_related("customer"), pk=pk)
    ledger = balances.ledger_of(order.customer_id)
    credit = Credit.objects.filter(customer=order.customer_id).first()
    terms = (credit or usual_credit(order.customer_id)).terms_days
    ordered_on = local_day(order.ordered_at)
    is_open = bool(ledger.open.get(order.pk)) and balances.keeps_payments(today)
    delivered = order.status != OrderStatus.CONFIRMED
    context = {
        "order": order,
        "paid": ledger.paid.get(order.pk),
        "open": ledger.open.get(order.pk),
        "due": due_on(ordered_on, terms),
        "days": days_overdue(ordered_on, terms, today) if is_open and delivered else 0,
        "payments": Payment.objects.filter(order=order).select_related("reversal"),
        "holds": reasons_of(list(Hold.objects.filter(order=order).select_related("released_by"))),
        "may_payments": may(user, "payments:write"),
        "may_release": may(user, "credit:write") and order.held,
    }
    return page_or_part(request, "orders/order_credit.html", "orders/_order_credit.html", context)


@require_POST
@needs("credit:write")
def release_order(request: HttpRequest, pk: int) -> HttpResponse:
    """Let an order go that waits because of its customer's credit."""
    user = cast(User, request.user)
    order = get_object_or_404(Order.objects.visible_to(user), pk=pk)
    reason = request.POST.get("reason", "").replace("\x00", "")[:300]
    try:
        release(order=order, by=user, reason=reason, now=timezone.now())
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
    else:
        messages.success(
            request,
            _("Order %(order)s may go.") % {"order": order},
            extra_tags=reverse("orders:hold-again", args=[pk]),
        )
    return redirect("orders:detail", pk=pk)


@require_POST
@needs("credit:write")
def hold_order_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back that an order was released."""
    user = cast(User, request.user)
    order = get_object_or_404(Order.objects.visible_to(user), pk=pk)
    try:
        hold_again(order=order, now=timezone.now())
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
    else:
        messages.success(request, _("Order %(order)s waits again.") % {"order": order})
    return redirect("orders:detail", pk=pk)
