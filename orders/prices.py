"""The uniform prices: no two periods of a product share a day, whoever writes them (P35.2, P39).

Prices go in by pages, single calls and bulk syncs. All of them pass `lock()` before they look at
what is stored, so that what they found free is still free when they write.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Case, Exists, OuterRef, QuerySet, Subquery, When
from django.db.models.functions import Coalesce, TruncDate
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.lib import bulk
from orders.models import OrderLine, Price

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    """The days on which a price of a product holds; `last` is None for one without an end."""

    product: int
    first: date
    last: date | None

    def shares_a_day_with(self, other: Period) -> bool:
        return (
            self.product == other.product
            and (other.last is None or self.first <= other.last)
            and (self.last is None or other.first <= self.last)
        )

    def in_words(self) -> str:
        if self.last is None:
            return _("from %(first)s on") % {"first": self.first}
        return _("from %(first)s to %(last)s") % {"first": self.first, "last": self.last}


def lock() -> None:
    """Let one transaction at a time write prices; the bulk sync takes the same lock by its name."""
    bulk.lock("sync prices")


@transaction.atomic
def record_price(*, price: Price, follow: bool = False) -> Price | None:
    """Store `price`, new or changed; refuses days on which another price of the product holds.

    With `follow`, a new price takes the place of the open-ended one before it, which then ends
    the day before: that one is returned, else None. Raises ValidationError under `valid_from`.
    """
    lock()
    others = Price.objects.filter(product=price.product).exclude(pk=price.pk)
    clashes = list(others.touching(price.valid_from, price.valid_to).order_by("valid_from")[:2])
    before = None
    if follow and price._state.adding and len(clashes) == 1:
        (found,) = clashes
        if found.valid_to is None and found.valid_from < price.valid_from:
            found.end(last_day=price.valid_from - ONE_DAY)
            before, clashes = found, []
    if clashes:
        no = ValidationError(taken(period(clashes[0])), code="overlaps")
        raise ValidationError({"valid_from": no})
    price.save()
    return before


def period(price: Price) -> Period:
    return Period(price.product_id, price.valid_from, price.valid_to)


def taken(other: Period) -> str:
    """Why a period cannot stand: the days of `other` are among its own."""
    return _("Another price of this product holds %(days)s.") % {"days": other.in_words()}


def clashing(changed: Mapping[str, Period], kept: Iterable[Period]) -> dict[str, Period]:
    """Of the `changed` periods, in their order, those that meet one that stands: which one.

    `kept` stands; of two changed ones that share a day, the first stands. Looks only at the
    neighbours in time, so that ten thousand periods of one product take no longer than of many.
    """
    standing: dict[int, list[Period]] = {}
    for one in kept:
        standing.setdefault(one.product, []).append(one)
    for periods in standing.values():
        periods.sort(key=_first)
    refused = {}
    for name, one in changed.items():
        periods = standing.setdefault(one.product, [])
        at = bisect_left(periods, one.first, key=_first)
        near = [*periods[max(at - 1, 0) : at], *periods[at : at + 1]]
        met = next((other for other in near if one.shares_a_day_with(other)), None)
        if met:
            refused[name] = met
        else:
            periods.insert(at, one)
    return refused


def _first(period: Period) -> date:
    return period.first


# --- what holds on a day


def with_uniform(rows: QuerySet[Any], *, day: Any, product: str = "") -> QuerySet[Any]:
    """`rows` with the uniform prices of `day`: a date, or an OuterRef to a day of the row.

    `rows` are products, or refer to one by `product`. Adds `listed` (whether a price of the list
    holds on the day), `uniform_dealer` and `uniform_retail`. The list decides alone where it says
    anything; otherwise the prices of the product itself hold, which have no period.
    """
    held = Price.objects.filter(product=OuterRef(f"{product}_id" if product else "pk")).on(day)
    own = f"{product}__" if product else ""
    found: QuerySet[Any] = rows.annotate(
        listed=Exists(held),
        uniform_dealer=Coalesce(Subquery(held.values("dealer_price")[:1]), f"{own}dealer_price"),
        uniform_retail=Case(
            When(listed=True, then=Subquery(held.values("retail_price")[:1])),
            default=f"{own}retail_price",
        ),
    )
    return found


def lines_priced(lines: QuerySet[OrderLine]) -> QuerySet[Any]:
    """Lines of orders with the uniform prices of the day on which each was ordered."""
    day = TruncDate("order__ordered_at", tzinfo=timezone.get_default_timezone())
    dated = lines.annotate(ordered_on=day)
    return with_uniform(dated, day=OuterRef("ordered_on"), product="product")
