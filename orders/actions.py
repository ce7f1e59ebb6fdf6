"""Storing an order together with its lines, and moving it on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.db import transaction

from accounts.models import AuditEntry, User
from accounts.models.audit import Action
from orders.events import changed_columns, tell_orders
from orders.models import Order, OrderLine, OrderStatus
from orders.settling import settle_later


@transaction.atomic
def record_order(*, order: Order, lines: Sequence[OrderLine] | None) -> Order:
    """Store `order`; `lines`, where given, take the place of the ones it had.

    The lines carry their product. Both are audited; without any difference nothing is written.
    """
    created, changed = order.pk is None, changed_columns(order) if order.pk else []
    before = [] if created or lines is None else _logged(_stored_lines(order))
    after = [] if lines is None else _logged(lines)
    if created or before != after or changed:
        sides = {order.customer_id, order.was("customer_id") or order.customer_id}
        settle_later(sides, stock=True)
        order.save()
    if lines is None or before == after:
        _tell(order, created, changed)
        return order
    if before:
        OrderLine.objects.filter(order=order).delete()
    for line in lines:
        line.order = order
    OrderLine.objects.bulk_create(lines)
    AuditEntry.build(
        model=Order,
        object_id=order.pk,
        object_name=str(order),
        action=Action.UPDATE,
        before={"lines": before},
        after={"lines": after},
    ).save(force_insert=True)
    _tell(order, created, [*changed, "lines"])
    return order


@transaction.atomic
def move_order(*, order: Order, to: OrderStatus) -> Order:
    """Bring an order that people keep into another status; what its customer owes follows."""
    order.move_to(to)
    settle_later([order.customer_id], stock=True)
    tell_orders(changed={order.pk: ["status"]}, at=order.updated_at)
    return order


@transaction.atomic
def take_back_move(*, order: Order, by: User, today: date) -> Order:
    """Undo the last change of status, which `by` made today; what its customer owes follows."""
    order.take_back(by=by, today=today)
    settle_later([order.customer_id], stock=True)
    tell_orders(changed={order.pk: ["status"]}, at=order.updated_at)
    return order


def _stored_lines(order: Order) -> Iterable[OrderLine]:
    return OrderLine.objects.filter(order=order).select_related("product")


def _tell(order: Order, created: bool, changed: Sequence[str]) -> None:
    if created:
        tell_orders(created=[order.pk], at=order.updated_at)
    elif changed:
        tell_orders(changed={order.pk: changed}, at=order.updated_at)


def _logged(lines: Iterable[OrderLine]) -> list[dict[str, Any]]:
    """The lines as the audit log holds them, in the order of their numbers."""
    return [
        {
            "line_no": line.line_no,
            "product": line.product.external_id,
            "quantity": f"{line.quantity:.3f}",
            "unit_price": f"{line.unit_price:.2f}",
            "batch": line.batch,
        }
        for line in sorted(lines, key=lambda line: line.line_no)
    ]
