"""Products, prices, orders, and what customers pay and owe."""

from orders.models.credit import (
    USUAL_TERMS_DAYS,
    Balance,
    BalanceQuerySet,
    Cause,
    Credit,
    Hold,
    HoldAt,
    Payment,
    PaymentQuerySet,
    usual_credit,
)
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
    "USUAL_TERMS_DAYS",
    "Balance",
    "BalanceQuerySet",
    "Cause",
    "Credit",
    "Hold",
    "HoldAt",
    "Order",
    "OrderLine",
    "OrderQuerySet",
    "OrderStatus",
    "Payment",
    "PaymentQuerySet",
    "Price",
    "PriceQuerySet",
    "Product",
    "ProductQuerySet",
    "TradeTerms",
    "usual_credit",
]
