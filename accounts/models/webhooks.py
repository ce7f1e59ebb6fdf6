"""Webhooks: who wants to hear of which events, the events, and what became of sending them."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts import destinations
from accounts.access import SHARED, ScopedQuerySet
from accounts.models.audit import Tracked
from crm.lib.models import Record
from crm.lib.text import Text

PREFIX = "whsec_"
#: After a change of the secret, what is sent is signed with the old one too, for this long.
OLD_SECRET_WORKS = timedelta(hours=24)


def new_seed() -> str:
    return secrets.token_urlsafe(24)


def secret_of(seed: str) -> str:
    """The secret that grows from `seed` and the installation's SECRET_KEY.

    A secret must be at hand for every signature, so a hash of it will not do, as it does for API
    keys. Derived, it stands nowhere: a copy of the database alone signs nothing, without another
    key to keep. A new SECRET_KEY makes all secrets new.
    """
    return PREFIX + salted_hmac("accounts.webhooks", seed, algorithm="sha256").hexdigest()


class Pause(models.TextChoices):
    """Why nothing is sent to a webhook."""

    BY_HAND = "by_hand", _("Paused")
    FAILING = "failing", _("Paused: it failed for a week")
    GONE = "gone", _("Paused: the receiver says it is gone (410)")


class WebhookQuerySet(ScopedQuerySet["Webhook"]):
    def kept(self) -> Self:
        """Those that nobody removed."""
        return self.filter(removed_at=None)

    def listening(self) -> Self:
        """Those that events are kept for and sent to."""
        return self.kept().filter(pause="")

    def free(self, now: datetime) -> Self:
        """Those that no worker is sending to."""
        return self.filter(models.Q(claimed_until=None) | models.Q(claimed_until__lte=now))

    def ready(self, now: datetime) -> Self:
        """Those with something due that no worker is sending to, nor waits after a failure."""
        due = Delivery.objects.due(now).filter(webhook=models.OuterRef("pk"))
        return (
            self.listening()
            .free(now)
            .filter(models.Q(waits_until=None) | models.Q(waits_until__lte=now))
            .filter(models.Exists(due))
        )


class Webhook(Tracked, Record):
    """An address that wants to hear of events. It is removed, never deleted: its deliveries stay.

    `waits_until` and `failures` (in a row) hold back everything for a receiver that fails;
    `failing_since` is its first failure after the last success. `claim` is the worker that sends
    to it now, until `claimed_until` at the latest. These five say how it goes, not what was
    agreed: they are no new version of the record.
    """

    OWNER_PATH = SHARED
    SECRET = ("seed", "old_seed")
    BESIDE = {
        "pinged": _("Test events sent"),
        "sent_again": _("Deliveries sent again"),
    }
    UNAUDITED = (
        *("updated_at", "created_at", "version", "waits_until", "failures", "failing_since"),
        *("last_delivered_at", "claim", "claimed_until"),
    )

    name = models.CharField(_("name"), max_length=100)
    url = models.CharField(_("address"), max_length=500)
    events = models.JSONField(_("events"), default=list)
    seed = models.CharField(_("secret"), max_length=40, default=new_seed, editable=False)
    old_seed = models.CharField(_("old secret"), max_length=40, blank=True, editable=False)
    old_seed_until = models.DateTimeField(_("old secret works until"), null=True, editable=False)
    pause = models.CharField(
        _("state"), max_length=7, choices=Pause.choices, blank=True, editable=False
    )
    paused_at = models.DateTimeField(_("paused"), null=True, editable=False)
    removed_at = models.DateTimeField(_("removed"), null=True, editable=False)
    waits_until = models.DateTimeField(null=True, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False)
    failing_since = models.DateTimeField(_("failing since"), null=True, editable=False)
    last_delivered_at = models.DateTimeField(_("last delivery"), null=True, editable=False)
    claim = models.CharField(max_length=32, blank=True, editable=False)
    claimed_until = models.DateTimeField(null=True, editable=False)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Known events, at least one, and an address that may be sent to."""
        from accounts.webhooks import kinds  # it stands on the models

        errors: dict[str, ValidationError] = {}
        if not isinstance(self.events, list) or not self.events:
            errors["events"] = ValidationError(_("Choose at least one event."), code="no_events")
        elif unknown := [name for name in self.events if name not in kinds()]:
            errors["events"] = ValidationError(
                _("There is no event “%(name)s”."), code="unknown", params={"name": unknown[0]}
            )
        else:
            self.events = [name for name in kinds() if name in self.events]
        if self.url != self.was("url"):
            try:
                destinations.check(self.url)
            except ValidationError as refused:
                errors["url"] = refused
        if errors:
            raise ValidationError(errors)

    @property
    def is_listening(self) -> bool:
        return not self.pause and self.removed_at is None

    @property
    def secret(self) -> str:
        return secret_of(self.seed)

    def secrets(self, now: datetime) -> list[str]:
        """What to sign with at `now`: the secret, and the old one for a day after a change."""
        seeds = [self.seed]
        if self.old_seed and self.old_seed_until and now < self.old_seed_until:
            seeds.append(self.old_seed)
        return [secret_of(seed) for seed in seeds]

    def rotate(self, now: datetime) -> None:
        """Sign with a new secret from now on, and with the present one too for a day."""
        self.old_seed, self.old_seed_until = self.seed, now + OLD_SECRET_WORKS
        self.seed = new_seed()
        self.save(update_fields=["seed", "old_seed", "old_seed_until"])

    def stop(self, why: Pause, now: datetime) -> None:
        """Send nothing to it and keep nothing for it; once more changes nothing."""
        if not self.pause:
            self.pause, self.paused_at = why, now
            self.save(update_fields=["pause", "paused_at"])

    def resume(self) -> None:
        """Send to it again, and at once what still waits, as if it had never failed."""
        if self.removed_at is not None:
            raise ValidationError(_("This webhook was removed."), code="removed")
        if self.pause:
            self.pause, self.paused_at = "", None
            self.save(update_fields=["pause", "paused_at", *self.forget_failures()])

    def store(self) -> None:
        """Write what people set, and not what workers do; a new address starts afresh."""
        columns = ["name", "url", "events"]
        if self.url != self.was("url"):
            columns += self.forget_failures()
        self.save(update_fields=columns)

    def forget_failures(self) -> list[str]:
        """As if it had never failed; the columns that are to be saved."""
        self.waits_until, self.failures, self.failing_since = None, 0, None
        return ["waits_until", "failures", "failing_since"]

    def remove(self, now: datetime) -> None:
        """Take it out of the list; nothing is sent to it any more."""
        if self.removed_at is None:
            self.removed_at = now
            self.save(update_fields=["removed_at"])

    def restore(self) -> None:
        """Take back that it was removed."""
        if self.removed_at is not None:
            self.removed_at = None
            self.save(update_fields=["removed_at"])


