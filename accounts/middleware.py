"""What each request carries: the reader's language, and who the audit log names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django_htmx.http import HttpResponseClientRedirect

from accounts.audit import Through, acting

Next = Callable[[HttpRequest], HttpResponse]


class UserLocaleMiddleware:
    """The language a signed-in person chose; before that the cookie, then Accept-Language."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        language = self.language_of(request)
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", language)
            return response

    @staticmethod
    def language_of(request: HttpRequest) -> str:
        known = dict(settings.LANGUAGES)
        api = request.path.startswith("/api/")
        if request.user.is_authenticated and not (api and "Accept-Language" in request.headers):
            return (
                request.user.language if request.user.language in known else settings.LANGUAGE_CODE
            )
        cookie = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        if cookie in known:
            return cookie
        return translation.get_language_from_request(request)


class SignInMiddleware(LoginRequiredMiddleware):
    """Sends who is not signed in to sign in; from a part of a page that is the whole page."""

    def handle_no_permission(  # type: ignore[override]  # the base answers with a redirect only
        self, request: HttpRequest, view_func: Callable[..., Any]
    ) -> HttpResponse:
        htmx = cast(Any, request).htmx
        if not htmx:
            return super().handle_no_permission(request, view_func)
        sign_in = redirect_to_login(htmx.current_url_abs_path or "/", settings.LOGIN_URL)
        return HttpResponseClientRedirect(sign_in.url)


class AuditMiddleware:
    """Changes made while answering a page are written under the signed-in person."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user if request.user.is_authenticated else None
        through = Through.API if request.path.startswith("/api/") else Through.PAGE
        with acting(user=user, through=through):
            return self.get_response(request)
