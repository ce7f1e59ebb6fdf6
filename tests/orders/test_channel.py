"""The channel margin of orders and customers, recounted here (P16), and the minimum order (P36)."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from customers.models import Customer
from orders import channel
from orders.minimum import below, not_below
from orders.models import Order, TradeTerms
from tests.factories import local, make_customer, make_order, make_price, make_product

pytestmark = pytest.mark.django_db

FIRST, LAST = date(2026, 1, 1), date(2026, 6, 30)
Book = dict[int, tuple[list[tuple[date, date, str, str | None]], tuple[Any, Any], Any]]


def cents(value: Fraction) -> Decimal:
    """Half a cent away from zero, from an exact fraction."""
    size = int(abs(value) * 100 + Fraction(1, 2))
    return (
        Decimal(size if value >= 0 else -size).scaleb(-2).quantize(Decimal("0.01"), ROUND_HALF_UP)
    )


def recount(sales: list[tuple[date, str, int, str, str]], book: Book) -> dict[str, Any]:
    """The sums of (day, status, product, quantity, price), by long hand."""
    sums: dict[str, Any] = dict.fromkeys(("paid", "deviation", "dealer", "own"), Decimal(0))
    whole: dict[str, Decimal] = dict.fromkeys(("uniform", "retail", "cost"), Decimal(0))
    known: dict[str, int] = dict.fromkeys(("uniform", "retail", "cost"), 0)
    for day, status, product, quantity, price in sales:
        if status not in ("confirmed", "shipped", "completed", "returned"):
            continue
        if not FIRST <= day <= LAST:
            continue
        sign = -1 if status == "returned" else 1
        listed, own, cost = book[product]
        dealer, retail = next(((d, r) for first, last, d, r in listed if first <= day <= last), own)

        def amount(unit: Any, times: str = quantity, sign: int = sign) -> Decimal:
            return sign * cents(Fraction(times) * Fraction(str(unit)))

        paid = amount(price)
        sums["paid"] += paid
        if dealer is not None:
            known["uniform"] += 1
            whole["uniform"] += amount(dealer)
            sums["deviation"] += paid - amount(dealer)
        if retail is not None:
            known["retail"] += 1
            whole["retail"] += amount(retail)
            sums["dealer"] += amount(retail) - paid
        if cost is not None:
            known["cost"] += 1
            whole["cost"] += paid
            sums["own"] += paid - amount(cost)
    return {**sums, "whole": whole, "known": known}


@pytest.mark.parametrize("seed", range(3))
def test_the_margin_of_a_customer_is_what_long_hand_gives(customer: Customer, seed: int) -> None:
    dice = random.Random(seed)

    def money(low: int, high: int) -> str:
        return f"{Decimal(dice.randint(low, high)) / 100:.2f}"

    book: Book = {}
    products = []
    for number in range(6):
        own = (money(4000, 6000), money(7000, 9000)) if number else (None, None)
        cost = money(2000, 4500) if number % 3 else None
        product = make_product(dealer_price=own[0], retail_price=own[1], unit_cost=cost)
        listed: list[tuple[date, date, str, str | None]] = []
        if number > 1:
            for begin, end in ((date(2026, 2, 1), date(2026, 3, 15)), (date(2026, 4, 1), LAST)):
                dealer, retail = money(4000, 6000), money(7000, 9000) if number != 4 else None
                listed.append((begin, end, dealer, retail))
                make_price(
                    product,
                    dealer_price=dealer,
                    retail_price=retail,
                    valid_from=begin,
                    valid_to=end,
                )
        products.append(product)
        book[product.pk] = (listed, own, cost)
    sales = []
    for _order in range(40):
        day = FIRST + timedelta(days=dice.randint(-20, 200))
        status = dice.choice(
            ["completed", "shipped", "confirmed", "returned", "draft", "cancelled"]
        )
        lines = [
            (dice.choice(products), f"{dice.randint(1, 9999)}e-3", money(1000, 9000))
            for _line in range(dice.randint(1, 4))
        ]
        moment = local(day.year, day.month, day.day, dice.choice([0, 12, 23]), 30)
        make_order(customer, lines=lines, ordered_at=moment, status=status)
        sales += [(day, status, product.pk, q, p) for product, q, p in lines]
    make_order(make_customer(), lines=[(products[1], "5", "1.00")])
    make_order(customer, "777.00")
    found = channel.of_customer(customer, first=FIRST, last=LAST)
    told = recount(sales, book)
    assert (found.paid, found.deviation, found.dealer, found.own) == tuple(
        told[name] for name in ("paid", "deviation", "dealer", "own")
    )
    whole, known = told["whole"], told["known"]
    assert (found.uniform.other, found.retail.other, found.cost.paid) == tuple(whole.values())
    assert (found.uniform.lines, found.retail.lines, found.cost.lines) == tuple(known.values())
    assert found.dealer_share == told["dealer"] / whole["retail"]


def test_a_customer_with_nothing_has_no_margin(customer: Customer) -> None:
    margin = channel.of_customer(customer, first=FIRST, last=LAST)
    assert (margin.lines, margin.dealer) == (0, None)


@pytest.fixture
def cheap(customer: Customer) -> Order:
    """Ordered at 40 where the list says 50; sells at 80, costs us 34.99."""
    product = make_product(dealer_price="45.00", retail_price="70.00", unit_cost="34.99")
    make_price(product, dealer_price="50.00", retail_price="80.00")
    TradeTerms.objects.create(
        valid_from=date(2026, 1, 1),
        minimum_order="500.00",
        least_dealer_margin="20",
        least_own_margin="25",
    )
    return make_order(customer, lines=[(product, "10", "40.00")])


def test_an_order_shows_discount_and_margins_and_warns(
    as_, rep: User, finance: User, cheap
) -> None:
    url = f"/orders/{cheap.pk}/"
    page = as_(finance).get(url)
    margin = page.context["told"].margin
    assert (margin.paid, margin.deviation) == (Decimal(400), Decimal(-100))
    assert (margin.dealer, margin.dealer_share) == (Decimal(400), Decimal("0.5"))
    assert (margin.own, margin.own_share) == (Decimal("50.10"), Decimal("0.12525"))
    text = page.content.decode()
    assert "A discount eats it: at the uniform dealer price it is 30.0" in text
    assert "50.10" in text
    assert "Freight is not known" in text
    assert "100.00 below the minimum order of" in text
    rep_text = as_(rep).get(url).content.decode()
    assert not any(secret in rep_text for secret in ("50.10", "12.5\xa0%", "Our margin", "eats it"))
    assert "−100.00" in rep_text


def test_a_surcharge_eats_the_margin_of_the_dealer(as_, rep: User, cheap: Order) -> None:
    cheap.lines.update(unit_price="70.00")
    text = as_(rep).get(f"/orders/{cheap.pk}/").content.decode()
    assert "A surcharge eats it: at the uniform dealer price it is 37.5" in text


def test_a_return_counts_negative(as_, finance: User, cheap: Order) -> None:
    cheap.status = "returned"
    cheap.save()
    page = as_(finance).get(f"/orders/{cheap.pk}/")
    told = page.context["told"]
    assert (told.margin.paid, told.margin.dealer) == (Decimal(-400), Decimal(-400))
    assert told.warnings == []
    assert page.context["shortfall"] is None


def test_the_product_tells_what_a_unit_earns(as_, rep: User, finance: User, cheap) -> None:
    line = cheap.lines.get()
    url = f"/orders/products/{line.product_id}/"
    text = as_(finance).get(url).content.decode()
    assert ("30.00" in text, "15.01" in text) == (True, True)
    text = as_(rep).get(url).content.decode()
    assert ("30.00" in text, "15.01" in text) == (True, False)


def test_the_file_of_a_customer_shows_the_margin_of_a_period(
    as_, rep: User, stranger: User, finance: User, customer: Customer, cheap, time_machine
) -> None:
    time_machine.move_to("2026-06-16T12:00:00+08:00", tick=False)
    url = f"/orders/of-customer/{customer.pk}/margin/"
    client = as_(rep)
    page = client.get(url)
    assert page.context["told"].margin.deviation == Decimal(-100)
    assert "Our margin" not in page.content.decode()
    part = client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert ("−100.00" in part, "<html" in part) == (True, False)
    earlier = client.get(f"{url}?first=2026-01-01&last=2026-05-31")
    assert earlier.context["told"].margin.lines == 0
    turned = client.get(f"{url}?first=2026-06-01&last=2026-05-31")
    assert turned.context["form"].errors
    assert as_(stranger).get(url).status_code == 404
    assert "Our margin" in as_(finance).get(url).content.decode()


def test_the_margin_costs_the_same_however_many_orders(customer: Customer) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            channel.of_customer(customer, first=FIRST, last=LAST)
        return len(queries)

    make_order(customer, lines=[(make_product(), "1", "1.00")])
    few = cost()
    for _order in range(5):
        make_order(customer, lines=[(make_product(), "1", "1.00")] * 3)
    assert cost() == few == 1


class TestMinimum:
    """500 from June on, none in July and August, 800 from September on."""

    @pytest.fixture(autouse=True)
    def _terms(self) -> None:
        for month, minimum in ((6, 500), (7, None), (9, 800)):
            TradeTerms.objects.create(valid_from=date(2026, month, 1), minimum_order=minimum)

    def order(self, month: int, day: int, amount: str, status: str = "confirmed") -> Order:
        return make_order(amount=amount, ordered_at=local(2026, month, day), status=status)

    def test_orders_below_the_minimum_of_their_day(self, as_, finance: User) -> None:
        small = [
            self.order(6, 1, "499.99"),
            self.order(6, 30, "1", "draft"),
            self.order(9, 1, "799.99"),
        ]
        fine = [
            self.order(5, 31, "1"),
            self.order(6, 1, "500.00"),
            self.order(7, 1, "1"),
            self.order(9, 1, "800.00"),
            self.order(9, 1, "1", "cancelled"),
            self.order(9, 1, "1", "returned"),
        ]
        assert set(below(Order.objects.all())) == set(small)
        assert set(not_below(Order.objects.all())) == set(fine)
        client = as_(finance)
        page = client.get("/orders/?below_minimum=true")
        assert {row["id"] for row in page.context["rows"]} == {one.pk for one in small}
        lacking = [row["lacks"] for row in client.get("/orders/").context["rows"] if row["lacks"]]
        assert sorted(lacking) == [Decimal("0.01"), Decimal("0.01"), Decimal(499)]
        api = client.get("/api/v1/orders/?below_minimum=true").json()["results"]
        assert {row["id"] for row in api} == {one.pk for one in small}

    def test_who_may_sets_it_for_days_to_come(self, as_, rep, finance, time_machine) -> None:
        time_machine.move_to("2026-09-10T12:00:00+08:00", tick=False)
        assert as_(rep).get("/orders/terms/new/").status_code == 403
        page = as_(rep).get("/orders/terms/")
        assert page.context["now"].minimum_order == 800
        assert "Least own margin" not in page.content.decode()
        client = as_(finance)
        form = client.get("/orders/terms/new/").context["form"]
        assert form["minimum_order"].value() == 800
        data = {"valid_from": "2026-10-01", "minimum_order": "900", "least_own_margin": "101"}
        wrong = client.post("/orders/terms/new/", data)
        assert list(wrong.context["form"].errors) == ["least_own_margin"]
        client.post("/orders/terms/new/", {**data, "least_own_margin": "30"})
        again = client.post("/orders/terms/new/", {**data, "least_own_margin": "30"})
        assert list(again.context["form"].errors) == ["valid_from"]
        terms = TradeTerms.objects.on(date(2026, 10, 1))
        assert (terms.minimum_order, terms.least_own_margin) == (Decimal(900), Decimal(30))
        url = f"/orders/terms/{terms.pk}/edit/"
        client.post(url, {"valid_from": "2026-10-01", "minimum_order": "", "version": 1})
        assert TradeTerms.objects.on(date(2026, 10, 1)).minimum_order is None
