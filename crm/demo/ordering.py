"""The orders of the small demo: two years of them, seasonal, with lines, returns and gaps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from math import exp, sqrt
from random import Random

from django.utils import timezone

from crm.demo import network
from crm.demo.catalogue import Item
from crm.demo.network import Dealer
from crm.demo.places import full_name
from crm.demo.season import days_of, demand, festival_ahead
from crm.demo.writing import Writer
from customers.models import Kind
from orders.models import Order, OrderLine, OrderStatus

CENT = Decimal("0.01")
#: Days of orders: 24 months.
SPAN = 730

Line = tuple[Item, int, Decimal]

_PROMOTIONS = {"spring_festival": "年货节", "mid_autumn": "中秋订货会", "dragon_boat": "端午订货会"}
_GIFTS = {"spring_festival": "年货", "mid_autumn": "中秋", "dragon_boat": "端午"}


_METHODS = ("银行转账", "银行转账", "银行转账", "月结", "承兑汇票", "微信支付")


@dataclass(slots=True)
class Sale:
    """One order while the demo is being made."""

    at: datetime
    dealer: Dealer
    status: str
    lines: list[Line]
    promotion: str = ""

    @property
    def amount(self) -> Decimal:
        return sum((quantity * price for _item, quantity, price in self.lines), Decimal(0))


def make_sales(rng: Random, dealers: list[Dealer], items: list[Item], *, today: date) -> list[Sale]:
    """Every order from 24 months ago to yesterday, in order of time; sets each last order."""
    days = days_of(today - timedelta(days=SPAN), today - timedelta(days=1))
    season = [demand(day) for day in days]
    sales: list[Sale] = []
    for dealer in dealers:
        sales += _sales_of(rng, dealer, items, days=days, season=season, today=today)
    sales.sort(key=lambda sale: (sale.at, sale.dealer.id))
    for sale in sales:
        if sale.status in {OrderStatus.CONFIRMED, OrderStatus.SHIPPED, OrderStatus.COMPLETED}:
            sale.dealer.last_order = timezone.localdate(sale.at)
    return sales


def _level(dealer: Dealer, day: date, done: float) -> float:
    """How a dealer buys on `day` beside its usual year; `done` is the share of the span passed."""
    match dealer.heading:
        case network.GROWING:
            return exp(1.1 * (done - 0.75))
        case network.SHRINKING:
            return exp(-1.9 * (done - 0.5))
        case network.SILENT:
            return 1.0 if day < dealer.turn else 0.0
        case network.NEW:
            weeks = (day - dealer.turn).days / 7
            return 0.0 if weeks < 0 else min(1.4, 0.7 + weeks / 26)
        case network.ONCE | network.NONE | network.GIVING_BACK:
            return 0.0
    return 1.0


def _sales_of(
    rng: Random,
    dealer: Dealer,
    items: list[Item],
    *,
    days: list[date],
    season: list[float],
    today: date,
) -> list[Sale]:
    favourites = _favourites(rng, dealer, items)
    if dealer.heading == network.NONE:
        return []
    if dealer.heading == network.ONCE:
        return [_sale(rng, dealer, favourites, dealer.turn, target=dealer.yearly / 3, today=today)]
    if dealer.heading == network.GIVING_BACK:
        return _bought_and_given_back(rng, dealer, favourites, today)

    levels = [_level(dealer, day, i / len(days)) for i, day in enumerate(days)]
    weights = [s * level for s, level in zip(season, levels, strict=True)]
    if dealer.kind == Kind.GROUP_BUYER:  # they buy for the festivals
        weights = [w * (5.0 if s > 1.3 else 1.0) for w, s in zip(weights, season, strict=True)]
        per_year = 3.2
    else:
        per_year = min(40.0, max(2.5, 2.3 * (dealer.yearly / 1000) ** 0.38))
    volume = sum(levels) / 365  # years of usual business within the span
    # Larger orders where business is brisk, more orders too: each takes the square root.
    count = _poisson(rng, per_year * volume) if volume else 0
    chosen = sorted(rng.choices(range(len(days)), weights, k=count))
    usual = dealer.yearly / per_year
    sales = [
        _sale(
            rng,
            dealer,
            favourites,
            days[i],
            target=usual * sqrt(min(2.5, max(0.5, season[i]))),
            today=today,
        )
        for i in chosen
    ]
    if dealer.heading == network.BULK:
        sales.append(
            _sale(rng, dealer, favourites, dealer.turn, target=dealer.yearly * 4, today=today)
        )
    return sales + [back for sale in sales if (back := _return_of(rng, sale, today))]


def _favourites(rng: Random, dealer: Dealer, items: list[Item]) -> list[Item]:
    """What a customer usually buys: the larger, the wider."""
    width = {Kind.DISTRIBUTOR: 30, Kind.DEALER: 18, Kind.OUTLET: 11, Kind.GROUP_BUYER: 5}
    if dealer.kind == Kind.GROUP_BUYER:
        items = [item for item in items if item.category in {"食用油", "礼盒"}]
    return rng.sample(items, min(len(items), width[Kind(dealer.kind)]))


def _on_sale(item: Item, day: date) -> bool:
    if not item.sold_from <= day <= item.sold_to:
        return False
    season = next((code for code, word in _GIFTS.items() if word in item.name), "")
    return not season or season == festival_ahead(day)


def _sale(
    rng: Random, dealer: Dealer, favourites: list[Item], day: date, *, target: float, today: date
) -> Sale:
    """An order of about `target` yuan on `day`."""
    target *= rng.lognormvariate(-0.08, 0.4)
    fresh = [item for item in favourites if 0 <= (day - item.sold_from).days <= 60]
    basket = [item for item in favourites if _on_sale(item, day)] or favourites[:1]
    width = min(len(basket), max(1, min(8, int(1 + target**0.22 * rng.uniform(0.4, 1.1)))))
    chosen = list(dict.fromkeys([*fresh[:1], *rng.sample(basket, width)]))
    shares = [rng.uniform(0.3, 1.0) for _ in chosen]
    lines: list[Line] = []
    for item, share in zip(chosen, shares, strict=True):
        price = item.price
        if dealer.buyout:
            price = (price * Decimal("0.95")).quantize(CENT, ROUND_HALF_UP)
        cases = round(target * share / sum(shares) / float(price))
        lines.append((item, max(1, cases), price))
    occasion = festival_ahead(day, within=40)
    promotion = ""
    if occasion and rng.random() < 0.3:
        promotion = f"{day.year + (day.month >= 11)}{_PROMOTIONS[occasion]}"
    return Sale(_moment(rng, day), dealer, _status(rng, (today - day).days), lines, promotion)


def _moment(rng: Random, day: date) -> datetime:
    clock = time(rng.choice((8, 9, 9, 9, 10, 10, 11, 13, 14, 14, 15, 16, 17)), rng.randrange(60))
    return timezone.make_aware(datetime.combine(day, clock), timezone.get_default_timezone())


def _status(rng: Random, age: int) -> str:
    """What has become of an order of `age` days."""
    chance = rng.random()
    if chance < 0.025:
        return OrderStatus.CANCELLED
    if age <= 2:
        return OrderStatus.DRAFT if chance < 0.15 else OrderStatus.CONFIRMED
    if age <= 12:
        return OrderStatus.SHIPPED if chance < 0.85 else OrderStatus.CONFIRMED
    return OrderStatus.COMPLETED


def _return_of(rng: Random, sale: Sale, today: date) -> Sale | None:
    """One order in forty comes back in part, a week or three later."""
    if sale.status != OrderStatus.COMPLETED or rng.random() > 0.025:
        return None
    day = timezone.localdate(sale.at) + timedelta(days=rng.randint(6, 20))
    if day >= today:
        return None
    item, cases, price = rng.choice(sale.lines)
    back = max(1, int(cases * rng.uniform(0.1, 0.5)))
    return Sale(_moment(rng, day), sale.dealer, OrderStatus.RETURNED, [(item, back, price)])


def _bought_and_given_back(
    rng: Random, dealer: Dealer, favourites: list[Item], today: date
) -> list[Sale]:
    """Bought more than a year ago, and sent part of it back since: the net of the year is below
    zero, which leaves the customer unranked."""
    first = _sale(rng, dealer, favourites, dealer.turn, target=dealer.yearly / 2, today=today)
    first.status = OrderStatus.COMPLETED
    item, cases, price = first.lines[0]
    back = Sale(
        _moment(rng, today - timedelta(days=rng.randint(20, 60))),
        dealer,
        OrderStatus.RETURNED,
        [(item, max(1, cases // 3), price)],
    )
    return [first, back]


def _poisson(rng: Random, mean: float) -> int:
    """A Poisson number, Knuth's way; means here stay below a hundred or so."""
    limit, product, count = exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count


