"""The pages of orders."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, cast

from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_safe

from accounts.access import may, needs
from accounts.exports import table_view
from accounts.history import described
from accounts.models import AuditEntry, User
from crm.lib.export import Table
from crm.lib.formats import local_day, month
from crm.lib.htmx import page_or_part, wants_part
from crm.lib.keyset import keyset_page
from crm.lib.listing import (
    PAGE_SIZE,
    address,
    found_by,
    list_answer,
    list_context,
    parameters,
    quick_filters,
    sort_heads,
    sort_of,
    turns,
)
from crm.lib.text import Text
from customers import divisions
from customers.filters import chips
from customers.models import Customer
from customers.views.files import file_frame, opened
from orders import channel, purchase, trend
from orders.amounts import line_amount
from orders.filters import OrderFilter
from orders.margins import total
from orders.minimum import Minimums, shortfall
from orders.models import Order, OrderLine, OrderStatus, TradeTerms

COLUMNS = (
    *("id", "external_id", "ordered_at", "status", "amount", "held"),
    *("customer_id", "customer__name", "customer__owner__name"),
)
SORTS = {"-ordered_at": ("-ordered_at", "-id"), "ordered_at": ("ordered_at", "id")}
TABS: tuple[tuple[Text, dict[str, str]], ...] = (
    (gettext_lazy("All"), {}),
    *((status.label, {"status": status.value}) for status in OrderStatus),
    (gettext_lazy("Held"), {"held": "true"}),
    (gettext_lazy("Below the minimum"), {"below_minimum": "true"}),
)
CHIPS = ("ordered_from", "ordered_to", "owner", "team", "status", "held", "below_minimum")
#: Filters that come with the links of other pages; their chips stand there as long as they do.
LINKED = ("customer_division", "category")
#: How far a status has come, as the tone of its dot.
TONES = {
    OrderStatus.DRAFT: "off",
    OrderStatus.CONFIRMED: "acc",
    OrderStatus.SHIPPED: "acc",
    OrderStatus.COMPLETED: "good",
    OrderStatus.CANCELLED: "off",
    OrderStatus.RETURNED: "warn",
}
#: The verb that brings an order into a status: its address, and the button.
VERBS: dict[OrderStatus, tuple[str, Text]] = {
    OrderStatus.CONFIRMED: ("confirm", pgettext_lazy("order", "Confirm")),
    OrderStatus.SHIPPED: ("ship", pgettext_lazy("order", "Mark as shipped")),
    OrderStatus.COMPLETED: ("complete", pgettext_lazy("order", "Complete")),
    OrderStatus.RETURNED: ("return", pgettext_lazy("order", "Take it back as returned")),
    OrderStatus.CANCELLED: ("cancel", pgettext_lazy("order", "Cancel the order")),
}
EXPORTED = (
    *("external_id", "ordered_at", "status", "customer__external_id", "customer__name"),
    *("customer__owner__name", "amount", "held", "payment_method", "promotion"),
    *("delivery_division", "delivery_address"),
)


def shown(row: dict[str, Any], minimums: Minimums) -> dict[str, Any]:
    """A row of the list: its status in words and tone, and what it lacks to the minimum."""
    status = OrderStatus(row["status"])
    minimum = minimums.on(local_day(row["ordered_at"]), row["customer_id"])
    lacks = shortfall(status=status, amount=row["amount"], minimum=minimum)
    return {**row, "status_label": status.label, "tone": TONES[status], "lacks": lacks}


@require_safe
@needs("orders:read")
def list_(request: HttpRequest) -> HttpResponse:
    """Orders of the customers in sight, newest first; also answers htmx with the rows."""
    user = cast(User, request.user)
    filters = OrderFilter(request.GET, queryset=Order.objects.visible_to(user), request=request)
    names = parameters(filters)
    context = list_context(request, filters, columns=COLUMNS, sorts=SORTS)
    minimums = Minimums({row["customer_id"] for row in context["page"].rows})
    customer_id = filters.form.cleaned_data.get("customer_id") if filters.is_valid() else None
    context |= {
        "chips": chips(filters, (*CHIPS, *(name for name in LINKED if request.GET.get(name)))),
        "rows": [shown(row, minimums) for row in context["page"].rows],
        "heads": sort_heads(request, names, context["sort"], ("-ordered_at",)),
        "tabs": quick_filters(request, names, TABS),
        "may_draft": may(user, "orders:draft"),
        "customer": customer_id
        and Customer.objects.visible_to(user).filter(pk=customer_id).first(),
        "without_customer": address(request, names - {"customer_id", "cursor"}),
    }
    return list_answer(request, "orders/list.html", "orders/_list.html", context)


@require_safe
@needs("orders:read")
@table_view
def export(request: HttpRequest) -> Table:
    """The filtered list as an Excel or CSV file."""
    user = cast(User, request.user)
    filters = OrderFilter(request.GET, queryset=Order.objects.visible_to(user), request=request)
    name = _("Orders %(day)s") % {"day": timezone.localdate().isoformat()}
    found = found_by(filters).order_by(*SORTS[sort_of(request, SORTS)])
    return Table(name, export_head(), export_rows(found), counted=found)


def export_head() -> list[str]:
    """The titles of the export, in the reader's language."""
    return [
        _("Order number"), _("Ordered"), _("Status"), _("Customer number"), _("Customer"),
        _("Owner"), _("Amount"), _("Held"), _("Payment method"), _("Promotion"),
        _("Delivery division"), _("Delivery area"), _("Delivery address"),
    ]  # fmt: skip


