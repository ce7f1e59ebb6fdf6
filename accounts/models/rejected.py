"""Records that a bulk sync rejected, kept as they were sent until somebody has dealt with them."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.audit import SyncCall


class RejectedState(models.TextChoices):
    """What has become of a rejected record since; the middle four are answers of the sync."""

    OPEN = "open", _("open")
    CREATED = "created", _("created since")
    UPDATED = "updated", _("changed since")
    UNCHANGED = "unchanged", _("already as sent")
    STALE = "stale", _("stale: a newer one is stored")
    REPEATED = "repeated", _("rejected again since")


class RejectedRecordQuerySet(models.QuerySet["RejectedRecord"]):
    def open(self) -> Self:
        """Those that wait for a person."""
        return self.filter(state=RejectedState.OPEN)

    def sendable(self) -> Self:
        """Those that can go through the sync once more: open, and kept as they were sent."""
        return self.open().exclude(body="")

    def of_calls_before(self, moment: datetime) -> Self:
        return self.filter(call__at__lt=moment)


class RejectedRecord(models.Model):
    """One rejected record of a call: where it stood, why, and the JSON as it was sent.

    A record may hold personal data (names, phones, birthdays): it is shown to nobody but who
    holds `keys:write`, and deleted after some weeks. `body` is "" for what is not kept: a record
    or a call that is too long, or one that was rejected again since. `key` and `resource` are
    those of the call.
    """

    call = models.ForeignKey(SyncCall, models.CASCADE, related_name="records", db_index=False)
    index = models.PositiveIntegerField(_("index"))
    resource = models.CharField(_("resource"), max_length=30)
    key = models.ForeignKey(
        "accounts.ApiKey",
        models.SET_NULL,
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    external_id = models.CharField(_("number in the ERP"), max_length=100, blank=True)
    errors = models.JSONField(default=dict)
    body = models.TextField(_("record"), blank=True)
    state = models.CharField(
        _("state"), max_length=10, choices=RejectedState.choices, default=RejectedState.OPEN
    )
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )

    objects = RejectedRecordQuerySet.as_manager()

    class Meta:
        ordering = ["call_id", "index"]
        verbose_name = _("rejected record")
        verbose_name_plural = _("rejected records")
        constraints = [
            models.UniqueConstraint(fields=["call", "index"], name="one_rejection_per_place")
        ]
        indexes = [
            models.Index(
                fields=["external_id"],
                name="rejected_by_number",
                condition=models.Q(state=RejectedState.OPEN),
            )
        ]

    def __str__(self) -> str:
        return self.external_id or f"#{self.index}"

    @property
    def is_open(self) -> bool:
        return self.state == RejectedState.OPEN
