"""Orders with their lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar, Self

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.access import ScopedQuerySet
from accounts.models import AuditEntry, Tracked
from crm.lib.formats import local_day
from crm.lib.models import Record
from crm.lib.text import Text
from orders.models.products import Product


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


#: What may become of an order that people enter, from each status.
NEXT: dict[str, tuple[OrderStatus, ...]] = {
    OrderStatus.DRAFT: (OrderStatus.CONFIRMED, OrderStatus.CANCELLED),
    OrderStatus.CONFIRMED: (OrderStatus.SHIPPED, OrderStatus.CANCELLED),
    OrderStatus.SHIPPED: (OrderStatus.COMPLETED, OrderStatus.RETURNED),
    OrderStatus.COMPLETED: (OrderStatus.RETURNED,),
}


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
    BESIDE: ClassVar[Mapping[str, Text]] = {"lines": _("lines")}
    ROWS: ClassVar[Mapping[str, Sequence[str]]] = {
        "lines": ("line_no", "product", "quantity", "unit_price", "batch")
    }

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
    client_id = models.UUIDField(null=True, editable=False)
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
            # Only the few that people enter: an order of the ERP does not pay for the index.
            models.UniqueConstraint(
                fields=["client_id"],
                condition=models.Q(client_id__isnull=False),
                name="one_order_per_form",
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
    def by_hand(self) -> bool:
        """Whether people keep this order; one of the ERP is changed there."""
        return self.external_id is None and self.source_updated_at is None

    @property
    def open_to_edits(self) -> bool:
        """Whether its lines may still be changed by hand: it has not left the house."""
        return self.by_hand and self.status in (OrderStatus.DRAFT, OrderStatus.CONFIRMED)

    @property
    def next_statuses(self) -> tuple[OrderStatus, ...]:
        """What a person may make of the order now."""
        return NEXT.get(self.status, ()) if self.by_hand else ()

    def move_to(self, status: OrderStatus) -> None:
        """Confirm, cancel, ship, complete or return it, whichever may follow now.

        ValidationError for any other, for an order of the ERP, and for shipping one that is held.
        """
        if not self.by_hand:
            raise ValidationError(
                _("This order came from the ERP and is changed there."), code="from_erp"
            )
        if status not in self.next_statuses:
            raise ValidationError(
                _("An order that is %(now)s cannot become %(then)s."),
                code="not_next",
                params={"now": self.get_status_display(), "then": status.label},
            )
        if status == OrderStatus.SHIPPED and self.held:
            raise ValidationError(
                _("This order waits for the customer's credit; release it first."), code="held"
            )
        self.status = status
        self.save()

    def take_back(self, *, by: models.Model, today: date) -> None:
        """Undo the change of status that `by` made today, where nothing came after it."""
        last = AuditEntry.objects.of(self).first()
        if (
            last is None
            or set(last.after) != {"status"}
            or not last.before.get("status")
            or last.actor_id != by.pk
            or local_day(last.at) != today
            or not self.by_hand
        ):
            raise ValidationError(_("This cannot be taken back any more."), code="too_late")
        self.status = last.before["status"]
        self.save()

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
