"""Visits, how often they are due, and reminders."""

from __future__ import annotations

from datetime import date, datetime
from typing import Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.access import SHARED, ScopedQuerySet
from accounts.models import Tracked
from crm.lib.models import Record
from customers.models import Tier


class VisitStatus(models.TextChoices):
    PLANNED = "planned", _("Planned")
    CHECKED_IN = "checked_in", _("Checked in")
    DONE = "done", _("Done")
    MISSED = "missed", _("Missed")
    CANCELLED = "cancelled", _("Cancelled")


class VisitQuerySet(ScopedQuerySet["Visit"]):
    def between(self, start: datetime, end: datetime) -> Self:
        return self.filter(scheduled_for__gte=start, scheduled_for__lt=end)

    def done(self) -> Self:
        return self.filter(status=VisitStatus.DONE)

    def open(self) -> Self:
        return self.filter(status__in=[VisitStatus.PLANNED, VisitStatus.CHECKED_IN])


class Visit(Tracked, Record):
    """One visit of one rep to one customer, from plan to close.

    `answers` holds the four follow-up questions (P27): `sales`, `sales_note`, `new_need`,
    `new_products` (SKUs), `care`. `distance_m` is the distance in metres from the place of the
    check-in to the customer's address, empty where either is unknown.
    """

    OWNER_PATH = "customer__owner"

    client_id = models.UUIDField(null=True, blank=True, unique=True, editable=False)
    customer = models.ForeignKey(
        "customers.Customer",
        models.CASCADE,
        related_name="visits",
        verbose_name=_("customer"),
        db_index=False,
    )
    rep = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="visits", verbose_name=_("rep")
    )
    scheduled_for = models.DateTimeField(_("planned for"))
    purpose = models.CharField(_("purpose"), max_length=200, blank=True)
    status = models.CharField(
        _("status"), max_length=10, choices=VisitStatus.choices, default=VisitStatus.PLANNED
    )
    checked_in_at = models.DateTimeField(_("checked in"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True, editable=False)
    latitude = models.DecimalField(
        max_digits=9,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(-90), MaxValueValidator(90)],
    )
    longitude = models.DecimalField(
        max_digits=9,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(-180), MaxValueValidator(180)],
    )
    accuracy_m = models.PositiveIntegerField(_("accuracy in metres"), null=True, blank=True)
    distance_m = models.PositiveIntegerField(
        _("distance in metres"), null=True, blank=True, editable=False
    )
    answers = models.JSONField(_("answers"), default=dict, blank=True)
    words = models.TextField(_("the customer's own words"), blank=True, max_length=2000)

    objects = VisitQuerySet.as_manager()

    class Meta:
        ordering = ["-scheduled_for", "-id"]
        verbose_name = _("visit")
        verbose_name_plural = _("visits")
        indexes = [
            models.Index(fields=["rep", "scheduled_for"], name="visit_by_rep_day"),
            models.Index(fields=["customer", "-scheduled_for", "-id"], name="visit_by_customer"),
            models.Index(fields=["updated_at", "id"], name="visit_by_change"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.scheduled_for:%Y-%m-%d}"


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


class ReminderQuerySet(ScopedQuerySet["Reminder"]):
    def open(self) -> Self:
        return self.filter(done_at=None)

    def current(self, today: date) -> Self:
        """Open, and the day itself has not passed."""
        return self.open().filter(on__gte=today)


class Reminder(Tracked, Record):
    """Greet this customer on this occasion: made once, for the person who owns the file."""

    OWNER_PATH = "customer__owner"

    occasion = models.CharField(_("occasion"), max_length=20, choices=OccasionCode.choices)
    on = models.DateField(_("day"))
    customer = models.ForeignKey(
        "customers.Customer",
        models.CASCADE,
        related_name="reminders",
        verbose_name=_("customer"),
        db_index=False,
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="reminders",
        verbose_name=_("for"),
        db_index=False,
    )
    done_at = models.DateTimeField(_("done"), null=True, blank=True, editable=False)
    mailed_at = models.DateTimeField(_("mailed"), null=True, editable=False)

    objects = ReminderQuerySet.as_manager()

    class Meta:
        ordering = ["on", "id"]
        verbose_name = _("reminder")
        verbose_name_plural = _("reminders")
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "occasion", "on"], name="one_reminder_per_occasion"
            )
        ]
        indexes = [models.Index(fields=["user", "done_at", "on"], name="reminder_by_user")]

    def __str__(self) -> str:
        return f"{self.get_occasion_display()} {self.on}"
