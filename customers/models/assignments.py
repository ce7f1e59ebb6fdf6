"""Gaps of the files that somebody is asked to fill by a day (P4)."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.access import ScopedQuerySet
from accounts.models import Tracked

if TYPE_CHECKING:
    from accounts.models import User


class AssignmentQuerySet(ScopedQuerySet["Assignment"]):
    def open(self) -> Self:
        """Those in which, as far as the last night knows, something is left to fill."""
        return self.filter(settled_at=None, withdrawn_at=None)

    def late(self, today: date) -> Self:
        return self.open().filter(due_on__lt=today)

    def of(self, user: User) -> Self:
        return self.filter(owner=user)


class Assignment(Tracked):
    """What `owner` is asked to find out about some customers by the end of `due_on`.

    No promise: those are made to one customer, and say who keeps their word. `wanted` is a name in
    completeness.WANTED, `total` how many files lacked it then. It is done when none of the files
    that `owner` still has lacks it: `settled_at` is the night in which that was seen.
    """

    OWNER_PATH = "owner"
    UNAUDITED = (*Tracked.UNAUDITED, "settled_at")

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="assignments",
        verbose_name=pgettext_lazy("assignment", "who fills it"),
        db_index=False,
    )
    wanted = models.CharField(pgettext_lazy("of a file", "field"), max_length=40)
    due_on = models.DateField(_("due"))
    total = models.PositiveIntegerField(_("files"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        verbose_name=_("by"),
        db_index=False,
    )
    made_at = models.DateTimeField(_("time"))
    settled_at = models.DateTimeField(_("filled"), null=True)
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True)

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("gap to fill")
        verbose_name_plural = _("gaps to fill")
        indexes = [
            models.Index(
                fields=["owner", "due_on"],
                name="assignment_open",
                condition=models.Q(settled_at=None, withdrawn_at=None),
            ),
        ]

    def __str__(self) -> str:
        from customers.completeness import BY_NAME  # which needs the models

        return str(BY_NAME[self.wanted].label) if self.wanted in BY_NAME else self.wanted

    @property
    def is_open(self) -> bool:
        return self.settled_at is None and self.withdrawn_at is None

    def withdraw(self, *, now: datetime) -> None:
        """Nobody needs it any more."""
        if self.withdrawn_at is None:
            self.withdrawn_at = now
            self.save(update_fields=["withdrawn_at"])

    def restore(self) -> None:
        """Take `withdraw` back."""
        if self.withdrawn_at is not None:
            self.withdrawn_at = None
            self.save(update_fields=["withdrawn_at"])


class AssignedFile(models.Model):
    """A customer of an assignment."""

    assignment = models.ForeignKey(Assignment, models.CASCADE, related_name="files", db_index=False)
    customer = models.ForeignKey("customers.Customer", models.CASCADE, related_name="assigned")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["assignment", "customer"], name="assigned_once")
        ]

    def __str__(self) -> str:
        return f"{self.assignment_id}/{self.customer_id}"
