"""P23, P24, P37: the pages, files and the report on what dealers have in stock."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from customers.models import Customer
from orders.models import Product, StockPosition, StockRules
from orders.stock import positions
from tests.factories import (
    make_adjustment,
    make_customer,
    make_key,
    make_order,
    make_product,
    make_sell_out,
    make_stock_line,
    make_stock_report,
)

pytestmark = pytest.mark.django_db
LIST = "orders:stock"


def ago(days: float) -> datetime:
    return timezone.now() - timedelta(days=days)


@pytest.fixture(autouse=True)
def chinese(rep: User, manager: User) -> None:
    """They read Chinese."""
    for user in (rep, manager):
        user.language = "zh-hans"
        user.save()


def counted(customer: Customer, product: Product, *counts: tuple[float, Any]) -> StockPosition:
    """A product with these counts (days ago, quantity), worked out."""
    for days, quantity in counts:
        make_stock_report(customer, {product: quantity}, reported_at=ago(days))
    positions.restock(customer_ids=[customer.pk], today=timezone.localdate())
    return StockPosition.objects.get(customer=customer, product=product)


@pytest.fixture
def due(customer: Customer) -> StockPosition:
    """Sells two a day and is nearly out."""
    product = make_product(name="头道酱油", unit="箱")
    return counted(customer, product, (61, 120), (41, 80), (21, 41), (1, 3))


@pytest.fixture
def slow(customer: Customer) -> StockPosition:
    """Sells hardly anything; came 80 days ago, so that 10 days are left."""
    product = make_product(name="黄豆酱 800g", unit="箱")
    make_order(customer, lines=[(product, "9", "1.00")], ordered_at=ago(80))
    return counted(customer, product, (79, 100), (40, 98), (2, 96))


@pytest.fixture
def impossible(customer: Customer) -> StockPosition:
    """More is there than came."""
    product = make_product(name="霉干菜", unit="箱")
    make_order(customer, lines=[(product, "5", "1.00")], ordered_at=ago(20))
    return counted(customer, product, (30, 10), (10, 40))


def rows(client: Client, user: User, **asked: Any) -> list[int]:
    client.force_login(user)
    answer = client.get(reverse(LIST), asked)
    assert answer.status_code == 200
    return [row["id"] for row in answer.context["rows"]]


class TestList:
    def test_p24_each_view_shows_what_it_says(self, client, manager, due, slow, impossible):
        assert rows(client, manager, view="reorder") == [due.pk]
        assert rows(client, manager, view="slow") == [slow.pk]
        assert rows(client, manager, view="impossible") == [impossible.pk]
        assert set(rows(client, manager)) == {due.pk, slow.pk, impossible.pk}
        assert rows(client, manager, not_counted="5") == [impossible.pk]
        assert rows(client, manager, not_counted="11") == []

    def test_p24_old_batches_are_those_that_the_rules_say(self, client, manager, customer):
        today = timezone.localdate()
        found = {}
        for days in (179, 180, 181):
            product = make_product()
            report = make_stock_report(customer, reported_at=ago(3))
            made = today - timedelta(days=days)
            make_stock_line(report, product, 5, batch="A", produced_on=made)
            make_stock_line(report, product, 0, batch="B", produced_on=date(2001, 1, 1))
            found[days] = product
        positions.restock(customer_ids=[customer.pk], today=today)
        (only,) = rows(client, manager, view="old")
        assert StockPosition.objects.get(pk=only).product == found[181]

    def test_the_tiles_count_what_they_lead_to(self, client, manager, due, slow, impossible):
        Product.objects.filter(pk=slow.product_id).update(dealer_price="10.00")
        client.force_login(manager)
        tiles = client.get(reverse(LIST)).context["tiles"]
        assert [tile["n"] for tile in tiles] == [1, 1, 0, 1]
        for tile in tiles:
            assert len(client.get(tile["url"]).context["rows"]) == tile["n"]
        slow.refresh_from_db()
        assert tiles[1]["worth"] == slow.expected * 10
        narrowed = client.get(reverse(LIST), {"q": "酱油", "view": "slow"}).context["tiles"]
        assert [tile["n"] for tile in narrowed] == [1, 0, 0, 0]

    def test_it_is_narrowed_by_words_category_and_owner(self, client, manager, rep, due, slow):
        Product.objects.filter(pk=due.product_id).update(category="酱油")
        assert rows(client, manager, q="头道") == [due.pk]
        assert rows(client, manager, category="酱油") == [due.pk]
        assert set(rows(client, manager, owner=rep.username)) == {due.pk, slow.pk}
        assert rows(client, manager, product=slow.product.external_id) == [slow.pk]
        assert rows(client, manager, division="99") == []
        assert rows(client, manager, view="nonsense") == []

    def test_the_slow_ones_begin_with_the_first_deadline(self, client, manager, customer, slow):
        product = make_product()
        make_order(customer, lines=[(product, "9", "1.00")], ordered_at=ago(88))
        earlier = counted(customer, product, (87, 100), (40, 98), (2, 96))
        assert rows(client, manager, view="slow") == [earlier.pk, slow.pk]
        page = client.get(reverse(LIST), {"view": "slow"}).content.decode()
        assert "还剩 2 天" in page
        assert "还剩 10 天" in page

    def test_strangers_see_nothing(self, client, stranger, rep, due):
        assert rows(client, stranger) == []
        assert rows(client, rep) == [due.pk]

    def test_the_cost_does_not_grow(self, client, manager, customer, due):
        def cost() -> int:
            rows(client, manager)
            with CaptureQueriesContext(connection) as queries:
                rows(client, manager)
            return len(queries)

        few = cost()
        for _n in range(4):
            counted(customer, make_product(), (20, 9), (3, 4))
        assert cost() <= few

    def test_an_empty_list_says_why(self, client, manager):
        client.force_login(manager)
        assert "还没有经销商盘点" in client.get(reverse(LIST)).content.decode()
        assert "没有符合筛选的库存" in client.get(reverse(LIST), {"q": "x"}).content.decode()

    def test_htmx_gets_the_rows_alone(self, client, manager, due):
        client.force_login(manager)
        part = client.get(reverse(LIST), headers={"HX-Request": "true"}).content.decode()
        assert "<html" not in part
        assert "头道酱油" in part


class TestFile:
    def test_p24_the_file_holds_the_filtered_list(self, client, manager, due, slow):
        Product.objects.filter(pk=due.product_id).update(name="=HYPERLINK(1)")
        client.force_login(manager)
        asked = {"view": "reorder", "format": "csv"}
        answer: Any = client.get(reverse("orders:stock-export"), asked)
        text = b"".join(answer.streaming_content).decode("utf-8-sig")
        head, row = csv.reader(io.StringIO(text))
        found = dict(zip(head, row, strict=True))
        assert found["产品"] == "'=HYPERLINK(1)"
        assert found["建议补货"] == str(due.suggestion)


class TestPosition:
    def page(self, client: Client, user: User, one: StockPosition, **asked: Any) -> Any:
        client.force_login(user)
        return client.get(reverse("orders:stock-position", args=[one.pk]), asked)

    def test_p24_it_says_in_numbers_why_so_much_is_suggested(self, client, manager, due):
        page = self.page(client, manager, due)
        text = page.content.decode()
        plan = page.context["found"].plan
        assert f"订 {plan.suggestion} 箱" in text
        assert "日均需求 1.95" in text
        assert "服务水平 95 %" in text
        assert plan.suggestion == due.suggestion
        manager.language = "en"
        manager.save()
        assert f"order {plan.suggestion} 箱" in self.page(client, manager, due).content.decode()

    def test_p23_an_impossible_result_shows_its_numbers_and_rows(self, client, manager, impossible):
        text = self.page(client, manager, impossible).content.decode()
        assert "盘点 10 + 进货 5 + 调整 0 − 盘点 40 = 销货 −25" in text
        opening = self.page(client, manager, impossible).context["intervals"][-1]["it"].opening
        behind = self.page(client, manager, impossible, **{"from": opening.pk})
        (move,) = behind.context["moves"]
        assert reverse("orders:detail", args=[move["order"].pk]) in behind.content.decode()

    def test_p23_every_number_of_an_interval_has_its_rows(self, client, manager, customer, due):
        product = due.product
        make_order(customer, lines=[(product, "7", "1.00")], ordered_at=ago(10))
        make_sell_out(customer, product, 4, sold_at=ago(9))
        make_adjustment(customer, product, -2, adjusted_at=ago(8), cause="damage")
        found = self.page(client, manager, due).context["intervals"][1]["it"]
        for kind, wanted in (("delivery", 7), ("sale", 4), ("adjustment", -2)):
            asked = {"from": found.opening.pk, "kind": kind}
            moves = self.page(client, manager, due, **asked).context["moves"]
            assert [move["it"].quantity for move in moves] == [wanted]
        assert found.derived == 41 + 7 - 2 - 3
        assert found.difference == found.derived - 4

    def test_p37_the_deadline_counts_down(self, client, manager, slow):
        found = self.page(client, manager, slow).context["found"]
        assert found.deadline.apply_by == timezone.localdate() + timedelta(days=10)
        assert "还剩 10 天" in self.page(client, manager, slow).content.decode()

    def test_p24_a_newer_batch_that_left_first_is_warned_of(self, client, manager, customer):
        product = make_product()
        for days, old, new in ((20, 10, 10), (3, 10, 4)):
            report = make_stock_report(customer, reported_at=ago(days))
            for batch, quantity, made in (("OLD", old, 1), ("NEW", new, 2)):
                day = date(2026, made, 1)
                make_stock_line(report, product, quantity, batch=batch, produced_on=day)
        positions.restock(customer_ids=[customer.pk], today=timezone.localdate())
        one = StockPosition.objects.get(product=product)
        text = self.page(client, manager, one).content.decode()
        assert "批次 NEW（2026-02-01）出了 6" in text

    def test_it_is_out_of_sight_for_strangers(self, client, stranger, due):
        assert self.page(client, stranger, due).status_code == 404

    def test_its_cost_does_not_grow_with_its_history(self, client, manager, customer, due):
        def cost() -> int:
            self.page(client, manager, due)
            with CaptureQueriesContext(connection) as queries:
                self.page(client, manager, due)
            return len(queries)

        few = cost()
        for days in range(2, 18):
            make_stock_report(customer, {due.product: days}, reported_at=ago(days))
            make_order(customer, lines=[(due.product, "7", "1.00")], ordered_at=ago(days + 0.5))
        assert cost() <= few


class TestCustomer:
    def test_p24_the_file_of_a_customer_has_its_stock(self, client, rep, customer, due, slow):
        client.force_login(rep)
        url = reverse("orders:stock-of-customer", args=[customer.pk])
        page = client.get(url)
        assert {row["id"] for row in page.context["rows"]} == {due.pk, slow.pk}
        assert (page.context["due"], page.context["slow"]) == (1, 1)
        part = client.get(url, headers={"HX-Request": "true"}).content.decode()
        assert "<html" not in part
        assert f"customer_id={customer.pk}" in part

    def test_a_customer_that_never_counted_has_none(self, client, rep):
        other = make_customer(owner=rep)
        client.force_login(rep)
        page = client.get(reverse("orders:stock-of-customer", args=[other.pk])).content.decode()
        assert "还没有盘点" in page


class TestRules:
    def sent(self, **values: Any) -> dict[str, Any]:
        usual = {
            "valid_from": "2026-01-01", "service_level": "98", "demand_days": 60, "lead_days": 9,
            "lead_spread_days": 3, "review_days": 10, "slow_cover_days": 70, "old_days": 100,
            "exchange_days": 45,
        }  # fmt: skip
        return {**usual, **values}

    def test_p24_new_rules_judge_everything_again(
        self, client, director, slow, django_capture_on_commit_callbacks, monkeypatch
    ):
        queued: list[str] = []
        monkeypatch.setattr("celery.current_app.send_task", queued.append)
        client.force_login(director)
        with django_capture_on_commit_callbacks(execute=True):
            answer = client.post(reverse("orders:stock-rules-new"), self.sent())
        assert answer["Location"] == reverse("orders:stock-rules")
        assert queued == ["orders.tasks.restock_nightly"]
        rules = StockRules.objects.on(timezone.localdate())
        assert rules.service_level == 98
        assert rules.exchange_days == 45
        positions.restock_all(today=timezone.localdate())
        slow.refresh_from_db()
        assert slow.exchange_by == timezone.localdate() + timedelta(days=45 - 80)

    def test_wrong_values_are_said_beside_the_field(self, client, director):
        client.force_login(director)
        answer = client.post(reverse("orders:stock-rules-new"), self.sent(service_level="100"))
        assert answer.status_code == 422
        assert "service_level" in answer.context["form"].errors
        assert not StockRules.objects.exists()

    def test_of_two_people_the_second_is_told(self, client, director):
        rules = StockRules.objects.create(valid_from=date(2026, 1, 1))
        client.force_login(director)
        url = reverse("orders:stock-rules-edit", args=[rules.pk])
        shown = client.get(url).context["form"]
        rules.old_days = 50
        rules.save()
        version = {"version": shown["version"].value()} if "version" in shown.fields else {}
        answer = client.post(url, self.sent(**version))
        assert answer.status_code == 422
        rules.refresh_from_db()
        assert rules.old_days == 50

    def test_everybody_reads_them_and_few_write(self, client, rep):
        client.force_login(rep)
        assert client.get(reverse("orders:stock-rules")).status_code == 200
        assert client.get(reverse("orders:stock-rules-new")).status_code == 403


class TestReport:
    URL = "/api/v1/reports/dealer-stock/"

    def ask(self, client: Client, **asked: Any) -> Any:
        _made, secret = make_key(scopes=["reports:read"])
        return client.get(self.URL, asked, headers={"Authorization": f"Bearer {secret}"})

    def test_p24_it_tells_what_the_list_shows(self, client, due, slow):
        (row,) = self.ask(client, view="reorder").json()
        assert row["customer_id"] == due.customer_id
        assert row["product"] == due.product.external_id
        assert row["suggestion"] == f"{due.suggestion}"
        assert {"expected", "cover_days", "exchange_by", "is_slow"} <= set(row)
        assert len(self.ask(client).json()) == 2

    def test_it_comes_as_a_file(self, client, due):
        answer = self.ask(client, format="csv")
        lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
        assert lines[0].startswith("customer,customer_id")
        assert len(lines) == 2

    @pytest.mark.parametrize("asked", [{"view": "x"}, {"vew": "slow"}, {"not_counted_days": "x"}])
    def test_what_makes_no_sense_is_refused(self, client, asked):
        assert self.ask(client, **asked).status_code == 400
