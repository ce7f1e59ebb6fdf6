"""What the file tells about a customer's business: economy, purchase, suppliers, views (P1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.access import ScopedQuerySet
from accounts.models import Tracked
from crm.lib.models import Record
from crm.lib.text import Text

TEN = [MinValueValidator(1), MaxValueValidator(10)]
POSITIVE = [MinValueValidator(0)]
LONGEST_CATEGORY = 50
MOST_CATEGORIES = 20


class CreditStanding(models.TextChoices):
    GOOD = "good", _("good")
    FAIR = "fair", _("fair")
    POOR = "poor", _("poor")


class PurchaseRhythm(models.TextChoices):
    WEEKLY = "weekly", _("weekly")
    MONTHLY = "monthly", _("monthly")
    QUARTERLY = "quarterly", _("quarterly")
    SEASONAL = "seasonal", _("by season")
    IRREGULAR = "irregular", _("irregularly")


class PromotionAttitude(models.TextChoices):
    WELCOMES = "welcomes", pgettext_lazy("promotions", "takes part gladly")
    OPEN = "open", pgettext_lazy("promotions", "takes part if it pays")
    INDIFFERENT = "indifferent", pgettext_lazy("promotions", "indifferent")
    REFUSES = "refuses", pgettext_lazy("promotions", "refuses")


class ProfileQuerySet(ScopedQuerySet["Profile"]):
    pass


class Profile(Tracked, Record):
    """What people found out about a customer; one for each file, made when first filled.

    Money is in the company's currency, satisfaction from 1 to 10. `yearly_purchase` is all that
    the customer buys in our category, from anybody: the base of wallet share (P9).
    """

    OWNER_PATH = "customer__owner"
    BESIDE: ClassVar[Mapping[str, Text]] = {"suppliers": _("main suppliers")}

    customer = models.OneToOneField(
        "customers.Customer", models.CASCADE, related_name="profile", verbose_name=_("customer")
    )
    # economic state
    capital = models.DecimalField(
        _("registered capital"),
        max_digits=16,
        decimal_places=2,
        null=True,
        blank=True,
        validators=POSITIVE,
    )
    staff_count = models.PositiveIntegerField(_("staff"), null=True, blank=True)
    yearly_sales = models.DecimalField(
        _("yearly sales"),
        max_digits=16,
        decimal_places=2,
        null=True,
        blank=True,
        validators=POSITIVE,
    )
    credit_standing = models.CharField(
        _("credit standing"), max_length=10, choices=CreditStanding.choices, blank=True
    )
    # purchase character
    buys = models.CharField(_("what it buys"), max_length=500, blank=True)
    yearly_purchase = models.DecimalField(
        _("buys in our category a year"),
        max_digits=16,
        decimal_places=2,
        null=True,
        blank=True,
        validators=POSITIVE,
    )
    purchase_rhythm = models.CharField(
        _("how often it buys"), max_length=10, choices=PurchaseRhythm.choices, blank=True
    )
    purchase_months = models.JSONField(_("months it buys in"), default=list, blank=True)
    favourites = models.CharField(_("favourite products"), max_length=500, blank=True)
    past_categories = models.JSONField(_("past product categories"), default=list, blank=True)
    # views
    promotion_attitude = models.CharField(
        _("attitude to promotions"),
        max_length=12,
        choices=PromotionAttitude.choices,
        blank=True,
    )
    suggestions = models.TextField(_("suggestions made"), max_length=2000, blank=True)
    product_satisfaction = models.PositiveSmallIntegerField(
        _("satisfaction with products"), null=True, blank=True, validators=TEN
    )
    service_satisfaction = models.PositiveSmallIntegerField(
        _("satisfaction with service"), null=True, blank=True, validators=TEN
    )

    objects = ProfileQuerySet.as_manager()

    class Meta:
        verbose_name = _("profile")
        verbose_name_plural = _("profiles")

    def __str__(self) -> str:
        return str(self.customer)

    def clean(self) -> None:
        """Months and categories are lists without repetition; months come in their order."""
        super().clean()
        months, categories = self.purchase_months, self.past_categories
        if not isinstance(months, list) or not all(
            isinstance(month, int) and not isinstance(month, bool) and 1 <= month <= 12
            for month in months
        ):
            raise ValidationError({"purchase_months": _("Months are numbers from 1 to 12.")})
        if not isinstance(categories, list) or not all(
            isinstance(category, str) and 0 < len(category) <= LONGEST_CATEGORY
            for category in categories
        ):
            raise ValidationError(
                {"past_categories": _("Categories are texts of at most 50 characters.")}
            )
        if len(categories) > MOST_CATEGORIES:
            raise ValidationError({"past_categories": _("At most 20 categories.")})
        self.purchase_months = sorted(set(months))
        self.past_categories = list(dict.fromkeys(categories))


class SupplierQuerySet(ScopedQuerySet["Supplier"]):
    pass


class Supplier(Tracked, Record):
    """Another firm that supplies the customer, and how satisfied it is with it (1–10)."""

    OWNER_PATH = "customer__owner"

    customer = models.ForeignKey(
        "customers.Customer",
        models.CASCADE,
        related_name="suppliers",
        verbose_name=_("customer"),
    )
    name = models.CharField(_("supplier"), max_length=200)
    supplies = models.CharField(_("what it supplies"), max_length=200, blank=True)
    satisfaction = models.PositiveSmallIntegerField(
        _("satisfaction"), null=True, blank=True, validators=TEN
    )

    objects = SupplierQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        verbose_name = _("supplier")
        verbose_name_plural = _("suppliers")

    def __str__(self) -> str:
        return self.name

    @property
    def in_words(self) -> str:
        """The whole line, as the log of the file tells it."""
        parts = (self.name, self.supplies, self.satisfaction)
        return " · ".join(str(part) for part in parts if part)
