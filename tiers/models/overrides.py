"""Tiers that a person sets against the computation, with a reason and an end (P12)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.access import ScopedQuerySet
from accounts.models import Tracked, User
from crm.lib.models import Record
from customers.models import Tier


class TierOverrideQuerySet(ScopedQuerySet["TierOverride"]):
    def open(self) -> Self:
        """Not ended yet; one whose last day has passed is ended by the next run."""
        return self.filter(ended_at=None)

    def in_force(self, day: date) -> Self:
        """Those that decide the tier on `day`."""
        return self.open().filter(first_on__lte=day, until__gte=day)

    def expired(self, day: date) -> Self:
        """Open, but their last day lies before `day`."""
        return self.open().filter(until__lt=day)


class TierOverride(Tracked, Record):
    """The tier of a customer from `first_on` to `until`, both inclusive, whatever its orders say.

    It ends by itself after its last day (`ended_by` stays empty), or earlier by a person. It says
    what holds now, and `by` who said it last; what was said before stands in TierChange.
    """

    OWNER_PATH = "customer__owner"

    customer = models.ForeignKey(
        "customers.Customer",
        models.CASCADE,
        related_name="tier_overrides",
        verbose_name=_("customer"),
    )
    tier = models.CharField(_("tier"), max_length=1, choices=Tier.choices)
    reason = models.CharField(_("reason"), max_length=500)
    first_on = models.DateField(_("from"))
    until = models.DateField(_("until"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by")
    )
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True, editable=False)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("ended by"),
    )

    objects = TierOverrideQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("tier override")
        verbose_name_plural = _("tier overrides")
        constraints = [
            models.UniqueConstraint(
                fields=["customer"],
                condition=models.Q(ended_at=None),
                name="one_open_override",
                violation_error_message=_("This customer has an override already."),
            ),
            models.CheckConstraint(
                condition=models.Q(until__gte=models.F("first_on")),
                name="override_ends_after_it_begins",
                violation_error_message=_("The last day is not before the first."),
            ),
            models.CheckConstraint(
                condition=~models.Q(reason=""),
                name="override_has_a_reason",
                violation_error_message=_("Say why."),
            ),
        ]
        indexes = [
            models.Index(fields=["until"], name="override_open", condition=models.Q(ended_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.tier} –{self.until}"

    def is_in_force(self, day: date) -> bool:
        """Whether it decides the tier on `day`."""
        return self.ended_at is None and self.first_on <= day <= self.until

    def end(self, *, by: User | None, now: datetime) -> None:
        """It decides no longer."""
        self.ended_at, self.ended_by = now, by
        self.save(update_fields=["ended_at", "ended_by"])
