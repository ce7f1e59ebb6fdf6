"""All customers' days with a purchase, kept small: about thirty bytes a customer, four a day."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

from django.conf import settings
from django.db import connection

from crm.lib.days import day_bounds
from customers.models import Customer
from orders.models import NETTED, Order, OrderStatus
from tiers import sql
from tiers.churn.bgnbd import History
from tiers.churn.rhythm import Rhythm
from tiers.models import Measure
from tiers.sql import margins

CHUNK = 5000
#: An order with its lines, if it has any: what it brings is then summed line by line.
LINES = """
    LEFT JOIN orders_orderline l ON l.order_id = o.id
    LEFT JOIN orders_product p ON p.id = l.product_id
"""
#: What a purchase brings is averaged over so many days up to the last one.
YEAR = 365


@dataclass(slots=True)
class Purchases:
    """Who bought on which days up to and with `as_of`, by the order of the customers' ids.

    `days` are ordinals, those of customer `i` from `starts[i]` to before `starts[i + 1]`, in
    order; `cents` is what a purchase of it brings on average; `groups` numbers its peers.
    """

    as_of: int
    customers: array[int] = field(default_factory=lambda: array("q"))
    starts: array[int] = field(default_factory=lambda: array("q", [0]))
    days: array[int] = field(default_factory=lambda: array("i"))
    cents: array[int] = field(default_factory=lambda: array("q"))
    groups: array[int] = field(default_factory=lambda: array("B"))

    def __len__(self) -> int:
        return len(self.customers)

    def of(self, place: int) -> array[int]:
        return self.days[self.starts[place] : self.starts[place + 1]]

    def history(self, place: int) -> History:
        """Repeats, days from the first to the last purchase, days from the first one to as_of."""
        first, end = self.starts[place], self.starts[place + 1]
        began = self.days[first]
        return History(end - first - 1, self.days[end - 1] - began, self.as_of - began)

    def rhythm(self, place: int) -> Rhythm:
        days = self.of(place)
        return Rhythm(
            [later - day for day, later in pairwise(days)],
            self.as_of - days[-1],
        )

    def add(self, customer: int, days: list[tuple[int, bool, int]]) -> None:
        """One customer's days in order: the day, whether it bought on it, and the net cents."""
        bought = [day for day, purchase, _cents in days if purchase]
        if not bought:
            return
        since = bought[-1] - YEAR
        net = sum(cents for day, _purchase, cents in days if day > since)
        number = sum(day > since for day in bought)
        self.customers.append(customer)
        self.days.extend(bought)
        self.starts.append(len(self.days))
        self.cents.append(max((2 * net + number) // (2 * number), 0))


def gather(
    as_of: date,
    measure: str = Measure.AMOUNT,
    *,
    progress: Callable[[float], None] = lambda share: None,
) -> Purchases:
    """Every customer's days with a counted order up to and with `as_of`; two statements.

    Orders of one day are one purchase. It brings its amount or, by `measure`, its margin as far as
    costs are known (see `tiers.sql.margins`); returns lower that. `progress` hears the share of the
    work that is done.
    """
    purchases = Purchases(as_of.toordinal())
    total = max(Order.objects.netted().count(), 1)
    customer, days = 0, list[tuple[int, bool, int]]()
    for number, (pk, day, purchase, cents) in enumerate(_days(as_of, measure)):
        if pk != customer:
            purchases.add(customer, days)
            customer, days = pk, []
        days.append((day, purchase, cents))
        if number % CHUNK == 0:
            progress(number / total)
    purchases.add(customer, days)
    _group(purchases)
    return purchases


def _days(as_of: date, measure: str) -> Iterator[tuple[int, int, bool, int]]:
    """Customer, day, whether it bought on it, net cents; by customer and day."""
    d = sql.dialect()
    value, lines = d.unit.format("o.amount"), ""
    if measure == Measure.MARGIN:
        value, lines = margins.line_margin(), LINES
    netted = ", ".join(f"'{status.value}'" for status in NETTED)
    end = day_bounds(as_of, as_of)[1]
    statement = f"""
        SELECT o.customer_id, {d.day.format("o.ordered_at")} AS day,
            MAX(CASE WHEN o.status = '{OrderStatus.RETURNED.value}' THEN 0 ELSE 1 END),
            COALESCE(SUM({margins.signed(value, "o.status")}), 0)
        FROM orders_order o {lines}
        WHERE o.status IN ({netted}) AND o.ordered_at < %s
        GROUP BY o.customer_id, day ORDER BY o.customer_id, day
    """  # noqa: S608  # made of this module's own pieces; values are parameters
    cents_in_unit = 100 // d.per_one
    with connection.chunked_cursor() as cursor:
        cursor.execute(
            statement, [settings.TIME_ZONE, connection.ops.adapt_datetimefield_value(end)]
        )
        while rows := cursor.fetchmany(CHUNK):
            for pk, day, purchase, net in rows:
                on = day if isinstance(day, date) else date.fromisoformat(day)
                yield pk, on.toordinal(), bool(purchase), int(net * cents_in_unit)


def _group(purchases: Purchases) -> None:
    """Number the peers of each customer: those of the same kind and tier."""
    groups: dict[tuple[str, str | None], int] = {}
    known = Customer.objects.order_by("pk").values_list("pk", "kind", "abc")
    rows = known.iterator(chunk_size=CHUNK)
    pk, group = 0, 0
    for customer in purchases.customers:
        while pk < customer:
            pk, kind, abc = next(rows, (customer, "", None))
            group = groups.setdefault((kind, abc), len(groups))
        purchases.groups.append(group if pk == customer else 0)
