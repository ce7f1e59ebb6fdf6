"""Reminders to greet a customer on a holiday."""

from __future__ import annotations

from datetime import date, datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.access import ScopedQuerySet
from accounts.models import Tracked, User
from crm.lib.models import Record
from visits.models.rules import OccasionCode


class ReminderQuerySet(ScopedQuerySet["Reminder"]):
    def open(self) -> Self:
        return self.filter(done_at=None)

    def current(self, today: date) -> Self:
        """Open, and the day itself has not passed."""
        return self.open().filter(on__gte=today)

    def of(self, user: User) -> Self:
        """What `user` has to do: reminders follow the customer to whoever owns it now."""
        return self.filter(customer__owner=user)

    def to_mail(self, today: date) -> Self:
        """Current, not mailed yet, and the owner can be reached by mail."""
        return (
            self.current(today)
            .filter(mailed_at=None, customer__owner__is_active=True)
            .exclude(customer__owner__email="")
        )


class Reminder(Tracked, Record):
    """Greet this customer on this occasion: made once, and followed by mail once.

    It is the business of the person who owns the customer now; `user` is who owned it when the
    reminder was made. Rows without `mailed_at` are the outbox; those of an owner without an
    address stay in it and show in the product only.
    """

    UNAUDITED = (*Tracked.UNAUDITED, "mailed_at")

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
        indexes = [
            models.Index(
                fields=["on", "id"], name="reminder_open", condition=models.Q(done_at=None)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_occasion_display()} {self.on}"

    def done(self, now: datetime) -> None:
        """The customer has been greeted. Said twice, the first time counts."""
        if self.done_at is None:
            self.done_at = now
            self.save(update_fields=["done_at"])

    def reopen(self) -> None:
        """Take `done` back."""
        if self.done_at is not None:
            self.done_at = None
            self.save(update_fields=["done_at"])
