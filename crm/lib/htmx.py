"""One view, two answers: the whole page, or to htmx the part of it that changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers


def wants_part(request: HttpRequest) -> bool:
    """Whether htmx asks for the part; a restored page of its history is a whole one."""
    htmx: Any = getattr(request, "htmx", None)
    return bool(htmx) and not htmx.history_restore_request


def page_or_part(
    request: HttpRequest, page: str, part: str, context: Mapping[str, Any]
) -> HttpResponse:
    """The template `page`, or `part` for htmx; caches keep the two apart."""
    response = render(request, part if wants_part(request) else page, dict(context))
    patch_vary_headers(response, ["HX-Request"])
    return response
