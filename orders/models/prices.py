"""The uniform prices by day, and what the company asks of every order."""

from __future__ import annotations

from datetime import date
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.access import SHARED, ScopedQuerySet
from accounts.models import Tracked
from crm.lib.models import Record
from orders.models.products import Product


class PriceQuerySet(ScopedQuerySet["Price"]):
    def on(self, day: Any) -> Self:
        """In force on `day`: a date, or an expression for one. At most one for each product."""
        return self.filter(Q(valid_to=None) | Q(valid_to__gte=day), valid_from__lte=day)

    def beginning_after(self, day: date) -> Self:
        return self.filter(valid_from__gt=day)

    def ended_before(self, day: date) -> Self:
        return self.filter(valid_to__lt=day)

    def touching(self, first: date, last: date | None) -> Self:
        """In force on any day from `first` to `last` (None: for good)."""
        found = self.filter(Q(valid_to=None) | Q(valid_to__gte=first))
        return found if last is None else found.filter(valid_from__lte=last)


class Price(Tracked, Record):
    """The uniform prices of a product from one day to another, both inclusive (P35.2, P39).

    No two periods of a product share a day: `orders.prices` sees to it, one writer at a time.
    On days without a period the prices of the product itself hold, and those alone.
    """

    OWNER_PATH = SHARED

    external_id = models.CharField(
        _("number in the ERP"), max_length=100, null=True, blank=True, unique=True
    )
    product = models.ForeignKey(
        Product,
        models.PROTECT,
        related_name="prices",
        verbose_name=_("product"),
        db_index=False,
    )
    dealer_price = models.DecimalField(
        _("dealer price"), max_digits=12, decimal_places=2, validators=[MinValueValidator(0)]
    )
    retail_price = models.DecimalField(
        _("retail price"),
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )
    valid_from = models.DateField(_("valid from"))
    valid_to = models.DateField(
        _("valid to"),
        null=True,
        blank=True,
        help_text=_("The last day; empty for a price without an end."),
    )
    source_updated_at = models.DateTimeField(
        _("changed in the ERP"), null=True, blank=True, editable=False
    )

    objects = PriceQuerySet.as_manager()

    class Meta:
        ordering = ["-valid_from", "-id"]
        verbose_name = _("price")
        verbose_name_plural = _("prices")
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=models.F("valid_from")),
                name="price_ends_after_it_begins",
                violation_error_message=_("A price does not end before it begins."),
            ),
        ]
        indexes = [
            models.Index(fields=["product", "valid_from"], name="price_by_product"),
            models.Index(fields=["valid_from", "id"], name="price_by_day"),
            models.Index(fields=["updated_at", "id"], name="price_by_change"),
        ]

    def __str__(self) -> str:
        return f"{self.product} {self.valid_from:%Y-%m-%d}"

    def end(self, *, last_day: date) -> None:
        """Let `last_day` be the last on which the price holds; it must hold on it."""
        if last_day < self.valid_from or (self.valid_to and last_day > self.valid_to):
            raise ValidationError(
                _("The price is not in force on %(day)s."),
                code="not_in_force",
                params={"day": last_day.isoformat()},
            )
        self.valid_to = last_day
        self.save()


class TradeTermsQuerySet(ScopedQuerySet["TradeTerms"]):
    def on(self, day: date) -> TradeTerms:
        """The terms in force on `day`; empty ones before the first."""
        found = self.filter(valid_from__lte=day).order_by("-valid_from").first()
        return found or TradeTerms(valid_from=day)


class TradeTerms(Tracked, Record):
    """What the company asks of every order from a day on, until the next terms begin (P16, P36).

    The margins are per cent: the dealer's of the retail price, ours of what is paid. A company
    that does not keep its payments here (`keeps_payments`) judges nobody by them.
    """

    OWNER_PATH = SHARED

    valid_from = models.DateField(
        _("valid from"),
        unique=True,
        error_messages={"unique": _("Other terms begin on this day.")},
    )
    minimum_order = models.DecimalField(
        _("minimum order amount"),
        max_digits=14,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("Orders below it are flagged; empty for none."),
    )
    least_dealer_margin = models.DecimalField(
        _("least dealer margin, %"),
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text=_("Of the retail price. Empty: a warning only where the dealer loses money."),
    )
    least_own_margin = models.DecimalField(
        _("least own margin, %"),
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text=_("Of what is paid. Empty: a warning only where we lose money."),
    )

    keeps_payments = models.BooleanField(
        _("payments are kept here"),
        default=True,
        help_text=_(
            "Without them nobody is overdue: what is delivered counts as paid when it is due."
        ),
    )

    objects = TradeTermsQuerySet.as_manager()

    class Meta:
        ordering = ["-valid_from"]
        verbose_name = _("trade terms")
        verbose_name_plural = _("trade terms")

    def __str__(self) -> str:
        return f"{self.valid_from:%Y-%m-%d}"
