"""Contacts with a customer other than visits: calls, messages, letters, receptions (P32)."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.access import ScopedQuerySet
from accounts.models import Tracked, User
from crm.lib.formats import local_day
from crm.lib.models import Record


class Channel(models.TextChoices):
    CALL = "call", pgettext_lazy("way of contact", "Call")
    MESSAGE = "message", pgettext_lazy("way of contact", "Message")
    LETTER = "letter", pgettext_lazy("way of contact", "Letter")
    RECEPTION = "reception", pgettext_lazy("way of contact", "Reception")
    MEETING = "meeting", pgettext_lazy("way of contact", "Customer meeting")
    MAGAZINE = "magazine", pgettext_lazy("way of contact", "Magazine")


class InteractionQuerySet(ScopedQuerySet["Interaction"]):
    pass


class Interaction(Tracked, Record):
    """One contact with a customer: how, when, by whom of us, with whom there, and what was said.

    `client_id` is made in the browser: sent twice, it is logged once.
    """

    OWNER_PATH = "customer__owner"

    client_id = models.UUIDField(null=True, blank=True, unique=True, editable=False)
    customer = models.ForeignKey(
        "customers.Customer",
        models.CASCADE,
        related_name="interactions",
        verbose_name=_("customer"),
        db_index=False,
    )
    contact = models.ForeignKey(
        "customers.Contact",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="interactions",
        verbose_name=_("with"),
    )
    channel = models.CharField(_("way of contact"), max_length=10, choices=Channel.choices)
    inbound = models.BooleanField(_("the customer began"), default=False)
    at = models.DateTimeField(_("time"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="interactions",
        verbose_name=_("by"),
    )
    words = models.TextField(_("the customer’s words, or the gist"), blank=True, max_length=2000)

    objects = InteractionQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-id"]
        verbose_name = _("interaction")
        verbose_name_plural = _("interactions")
        indexes = [
            models.Index(fields=["customer", "-at"], name="interaction_by_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} {self.at:%Y-%m-%d}"

    def may_be_changed(self, *, by: User, now: datetime) -> bool:
        """Who logged it may put it right, or take it out, on the same day."""
        return self.by_id == by.pk and local_day(self.created_at) == local_day(now)

    def refuse_unless_changeable(self, *, by: User, now: datetime) -> None:
        """Raise ValidationError where it is settled history, or somebody else's."""
        if not self.may_be_changed(by=by, now=now):
            raise ValidationError(
                _("Only who logged it can change it, and on the same day only."), code="settled"
            )
