"""What each dealer should have of each product now, as it was worked out."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.access import ScopedQuerySet
from crm.lib.days import day_start
from orders.models.products import Product
from orders.models.stock import StockRules


class StockPositionQuerySet(ScopedQuerySet["StockPosition"]):
    def due(self) -> Self:
        """What is to be ordered now."""
        return self.filter(suggestion__gt=0)

    def slow(self) -> Self:
        return self.filter(is_slow=True)

    def impossible(self) -> Self:
        return self.filter(is_impossible=True)

    def old(self, rules: StockRules, today: date) -> Self:
        """With a batch that was produced more than the rules' days ago."""
        return self.filter(oldest_on__lt=today - timedelta(days=rules.old_days))

    def not_counted_for(self, days: int, today: date) -> Self:
        """Last counted before the day that lies `days` back."""
        return self.filter(counted_at__lt=day_start(today - timedelta(days=days)))


class StockPosition(models.Model):
    """A product that a dealer counted once: what is there, how long it lasts, what to order (P24).

    Worked out from counts, orders, sell-outs and adjustments whenever they change and every
    night; nobody edits it. Quantities in units of the product. What is not known is empty.
    """

    OWNER_PATH = "customer__owner"

    customer = models.ForeignKey(
        "customers.Customer", models.CASCADE, related_name="stock_positions", db_index=False
    )
    product = models.ForeignKey(Product, models.CASCADE, related_name="+")
    counted_at: models.DateTimeField[datetime, datetime] = models.DateTimeField(_("last counted"))
    quantity = models.DecimalField(_("last count"), max_digits=16, decimal_places=3)
    #: The day on which these figures were last found to be different.
    as_of = models.DateField(_("as of"))
    expected = models.DecimalField(_("expected now"), max_digits=16, decimal_places=3)
    is_estimated = models.BooleanField(_("estimated"), default=False)
    on_the_way = models.DecimalField(_("on the way"), max_digits=16, decimal_places=3)
    per_day = models.DecimalField(
        _("demand per day"), max_digits=16, decimal_places=4, null=True, blank=True
    )
    cover_days = models.DecimalField(
        _("days of cover"), max_digits=12, decimal_places=1, null=True, blank=True
    )
    safety_stock = models.DecimalField(
        _("safety stock"), max_digits=16, decimal_places=3, null=True, blank=True
    )
    reorder_point = models.DecimalField(
        _("reorder point"), max_digits=16, decimal_places=3, null=True, blank=True
    )
    suggestion = models.DecimalField(
        _("suggested order"), max_digits=16, decimal_places=0, null=True, blank=True
    )
    is_slow = models.BooleanField(_("slow-moving"), default=False)
    exchange_by = models.DateField(_("exchange by"), null=True, blank=True)
    oldest_on = models.DateField(_("oldest batch produced"), null=True, blank=True)
    is_impossible = models.BooleanField(_("impossible"), default=False)

    objects = StockPositionQuerySet.as_manager()

    class Meta:
        ordering = ["customer_id", "product_id"]
        verbose_name = _("dealer stock")
        verbose_name_plural = _("dealer stocks")
        constraints = [
            models.UniqueConstraint(fields=["customer", "product"], name="one_position_per_product")
        ]
        indexes = [
            models.Index(fields=["cover_days", "id"], name="stock_by_cover"),
            models.Index(fields=["counted_at", "id"], name="stock_by_count"),
            models.Index(fields=["exchange_by", "id"], name="stock_by_deadline"),
            models.Index(fields=["oldest_on", "id"], name="stock_by_age"),
            models.Index(
                fields=["-suggestion", "-id"], condition=Q(suggestion__gt=0), name="stock_to_order"
            ),
            models.Index(
                fields=["exchange_by", "id"], condition=Q(is_slow=True), name="stock_slow"
            ),
            models.Index(fields=["id"], condition=Q(is_impossible=True), name="stock_impossible"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id}/{self.product_id}"
