"""What customers add to the search page."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.access import may
from accounts.models import User
from crm.lib.formats import money_short
from crm.lib.keyset import by_id_if_few, strict_page
from crm.lib.search import HITS, Group, Hit
from customers import divisions
from customers.models import Customer, CustomerQuerySet, Kind
from customers.names import fold

COLUMNS = ("id", "name", "kind", "abc", "division", "net_amount", "owner__name")


def group(user: User, words: str) -> Group | None:
    """The customers in sight that fit `words`; those whose number or name begins so come first."""
    if not may(user, "customers:read"):
        return None
    found = best(Customer.objects.visible_to(user), words)
    kinds = dict(Kind.choices)
    hits = [
        Hit(
            url=reverse("customers:detail", args=[row["id"]]),
            title=row["name"],
            about=" · ".join(
                str(part)
                for part in (
                    kinds.get(row["kind"]),
                    divisions.short_name(row["division"]),
                    row["owner__name"],
                )
                if part
            ),
            side=money_short(row["net_amount"]),
            tier=row["abc"],
            has_tier=True,
        )
        for row in found[:HITS]
    ]
    more = f"{reverse('customers:list')}?{urlencode({'q': words})}" if len(found) > HITS else ""
    return Group(_("Customers"), hits, more)


def best(customers: CustomerQuerySet, words: str) -> list[dict[str, Any]]:
    """Up to HITS + 1 rows: the number, then names that begin with `words`, then whoever they
    name, then who is at such an address.

    Within each the largest net amount first. No part of it looks beyond the sight of the reader.
    """
    rows: dict[int, dict[str, Any]] = {}
    for some in (
        customers.filter(external_id=words.strip()),
        customers.filter(card__text__startswith=fold(words) or words),
        customers.known_as(words),
        customers.named_like(words),
    ):
        if left := HITS + 1 - len(rows):
            others, _count = by_id_if_few(some.exclude(pk__in=list(rows)))
            page = strict_page(others.values(*COLUMNS), order=("-net_amount", "-id"), size=left)
            rows |= {row["id"]: row for row in page.rows}
    return list(rows.values())
