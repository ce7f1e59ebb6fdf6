"""Keys of integrations, and the answers kept for their retries."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from typing import Self

from django.conf import settings
from django.core.validators import MinLengthValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.audit import Tracked
from accounts.roles import SCOPES
from crm.lib.models import Record

PREFIX = "kehu_"


def hash_key(secret: str) -> str:
    """SHA-256 of a key. Keys carry 256 random bits, so no slow hash is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


class KeyState(models.TextChoices):
    WORKS = "works", _("works")
    EXPIRED = "expired", _("expired")
    REVOKED = "revoked", _("revoked")
    ACCOUNT_CLOSED = "account_closed", _("account closed")


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def usable(self, now: datetime) -> Self:
        """Neither revoked nor expired, and the account behind it may still sign in."""
        return self.filter(
            models.Q(expires_at=None) | models.Q(expires_at__gt=now),
            revoked_at=None,
            user__is_active=True,
        )


class ApiKey(Tracked, Record):
    """A named key of an integration. Only its hash is stored; the key itself is shown once."""

    UNAUDITED = ("updated_at", "created_at", "version", "last_used_at", "digest")

    name = models.CharField(_("name"), max_length=100, validators=[MinLengthValidator(2)])
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="api_keys",
        verbose_name=_("acts for"),
    )
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(_("begins with"), max_length=12, editable=False)
    scopes = models.JSONField(_("scopes"), default=list)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")

    def __str__(self) -> str:
        return self.name

    @classmethod
    def issue(
        cls,
        *,
        name: str,
        user_id: int,
        scopes: list[str] | None = None,
        expires_at: datetime | None = None,
    ) -> tuple[Self, str]:
        """Make a key with `scopes` (all, where None) and return it with its secret, once."""
        secret = PREFIX + secrets.token_urlsafe(32)
        key = cls(
            name=name,
            user_id=user_id,
            digest=hash_key(secret),
            hint=secret[:12],
            scopes=sorted(SCOPES if scopes is None else scopes),
            expires_at=expires_at,
        )
        key.full_clean()
        key.save()
        return key, secret

    def revoke(self, now: datetime) -> None:
        """Stop the key from working, for good. Revoking twice changes nothing."""
        if self.revoked_at is None:
            self.revoked_at = now
            self.save(update_fields=["revoked_at"])

    def state(self, now: datetime) -> KeyState:
        """Whether the key works, and if not, why."""
        if self.revoked_at:
            return KeyState.REVOKED
        if self.expires_at and self.expires_at <= now:
            return KeyState.EXPIRED
        return KeyState.WORKS if self.user.is_active else KeyState.ACCOUNT_CLOSED

    def allows(self, scope: str) -> bool:
        return scope in self.scopes


class IdempotentResponse(models.Model):
    """The first answer to a POST with an Idempotency-Key, given again to a retry within 24 h.

    `status` 0 marks a request that is still being worked on.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    token = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    headers = models.JSONField(default=dict)
    body = models.TextField(blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "token"], name="one_answer_per_token")
        ]
        indexes = [models.Index(fields=["created_at"], name="idempotent_by_age")]

    def __str__(self) -> str:
        return self.token
