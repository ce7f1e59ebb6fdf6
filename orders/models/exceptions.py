"""Exceptions to the minimum order: who asked for which, and who approved it (P19, P36)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.access import ScopedQuerySet
from accounts.models import Tracked
from crm.lib.formats import local_day
from crm.lib.models import Record


class Answer(models.TextChoices):
    ASKED = "asked", pgettext_lazy("exception", "asked for")
    APPROVED = "approved", pgettext_lazy("exception", "approved")
    REFUSED = "refused", pgettext_lazy("exception", "refused")


class MinimumExceptionQuerySet(ScopedQuerySet["MinimumException"]):
    def approved(self) -> Self:
        """Those that count, or counted before they were withdrawn."""
        return self.filter(answer=Answer.APPROVED)

    def on(self, day: Any) -> Self:
        """Approved and in force on `day`: a date, or an expression for one."""
        standing = Q(withdrawn_on=None) | Q(withdrawn_on__gt=day)
        return self.approved().filter(standing, valid_from__lte=day, valid_to__gte=day)

    def waiting(self) -> Self:
        return self.filter(answer=Answer.ASKED, withdrawn_on=None)


class MinimumException(Tracked, Record):
    """A lower minimum order for one customer from one day to another, both inclusive (P19, P36).

    Asked for by one person and approved by another; orders of its days pass from `minimum` on.
    Withdrawn, it holds until the day before `withdrawn_on`: what it let pass stays.
    """

    OWNER_PATH = "customer__owner"

    customer = models.ForeignKey(
        "customers.Customer",
        models.PROTECT,
        related_name="minimum_exceptions",
        verbose_name=_("customer"),
        db_index=False,
    )
    minimum = models.DecimalField(
        _("minimum for this customer"),
        max_digits=14,
        decimal_places=2,
        validators=[MinValueValidator(0)],
    )
    valid_from = models.DateField(_("valid from"))
    valid_to = models.DateField(_("valid to"), help_text=_("The last day."))
    reason = models.CharField(_("reason"), max_length=300)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("asked for by")
    )
    asked_at = models.DateTimeField(_("asked for"))
    answer = models.CharField(
        _("answer"), max_length=8, choices=Answer.choices, default=Answer.ASKED
    )
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("answered by"),
    )
    answered_at = models.DateTimeField(_("answered"), null=True)
    answer_reason = models.CharField(_("reason of the answer"), max_length=300, blank=True)
    withdrawn_on = models.DateField(_("withdrawn"), null=True)
    #: Made once for each form: a second press of the button finds the first one's request.
    client_id = models.UUIDField(null=True, editable=False, unique=True)

    objects = MinimumExceptionQuerySet.as_manager()

    UNAUDITED = (*Tracked.UNAUDITED, "client_id")

    class Meta:
        ordering = ["-valid_to", "-id"]
        verbose_name = _("exception to the minimum order")
        verbose_name_plural = _("exceptions to the minimum order")
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to__gte=models.F("valid_from")),
                name="exception_ends_after_it_begins",
                violation_error_message=_("An exception does not end before it begins."),
            ),
            models.CheckConstraint(
                condition=Q(answered_by=None) | ~Q(answered_by=models.F("asked_by")),
                name="exception_answered_by_another",
                violation_error_message=_("Nobody approves what they asked for themselves."),
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "valid_to"], name="exception_by_customer"),
            models.Index(fields=["-valid_to", "-id"], name="exception_by_end"),
        ]

    def __str__(self) -> str:
        return f"{self.customer} {self.valid_from:%Y-%m-%d}"

    @property
    def waits(self) -> bool:
        return self.answer == Answer.ASKED and self.withdrawn_on is None

    def reply(self, answer: str, *, by: models.Model, reason: str, now: datetime) -> None:
        """Approve or refuse it. ValidationError for one's own request, or where it is settled."""
        if not self.waits:
            who = self.answered_by
            raise ValidationError(
                _("%(who)s answered this request already.") if who else _("It was withdrawn."),
                code="answered",
                params={"who": who.display_name if who else ""},
            )
        if self.asked_by_id == by.pk:
            raise ValidationError(
                _("Nobody approves what they asked for themselves."), code="own_request"
            )
        if answer == Answer.REFUSED and not reason:
            raise ValidationError({"reason": _("Say why not.")}, code="required")
        self.answer, self.answered_by_id, self.answered_at = answer, by.pk, now
        self.answer_reason = reason
        self.save()

    def take_answer_back(self, *, by: models.Model, today: date) -> None:
        """Undo one's own answer of today; later it stands, and is withdrawn instead."""
        if (
            self.answered_at is None
            or self.answered_by_id != by.pk
            or local_day(self.answered_at) != today
            or self.withdrawn_on is not None
        ):
            raise ValidationError(_("This cannot be taken back any more."), code="too_late")
        self.answer, self.answered_by, self.answered_at = Answer.ASKED, None, None
        self.answer_reason = ""
        self.save()

    def withdraw(self, *, today: date) -> None:
        """Let it hold no longer from today on; what was only asked for is asked no more."""
        if self.withdrawn_on is not None or self.answer == Answer.REFUSED:
            raise ValidationError(_("It does not hold any more."), code="over")
        self.withdrawn_on = today
        self.save()

    def restore(self, *, today: date) -> None:
        """Undo that it was withdrawn today."""
        if self.withdrawn_on != today:
            raise ValidationError(_("This cannot be taken back any more."), code="too_late")
        self.withdrawn_on = None
        self.save()
