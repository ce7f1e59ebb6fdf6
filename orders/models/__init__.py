"""Products, prices, orders, what customers pay and owe, and what dealers have in stock."""

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
from orders.models.exceptions import Answer, MinimumException, MinimumExceptionQuerySet
from orders.models.orders import (
    COUNTED,
    NETTED,
    Order,
    OrderLine,
    OrderQuerySet,
    OrderStatus,
)
from orders.models.positions import StockPosition, StockPositionQuerySet
from orders.models.prices import Price, PriceQuerySet, TradeTerms
from orders.models.products import Product, ProductQuerySet
from orders.models.reviews import (
    CreditReview,
    CreditReviewQuerySet,
    CreditRules,
    Proposal,
    ReviewState,
)
from orders.models.settling import Unsettled
from orders.models.stock import (
    AdjustmentCause,
    SellOut,
    SellOutQuerySet,
    StockAdjustment,
    StockLine,
    StockReport,
    StockReportQuerySet,
    StockRules,
    StockSource,
)
from orders.models.stock_imports import StockImport, StockImportKind, StockImportState

__all__ = [
    "COUNTED",
    "NETTED",
    "USUAL_TERMS_DAYS",
    "AdjustmentCause",
    "Answer",
    "Balance",
    "BalanceQuerySet",
    "Cause",
    "Credit",
    "CreditReview",
    "CreditReviewQuerySet",
    "CreditRules",
    "Hold",
    "HoldAt",
    "MinimumException",
    "MinimumExceptionQuerySet",
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
    "Proposal",
    "ReviewState",
    "SellOut",
    "SellOutQuerySet",
    "StockAdjustment",
    "StockImport",
    "StockImportKind",
    "StockImportState",
    "StockLine",
    "StockPosition",
    "StockPositionQuerySet",
    "StockReport",
    "StockReportQuerySet",
    "StockRules",
    "StockSource",
    "TradeTerms",
    "Unsettled",
    "usual_credit",
]
