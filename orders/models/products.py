"""What is sold."""

from __future__ import annotations

from typing import Self

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.access import SHARED, ScopedQuerySet
from accounts.models import Tracked
from crm.lib.models import Record


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
