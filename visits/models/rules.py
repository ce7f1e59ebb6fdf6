"""What an administrator sets: how often a tier is visited, and what is greeted when."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.access import SHARED, ScopedQuerySet
from accounts.models import Tracked
from crm.lib.models import Record
from customers.models import Tier


class Cadence(Tracked, Record):
    """How often a tier must be visited (P28)."""

    OWNER_PATH = SHARED

    abc = models.CharField(_("ABC tier"), max_length=1, choices=Tier.choices, unique=True)
    every_days = models.PositiveSmallIntegerField(
        _("days between visits"), validators=[MinValueValidator(1), MaxValueValidator(730)]
    )

    class Meta:
        ordering = ["abc"]
        verbose_name = _("visit cadence")
        verbose_name_plural = _("visit cadences")

    objects = ScopedQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.abc}: {self.every_days}"


class OccasionCode(models.TextChoices):
    """The holidays on which dealers are greeted (P30)."""

    NEW_YEAR = "new_year", _("New Year's Day")
    SPRING_FESTIVAL = "spring_festival", _("Spring Festival")
    QINGMING = "qingming", _("Qingming Festival")
    LABOUR_DAY = "labour_day", _("Labour Day")
    DRAGON_BOAT = "dragon_boat", _("Dragon Boat Festival")
    MID_AUTUMN = "mid_autumn", _("Mid-Autumn Festival")
    NATIONAL_DAY = "national_day", _("National Day")


class OccasionRule(Tracked, Record):
    """How many days ahead of an occasion the reminders are made, and whether at all."""

    OWNER_PATH = SHARED

    code = models.CharField(_("occasion"), max_length=20, choices=OccasionCode.choices, unique=True)
    days_before = models.PositiveSmallIntegerField(
        _("days before"), default=7, validators=[MaxValueValidator(90)]
    )
    enabled = models.BooleanField(_("remind"), default=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("occasion rule")
        verbose_name_plural = _("occasion rules")

    objects = ScopedQuerySet.as_manager()

    def __str__(self) -> str:
        return self.get_code_display()
