"""How sign-in behaves here: accounts are made by an administrator, never by signing up."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.internal.ratelimit import Rate, get_cache_key, get_rates
from django.contrib import messages
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.actions import send_password_link
from accounts.models import User


class AccountAdapter(DefaultAccountAdapter):
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "account_inactive": gettext_lazy("This account may not sign in any more."),
        "enter_current_password": gettext_lazy("This is not your present password."),
        "username_password_mismatch": gettext_lazy("Wrong username or password."),
        "invalid_password_reset": gettext_lazy("This link does not work any more."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    # --- wrong passwords

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        # allauth counts per host name too; whoever changes the Host header would get more tries.
        return str(credentials.get("username", "")).strip().casefold()

    def _wrong_tries(self, request: HttpRequest, username: str) -> tuple[Rate, str]:
        """The limit of wrong tries on one username, and where they are counted."""
        rate = next(
            rate
            for rate in get_rates(app="allauth.account", action="login_failed")
            if rate.per == "key"
        )
        key = get_cache_key(
            request,
            app="allauth.account",
            action="login_failed",
            rate=rate,
            key=self._get_login_attempts_cache_key(request, username=username),
        )
        return rate, key

    def refusal(self, request: HttpRequest, username: str) -> ValidationError:
        """What to say after a wrong try; the same whether or not there is such a user."""
        rate, key = self._wrong_tries(request, username)
        left = rate.amount - len(cache.get(key, []))
        minutes = round(rate.duration / 60)
        if left <= 0:
            text = _("Too many wrong tries. This username is locked for %(minutes)d minutes.") % {
                "minutes": minutes
            }
            return ValidationError(text, code="too_many_login_attempts")
        text = ngettext(
            "Wrong username or password. %(left)d more and it is locked for %(minutes)d minutes.",
            "Wrong username or password. %(left)d more and it is locked for %(minutes)d minutes.",
            left,
        ) % {"left": left, "minutes": minutes}
        return ValidationError(text, code="username_password_mismatch")

    def unlock(self, request: HttpRequest, username: str) -> None:
        """Forget the wrong tries on a username, once its password has been set anew."""
        _rate, key = self._wrong_tries(request, username)
        cache.delete(key)

    def set_password(self, user: User, password: str) -> None:
        super().set_password(user, password)
        self.unlock(self.request, user.username)

    # --- after the deed

    def send_password_reset_mail(self, user: User, email: str, context: dict[str, Any]) -> None:
        # To the address on file, not as it was typed; and with a link on BASE_URL.
        send_password_link(user=user)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("accounts:settings")

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        # Signing in and out is seen without a message.
        if message_template == "account/messages/password_changed.txt":
            messages.success(request, _("Password changed. Other devices are signed out."))
