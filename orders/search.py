"""What orders add to the search page: those whose number begins with the words."""

from __future__ import annotations

from urllib.parse import urlencode

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.access import may
from accounts.models import User
from crm.lib.formats import day, money
from crm.lib.search import HITS, Group, Hit
from orders.models import Order

#: Every order begins with its first signs.
FEWEST = 3


def group(user: User, words: str) -> Group | None:
    """The orders in sight whose number begins with `words`."""
    number = words.strip()
    if not may(user, "orders:read") or len(number) < FEWEST:
        return None
    begins = Q(external_id__startswith=number) | Q(external_id__startswith=number.upper())
    found = list(
        Order.objects.visible_to(user)
        .filter(begins)
        .order_by("-external_id")
        .values("id", "external_id", "customer__name", "ordered_at", "amount")[: HITS + 1]
    )
    hits = [
        Hit(
            url=reverse("orders:detail", args=[row["id"]]),
            title=row["external_id"] or "",
            about=f"{row['customer__name']} · {day(row['ordered_at'])}",
            side=money(row["amount"]),
        )
        for row in found[:HITS]
    ]
    more = f"{reverse('orders:list')}?{urlencode({'q': words})}" if len(found) > HITS else ""
    return Group(_("Orders"), hits, more)
