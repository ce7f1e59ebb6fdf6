"""How the API says no: every refusal as RFC 9457 problem details, in the reader's language."""

from __future__ import annotations

import logging
import math
import traceback
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import (
    NON_FIELD_ERRORS,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    ValidationError,
)
from django.core.signals import got_request_exception
from django.db import OperationalError
from django.http import Http404, HttpRequest, JsonResponse, UnreadablePostError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.settings import api_settings

from crm.lib.text import Text

log = logging.getLogger("crm.api")

MEDIA_TYPE = "application/problem+json"
_TYPE = "urn:kehu:problem:"
TITLES: dict[int, Text] = {
    400: gettext_lazy("The request is not valid."),
    401: gettext_lazy("Sign in with an API key."),
    403: gettext_lazy("This is not allowed."),
    404: gettext_lazy("There is nothing here."),
    405: gettext_lazy("This address does not take this method."),
    406: gettext_lazy("The answer cannot be given in this format."),
    409: gettext_lazy("This clashes with the present state."),
    412: gettext_lazy("Somebody else has changed this record."),
    413: gettext_lazy("The request is too large."),
    415: gettext_lazy("The body has a format that is not read here."),
    422: gettext_lazy("The request cannot be carried out."),
    429: gettext_lazy("Too many requests."),
    500: gettext_lazy("Something broke on our side."),
    503: pgettext_lazy("API", "The service is busy."),
}


class Conflict(exceptions.APIException):
    """The present state does not allow it: 409."""

    status_code = 409
    default_detail = gettext_lazy("Another request has just written the same record. Try again.")
    default_code = "conflict"


class PreconditionFailed(exceptions.APIException):
    """If-Match names a version that is no longer the present one: 412."""

    status_code = 412
    default_detail = gettext_lazy(
        "The record has changed since you read it. Read it again, then send your change."
    )
    default_code = "stale_version"


class TooLarge(exceptions.APIException):
    """The body is larger than the address takes: 413."""

    status_code = 413
    default_detail = gettext_lazy("The body is larger than this address takes.")
    default_code = "too_large"


class Unprocessable(exceptions.APIException):
    """Well formed, but it cannot be carried out: 422."""

    status_code = 422
    default_detail = gettext_lazy("The request cannot be carried out.")
    default_code = "unprocessable"


class Unavailable(exceptions.APIException):
    """The database is busy; the same request may succeed in a moment: 503."""

    status_code = 503
    default_detail = gettext_lazy("The database is busy. Try again in a moment.")
    default_code = "unavailable"
    wait = 1


class BadRequest(exceptions.APIException):
    """The request itself cannot be read: 400."""

    status_code = 400
    default_detail = gettext_lazy("The request cannot be read.")
    default_code = "bad_request"


#: Django's own refusals; the first that fits.
ANSWERS: dict[type[Exception], type[exceptions.APIException]] = {
    Http404: exceptions.NotFound,
    PermissionDenied: exceptions.PermissionDenied,
    RequestDataTooBig: TooLarge,
    SuspiciousOperation: BadRequest,
    UnreadablePostError: BadRequest,
}


def problem(
    status: int,
    *,
    code: str,
    detail: Text = "",
    errors: Mapping[str, list[str]] | None = None,
) -> dict[str, Any]:
    """The members of one problem. `errors` maps a field (`lines.0.quantity`) to its messages."""
    title = TITLES.get(status) or HTTPStatus(status).phrase
    body: dict[str, Any] = {
        "type": _TYPE + code,
        "title": str(title),
        "status": status,
        "detail": str(detail or title),
    }
    if errors:
        body["errors"] = dict(errors)
    return body


def handle(exc: Exception, context: Mapping[str, Any]) -> Response:
    """DRF's exception handler: every exception below /api/ becomes a problem."""
    known = _as_api_exception(exc)
    if known is None:
        return _unexpected(exc, context)
    headers = {}
    if auth_header := getattr(known, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    if wait := getattr(known, "wait", None):
        headers["Retry-After"] = str(math.ceil(wait))
    status = known.status_code
    codes = known.get_codes()
    code = codes if isinstance(codes, str) else "invalid"
    detail, errors = _split(known.detail)
    body = problem(status, code=code, detail=detail, errors=errors)
    return Response(body, status=status, headers=headers, content_type=MEDIA_TYPE)


def problem_response(request: HttpRequest, status: int, *, code: str) -> JsonResponse:
    """A problem outside DRF, for what goes wrong before a view is found."""
    return JsonResponse(problem(status, code=code), status=status, content_type=MEDIA_TYPE)


def _as_api_exception(exc: Exception) -> exceptions.APIException | None:
    """`exc` as DRF knows it, or None where it was not foreseen."""
    if isinstance(exc, exceptions.APIException):
        return exc
    if isinstance(exc, ValidationError):
        return exceptions.ValidationError(detail=_django_detail(exc))
    if isinstance(exc, OperationalError):
        return Unavailable() if _is_busy(exc) else None
    return next((answer() for kind, answer in ANSWERS.items() if isinstance(exc, kind)), None)


def _is_busy(exc: OperationalError) -> bool:
    """SQLite's lock held too long, or PostgreSQL's classes for deadlock, resources and shutdown."""
    state = getattr(exc.__cause__, "pgcode", None) or ""
    return state[:2] in {"40", "53", "55", "57"} or "database is locked" in str(exc)


def _django_detail(exc: ValidationError) -> Any:
    if hasattr(exc, "error_dict"):
        return exc.message_dict
    return {api_settings.NON_FIELD_ERRORS_KEY: exc.messages}


def _unexpected(exc: Exception, context: Mapping[str, Any]) -> Response:
    """Log where it broke, without the message (which may quote a customer's data); answer 500."""
    view = type(context.get("view")).__name__
    where = "".join(traceback.format_tb(exc.__traceback__))
    log.error("%s in %s\n%s", type(exc).__qualname__, view, where)
    # The signal lets error collectors and the test client know, as for any broken page.
    got_request_exception.send(sender=None, request=context.get("request"))
    return Response(problem(500, code="broken"), status=500, content_type=MEDIA_TYPE)


def _split(detail: Any) -> tuple[Text, dict[str, list[str]]]:
    """DRF's nested detail as one sentence and a flat map from field to messages."""
    if isinstance(detail, str):
        return detail, {}
    errors: dict[str, list[str]] = {}
    general: list[str] = []
    for path, message in _flat(detail, ""):
        if path:
            errors.setdefault(path, []).append(message)
        else:
            general.append(message)
    if general:
        return " ".join(general), errors
    return _("Some fields are not right."), errors


def _flat(detail: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            own = str(name) in {api_settings.NON_FIELD_ERRORS_KEY, NON_FIELD_ERRORS}
            yield from _flat(inner, path if own else f"{path}.{name}" if path else str(name))
    elif isinstance(detail, (list, tuple)):
        for index, inner in enumerate(detail):
            nested = isinstance(inner, (Mapping, list, tuple))
            yield from _flat(inner, f"{path}.{index}" if nested and path else path)
    else:
        yield path, str(detail)