def write_sales(writer: Writer, rng: Random, sales: list[Sale]) -> int:
    """Write the orders, numbered by month as the ERP would, and their lines; returns the lines."""
    first = writer.next_id(Order)
    writer.write(
        Order,
        (
            "id", "external_id", "customer_id", "ordered_at", "status", "delivery_address",
            "delivery_division", "payment_method", "promotion", "amount", "source_updated_at",
            "created_at", "updated_at",
        ),
        _order_rows(rng, sales, first),
    )  # fmt: skip
    rows = [
        (line_id, first + number, line_no, item.id, quantity, price, batch)
        for line_id, (number, line_no, item, quantity, price, batch) in enumerate(
            _lines(rng, sales), start=writer.next_id(OrderLine)
        )
    ]
    writer.write(
        OrderLine,
        ("id", "order_id", "line_no", "product_id", "quantity", "unit_price", "batch"),
        rows,
    )
    return len(rows)


def _order_rows(rng: Random, sales: list[Sale], first: int) -> Iterator[tuple[object, ...]]:
    month, number = "", 0
    usual: dict[int, str] = {}
    for pk, sale in enumerate(sales, start=first):
        local = timezone.localtime(sale.at, timezone.get_default_timezone())
        if f"{local:%y%m}" != month:
            month, number = f"{local:%y%m}", 0
        number += 1
        dealer = sale.dealer
        method = usual.setdefault(dealer.id, rng.choice(_METHODS))
        known_at = sale.at + timedelta(minutes=rng.randint(2, 90))
        yield (
            pk,
            f"SO-{month}-{number:04}",
            dealer.id,
            sale.at,
            sale.status,
            f"{full_name(dealer.place.code)}{dealer.town}",
            dealer.place.code,
            method,
            sale.promotion,
            sale.amount,
            known_at,
            known_at,
            known_at,
        )


def _lines(rng: Random, sales: list[Sale]) -> Iterator[tuple[int, int, Item, int, Decimal, str]]:
    for number, sale in enumerate(sales):
        made = timezone.localdate(sale.at) - timedelta(days=rng.randint(9, 70))
        for line_no, (item, quantity, price) in enumerate(sale.lines, start=1):
            yield number, line_no, item, quantity, price, f"{made:%y%m%d}"
