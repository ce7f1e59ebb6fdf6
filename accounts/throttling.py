"""How many API requests a key, or a person in the browser, may make in a minute."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.models import ApiKey

if TYPE_CHECKING:
    from rest_framework.views import APIView

WINDOW = 60


class KeyThrottle(BaseThrottle):
    """A counter per caller and minute, in the cache that all processes share.

    `API_RATE_PER_MINUTE` is read at every request; 0 lifts the limit.
    """

    def allow_request(self, request: Request, view: APIView) -> bool:
        limit: int = settings.API_RATE_PER_MINUTE
        if limit <= 0 or not request.user.is_authenticated:
            return True
        caller = (
            f"key:{request.auth.pk}"
            if isinstance(request.auth, ApiKey)
            else f"user:{request.user.pk}"
        )
        window, self.used = divmod(time.time(), WINDOW)
        return count(f"api:{caller}:{window:.0f}") <= limit

    def wait(self) -> float:
        """Seconds until the next minute begins."""
        return WINDOW - self.used


def count(name: str) -> int:
    """Raise the counter called `name` by one and return it; it lives for two windows."""
    try:
        return cache.incr(name)
    except ValueError:  # the first of this minute; or somebody else was, just now
        return 1 if cache.add(name, 1, timeout=2 * WINDOW) else cache.incr(name)