class Event(models.Model):
    """Something that happened, as it is told: written in the same transaction as the change.

    `data` holds numbers and states, no names, phones or other personal data.
    """

    #: What a receiver knows repeats by, also after a database was restored from a copy.
    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    name = models.CharField(_("event"), max_length=40)
    occurred_at = models.DateTimeField(_("time"))
    data = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")

    def __str__(self) -> str:
        return f"{self.name} {self.pk}"

    @property
    def label(self) -> Text:
        """What people call the event."""
        from accounts.webhooks import label_of  # it stands on the models

        return label_of(self.name)


class DeliveryState(models.TextChoices):
    WAITING = "waiting", pgettext_lazy("webhook", "waiting")
    DELIVERED = "delivered", pgettext_lazy("webhook", "delivered")
    DEAD = "dead", _("given up")


class DeliveryQuerySet(ScopedQuerySet["Delivery"]):
    def waiting(self) -> Self:
        return self.filter(state=DeliveryState.WAITING)

    def dead(self) -> Self:
        return self.filter(state=DeliveryState.DEAD)

    def due(self, now: datetime) -> Self:
        """Those to be sent now, as far as they themselves say, the longest due first."""
        return self.waiting().filter(next_attempt_at__lte=now).order_by("next_attempt_at", "pk")


class Delivery(models.Model):
    """One event on its way to one webhook. What was answered is that of the last attempt.

    An attempt is made at `next_attempt_at` or later; after `give_up_at` there is none any more.
    """

    OWNER_PATH = SHARED

    # Without constraints: a change that writes deliveries must not wait for somebody who edits
    # the webhook. Webhooks are never deleted, and events only when no delivery is left.
    webhook = models.ForeignKey(
        Webhook,
        models.PROTECT,
        related_name="deliveries",
        db_index=False,
        db_constraint=False,
        verbose_name=_("webhook"),
    )
    event = models.ForeignKey(
        Event,
        models.DO_NOTHING,
        related_name="deliveries",
        db_constraint=False,
        verbose_name=_("event"),
    )
    state = models.CharField(
        _("state"), max_length=9, choices=DeliveryState.choices, default=DeliveryState.WAITING
    )
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"))
    give_up_at = models.DateTimeField()
    tried_at = models.DateTimeField(_("last attempt"), null=True)
    delivered_at = models.DateTimeField(pgettext_lazy("webhook", "delivered"), null=True)
    status_code = models.PositiveSmallIntegerField(pgettext_lazy("webhook", "answer"), null=True)
    duration_ms = models.PositiveIntegerField(_("took (ms)"), null=True)
    error = models.CharField(_("error"), max_length=200, blank=True)
    answer = models.TextField(blank=True)
    signature = models.CharField(max_length=200, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = pgettext_lazy("webhook", "delivery")
        verbose_name_plural = pgettext_lazy("webhook", "deliveries")
        indexes = [
            models.Index(fields=["webhook", "-id"], name="delivery_by_webhook"),
            models.Index(
                fields=["webhook", "next_attempt_at", "id"],
                name="delivery_waiting",
                condition=models.Q(state="waiting"),
            ),
            models.Index(
                fields=["webhook", "-id"],
                name="delivery_dead",
                condition=models.Q(state="dead"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} → {self.webhook_id}"

    @property
    def body(self) -> dict[str, Any]:
        """What is sent, before it is written as JSON."""
        event = self.event
        return {
            "id": str(event.pk),
            "event": event.name,
            "occurred_at": event.occurred_at.isoformat(),
            "data": event.data,
        }

    @property
    def why(self) -> Text:
        """Why the last attempt failed, in the reader's words; "" where it did not."""
        from accounts.sending import FAULTS  # it stands on the models

        if self.error:
            return FAULTS.get(self.error, self.error)
        return ""
