"""P23, P24: the kept figures of dealers' stock, recounted in plain Python, on both databases."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN
from decimal import Decimal as D
from random import Random
from statistics import NormalDist
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from crm.lib.formats import local_day
from customers.merging import merge
from customers.models import Customer
from orders import tasks
from orders.actions import move_order
from orders.models import (
    Order,
    OrderLine,
    OrderStatus,
    Product,
    SellOut,
    StockAdjustment,
    StockLine,
    StockPosition,
    StockRules,
    Unsettled,
)
from orders.settling import settle_later
from orders.stock import positions
from orders.stock.gathering import histories
from orders.stock.judging import judge
from tests.factories import (
    local,
    make_adjustment,
    make_customer,
    make_order,
    make_product,
    make_sell_out,
    make_stock_line,
    make_stock_report,
)

TODAY = date(2026, 6, 16)
NOW = local(2026, 6, 16, 12)
pytestmark = pytest.mark.django_db


def ago(days: float) -> datetime:
    return local(2026, 6, 16, 10) - timedelta(days=days)


def restock(*customers: Customer, today: date = TODAY) -> None:
    positions.restock(customer_ids=[one.pk for one in customers], today=today)


def kept(customer: Customer, product: Product) -> StockPosition:
    return StockPosition.objects.get(customer=customer, product=product)


def busy(rep: User, dice: Random, products: list[Product]) -> Customer:
    """A dealer with counts, orders of every status, sell-outs and adjustments at random moments.

    No moment comes twice, so that a recount need not know what comes first.
    """
    customer = make_customer(owner=rep)
    moments = iter(dice.sample(range(1, 200 * 24), 60))

    def moment() -> datetime:
        return local(2026, 6, 16) - timedelta(hours=next(moments))

    for day in dice.sample(range(1, 200), dice.randint(0, 7)):
        counted_at = local(2026, 6, 16, 0, 30) - timedelta(days=day)
        report = make_stock_report(customer, reported_at=counted_at)
        for product in products:
            for batch in dice.sample(["", "A", "B"], dice.randint(0, 3)):
                made = date(2025, 10, 1) + timedelta(days=dice.randrange(200))
                make_stock_line(
                    report, product, D(dice.randrange(90_000)) / 1000,
                    batch=batch, produced_on=dice.choice([None, made]),
                )  # fmt: skip
    for _n in range(dice.randint(0, 14)):
        lines = [(one, f"{dice.randrange(1, 40_000) / 1000:.3f}", "2.00") for one in products]
        order = make_order(
            customer, lines=lines, ordered_at=moment(), status=dice.choice(OrderStatus.values)
        )
        OrderLine.objects.filter(order=order).update(batch=dice.choice(["", "A", "B", "C"]))
    for _n in range(dice.randint(0, 8)):
        quantity = D(dice.choice([-1, 1, 1, 1]) * dice.randrange(1, 20_000)) / 1000
        make_sell_out(customer, dice.choice(products), quantity, sold_at=moment())
    for _n in range(dice.randint(0, 4)):
        make_adjustment(
            customer, dice.choice(products), dice.choice([-3, 5]), adjusted_at=moment(),
            batch=dice.choice(["", "A", "B"]),
        )  # fmt: skip
    return customer


def total(values: Iterable[D]) -> D:
    return sum(values, D(0))


class Recount:
    """One product of a dealer, counted again row by row, with sums over all of its rows."""

    def __init__(self, customer: Customer, product: Product, rules: StockRules) -> None:
        counted: dict[datetime, D] = defaultdict(D)
        self.lots: dict[datetime, list[StockLine]] = defaultdict(list)
        rows = StockLine.objects.filter(report__customer=customer, product=product)
        for line in rows.select_related("report"):
            counted[line.report.reported_at] += line.quantity
            self.lots[line.report.reported_at].append(line)
        self.counts = sorted(counted.items())
        self.moves: list[tuple[datetime, D, str]] = []
        self.on_the_way = D(0)
        self.arrived: dict[str, datetime] = {}
        bought = OrderLine.objects.filter(order__customer=customer, product=product)
        for one in bought.select_related("order").order_by("order__ordered_at"):
            at, status = one.order.ordered_at, one.order.status
            if status == "confirmed":
                self.on_the_way += one.quantity
            if status in ("shipped", "completed", "returned"):
                sign = -1 if status == "returned" else 1
                self.moves.append((at, sign * one.quantity, "in"))
            if status in ("shipped", "completed") and self.counts and at < self.counts[-1][0]:
                self.arrived[one.batch] = at
        for sale in SellOut.objects.filter(customer=customer, product=product):
            self.moves.append((sale.sold_at, sale.quantity, "out"))
        for other in StockAdjustment.objects.filter(customer=customer, product=product):
            self.moves.append((other.adjusted_at, other.quantity, "else"))
        self.rules = rules

    def between(self, start: datetime, end: datetime | None, *kinds: str) -> list[D]:
        return [
            quantity
            for at, quantity, kind in self.moves
            if kind in kinds and at >= start and (end is None or at < end)
        ]

    def sold(self) -> list[tuple[D, D]]:
        """(days, quantity) of each interval that ended in the days of demand and can be."""
        rules, found = self.rules, []
        first_day = timezone.make_aware(
            datetime.combine(TODAY - timedelta(days=rules.demand_days), datetime.min.time())
        )
        for (start, opening), (end, closing) in zip(self.counts, self.counts[1:], strict=False):
            there = opening + total(self.between(start, end, "in", "else"))
            told = self.between(start, end, "out")
            if end >= first_day and there >= closing and not (told and sum(told) > there):
                found.append((D(str((end - start).total_seconds())) / 86400, there - closing))
        return found

    def figures(self) -> dict[str, Any]:
        at, quantity = self.counts[-1]
        there = quantity + total(self.between(at, None, "in", "else"))
        told = self.between(at, None, "out")
        pieces = self.sold()
        rate = total(q for _d, q in pieces) / total(d for d, _q in pieces) if pieces else None
        midnight = timezone.make_aware(datetime.combine(TODAY, datetime.min.time()))
        estimated = not told and bool(rate) and there > 0
        if told:
            there -= total(told)
        elif estimated:
            assert rate is not None
            there -= rate * D(str((midnight - at).total_seconds())) / 86400
            there = max(there, D(0)).quantize(D("0.001"))
        found: dict[str, Any] = {
            "counted_at": at,
            "quantity": quantity,
            "expected": there,
            "is_estimated": estimated,
            "on_the_way": self.on_the_way,
            "per_day": None if rate is None else rate.quantize(D("0.0001"), ROUND_HALF_EVEN),
            "cover_days": None if not rate else (max(there, D(0)) / rate).quantize(D("0.1")),
        }
        return {**found, **self.plan(pieces, rate, there), **self.deadline()}

    def plan(self, pieces: list[tuple[D, D]], rate: D | None, there: D) -> dict[str, Any]:
        if len(pieces) < 2 or rate is None:
            return dict.fromkeys(("safety_stock", "reorder_point", "suggestion"))
        rules, r = self.rules, float(rate)
        spread = sum((float(q) - r * float(d)) ** 2 / float(d) for d, q in pieces)
        variance = spread / (len(pieces) - 1)
        z = NormalDist().inv_cdf(float(rules.service_level) / 100)
        lead, wobble = rules.lead_days, rules.lead_spread_days
        safety = z * math.sqrt(lead * variance + (r * wobble) ** 2)
        point, stock = r * lead + safety, float(max(there, D(0)) + self.on_the_way)
        order = 0
        if r > 0 and stock <= point:
            order = math.ceil(point + r * rules.review_days - stock)
        return {"safety_stock": safety, "reorder_point": point, "suggestion": max(order, 0)}

    def deadline(self) -> dict[str, Any]:
        ends, made = [], []
        for lot in self.lots[self.counts[-1][0]]:
            if lot.quantity <= 0:
                continue
            made += [lot.produced_on] if lot.produced_on else []
            at = self.arrived.get(lot.batch) if lot.batch else None
            at = at or max(self.arrived.values(), default=self.counts[0][0])
            ends.append(local_day(at) + timedelta(days=self.rules.exchange_days))
        to_come = [day for day in ends if day >= TODAY]
        return {
            "exchange_by": min(to_come) if to_come else max(ends, default=None),
            "oldest_on": min(made, default=None),
        }


def agrees(position: StockPosition, wanted: dict[str, Any]) -> None:
    for name, value in wanted.items():
        found = getattr(position, name)
        if isinstance(value, float):
            assert abs(float(found) - value) <= 0.002, name
        elif isinstance(value, D) and name in ("cover_days", "per_day", "expected"):
            assert abs(found - value) <= D("0.1") if name == "cover_days" else D("0.001"), name
        else:
            assert found == value, name


class TestRecount:
    @settings(
        max_examples=15,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(seed=st.integers(0, 2**32))
    def test_p23_the_figures_agree_with_a_recount(self, rep, seed):
        dice = Random(seed)
        products = [make_product(), make_product()]
        dealers = [busy(rep, dice, products) for _n in range(2)]
        rules = StockRules(valid_from=TODAY)
        restock(*dealers)
        for dealer in dealers:
            for product in products:
                recount = Recount(dealer, product, rules)
                position = StockPosition.objects.filter(customer=dealer, product=product).first()
                assert (position is not None) == bool(recount.counts)
                if position:
                    agrees(position, recount.figures())

    def test_whole_histories_and_recent_ones_lead_to_the_same_figures(self, rep):
        product = make_product()
        dealer = busy(rep, Random(7), [product])
        rules = StockRules(valid_from=TODAY)
        whole = [judge(one, rules, today=TODAY) for one in histories([dealer.pk])]
        recent = [judge(one, rules, today=TODAY) for one in histories([dealer.pk], start=ago(90.5))]
        assert whole
        for one, other in zip(whole, recent, strict=True):
            assert len(one.intervals) >= len(other.intervals)
            for name in ("expected", "demand", "plan", "deadline", "is_slow", "is_impossible"):
                assert getattr(one, name) == getattr(other, name)

    def test_other_dealers_and_products_are_left_out(self, rep):
        product, other = make_product(), make_product()
        dealer, stranger = make_customer(owner=rep), make_customer(owner=rep)
        for one in (dealer, stranger):
            make_stock_report(one, {product: 10}, reported_at=ago(30))
            make_order(one, lines=[(product, "4", "1"), (other, "9", "1")], ordered_at=ago(20))
        make_sell_out(stranger, product, 7, sold_at=ago(10))
        make_adjustment(dealer, other, 5, adjusted_at=ago(10))
        restock(dealer)
        assert kept(dealer, product).expected == 14
        assert StockPosition.objects.count() == 1


class TestKeeping:
    def test_the_cost_does_not_grow_with_dealers_products_and_rows(self, rep):
        products = [make_product() for _n in range(3)]

        def cost(*dealers: Customer) -> int:
            with CaptureQueriesContext(connection) as queries:
                restock(*dealers)
            return len(queries)

        few = cost(busy(rep, Random(2), products))
        assert cost(*(busy(rep, Random(n), products) for n in range(3, 13))) <= few + 2
        assert StockPosition.objects.count() > 10

    def test_only_what_changed_is_written(self, rep):
        product = make_product()
        still, moving = make_customer(owner=rep), make_customer(owner=rep)
        for one in (still, moving):
            make_stock_report(one, {product: 10}, reported_at=ago(30))
        restock(still, moving)
        make_order(moving, lines=[(product, "4", "1")], ordered_at=ago(20))
        restock(still, moving, today=TODAY + timedelta(days=1))
        assert kept(still, product).as_of == TODAY
        assert kept(moving, product).as_of == TODAY + timedelta(days=1)
        with CaptureQueriesContext(connection) as queries:
            restock(still, moving, today=TODAY + timedelta(days=2))
        written = [q["sql"] for q in queries if "orders_stockposition" in q["sql"]]
        assert not [sql for sql in written if not sql.lstrip().startswith("SELECT")]

    def test_it_goes_with_the_last_count(self, rep):
        product = make_product()
        dealer = make_customer(owner=rep)
        report = make_stock_report(dealer, {product: 10}, reported_at=ago(30))
        positions.restock_all(today=TODAY)
        assert kept(dealer, product).quantity == 10
        report.delete()
        positions.restock_all(today=TODAY)
        assert not StockPosition.objects.exists()

    def test_the_night_does_everybody_in_chunks(self, rep, monkeypatch):
        monkeypatch.setattr(positions, "CHUNK", 2)
        product = make_product()
        for _n in range(5):
            make_stock_report(make_customer(owner=rep), {product: 10}, reported_at=ago(30))
        make_customer(owner=rep)
        tasks.restock_nightly()
        assert StockPosition.objects.count() == 5
        assert PeriodicTask.objects.get(task="orders.tasks.restock_nightly").enabled

    def test_a_merge_counts_both_as_one(self, rep):
        product = make_product()
        gone, into = make_customer(owner=rep), make_customer(owner=rep)
        make_stock_report(gone, {product: 10}, reported_at=ago(30))
        make_stock_report(into, {product: 4}, reported_at=ago(10))
        restock(gone, into)
        merge(gone_id=gone.pk, into_id=into.pk, by=rep, now=NOW)
        restock(into)
        (one,) = StockPosition.objects.all()
        assert (one.customer_id, one.quantity) == (into.pk, D(4))

    def test_the_rules_of_the_day_decide(self, rep):
        product = make_product()
        dealer = make_customer(owner=rep)
        for day, quantity in ((60, 100), (40, 80), (20, 58), (1, 39)):
            make_stock_report(dealer, {product: quantity}, reported_at=ago(day))
        restock(dealer)
        one = kept(dealer, product)
        assert not one.is_slow
        assert one.suggestion == 0
        StockRules.objects.create(
            valid_from=TODAY + timedelta(days=1), slow_cover_days=20, lead_days=60
        )
        restock(dealer)
        assert not kept(dealer, product).is_slow
        restock(dealer, today=TODAY + timedelta(days=1))
        one = kept(dealer, product)
        assert one.is_slow
        assert one.suggestion is not None
        assert one.suggestion > 0


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is sent to the workers, instead of being sent."""
    sent: list[str] = []

    def send(name: str) -> None:
        sent.append(name)

    monkeypatch.setattr("celery.current_app.send_task", send)
    return sent


