"""Products, orders and prices."""

from orders.models.orders import (
    COUNTED,
    NETTED,
    Order,
    OrderLine,
    OrderQuerySet,
    OrderStatus,
)
from orders.models.prices import Price, PriceQuerySet, TradeTerms
from orders.models.products import Product, ProductQuerySet

__all__ = [
    "COUNTED",
    "NETTED",
    "Order",
    "OrderLine",
    "OrderQuerySet",
    "OrderStatus",
    "Price",
    "PriceQuerySet",
    "Product",
    "ProductQuerySet",
    "TradeTerms",
]
