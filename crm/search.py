"""The search page (⌘K): what every app finds for some words, in the reader's sight."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from accounts.models import User
from crm.lib.contributions import contributions
from crm.lib.htmx import page_or_part

LONGEST = 100


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Hits by kind; who looks for nothing yet is told what can be found."""
    user = cast(User, request.user)
    words = request.GET.get("q", "").replace("\x00", "")[:LONGEST].strip()
    groups = [find(user, words) for find in contributions("search", "group")] if words else []
    context = {"words": words, "groups": [group for group in groups if group and group.hits]}
    return page_or_part(request, "crm/search.html", "crm/_search.html", context)
