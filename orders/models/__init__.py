"""Products and orders."""

from orders.models.orders import (
    COUNTED,
    NETTED,
    Order,
    OrderLine,
    OrderQuerySet,
    OrderStatus,
)
from orders.models.products import Product, ProductQuerySet

__all__ = [
    "COUNTED",
    "NETTED",
    "Order",
    "OrderLine",
    "OrderQuerySet",
    "OrderStatus",
    "Product",
    "ProductQuerySet",
]
