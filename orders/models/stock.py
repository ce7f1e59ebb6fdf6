"""What dealers have, what they sold on, and what left their stock otherwise (P23)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import ClassVar, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.access import SHARED, ScopedQuerySet
from accounts.models import Tracked
from crm.lib.models import Record
from crm.lib.text import Text
from orders.models.products import Product


class StockSource(models.TextChoices):
    """How a count came to us."""

    VISIT = "visit", _("counted in a visit")
    DEALER = "dealer", _("told by the dealer")
    IMPORT = "import", _("imported from a file")
    API = "api", _("sent by a system")


class StockReportQuerySet(ScopedQuerySet["StockReport"]):
    def between(self, start: datetime, end: datetime) -> Self:
        """Counted at `start` or later, and before `end`."""
        return self.filter(reported_at__gte=start, reported_at__lt=end)


class StockReport(Tracked, Record):
    """A count of what a dealer has of one or more products (盘点).

    A product that is counted is counted whole: its quantity is the sum of its lines, and a batch
    without a line is gone. A product without a line was not counted, and nothing is said of it.
    """

    OWNER_PATH = "customer__owner"

    external_id = models.CharField(
        _("report number"), max_length=100, null=True, blank=True, unique=True
    )
    customer = models.ForeignKey(
        "customers.Customer",
        models.PROTECT,
        related_name="stock_reports",
        verbose_name=_("customer"),
        db_index=False,
    )
    reported_at = models.DateTimeField(_("counted"))
    source = models.CharField(
        _("source"), max_length=10, choices=StockSource.choices, default=StockSource.DEALER
    )
    note = models.CharField(_("note"), max_length=300, blank=True)
    #: Made once for each form: a second press of the button finds the report of the first.
    client_id = models.UUIDField(null=True, editable=False, unique=True)
    source_updated_at = models.DateTimeField(
        _("changed in the ERP"), null=True, blank=True, editable=False
    )

    objects = StockReportQuerySet.as_manager()

    UNAUDITED = (*Tracked.UNAUDITED, "client_id")
    BESIDE: ClassVar[Mapping[str, Text]] = {"lines": _("lines")}
    ROWS: ClassVar[Mapping[str, Sequence[str]]] = {
        "lines": ("product", "batch", "produced_on", "quantity")
    }

    class Meta:
        ordering = ["-reported_at", "-id"]
        verbose_name = _("stock report")
        verbose_name_plural = _("stock reports")
        indexes = [
            models.Index(fields=["reported_at", "id"], name="stock_report_by_day"),
            models.Index(
                fields=["customer", "-reported_at", "-id"], name="stock_report_by_customer"
            ),
            models.Index(fields=["updated_at", "id"], name="stock_report_by_change"),
        ]

    def __str__(self) -> str:
        return self.external_id or f"#{self.pk}"

    @property
    def by_hand(self) -> bool:
        """Whether people keep this count on its page: not one of a system, nor of a visit."""
        return self.source in (StockSource.DEALER, StockSource.IMPORT)


class StockLine(models.Model):
    """How much of a batch of a product was there. Written with its report, never alone."""

    OWNER_PATH = "report__customer__owner"

    report = models.ForeignKey(StockReport, models.CASCADE, related_name="lines", db_index=False)
    product = models.ForeignKey(
        Product, models.PROTECT, related_name="+", verbose_name=_("product")
    )
    batch = models.CharField(_("batch"), max_length=50, blank=True)
    produced_on = models.DateField(_("produced on"), null=True, blank=True)
    quantity = models.DecimalField(
        _("quantity"), max_digits=14, decimal_places=3, validators=[MinValueValidator(0)]
    )

    class Meta:
        ordering = ["report_id", "product_id", "batch"]
        constraints = [
            models.UniqueConstraint(
                fields=["report", "product", "batch"],
                name="one_line_per_batch",
                violation_error_message=_("This batch of the product is counted twice."),
            ),
            models.CheckConstraint(
                condition=Q(quantity__gte=0),
                name="stock_not_negative",
                violation_error_message=_("Nobody has less than nothing of a product."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.report_id}/{self.product_id}/{self.batch}"


class SellOutQuerySet(ScopedQuerySet["SellOut"]):
    def between(self, start: datetime, end: datetime) -> Self:
        """Sold at `start` or later, and before `end`."""
        return self.filter(sold_at__gte=start, sold_at__lt=end)


class SellOut(Tracked, Record):
    """What a dealer sold of one product, as it reported it; below zero where goods came back.

    `buyer_division` is where the buyer is, as a 6-digit code: evidence for a territory (P35).
    """

    OWNER_PATH = "customer__owner"

    external_id = models.CharField(
        _("sell-out number"), max_length=100, null=True, blank=True, unique=True
    )
    customer = models.ForeignKey(
        "customers.Customer",
        models.PROTECT,
        related_name="sell_outs",
        verbose_name=_("customer"),
        db_index=False,
    )
    product = models.ForeignKey(
        Product, models.PROTECT, related_name="+", verbose_name=_("product")
    )
    sold_at = models.DateTimeField(_("sold"))
    quantity = models.DecimalField(_("quantity"), max_digits=14, decimal_places=3)
    unit_price = models.DecimalField(
        _("unit price"),
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )
    buyer_division = models.CharField(_("division of the buyer"), max_length=6, blank=True)
    client_id = models.UUIDField(null=True, editable=False, unique=True)
    source_updated_at = models.DateTimeField(
        _("changed in the ERP"), null=True, blank=True, editable=False
    )

    objects = SellOutQuerySet.as_manager()

    UNAUDITED = (*Tracked.UNAUDITED, "client_id")

    class Meta:
        ordering = ["-sold_at", "-id"]
        verbose_name = _("sell-out")
        verbose_name_plural = _("sell-outs")
        constraints = [
            models.CheckConstraint(
                condition=~Q(quantity=0),
                name="sell_out_moves_goods",
                violation_error_message=_("A quantity is not zero."),
            ),
        ]
        indexes = [
            models.Index(fields=["sold_at", "id"], name="sell_out_by_day"),
            models.Index(fields=["customer", "-sold_at", "-id"], name="sell_out_by_customer"),
            models.Index(fields=["updated_at", "id"], name="sell_out_by_change"),
        ]

    def __str__(self) -> str:
        return self.external_id or f"#{self.pk}"

    @property
    def by_hand(self) -> bool:
        """Whether a person entered it here; another system or a file gives a number."""
        return self.external_id is None


class AdjustmentCause(models.TextChoices):
    """Why goods came or went without being delivered or sold."""

    DAMAGE = "damage", _("damaged or expired")
    LOSS = "loss", _("lost")
    GIFT = "gift", _("given away or tasted")
    TRANSFER = "transfer", _("moved to or from another dealer")
    EXCHANGE = "exchange", _("exchanged with us")
    OTHER = "other", _("other")


class StockAdjustment(Tracked, Record):
    """Goods that came (above zero) or went without a delivery or a sale, with the reason."""

    OWNER_PATH = "customer__owner"

    customer = models.ForeignKey(
        "customers.Customer",
        models.PROTECT,
        related_name="stock_adjustments",
        verbose_name=_("customer"),
        db_index=False,
    )
    product = models.ForeignKey(
        Product, models.PROTECT, related_name="+", verbose_name=_("product")
    )
    batch = models.CharField(_("batch"), max_length=50, blank=True)
    adjusted_at = models.DateTimeField(_("happened"))
    quantity = models.DecimalField(_("quantity"), max_digits=14, decimal_places=3)
    cause = models.CharField(_("cause"), max_length=10, choices=AdjustmentCause.choices)
    note = models.CharField(_("note"), max_length=300, blank=True)
    client_id = models.UUIDField(null=True, editable=False, unique=True)

    objects = ScopedQuerySet.as_manager()

    UNAUDITED = (*Tracked.UNAUDITED, "client_id")

    class Meta:
        ordering = ["-adjusted_at", "-id"]
        verbose_name = _("stock adjustment")
        verbose_name_plural = _("stock adjustments")
        constraints = [
            models.CheckConstraint(
                condition=~Q(quantity=0),
                name="adjustment_moves_goods",
                violation_error_message=_("A quantity is not zero."),
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "-adjusted_at", "-id"], name="adjustment_by_customer"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class StockRulesQuerySet(ScopedQuerySet["StockRules"]):
    def on(self, day: date) -> StockRules:
        """The rules in force on `day`; the usual ones before the first."""
        found = self.filter(valid_from__lte=day).order_by("-valid_from").first()
        return found or StockRules(valid_from=day)


class StockRules(Tracked, Record):
    """How dealers' stock is judged from a day on, until the next rules begin (P24, P37)."""

    OWNER_PATH = SHARED

    valid_from = models.DateField(
        _("valid from"),
        unique=True,
        error_messages={"unique": _("Other rules begin on this day.")},
    )
    service_level = models.DecimalField(
        _("service level, %"),
        max_digits=4,
        decimal_places=2,
        default=95,
        validators=[MinValueValidator(50), MaxValueValidator(99.99)],
        help_text=_("How often the stock is to last until the next delivery."),
    )
    demand_days = models.PositiveIntegerField(
        _("days of demand"),
        default=90,
        validators=[MinValueValidator(7), MaxValueValidator(730)],
        help_text=_("Demand is what was sold in so many days."),
    )
    lead_days = models.PositiveIntegerField(
        _("lead time in days"),
        default=7,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
        help_text=_("From an order to the goods in the dealer’s store."),
    )
    lead_spread_days = models.PositiveIntegerField(
        _("spread of the lead time in days"),
        default=2,
        validators=[MaxValueValidator(180)],
        help_text=_("The standard deviation of the lead time."),
    )
    review_days = models.PositiveIntegerField(
        _("days between orders"),
        default=14,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
        help_text=_("A suggestion covers so many days beyond the lead time."),
    )
    slow_cover_days = models.PositiveIntegerField(
        _("slow from days of cover"),
        default=90,
        validators=[MinValueValidator(1), MaxValueValidator(3650)],
        help_text=_("What lasts longer than this at the present demand moves slowly."),
    )
    old_days = models.PositiveIntegerField(
        _("old from days"),
        default=180,
        validators=[MinValueValidator(1), MaxValueValidator(3650)],
        help_text=_("A batch produced longer ago is marked."),
    )
    exchange_days = models.PositiveIntegerField(
        _("days to apply for an exchange"),
        default=90,
        validators=[MinValueValidator(1), MaxValueValidator(3650)],
        help_text=_("After the goods arrived, where no contract says otherwise."),
    )

    objects = StockRulesQuerySet.as_manager()

    class Meta:
        ordering = ["-valid_from"]
        verbose_name = _("stock rules")
        verbose_name_plural = _("stock rules")

    def __str__(self) -> str:
        return f"{self.valid_from:%Y-%m-%d}"