class TestAsking:
    def test_an_order_asks_once_for_credit_and_stock(
        self, rep, queued, django_capture_on_commit_callbacks
    ):
        order = make_order(status="confirmed", external_id=None)
        with django_capture_on_commit_callbacks(execute=True):
            move_order(order=order, to=OrderStatus.SHIPPED)
        assert queued == ["orders.tasks.settle"]
        row = Unsettled.objects.get()
        assert (row.customer_ids, row.money, row.stock) == ([order.customer_id], True, True)

    def test_what_is_asked_for_is_done(self, rep):
        product = make_product()
        dealer = make_customer(owner=rep)
        make_stock_report(dealer, {product: 10}, reported_at=ago(30))
        order = make_order(dealer, lines=[(product, "4", "1")], ordered_at=ago(20))
        settle_later([dealer.pk], stock=True)
        tasks.settle()
        assert kept(dealer, product).expected == 14
        assert dealer.balance.exposure == order.amount

    def test_a_status_of_an_order_moves_the_stock(self, rep):
        product = make_product()
        dealer = make_customer(owner=rep)
        make_stock_report(dealer, {product: 10}, reported_at=ago(30))
        order = make_order(
            dealer, lines=[(product, "4", "1")], ordered_at=ago(20), status="confirmed"
        )
        seen = []
        for status in ("confirmed", "shipped", "returned", "cancelled"):
            Order.objects.filter(pk=order.pk).update(status=status)
            restock(dealer)
            one = kept(dealer, product)
            seen.append((one.expected, one.on_the_way))
        assert seen == [(D(10), D(4)), (D(14), D(0)), (D(6), D(0)), (D(10), D(0))]
