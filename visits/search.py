"""What the field adds to the search page: market information by its words (P26)."""

from __future__ import annotations

from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.access import may
from accounts.models import User
from crm.lib.formats import day
from crm.lib.search import HITS, Group, Hit
from visits.models import MarketInformation


def group(user: User, words: str) -> Group | None:
    """The market information whose title, text or place of origin holds `words`."""
    if not may(user, "customers:read"):
        return None
    rows = MarketInformation.objects.visible_to(user).named_like(words)
    found = list(rows.order_by("-learned_on", "-pk")[: HITS + 1])
    hits = [
        Hit(
            url=reverse("visits:information", args=[row.pk]),
            title=row.title,
            about=" · ".join(filter(None, [str(row.get_source_display()), row.where])),
            side=day(row.learned_on),
        )
        for row in found[:HITS]
    ]
    more = (
        f"{reverse('visits:information-list')}?{urlencode({'q': words})}"
        if len(found) > HITS
        else ""
    )
    return Group(_("Market information"), hits, more)
