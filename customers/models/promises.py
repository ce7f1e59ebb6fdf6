"""Promises made to customers (P42)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.access import ScopedQuerySet
from accounts.models import Tracked, User
from crm.lib.formats import day, local_day
from crm.lib.models import Record


class PromiseState(models.TextChoices):
    OPEN = "open", pgettext_lazy("promise", "Open")
    KEPT = "kept", pgettext_lazy("promise", "Kept")
    BROKEN = "broken", pgettext_lazy("promise", "Broken")


class PromiseQuerySet(ScopedQuerySet["Promise"]):
    """A promise is due until the end of its day in the company's time zone, and late after it."""

    def open(self) -> Self:
        return self.filter(state=PromiseState.OPEN)

    def of(self, user: User) -> Self:
        """Those that `user` is to keep."""
        return self.filter(owner=user)

    def named_like(self, words: str) -> Self:
        """Those whose words, or whose customer's name, hold `words`."""
        words = words.strip()
        return self.filter(
            models.Q(content__icontains=words) | models.Q(customer__name__icontains=words)
        )

    def due_on(self, today: date) -> Self:
        """Open, and to be kept today."""
        return self.open().filter(due_on=today)

    def late(self, today: date) -> Self:
        """Open, and their day has passed."""
        return self.open().filter(due_on__lt=today)

    def waiting(self, today: date) -> Self:
        """Open, and due today or late."""
        return self.open().filter(due_on__lte=today)

    def with_settled_on(self) -> Self:
        """Adds `settled_on`: the company's day on which a promise was kept or broken."""
        zone = timezone.get_default_timezone()
        return self.annotate(settled_on=TruncDate("settled_at", tzinfo=zone))

    def kept_in_time(self) -> Self:
        kept = self.with_settled_on().filter(state=PromiseState.KEPT)
        return kept.filter(settled_on__lte=models.F("due_on"))

    def kept_late(self) -> Self:
        kept = self.with_settled_on().filter(state=PromiseState.KEPT)
        return kept.filter(settled_on__gt=models.F("due_on"))


class Promise(Tracked, Record):
    """What `owner` is to do for the customer by the end of `due_on`, a day of the company.

    `source` names the record it was made in, as app.model:id ("visits.visit:7"); "" where it was
    made on the file itself.
    """

    OWNER_PATH = "customer__owner"

    client_id = models.UUIDField(null=True, blank=True, unique=True, editable=False)
    customer = models.ForeignKey(
        "customers.Customer",
        models.CASCADE,
        related_name="promises",
        verbose_name=_("customer"),
        db_index=False,
    )
    content = models.CharField(_("promise"), max_length=500)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="promises",
        verbose_name=_("who keeps it"),
        db_index=False,
    )
    due_on = models.DateField(_("due"))
    state = models.CharField(
        _("state"), max_length=6, choices=PromiseState.choices, default=PromiseState.OPEN
    )
    made_at = models.DateTimeField(_("made"))
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        verbose_name=_("made by"),
        db_index=False,
    )
    settled_at = models.DateTimeField(_("settled"), null=True, editable=False)
    outcome = models.CharField(_("what came of it"), max_length=500, blank=True)
    source = models.CharField(max_length=80, blank=True, editable=False)

    objects = PromiseQuerySet.as_manager()

    class Meta:
        ordering = ["due_on", "id"]
        verbose_name = _("promise")
        verbose_name_plural = _("promises")
        indexes = [
            models.Index(fields=["customer", "-made_at"], name="promise_by_customer"),
            models.Index(
                fields=["owner", "due_on", "id"],
                name="promise_open",
                condition=models.Q(state="open"),
            ),
            models.Index(
                fields=["due_on", "id"],
                name="promise_open_by_day",
                condition=models.Q(state="open"),
            ),
            models.Index(fields=["owner", "-due_on", "-id"], name="promise_by_owner"),
            models.Index(fields=["-due_on", "-id"], name="promise_by_day"),
        ]

    def __str__(self) -> str:
        return self.content

    @property
    def is_open(self) -> bool:
        return self.state == PromiseState.OPEN

    @property
    def days_late(self) -> int:
        """Days between the due day and the day it was settled; 0 where that was in time."""
        if self.settled_at is None:
            return 0
        return max((local_day(self.settled_at) - self.due_on).days, 0)

    def is_late(self, today: date) -> bool:
        return self.is_open and self.due_on < today

    def may_be_renegotiated(self, today: date) -> bool:
        """Only an open promise whose day has not passed: afterwards it is kept late, or broken."""
        return self.is_open and today <= self.due_on

    def may_be_reopened(self, today: date) -> bool:
        """What was said today may be taken back today."""
        return self.settled_at is not None and local_day(self.settled_at) == today

    def keep(self, *, now: datetime) -> None:
        """Say that it was kept; after its day it counts as kept late."""
        self._settle(PromiseState.KEPT, "", now)

    def break_off(self, *, outcome: str, now: datetime) -> None:
        """Say that it was not kept and will not be, and what came of it where that is known."""
        self._settle(PromiseState.BROKEN, outcome, now)

    @transaction.atomic
    def renegotiate(self, *, due_on: date, reason: str, by: User, now: datetime) -> None:
        """Agree with the customer on another day. Refused once the old day has passed (P42)."""
        self._refuse_unless_open()
        today = local_day(now)
        if not self.may_be_renegotiated(today):
            raise ValidationError(
                _(
                    "It was due on %(day)s, so no new day can be agreed: "
                    "say whether it was kept late or broken."
                ),
                code="overdue",
                params={"day": day(self.due_on, today)},
            )
        if due_on == self.due_on:
            raise ValidationError(
                {"due_on": ValidationError(_("This is the day already agreed."), code="same")}
            )
        refuse_past(due_on, today)
        self.renegotiations.create(
            due_before=self.due_on, due_after=due_on, reason=reason.strip(), by=by, at=now
        )
        self.due_on = due_on
        self.save()

    def reopen(self, *, now: datetime) -> None:
        """Take back that it was kept or broken; on the same day only."""
        if self.is_open:
            return
        if not self.may_be_reopened(local_day(now)):
            raise ValidationError(
                _("This can be taken back only on the day on which it was said."), code="settled"
            )
        self.state, self.settled_at, self.outcome = PromiseState.OPEN, None, ""
        self.save()

    def hand_over(self, *, to: User) -> None:
        """Let `to` keep it."""
        self._refuse_unless_open()
        if self.owner_id == to.pk:
            return
        self.owner = to
        self.save()

    def _settle(self, state: PromiseState, outcome: str, now: datetime) -> None:
        if self.state == state:
            return  # the second press of the button
        self._refuse_unless_open()
        self.state, self.settled_at, self.outcome = state, now, outcome.strip()
        self.save()

    def _refuse_unless_open(self) -> None:
        if not self.is_open:
            raise ValidationError(
                _("This promise is no longer open; it is “%(state)s”."),
                code="settled",
                params={"state": self.get_state_display()},
            )


def refuse_past(due_on: date, today: date) -> None:
    """Raise ValidationError for a day by which nothing can be done any more."""
    if due_on < today:
        raise ValidationError(
            {"due_on": ValidationError(_("This day has passed; it is today at best."), code="past")}
        )


class Renegotiation(models.Model):
    """A new day for a promise, agreed with the customer before the old one had passed."""

    promise = models.ForeignKey(Promise, models.CASCADE, related_name="renegotiations")
    due_before = models.DateField()
    due_after = models.DateField()
    reason = models.CharField(_("reason"), max_length=500)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False
    )
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.due_before} → {self.due_after}"
