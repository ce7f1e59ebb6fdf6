"""A handful of companies that stand on file twice, as happens where several people make files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime

from customers import cards, divisions, duplicates
from customers.models import Customer

#: How the second file is spelt.
SPELLINGS: tuple[Callable[[str, str], str], ...] = (
    lambda own, city: f"{own.removesuffix('有限公司').removesuffix('商行')}经营部（{city}）",
    lambda own, city: f"{city}市{own.replace('丰', '豐').replace('顺', '順')}",
    lambda own, city: f"{own}（{city}市）",
    lambda own, city: f"{city} {own[0]}{own[1:]} ",
)
#: What the second file says as the first one does.
SAME = (
    *("kind", "owner_id", "phone", "division", "division_found"),
    *("address", "latitude", "longitude"),
)
#: So many pairs for an owner, and in all.
EACH, ALL = 2, 8


def write_twins(*, now: datetime) -> int:
    """Make a second file for some customers of some reps, search, and say how many pairs."""
    dealers = (
        Customer.objects.filter(owner__isnull=False)
        .exclude(phone="")
        .order_by("owner_id", "-net_amount", "pk")
    )
    chosen: list[tuple[Customer, str]] = []
    owners: Counter[int | None] = Counter()
    for dealer in dealers:
        city = "".join(divisions.path(dealer.division)[1:2]).removesuffix("市")
        led = bool(city) and dealer.name.startswith(city)
        if led and len(dealer.name) > len(city) + 4 and owners[dealer.owner_id] < EACH:
            owners[dealer.owner_id] += 1
            chosen.append((dealer, city))
    made = Customer.objects.bulk_create(
        Customer(
            name=SPELLINGS[n % len(SPELLINGS)](first.name.removeprefix(city), city).strip(),
            version=1,
            **{name: getattr(first, name) for name in SAME},
        )
        for n, (first, city) in enumerate(chosen[:ALL])
    )
    cards.refresh([twin.pk for twin in made])
    return duplicates.find(lambda _done, _total: None, now=now)["pairs"]
