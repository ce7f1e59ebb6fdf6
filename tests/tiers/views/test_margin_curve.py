"""The curve of the margin on the tier report (P14), recounted off the order lines by hand."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil
from random import Random
from typing import Any

import pytest
import time_machine

from accounts.models import User
from customers.models import Customer
from orders.models import OrderLine, Product
from tests.factories import local, make_customer, make_order, make_product
from tests.tiers.conftest import NOW
from tiers.models import TierRun

REPORT = "/tiers/"
CURVE = {"HX-Request": "true", "HX-Target": "curve"}
START, END = local(2025, 6, 17), local(2026, 6, 17)


@pytest.fixture(autouse=True)
def today(db: None):
    with time_machine.travel(NOW, tick=True):
        yield


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


@pytest.fixture
def sold(rep: User, stranger: User, run_as_of) -> TierRun:
    """Orders at random of three products, one without a cost, some before the year."""
    chance = Random(11)
    products = [make_product(unit_cost=cost) for cost in (Decimal("3.33"), Decimal("12"), None)]
    shops = [make_customer(owner=rep if number % 2 else stranger) for number in range(12)]
    for _order in range(80):
        make_order(
            chance.choice(shops),
            lines=[(chance.choice(products), str(chance.randrange(1, 30)), "11.50")],
            ordered_at=START - timedelta(days=60) + timedelta(days=chance.randrange(400)),
            status=chance.choice(["completed", "completed", "returned", "cancelled"]),
        )
    Customer.objects.update(created_at=NOW - timedelta(days=500))
    run: TierRun = run_as_of()
    return run


def by_hand(owner: User | None = None) -> tuple[int, int, Fraction, Fraction]:
    """Customers with a margin above zero, the top 20 % of them, what they bring, and the share of
    the net amount whose cost is known."""
    margins: dict[int, Fraction] = {}
    known = whole = Fraction(0)
    for line in OrderLine.objects.select_related("order__customer", "product"):
        order = line.order
        if owner and order.customer.owner_id != owner.pk:
            continue
        if not START <= order.ordered_at < END or order.status == "cancelled":
            continue
        sign = -1 if order.status == "returned" else 1
        price = Fraction(line.quantity) * Fraction(line.unit_price) * sign
        whole += price
        if line.product.unit_cost is not None:
            known += price
            cost = Fraction(line.quantity) * Fraction(line.product.unit_cost) * sign
            margins[order.customer_id] = margins.get(order.customer_id, Fraction(0)) + price - cost
    above = sorted((m for m in margins.values() if m > 0), reverse=True)
    top = ceil(len(above) / 5)
    return len(above), top, sum(above[:top], Fraction(0)) / sum(above), known / whole


class TestMarginCurve:
    def test_p14_what_the_top_fifth_brings_of_the_margin(self, as_, director: User, sold) -> None:
        answer = as_(director).get(REPORT, {"margin": "1"}, headers=CURVE)
        customers, top, share, known = by_hand()
        margin = answer.context["margin"]
        assert (margin.customers, margin.top) == (customers, top)
        assert margin.curve.top20 == Decimal(int(share * 10**6)) / 10**6
        assert abs(Fraction(answer.context["known"]) - known) < Fraction(1, 10**6)
        page = text(answer)
        assert page.startswith("<section")
        assert f"By margin the top 20 %, {top} customer" in page
        assert f"bring {float(share) * 100:.1f} %." in page
        assert "ln-cmp" in page
        assert "st-dash" in page
        assert 'id="top-fifth" hx-swap-oob="true"' in page

    def test_a_scope_has_its_own_curve(self, as_, director: User, rep: User, sold) -> None:
        answer = as_(director).get(REPORT, {"margin": "1", "owner": "rep"}, headers=CURVE)
        customers, top, _share, _known = by_hand(rep)
        assert (answer.context["margin"].customers, answer.context["margin"].top) == (
            customers,
            top,
        )

    def test_the_page_asks_for_it_by_itself_and_a_link_shows_it_without_scripts(
        self, as_, director: User, sold
    ) -> None:
        page = as_(director).get(REPORT, {"owner": "rep"})
        url = page.context["margin_url"]
        assert f'hx-get="{url.replace("&", "&amp;")}" hx-trigger="load"' in text(page)
        assert "By margin" not in text(page)
        whole = as_(director).get(url)
        assert "By margin the top 20 %" in text(whole)
        assert 'hx-trigger="load"' not in text(whole).partition('id="curve"')[2][:300]

    def test_who_may_not_read_costs_gets_neither_line_nor_sentence(
        self, as_, rep: User, sold
    ) -> None:
        for headers in ({}, CURVE):
            answer = as_(rep).get(REPORT, {"margin": "1"}, headers=headers)
            page = text(answer)
            assert "margin_url" not in answer.context
            assert "argin" not in page.partition('id="curve"')[2].partition("</section>")[0]
            assert "of the margin" not in page
            assert "ln-cmp" not in page

    def test_without_any_cost_there_is_none(self, as_, director: User, sold) -> None:
        Product.objects.update(unit_cost=None)
        page = as_(director).get(REPORT, {"margin": "1"})
        assert "margin" not in page.context
        assert "ln-cmp" not in text(page)

    def test_an_earlier_run_has_that_of_its_own_window(
        self, as_, director: User, sold, run_as_of
    ) -> None:
        before = as_(director).get(REPORT, {"margin": "1"}, headers=CURVE).context["margin"]
        product = Product.objects.filter(unit_cost__isnull=False)[0]
        make_order(
            Customer.objects.all()[0],
            lines=[(product, "5000", "50.00")],
            ordered_at=local(2026, 6, 17, 1),
        )
        run_as_of(date(2026, 6, 17), now=NOW + timedelta(minutes=1))
        asked = {"margin": "1", "run": sold.pk}
        again = as_(director).get(REPORT, asked, headers=CURVE).context["margin"]
        assert again == before
        now = as_(director).get(REPORT, {"margin": "1"}, headers=CURVE).context["margin"]
        assert now.curve.amount > before.curve.amount + 100_000

    def test_it_costs_the_same_however_many_orders(
        self, as_, director: User, sold, django_assert_num_queries
    ) -> None:
        browser = as_(director)
        browser.get(REPORT, {"margin": "1"}, headers=CURVE)
        with django_assert_num_queries(12):
            browser.get(REPORT, {"margin": "1"}, headers=CURVE)
        product = make_product(unit_cost=Decimal(1))
        for _number in range(20):
            make_order(make_customer(), lines=[(product, "5", "50.00")])
        with django_assert_num_queries(12):
            assert browser.get(REPORT, {"margin": "1"}, headers=CURVE).status_code == 200
