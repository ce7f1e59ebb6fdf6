"""Customers that passed from one person to another in one action (P6)."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.access import ScopedQuerySet


class HandOverQuerySet(ScopedQuerySet["HandOver"]):
    def standing(self) -> Self:
        """Those that nobody took back."""
        return self.filter(undone_at=None)


class HandOver(models.Model):
    """What `giver` handed to `successor`: files by id, and what passed with them (kind → ids)."""

    OWNER_PATH = "giver"

    giver = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        db_index=False,
        verbose_name=pgettext_lazy("hand-over", "from"),
    )
    successor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        db_index=False,
        verbose_name=pgettext_lazy("hand-over", "to"),
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        db_index=False,
        verbose_name=_("by"),
    )
    at = models.DateTimeField(_("time"))
    count = models.PositiveIntegerField(_("customers"))
    customer_ids = models.JSONField(default=list)
    beside = models.JSONField(default=dict)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False
    )
    undone_count = models.PositiveIntegerField(default=0)

    objects = HandOverQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("hand-over")
        verbose_name_plural = _("hand-overs")

    def __str__(self) -> str:
        return f"{self.giver_id} → {self.successor_id}"
