"""What goes over when a customer's file is merged into another: its orders."""

from __future__ import annotations

from datetime import datetime

from customers import moving
from orders.models import Order


def move(*, gone: int, into: int, now: datetime) -> moving.Moved:
    """Hand all orders of `gone` over to `into`; their lines hang on them."""
    return {Order._meta.label_lower: moving.hand_over(Order, gone=gone, into=into, now=now)}
