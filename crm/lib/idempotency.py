"""Idempotency-Key: a POST that is sent again gets the first answer again, and creates nothing.

Kept are answers that created something (2xx), for 24 hours. A refused POST created nothing, so
its key stays free and the corrected body may use it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from crm.lib.problems import Conflict, Unprocessable

LIFETIME = timedelta(hours=24)
#: A claim this old belongs to a process that died: no request lives that long.
ABANDONED = timedelta(minutes=5)
LONGEST = 200
HEADER = "Idempotency-Key"
KEPT_HEADERS = ("Location", "ETag")


class InProgress(Conflict):
    """The first request with this key is still being worked on: 409."""

    default_code = "in_progress"
    wait = 1

    def __init__(self) -> None:
        super().__init__(_("The first request with this Idempotency-Key is still in progress."))


def once(request: Request, answer: Callable[[], Response], *, now: datetime) -> Response:
    """`answer()` in one transaction, or the answer kept from the first time.

    Raises ValidationError (400) for a malformed key, Unprocessable (422) where the key came with
    another body or address, InProgress (409) while the first request runs.
    """
    header = request.headers.get(HEADER)
    if header is None:
        with transaction.atomic():
            return answer()
    if not 1 <= len(header.strip()) <= LONGEST or not header.isascii() or not header.isprintable():
        message = _("An Idempotency-Key has 1 to %(most)d plain characters.") % {"most": LONGEST}
        raise exceptions.ValidationError({HEADER: [message]})
    token = _digest(getattr(request.auth, "pk", None), header.strip())
    fingerprint = _digest(request.method, request.get_full_path(), request.data)
    claim = _claim(request, token, fingerprint, now)
    if claim.status:
        return _again(claim)
    mine = _answers().filter(pk=claim.pk, created_at=now, status=0)
    try:
        with transaction.atomic():
            response = answer()
            kept = mine.update(
                status=response.status_code,
                headers={name: response[name] for name in KEPT_HEADERS if name in response},
                body=JSONRenderer().render(response.data).decode(),
            )
            if not kept:  # taken over by a retry that believed us dead: it will answer
                raise InProgress
    except BaseException:  # whatever it is: the key is free again, and it goes on
        mine.delete()
        raise
    return response


def _claim(request: Request, token: str, fingerprint: str, now: datetime) -> Any:
    """The row of this key: a new one with status 0, or the finished one of the first request."""
    try:
        with transaction.atomic():
            return _answers().create(
                user=request.user, token=token, fingerprint=fingerprint, created_at=now
            )
    except IntegrityError:
        claim = _answers().filter(user=request.user, token=token).first()
    if claim is None:  # released between the two statements
        raise InProgress
    age = now - claim.created_at
    if age >= LIFETIME or (not claim.status and age >= ABANDONED):
        taken = (
            _answers()
            .filter(pk=claim.pk, created_at=claim.created_at, status=claim.status)
            .update(fingerprint=fingerprint, status=0, headers={}, body="", created_at=now)
        )
        if not taken:
            raise InProgress
        claim.status = 0
        return claim
    if claim.fingerprint != fingerprint:
        raise Unprocessable(
            _("This Idempotency-Key was used with another body."), code="idempotency_key_reused"
        )
    if not claim.status:
        raise InProgress
    return claim


def _again(claim: Any) -> Response:
    headers = {**claim.headers, "Idempotent-Replay": "true"}
    return Response(json.loads(claim.body), status=claim.status, headers=headers)


def _answers() -> Any:
    return apps.get_model(settings.IDEMPOTENT_RESPONSE_MODEL)._default_manager


def _digest(*parts: Any) -> str:
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
