"""What the dealers of the small demo have in stock: counts, what they sold on, what went bad."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random

from django.utils import timezone

from crm.demo.writing import Writer
from crm.lib.days import day_start
from crm.lib.formats import local_day
from customers.models import Customer, Kind
from orders.models import (
    AdjustmentCause,
    OrderLine,
    OrderStatus,
    SellOut,
    StockAdjustment,
    StockLine,
    StockPosition,
    StockReport,
    StockSource,
)
from orders.stock import positions

#: Days of deliveries that a dealer's stock is made of, and of counts within them.
LOOKED_BACK = 240
#: A product is counted that came so often in these days.
OFTEN = 3
#: This product stands still at one dealer, if it can be where today's visit is about it.
SLOW_PRODUCT, SLOW_DEALER = "黄豆酱 800g", "C-10006"
#: It came so many days ago: within the days to apply for an exchange, but not for long.
SLOW_DAYS = (62, 86)
_CAUSES = {
    AdjustmentCause.DAMAGE: ("破损", "临期报废", "漏瓶"),
    AdjustmentCause.GIFT: ("试吃", "促销赠品"),
    AdjustmentCause.LOSS: ("盘亏",),
}

Delivery = tuple[datetime, int, str]
Lots = dict[str, int]


@dataclass(slots=True)
class Shelf:
    """One product at one dealer: what came, how fast it goes, what is left of each batch."""

    dealer: int
    product: int
    deliveries: list[Delivery]
    rate: float
    lots: Lots = field(default_factory=dict)
    newest_first: bool = False

    def receive(self, first: datetime, before: datetime) -> None:
        for at, quantity, batch in self.deliveries:
            if first <= at < before:
                self.lots[batch] = self.lots.get(batch, 0) + quantity

    def take(self, quantity: int) -> int:
        """Take so much, the oldest batch first; what was there of it."""
        taken = 0
        for batch in sorted(self.lots, reverse=self.newest_first):
            some = min(self.lots[batch], quantity - taken)
            self.lots[batch] -= some
            taken += some
        self.lots = {batch: left for batch, left in self.lots.items() if left}
        return taken


class _Rows:
    """The rows of the four tables, with ids from the first free one on."""

    def __init__(self, writer: Writer) -> None:
        self.first = {
            model: writer.next_id(model)
            for model in (StockReport, StockLine, SellOut, StockAdjustment)
        }
        self.reports: list[tuple[object, ...]] = []
        self.lines: list[tuple[object, ...]] = []
        self.sales: list[tuple[object, ...]] = []
        self.adjustments: list[tuple[object, ...]] = []

    def report(self, rng: Random, dealer: int, at: datetime) -> int:
        pk = self.first[StockReport] + len(self.reports)
        source = rng.choice((StockSource.VISIT, StockSource.VISIT, StockSource.DEALER))
        self.reports.append((pk, dealer, at, source))
        return pk

    def line(self, report: int, product: int, batch: str, quantity: int) -> None:
        pk = self.first[StockLine] + len(self.lines)
        self.lines.append((pk, report, product, batch, produced(batch), quantity))

    def sale(self, rng: Random, shelf: Shelf, on: date, quantity: int) -> None:
        pk = self.first[SellOut] + len(self.sales)
        at = _at(on, rng.choice((14, 15, 16)), rng.randrange(60))
        self.sales.append((pk, f"XS-{pk:06}", shelf.dealer, shelf.product, at, quantity))

    def adjustment(self, rng: Random, shelf: Shelf, on: date, quantity: int) -> None:
        pk = self.first[StockAdjustment] + len(self.adjustments)
        cause = rng.choice(list(_CAUSES))
        note = rng.choice(_CAUSES[cause])
        at = _at(on, 17, rng.randrange(60))
        self.adjustments.append((pk, shelf.dealer, shelf.product, at, quantity, cause, note))

    def write(self, writer: Writer) -> None:
        writer.write(StockReport, ("id", "customer_id", "reported_at", "source"), self.reports)
        columns = ("id", "report_id", "product_id", "batch", "produced_on", "quantity")
        writer.write(StockLine, columns, self.lines)
        sold = ("id", "external_id", "customer_id", "product_id", "sold_at", "quantity")
        writer.write(SellOut, sold, self.sales)
        moved = ("id", "customer_id", "product_id", "adjusted_at", "quantity", "cause", "note")
        writer.write(StockAdjustment, moved, self.adjustments)
        writer.settle()


def write_stock(writer: Writer, rng: Random, *, today: date) -> str:
    """Counts every few weeks at the dealers that buy, with what follows from them.

    One product stands still, and one count says more than can be.
    """
    bought = _bought(today)
    slow = _slow_pair(bought, today)
    rows = _Rows(writer)
    wrong = False
    for dealer in _dealers(bought):
        arrived = slow[2] if slow and slow[0] == dealer else None
        if arrived is None and rng.random() > 0.8:
            continue
        moments = _moments(rng, today, arrived)
        shelves = list(_shelves(rng, dealer, bought[dealer], moments[0], today))
        if slow and arrived:
            shelves = [one for one in shelves if one.product != slow[1]]
            shelves.append(_standing(dealer, slow[1], bought[dealer][slow[1]]))
        if shelves:
            spoil = not wrong and len(moments) > 2 and arrived is None
            _live(rng, rows, shelves, moments, today=today, spoil=spoil)
            wrong = wrong or spoil
    rows.write(writer)
    positions.restock_all(today=today)
    kept = StockPosition.objects.all()
    return (
        f"{len(rows.reports):,} stock reports; of {kept.count():,} stocks "
        f"{kept.due().count():,} to reorder, {kept.slow().count():,} slow"
    )


def _bought(today: date) -> dict[int, dict[int, list[Delivery]]]:
    """What was delivered lately, by dealer and product, in order of time."""
    lines = OrderLine.objects.filter(
        order__ordered_at__gte=day_start(today - timedelta(days=LOOKED_BACK)),
        order__status__in=(OrderStatus.SHIPPED, OrderStatus.COMPLETED),
        order__customer__kind__in=(Kind.DEALER, Kind.DISTRIBUTOR),
    )
    found: dict[int, dict[int, list[Delivery]]] = {}
    rows = lines.order_by("order__ordered_at", "id").values_list(
        "order__customer", "product", "order__ordered_at", "quantity", "batch"
    )
    for dealer, product, at, quantity, batch in rows:
        found.setdefault(dealer, {}).setdefault(product, []).append((at, int(quantity), batch))
    return found


def _dealers(bought: dict[int, dict[int, list[Delivery]]]) -> Iterator[int]:
    """Dealers with some products that came often enough to be counted."""
    for dealer in sorted(bought):
        if sum(len(some) >= OFTEN for some in bought[dealer].values()) >= 2:
            yield dealer


def _slow_pair(
    bought: dict[int, dict[int, list[Delivery]]], today: date
) -> tuple[int, int, date] | None:
    """A dealer, the product that stands still there, and when it came for the last time."""
    wanted = Customer.objects.filter(external_id=SLOW_DEALER).values_list("pk", flat=True).first()
    products = set(
        OrderLine.objects.filter(product__name__startswith=SLOW_PRODUCT)
        .order_by()
        .values_list("product", flat=True)
        .distinct()
    )
    found = []
    for dealer in _dealers(bought):
        for product in sorted(products & bought[dealer].keys()):
            last = local_day(bought[dealer][product][-1][0])
            if SLOW_DAYS[0] <= (today - last).days <= SLOW_DAYS[1]:
                found.append((dealer != wanted, dealer, product, last))
    return min(found)[1:] if found else None


def _standing(dealer: int, product: int, deliveries: list[Delivery]) -> Shelf:
    """A shelf from which hardly anything is sold: what came last, and what was there before."""
    shelf = Shelf(dealer, product, deliveries, rate=0.15)
    for _came, quantity, batch in deliveries[-2:]:
        shelf.lots[batch] = shelf.lots.get(batch, 0) + quantity + 18
    return shelf


def _moments(rng: Random, today: date, arrived_on: date | None) -> list[datetime]:
    """When a dealer is counted: every few weeks; at the slow one from shortly after the goods."""
    every = rng.randint(18, 32)
    first = arrived_on or today - timedelta(days=rng.randint(110, 170))
    day, last = first + timedelta(days=rng.randint(2, 5)), today - timedelta(days=1)
    if arrived_on is None and rng.random() < 0.08:
        last = today - timedelta(days=rng.randint(50, 75))
    moments = []
    while day <= last:
        moments.append(_at(day, 10, rng.randrange(60)))
        day += timedelta(days=every + rng.randint(-4, 4))
    return moments


def _shelves(
    rng: Random, dealer: int, bought: dict[int, list[Delivery]], first: datetime, today: date
) -> Iterator[Shelf]:
    """The products that came most often, as they are when the dealer is first counted."""
    often = sorted(bought, key=lambda product: (-len(bought[product]), product))
    for product in often[: rng.randint(3, 8)]:
        deliveries = bought[product]
        since = [quantity for at, quantity, _batch in deliveries if at >= first]
        if not since or len(deliveries) < OFTEN:
            continue
        rate = sum(since) / (today - local_day(first)).days
        if rng.random() < 0.06:
            rate *= 0.3
        shelf = Shelf(dealer, product, deliveries, rate * rng.uniform(0.95, 1.25))
        before = [batch for at, _quantity, batch in deliveries if at < first]
        if before:
            shelf.lots = {before[-1]: round(rate * rng.uniform(15, 45)) + 1}
        shelf.newest_first = rng.random() < 0.04
        yield shelf


def _live(
    rng: Random,
    rows: _Rows,
    shelves: list[Shelf],
    moments: list[datetime],
    *,
    today: date,
    spoil: bool,
) -> None:
    """Count the shelves at these moments, and sell between them; `spoil` puts one count wrong."""
    reports = rng.random() < 0.25
    for number, moment in enumerate(moments):
        report = rows.report(rng, shelves[0].dealer, moment)
        for place, shelf in enumerate(shelves):
            if number:
                _sell(rng, rows, shelf, moments[number - 1], moment, reported=reports)
            counted = dict(shelf.lots) or {"": 0}
            if spoil and place == 0 and number == len(moments) - 1:
                counted[max(counted)] += sum(quantity for _on, quantity, _of in shelf.deliveries)
            for batch, quantity in sorted(counted.items()):
                rows.line(report, shelf.product, batch, quantity)
    if reports:
        for shelf in shelves:
            _sell(rng, rows, shelf, moments[-1], day_start(today), reported=True)


def _sell(
    rng: Random, rows: _Rows, shelf: Shelf, since: datetime, until: datetime, *, reported: bool
) -> None:
    """What came and went from one count to the next."""
    shelf.receive(since, until)
    first, days = local_day(since), (until - since).days
    if rng.random() < 0.06 and days > 1 and (lost := shelf.take(rng.randint(1, 3))):
        rows.adjustment(rng, shelf, first + timedelta(days=rng.randrange(1, days)), -lost)
    sold = shelf.take(round(shelf.rate * days * max(0.3, rng.gauss(1, 0.22))))
    rest = sold if rng.random() < 0.7 else round(sold * 0.93)
    while reported and rest > 0 and days > 1:
        some = min(rest, max(1, round(sold / 3)))
        rows.sale(rng, shelf, first + timedelta(days=rng.randrange(1, days)), some)
        rest -= some


def produced(batch: str) -> date | None:
    """The day that the number of a batch stands for."""
    return datetime.strptime(batch, "%y%m%d").date() if batch else None  # noqa: DTZ007  # a day


def _at(day: date, hour: int, minute: int) -> datetime:
    clock = datetime.combine(day, time(hour, minute))
    return timezone.make_aware(clock, timezone.get_default_timezone())
