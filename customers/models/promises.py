"""Promises made to customers (P42)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.access import ScopedQuerySet
from accounts.models import Tracked
from crm.lib.models import Record


class PromiseState(models.TextChoices):
    OPEN = "open", _("Open")
    KEPT = "kept", _("Kept")
    BROKEN = "broken", _("Broken")


class PromiseQuerySet(ScopedQuerySet["Promise"]):
    pass


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
                fields=["owner", "due_on"],
                name="promise_open",
                condition=models.Q(state="open"),
            ),
        ]

    def __str__(self) -> str:
        return self.content


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