def export_rows(orders: QuerySet[Order]) -> Iterator[tuple[object, ...]]:
    """The rows of the export, read from the database as they are written."""
    for *facts, division, delivered_to in orders.values_list(*EXPORTED).iterator(chunk_size=2000):
        facts[2] = OrderStatus(facts[2]).label
        yield (*facts, division, divisions.name(division), delivered_to)


@require_safe
@needs("orders:read")
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One order with its lines and its changes."""
    user = cast(User, request.user)
    lines = channel.priced(OrderLine.objects.all())
    order = get_object_or_404(
        Order.objects.visible_to(user)
        .select_related("customer", "customer__owner")
        .prefetch_related(Prefetch("lines", queryset=lines)),
        pk=pk,
    )
    returned = order.status == OrderStatus.RETURNED
    margins = [channel.of_order_line(line, returned=returned) for line in order.lines.all()]
    day = local_day(order.ordered_at)
    terms = TradeTerms.objects.on(day)
    minimum = terms.minimum_order
    if minimum:
        minimum = Minimums([order.customer_id]).on(day, order.customer_id)
    sees_costs = may(user, "costs:read")
    context = {
        "order": order,
        "margins": [
            (line, channel.told(margin, terms, costs=sees_costs))
            for line, margin in zip(order.lines.all(), margins, strict=True)
        ],
        "told": channel.told(total(margins), terms, costs=sees_costs),
        "sees_costs": sees_costs,
        "minimum": minimum,
        "lowered": minimum != terms.minimum_order,
        "shortfall": shortfall(status=order.status, amount=order.amount, minimum=minimum),
        "tone": TONES[OrderStatus(order.status)],
        "area_name": divisions.name(order.delivery_division),
        "lines": [
            (line, line_amount(line.quantity, line.unit_price)) for line in order.lines.all()
        ],
        "changes": described(AuditEntry.objects.of(order).order_by("-id")[:30]),
        "may_products": may(user, "products:read"),
        "verbs": verbs(order, user),
        "may_edit": order.open_to_edits
        and may(user, "orders:draft" if order.status == OrderStatus.DRAFT else "orders:write"),
    }
    return render(request, "orders/detail.html", context)


def verbs(order: Order, user: User) -> list[dict[str, Any]]:
    """What `user` may do with the order now: the label and address of each button."""
    drafts_only = not may(user, "orders:write")
    return [
        {"label": label, "url": reverse(f"orders:{verb}", args=[order.pk])}
        for status in order.next_statuses
        for verb, label in [VERBS[status]]
        if not drafts_only
        or (
            may(user, "orders:draft")
            and (order.status, status) == (OrderStatus.DRAFT, OrderStatus.CANCELLED)
        )
    ]


@require_safe
@needs("orders:read")
def of_customer(request: HttpRequest, pk: int) -> HttpResponse:
    """A customer's orders with their trend: a page of the file, or to htmx its short form."""
    user = cast(User, request.user)
    customer = get_object_or_404(Customer.objects.visible_to(user).select_related("owner"), pk=pk)
    opened(request, customer)
    minimums = Minimums([pk])
    orders = Order.objects.visible_to(user).filter(customer=customer)
    page = keyset_page(
        orders.values(*COLUMNS),
        order=SORTS["-ordered_at"],
        cursor=request.GET.get("cursor", ""),
        size=5 if wants_part(request) else PAGE_SIZE,
    )
    today = timezone.localdate()
    context = {
        **file_frame(customer, user, "orders"),
        "asks_minimum": minimums.on(today) is not None,
        "rows": [shown(row, minimums) for row in page.rows],
        "page": page,
        "may_draft": may(user, "orders:draft"),
        "trend": trend.of_customer(customer, today=today),
        **turns(request, {"cursor"}, page),
    }
    return page_or_part(request, "orders/of_customer.html", "orders/_of_customer.html", context)


@require_safe
@needs("orders:read")
def purchase_of_customer(request: HttpRequest, pk: int) -> HttpResponse:
    """How a customer buys, as its orders tell: a page, or to htmx the facts for its file."""
    user = cast(User, request.user)
    customer = get_object_or_404(Customer.objects.visible_to(user).select_related("owner"), pk=pk)
    opened(request, customer)
    habits = purchase.of_customer(customer, today=timezone.localdate())
    context = {
        **file_frame(customer, user, "orders"),
        "habits": habits,
        "months": [month(date(2000, n, 1)) for n in habits.strong_months] if habits else [],
        "may_products": may(user, "products:read"),
    }
    return page_or_part(request, "orders/purchase.html", "orders/_purchase.html", context)
