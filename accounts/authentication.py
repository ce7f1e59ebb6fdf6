"""How the API knows its caller: an API key, or the browser's session."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.authentication import (
    BaseAuthentication,
    SessionAuthentication,
    get_authorization_header,
)
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts import audit
from accounts.models import ApiKey, User
from accounts.models.keys import hash_key

USED_AT_STEP = timedelta(minutes=5)


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer <key>`; the key acts for its account within its scopes."""

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != b"bearer":
            return None
        now = timezone.now()
        try:
            secret = parts[1].decode("ascii") if len(parts) == 2 else ""
        except UnicodeDecodeError:
            secret = ""
        key = (
            ApiKey.objects.usable(now)
            .select_related("user", "user__team")
            .filter(digest=hash_key(secret))
            .first()
        )
        if key is None:
            raise exceptions.AuthenticationFailed(_("This API key is not valid."))
        if key.last_used_at is None or now - key.last_used_at > USED_AT_STEP:
            ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
        # The audit context of the request was opened without a caller: name the key now.
        audit.name_key(user=key.user, key=key)
        return key.user, key

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class BrowserSessionAuthentication(SessionAuthentication):
    """The session of the pages, with CSRF; a missing session is a 401, not a 403."""

    def enforce_csrf(self, request: Request) -> None:
        """Look for the token in Django's request: REST framework's own would read the body for
        it, and the bulk sync would find none."""
        super().enforce_csrf(request._request)  # type: ignore[arg-type]  # Django reads it

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class HasScope(BasePermission):
    """The caller's role, and its key if it has one, allow `<resource>:read` or `:write`.

    A view names its resource in `scope`; safe methods need read, the others write, unless the
    view answers `get_scope()` itself.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        user = request.user
        if not user or not user.is_authenticated:
            return False
        verb = "read" if request.method in ("GET", "HEAD", "OPTIONS") else "write"
        scope = view.get_scope() if hasattr(view, "get_scope") else f"{view.scope}:{verb}"
        if isinstance(request.auth, ApiKey) and not request.auth.allows(scope):
            return False
        return bool(user.may(scope))
