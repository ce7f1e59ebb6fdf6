"""Products and orders."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Self

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.access import SHARED, ScopedQuerySet
from accounts.models import Tracked
from crm.lib.models import Record


class OrderStatus(models.TextChoices):
    DRAFT = "draft", _("Draft")
    CONFIRMED = "confirmed", _("Confirmed")
    SHIPPED = "shipped", _("Shipped")
    COMPLETED = "completed", _("Completed")
    CANCELLED = "cancelled", _("Cancelled")
    RETURNED = "returned", _("Returned")


#: Orders that count as purchases (P8); returned ones count negative beside them.
COUNTED = (OrderStatus.CONFIRMED, OrderStatus.SHIPPED, OrderStatus.COMPLETED)
#: Orders that enter the net amount: purchases, and returns with a minus.
NETTED = (*COUNTED, OrderStatus.RETURNED)


class ProductQuerySet(ScopedQuerySet["Product"]):
    def active(self) -> Self:
        return self.filter(active=True)


class Product(Tracked, Record):
    """Something we sell. `external_id` is its SKU; `unit_cost` is what a unit costs us."""

    OWNER_PATH = SHARED

    external_id = models.CharField(_("SKU"), max_length=100, unique=True)
    name = models.CharField(_("name"), max_length=200)
    category = models.CharField(_("category"), max_length=100, blank=True)
    unit = models.CharField(_("unit"), max_length=20, blank=True)
    dealer_price = models.DecimalField(
        _("dealer price"),
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )
    retail_price = models.DecimalField(
        _("retail price"),
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )
    unit_cost = models.DecimalField(
        _("unit cost"),
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("What one unit costs us; the margin of an order follows from it."),
    )
    launched_on = models.DateField(_("launched on"), null=True, blank=True)
    active = models.BooleanField(_("on sale"), default=True)
    source_updated_at = models.DateTimeField(
        _("changed in the ERP"), null=True, blank=True, editable=False
    )

    objects = ProductQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        verbose_name = _("product")
        verbose_name_plural = _("products")
        indexes = [
            models.Index(fields=["updated_at", "id"], name="product_by_change"),
            models.Index(fields=["category"], name="product_by_category"),
        ]

    def __str__(self) -> str:
        return self.name


class OrderQuerySet(ScopedQuerySet["Order"]):
    def counted(self) -> Self:
        """Confirmed, shipped and completed orders."""
        return self.filter(status__in=COUNTED)

    def netted(self) -> Self:
        """Counted orders and returns: what the net amount is made of."""
        return self.filter(status__in=NETTED)

    def between(self, start: datetime, end: datetime) -> Self:
        """Ordered at `start` or later, and before `end`."""
        return self.filter(ordered_at__gte=start, ordered_at__lt=end)


class Order(Tracked, Record):
    """An order of a customer. `amount` is never negative; a returned order counts against it."""

    OWNER_PATH = "customer__owner"

    external_id = models.CharField(
        _("order number"), max_length=100, null=True, blank=True, unique=True
    )
    customer = models.ForeignKey(
        "customers.Customer",
        models.PROTECT,
        related_name="orders",
        verbose_name=_("customer"),
        db_index=False,
    )
    ordered_at = models.DateTimeField(_("ordered"))
    status = models.CharField(
        _("status"), max_length=10, choices=OrderStatus.choices, default=OrderStatus.CONFIRMED
    )
    delivery_address = models.CharField(_("delivery address"), max_length=300, blank=True)
    delivery_division = models.CharField(_("delivery division"), max_length=6, blank=True)
    payment_method = models.CharField(_("payment method"), max_length=50, blank=True)
    promotion = models.CharField(_("promotion"), max_length=50, blank=True)
    amount = models.DecimalField(
        _("amount"), max_digits=14, decimal_places=2, validators=[MinValueValidator(0)]
    )
    held = models.BooleanField(_("held"), default=False, editable=False)
    source_updated_at = models.DateTimeField(
        _("changed in the ERP"), null=True, blank=True, editable=False
    )

    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering = ["-ordered_at", "-id"]
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(amount__gte=0),
                name="order_amount_not_negative",
                violation_error_message=_("An amount is never negative; a return has its status."),
            ),
        ]
        indexes = [
            models.Index(fields=["ordered_at", "id"], name="order_by_day"),
            models.Index(fields=["customer", "-ordered_at", "-id"], name="order_by_customer"),
            models.Index(fields=["updated_at", "id"], name="order_by_change"),
        ]

    def __str__(self) -> str:
        return self.external_id or f"#{self.pk}"

    @property
    def net(self) -> Decimal:
        """The amount as it counts: negative for a return, zero where the order does not count."""
        if self.status == OrderStatus.RETURNED:
            return -self.amount
        return self.amount if self.status in COUNTED else Decimal(0)


class OrderLine(models.Model):
    """One product on an order. Written with its order, never alone."""

    OWNER_PATH = "order__customer__owner"

    order = models.ForeignKey(Order, models.CASCADE, related_name="lines", db_index=False)
    line_no = models.PositiveIntegerField(_("line"))
    product = models.ForeignKey(
        Product, models.PROTECT, related_name="+", verbose_name=_("product")
    )
    quantity = models.DecimalField(_("quantity"), max_digits=14, decimal_places=3)
    unit_price = models.DecimalField(_("unit price"), max_digits=12, decimal_places=2)
    batch = models.CharField(_("batch"), max_length=50, blank=True)

    class Meta:
        ordering = ["order_id", "line_no"]
        constraints = [
            models.UniqueConstraint(fields=["order", "line_no"], name="one_line_per_number")
        ]

    def __str__(self) -> str:
        return f"{self.order_id}/{self.line_no}"


from orders.credit_models import (  # noqa: E402  # they point to the models above
    Balance,
    Cause,
    Credit,
    Hold,
    HoldAt,
    Payment,
)

__all__ = [
    "COUNTED",
    "NETTED",
    "Balance",
    "Cause",
    "Credit",
    "Hold",
    "HoldAt",
    "Order",
    "OrderLine",
    "OrderQuerySet",
    "OrderStatus",
    "Payment",
    "Product",
    "ProductQuerySet",
]
