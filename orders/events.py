"""What webhooks hear of orders and payments: numbers, states and amounts."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from functools import partial

from django.utils.translation import gettext_lazy as _

from accounts.webhooks import EventKind, Payload, api_url, listeners, record, record_written
from orders.models import Order, Payment

CREATED, UPDATED = "order.created", "order.updated"
HELD, RELEASED = "order.held", "order.released"
PAID, PAYMENT_UPDATED = "payment.received", "payment.updated"
#: What the API calls the columns that it calls otherwise.
_NAMES = {"customer_id": "customer", "order_id": "order"}
#: Columns that the API does not tell, or that have an event of their own.
_SILENT = frozenset(
    {
        *("id", "version", "created_at", "updated_at", "source_updated_at", "client_id", "held"),
        "reverses_id",
    }
)


def offered() -> list[EventKind]:
    return [
        EventKind(CREATED, _("Order created"), _("An order is on file, also as a draft.")),
        EventKind(
            UPDATED,
            _("Order changed"),
            _("Status, amount, lines or anything else changed; “changed” names the fields."),
        ),
        EventKind(HELD, _("Order held"), _("An order waits because of its customer’s credit.")),
        EventKind(RELEASED, _("Order released"), _("An order that waited may go.")),
        EventKind(
            PAID,
            _("Payment received"),
            _("A payment is on file; its amount is below zero where money went back."),
        ),
        EventKind(PAYMENT_UPDATED, _("Payment changed"), _("The ERP corrected a payment.")),
    ]


def api_names(columns: Iterable[str]) -> list[str]:
    return sorted({_NAMES.get(name, name) for name in columns if name not in _SILENT})


def changed_columns(order: Order) -> list[str]:
    """The columns in which `order` differs from what is stored, before it is saved."""
    return [name for name, value in order._loaded.items() if getattr(order, name) != value]


def tell_held(*, held: Collection[int] = (), released: Collection[int] = (), at: datetime) -> None:
    """Let webhooks know of orders that wait now, and of those that do not wait any more."""
    if not (held or released) or not (heard := listeners(HELD, RELEASED)):
        return
    facts = _orders([*held, *released])
    record(
        {HELD: (facts[pk] for pk in held), RELEASED: (facts[pk] for pk in released)},
        to=heard,
        at=at,
    )


def _orders(ids: Collection[int]) -> dict[int, Payload]:
    base = api_url("order-list")
    rows = Order.objects.filter(pk__in=ids).order_by("pk")
    columns = ("id", "external_id", "customer_id", "customer__external_id", "status", "amount")
    return {
        row["id"]: {
            "id": row["id"],
            "external_id": row["external_id"],
            "customer_id": row["customer_id"],
            "customer": row["customer__external_id"],
            "status": row["status"],
            "amount": f"{row['amount']:.2f}",
            "held": row["held"],
            "url": f"{base}{row['id']}/",
        }
        for row in rows.values(*columns, "held")
    }


def _payments(ids: Collection[int]) -> dict[int, Payload]:
    base = api_url("payment-list")
    rows = Payment.objects.filter(pk__in=ids).order_by("pk")
    columns = ("id", "external_id", "customer_id", "customer__external_id", "order_id", "amount")
    return {
        row["id"]: {
            "id": row["id"],
            "external_id": row["external_id"],
            "customer_id": row["customer_id"],
            "customer": row["customer__external_id"],
            "order_id": row["order_id"],
            "order": row["order__external_id"],
            "amount": f"{row['amount']:.2f}",
            "reverses": row["reverses_id"],
            "url": f"{base}{row['id']}/",
        }
        for row in rows.values(*columns, "order__external_id", "reverses_id")
    }


#: Let webhooks know of new orders, and of changed ones by the columns that changed.
tell_orders = partial(record_written, (CREATED, UPDATED), named=api_names, facts=_orders)
#: The same for payments.
tell_payments = partial(record_written, (PAID, PAYMENT_UPDATED), named=api_names, facts=_payments)
