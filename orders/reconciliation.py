"""How many orders of each status were placed on each day, and what they come to: what an ERP
compares with its own sums to know that nothing was lost or doubled on the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any, cast

from django.db.models import Case, Count, F, QuerySet, Sum, When
from django.db.models.functions import TruncDate
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from crm.lib.days import months_before
from orders.amounts import CENT
from orders.filters import OrderFilter
from orders.models import Order, OrderQuerySet, OrderStatus

#: The parameters of the contract, and the filters of the orders they stand for.
PARAMETERS: Mapping[str, str] = {
    "from": "ordered_from",
    "to": "ordered_to",
    "team": "team",
    "rep": "owner",
    "division": "customer_division",
    "category": "category",
}
#: Months up to the last day, where nobody says the first one.
USUAL_MONTHS = 12
_PLACES = {status: place for place, status in enumerate(OrderStatus.values)}


@dataclass(frozen=True, slots=True)
class DaySum:
    """The orders of one status placed on one day of the company; returned ones count negative."""

    day: date
    status: str
    orders: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Difference:
    """A day and status on which the ERP has other figures than we; nothing counts as zero."""

    day: date
    status: str
    their_orders: int
    our_orders: int
    their_amount: Decimal
    our_amount: Decimal

    @property
    def orders(self) -> int:
        """What the ERP has more than we; negative where we have more."""
        return self.their_orders - self.our_orders

    @property
    def amount(self) -> Decimal:
        return self.their_amount - self.our_amount


def grouped(orders: OrderQuerySet) -> QuerySet[Any, Any]:
    """One row for each company day and status of `orders`, in that order; one statement."""
    day = TruncDate("ordered_at", tzinfo=timezone.get_default_timezone())
    counted = Case(When(status=OrderStatus.RETURNED, then=-F("amount")), default=F("amount"))
    rows: Any = orders.order_by().values("status", day=day)
    found: QuerySet[Any, Any] = rows.annotate(orders=Count("pk"), sum=Sum(counted))
    return found.order_by("day", "status")


def sums(orders: OrderQuerySet) -> list[DaySum]:
    """The sums of `orders` by day, then by how far the status has come."""
    found = [
        # SQLite adds up amounts in floating point: true to the cent, not beyond.
        DaySum(row["day"], row["status"], row["orders"], Decimal(row["sum"]).quantize(CENT))
        for row in grouped(orders)
    ]
    return sorted(found, key=_place)


def totals(found: Iterable[DaySum]) -> dict[str, DaySum]:
    """What each status comes to over all days of `found`, under the first of them."""
    whole: dict[str, DaySum] = {}
    for one in found:
        so_far = whole.get(one.status, DaySum(one.day, one.status, 0, Decimal(0)))
        whole[one.status] = DaySum(
            so_far.day, one.status, so_far.orders + one.orders, so_far.amount + one.amount
        )
    return whole


def differences(theirs: Iterable[DaySum], ours: Iterable[DaySum]) -> list[Difference]:
    """The days and statuses on which the two disagree. Rows of one day and status add up.

    A return may be summed with or without its minus, as it may be sent.
    """
    their, our = _added(theirs), _added(ours)
    nothing = (0, Decimal(0))
    found = []
    for day, status in {*their, *our}:
        (n, amount), (m, stored) = (
            their.get((day, status), nothing),
            our.get((day, status), nothing),
        )
        if (n, amount) != (m, stored):
            found.append(Difference(day, status, n, m, amount, stored))
    return sorted(found, key=_place)


def _added(rows: Iterable[DaySum]) -> dict[tuple[date, str], tuple[int, Decimal]]:
    added: dict[tuple[date, str], tuple[int, Decimal]] = {}
    for row in rows:
        orders, amount = added.get((row.day, row.status), (0, Decimal(0)))
        mine = -abs(row.amount) if row.status == OrderStatus.RETURNED else row.amount
        added[row.day, row.status] = (orders + row.orders, amount + mine)
    return added


def _place(row: DaySum | Difference) -> tuple[date, int]:
    return row.day, _PLACES[row.status]


class Asked:
    """A period and a part of the orders in the reader's sight, as an address or the API names it.

    `given` goes by the names of the order filters; days that are missing are filled in: the last
    one with `today`, the first one with the day `usual_days` days, else 12 months, before it.
    """

    def __init__(
        self,
        given: Mapping[str, str],
        request: HttpRequest,
        *,
        today: date,
        usual_days: int | None = None,
    ) -> None:
        self.given = {name: given.get(name, "") for name in PARAMETERS.values()}
        last = _day(self.given["ordered_to"]) or today
        try:
            first = (
                last - timedelta(days=usual_days - 1)
                if usual_days
                else months_before(last, USUAL_MONTHS) + timedelta(days=1)
            )
        except (OverflowError, ValueError):
            first = last
        self.given["ordered_from"] = self.given["ordered_from"] or first.isoformat()
        self.given["ordered_to"] = self.given["ordered_to"] or last.isoformat()
        seen = Order.objects.visible_to(cast(User, request.user))
        self.filters = OrderFilter(self.given, queryset=seen, request=request)

    @cached_property
    def errors(self) -> dict[str, list[str]]:
        """What cannot be meant, by the names of the contract."""
        outer = {inner: name for name, inner in PARAMETERS.items()}
        if not self.filters.is_valid():
            return {outer[n]: [str(t) for t in texts] for n, texts in self.filters.errors.items()}
        if self.first > self.last:
            return {"to": [_("The period ends before it begins.")]}
        return {}

    @property
    def first(self) -> date:
        return cast(date, self.filters.form.cleaned_data["ordered_from"])

    @property
    def last(self) -> date:
        return cast(date, self.filters.form.cleaned_data["ordered_to"])

    @property
    def orders(self) -> OrderQuerySet:
        """The orders asked for; none where it makes no sense."""
        return Order.objects.none() if self.errors else cast(OrderQuerySet, self.filters.qs)

    @property
    def picked(self) -> dict[str, str]:
        """The parameters that are filled, by the names of the order filters."""
        return {name: value for name, value in self.given.items() if value}

    def between(self, first: date, last: date) -> OrderQuerySet:
        """The same part of the orders on other days."""
        part = {
            **self.given,
            "ordered_from": first.isoformat(),
            "ordered_to": last.isoformat(),
        }
        filters = OrderFilter(part, queryset=self.filters.queryset, request=self.filters.request)
        return cast(OrderQuerySet, filters.qs) if filters.is_valid() else Order.objects.none()


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def rows(found: Iterable[DaySum]) -> Iterator[tuple[object, ...]]:
    """The sums as a table, statuses in the reader's language."""
    for one in found:
        yield one.day, OrderStatus(one.status).label, one.orders, one.amount
