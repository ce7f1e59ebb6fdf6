"""The large demo for benchmarks: 100,000 customers and 1,000,000 orders, made while written.

Only the orders of the last sixty days have lines; the older ones have an amount alone, as an
ERP without lines sends them. Only the customers' figures are held in memory, never the orders.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from itertools import accumulate
from random import Random

from django.utils import timezone

from crm.demo.catalogue import Item
from crm.demo.naming import Names, person
from crm.demo.network import pareto, status_of
from crm.demo.places import TERRITORIES, Place, address, city_of, phone, spot, whole_provinces
from crm.demo.season import days_of, demand
from crm.demo.writing import Say, Writer
from crm.lib.days import day_start
from customers.models import Customer, Kind
from orders.models import Order, OrderLine, OrderStatus

CUSTOMERS = 100_000
ORDERS = 1_000_000
REPS = 400
SPAN = 730
DAYS_WITH_LINES = 60
#: Pareto's law for this many customers, see network.py.
LAW = (1.0, 100.0, 9_000.0)
#: Orders with lines are held for a few days at a time, since their lines are written after them.
DAYS_AT_ONCE = 4

_ORDER_COLUMNS = (
    "id", "external_id", "customer_id", "ordered_at", "status", "delivery_division",
    "payment_method", "amount", "source_updated_at", "created_at", "updated_at",
)  # fmt: skip
_LINE_COLUMNS = ("id", "order_id", "line_no", "product_id", "quantity", "unit_price")
_CUSTOMER_COLUMNS = (
    "id", "external_id", "name", "kind", "status", "parent_id", "owner_id", "division", "address",
    "latitude", "longitude", "phone", "tax_id", "buyout", "tags", "source_updated_at",
    "created_at", "updated_at",
)  # fmt: skip

OrderRow = tuple[int, str, int, datetime, str, str, str, str, datetime, datetime, datetime]


def more_reps(rng: Random, known: int) -> list[tuple[str, str, str]]:
    """(team, username, name) of the reps beside the `known` ones; a team for each prefecture."""
    places = whole_provinces()
    return [
        (city_of(places[n % len(places)].code), f"rep{n + 1:03}", person(rng))
        for n in range(REPS - known)
    ]


class Market:
    """Who buys how much and when: one number per customer in each array, the largest first in
    none of them; the place of a customer in the arrays is its id less `first`."""

    def __init__(self, rng: Random, *, first: int, customers: int, orders: int) -> None:
        self.first, self.orders = first, orders
        self.ranks = list(range(customers))
        rng.shuffle(self.ranks)
        yearly = [pareto(rank, customers, LAW) for rank in self.ranks]
        often = [min(52.0, max(1.2, 1.5 * (amount / 1000) ** 0.38)) for amount in yearly]
        self.often = list(accumulate(often))
        self.usual = array("d", (y / o for y, o in zip(yearly, often, strict=True)))
        self.begins, self.ends = array("h"), array("h")
        for _ in range(customers):
            fate = rng.random()
            self.begins.append(rng.randrange(300, SPAN) if fate > 0.9 else 0)
            self.ends.append(rng.randrange(90, 640) if fate < 0.1 else SPAN)
        self.last = array("h", [-1]) * customers

    def buyer(self, rng: Random, day: int) -> int:
        """A customer that is in business on `day`, the frequent ones more often."""
        everybody = range(len(self.usual))
        while True:
            chosen = rng.choices(everybody, cum_weights=self.often)[0]
            if self.begins[chosen] <= day <= self.ends[chosen]:
                return chosen


def write_large_business(
    writer: Writer,
    rng: Random,
    items: list[Item],
    *,
    reps: Mapping[str, int],
    today: date,
    say: Say,
) -> None:
    """Write the customers and two years of orders up to yesterday.

    Orders come first, since they decide the customers' status; the database compares the two
    when the transaction ends.
    """
    first = writer.next_id(Customer)
    market = Market(rng, first=first, customers=CUSTOMERS, orders=ORDERS)
    territories = _territories(reps)
    places = [territories[i % len(territories)][1] for i in range(CUSTOMERS)]
    days = days_of(today - timedelta(days=SPAN), today - timedelta(days=1))
    _write_orders(writer, rng, market, places=places, items=items, days=days, say=say)
    writer.write(
        Customer,
        _CUSTOMER_COLUMNS,
        _customer_rows(rng, market, territories, first_day=days[0], today=today),
    )
    say(f"{CUSTOMERS:,} customers")


def _territories(reps: Mapping[str, int]) -> list[tuple[int, Place]]:
    """(rep, place) for each rep: the known reps in their own places, the others anywhere."""
    everywhere = iter(whole_provinces() * 2)
    return [
        (pk, TERRITORIES[username][0] if username in TERRITORIES else next(everywhere))
        for username, pk in reps.items()
    ]


def _write_orders(
    writer: Writer,
    rng: Random,
    market: Market,
    *,
    places: list[Place],
    items: list[Item],
    days: list[date],
    say: Say,
) -> None:
    counts = _spread(market.orders, [demand(day) for day in days])
    plain = len(days) - DAYS_WITH_LINES
    stream = _orders(rng, market, places=places, days=days, counts=counts, pk=writer.next_id(Order))
    done = sum(counts[:plain])
    writer.write(Order, _ORDER_COLUMNS, (next(stream) for _ in range(done)))
    say(f"{done:,} orders")
    line_id = writer.next_id(OrderLine)
    for at in range(plain, len(days), DAYS_AT_ONCE):
        on_sale = [item for item in items if item.sold_from <= days[at] <= item.sold_to]
        orders, lines = [], []
        for _ in range(sum(counts[at : at + DAYS_AT_ONCE])):
            row = next(stream)
            bought = _lines(rng, on_sale, float(row[7]))
            cents = sum(quantity * price for _item, quantity, price in bought)
            orders.append((*row[:7], _money(cents), *row[8:]))
            for line_no, (item, quantity, price) in enumerate(bought, start=1):
                lines.append((line_id, row[0], line_no, item.id, quantity, _money(price)))
                line_id += 1
        writer.write(Order, _ORDER_COLUMNS, orders)
        writer.write(OrderLine, _LINE_COLUMNS, lines)
    say(f"{market.orders:,} orders, those of the last {DAYS_WITH_LINES} days with lines")


def _spread(total: int, weights: list[float]) -> list[int]:
    """`total` shared out by `weights`, in whole numbers that add up to it."""
    scale = total / sum(weights)
    edges = [round(part * scale) for part in accumulate(weights)]
    edges[-1] = total
    return [high - low for low, high in zip([0, *edges], edges, strict=False)]


def _orders(
    rng: Random,
    market: Market,
    *,
    places: list[Place],
    days: list[date],
    counts: list[int],
    pk: int,
) -> Iterator[OrderRow]:
    """The orders in order of time, each with a wished-for amount."""
    methods = ("银行转账", "银行转账", "月结", "微信支付")
    month, number = "", 0
    for i, (day, count) in enumerate(zip(days, counts, strict=True)):
        if f"{day:%y%m}" != month:
            month, number = f"{day:%y%m}", 0
        midnight, age = day_start(day), len(days) - i
        for second in sorted(rng.randrange(28_800, 64_800) for _ in range(count)):
            number += 1
            buyer = market.buyer(rng, i)
            status, factor = _fate(rng.random(), age)
            if status not in {OrderStatus.RETURNED, OrderStatus.CANCELLED}:
                market.last[buyer] = i
            amount = market.usual[buyer] * factor * rng.lognormvariate(-0.15, 0.55)
            at = midnight + timedelta(seconds=second)
            yield (
                pk, f"SO-{month}-{number:06}", market.first + buyer, at, status,
                places[buyer].code, methods[buyer % 4], f"{amount:.2f}", at, at, at,
            )  # fmt: skip
            pk += 1


def _fate(chance: float, age: int) -> tuple[str, float]:
    """Status of an order of `age` days, and what part of a usual order it is."""
    if chance < 0.025:
        return OrderStatus.CANCELLED.value, 1.0
    if age <= 2:
        return OrderStatus.CONFIRMED.value, 1.0
    if age <= 12:
        return OrderStatus.SHIPPED.value, 1.0
    if chance < 0.045:
        return OrderStatus.RETURNED.value, 0.25
    return OrderStatus.COMPLETED.value, 1.0


def _lines(rng: Random, items: list[Item], amount: float) -> list[tuple[Item, int, int]]:
    """Two to four (product, cases, price in cents) that come to about `amount`."""
    chosen = rng.sample(items, rng.choice((2, 3, 3, 4)))
    share = amount / len(chosen)
    return [
        (item, max(1, round(share / float(item.price))), int(item.price * 100)) for item in chosen
    ]


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"


def _customer_rows(
    rng: Random,
    market: Market,
    territories: list[tuple[int, Place]],
    *,
    first_day: date,
    today: date,
) -> Iterator[tuple[object, ...]]:
    names = Names(rng)
    #: Who supplies the next dealer or outlet of an owner.
    suppliers: dict[tuple[int, str], int] = {}
    for i, rank in enumerate(market.ranks):
        owner, place = territories[i % len(territories)]
        kind = _kind(rng, rank / len(market.ranks))
        parent = suppliers.get((owner, kind))
        if kind in {Kind.DISTRIBUTOR, Kind.DEALER}:
            suppliers[owner, Kind.OUTLET] = market.first + i
        if kind == Kind.DISTRIBUTOR:
            suppliers[owner, Kind.DEALER] = market.first + i
        last = market.last[i]
        begins = market.begins[i]
        since = first_day + timedelta(days=begins if begins else -rng.randrange(30, 2000))
        known_at = timezone.make_aware(datetime.combine(since, time(9)))
        latitude, longitude = spot(rng, place)
        yield (
            market.first + i,
            f"C-{100_001 + i}",
            names.name(kind, place, place.towns[0]),
            kind,
            status_of(first_day + timedelta(days=last) if last >= 0 else None, today),
            parent,
            owner,
            place.code,
            address(rng, place, place.towns[0]),
            latitude,
            longitude,
            phone(rng, place),
            f"91{place.code}Z{rng.randrange(10**8):08d}Z",
            kind == Kind.DEALER and rng.random() < 0.1,
            [],
            known_at,
            known_at,
            known_at,
        )


def _kind(rng: Random, place: float) -> str:
    """The larger a customer (`place` 0 is the top), the likelier it is a distributor."""
    level = place + rng.gauss(0, 0.06)
    if level < 0.02:
        return Kind.DISTRIBUTOR.value
    if level < 0.3:
        return Kind.DEALER.value
    return Kind.GROUP_BUYER.value if rng.random() < 0.1 else Kind.OUTLET.value
