"""Counts that people write: what they are asked for, the form, corrections, taking back (P23)."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry, User
from customers.models import Customer
from orders.models import OrderLine, OrderStatus, Product, StockLine, StockReport
from orders.stocktaking import Counted, enter_count, record_count, to_count
from tests.factories import (
    local,
    make_customer,
    make_order,
    make_product,
    make_stock_line,
    make_stock_report,
    make_user,
)

NOW = local(2026, 6, 16, 12)
pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(rep) -> Customer:
    return make_customer(external_id="C-1", owner=rep, name="江阴粮油")


@pytest.fixture
def oil() -> Product:
    return make_product(external_id="OIL", name="压榨菜籽油 5L")


@pytest.fixture
def soy() -> Product:
    return make_product(external_id="SOY", name="头道酱油")


def sent(*lines: dict[str, Any], **values: Any) -> dict[str, Any]:
    data: dict[str, Any] = {
        "reported_at": "2026-06-12T10:00",
        "note": "",
        "client_id": str(uuid4()),
        **values,
    }
    for number, line in enumerate(lines):
        for name in ("offered", "product", "batch", "produced_on", "quantity"):
            data[f"count-{number}-{name}"] = line.get(name, "")
    return data


def lines_of(report: StockReport) -> list[tuple[str, str, Decimal]]:
    found = report.lines.values_list("product__external_id", "batch", "quantity")
    return sorted(found)


class TestWhatIsAskedFor:
    def offered(self, shop: Customer, **values: Any) -> list[tuple[Any, ...]]:
        found = to_count(customer_id=shop.pk, at=values.pop("at", NOW), **values)
        return [(o.product.external_id, o.batch, o.last, o.delivered) for o in found]

    def order(self, shop: Customer, product: Product, quantity: str, day: int, **v: Any) -> None:
        batch = v.pop("batch", "")
        v.setdefault("ordered_at", local(2026, 6, day))
        order = make_order(shop, lines=[(product, quantity, "1.00")], **v)
        OrderLine.objects.filter(order=order).update(batch=batch)

    def test_p23_of_each_product_its_last_count_and_what_was_delivered_since(self, shop, oil, soy):
        make_stock_report(shop, {oil: 90, soy: 60}, reported_at=local(2026, 5, 1))
        last = make_stock_report(shop, reported_at=local(2026, 6, 1))
        make_stock_line(last, oil, 42, batch="A")
        make_stock_line(last, oil, 0, batch="GONE")
        make_stock_report(make_customer(), {oil: 7}, reported_at=local(2026, 6, 10))
        self.order(shop, oil, "50", 1, ordered_at=local(2026, 5, 20), batch="A")  # before the count
        self.order(shop, oil, "100", 5, batch="A")
        self.order(shop, oil, "30", 6, batch="A", status=OrderStatus.SHIPPED)
        self.order(shop, oil, "10", 7, batch="A", status=OrderStatus.RETURNED)
        self.order(shop, oil, "9", 8, batch="A", status=OrderStatus.CONFIRMED)  # not gone out yet
        self.order(shop, oil, "20", 9, batch="NEW")
        self.order(shop, soy, "40", 1, ordered_at=local(2026, 5, 20))
        self.order(shop, soy, "99", 17)  # after the moment that is asked about
        assert sorted(self.offered(shop), key=str) == sorted(
            [
                ("OIL", "A", Decimal(42), Decimal(120)),
                ("OIL", "NEW", None, Decimal(20)),
                ("SOY", "", Decimal(60), Decimal(40)),
            ],
            key=str,
        )

    def test_what_was_never_counted_is_offered_where_it_was_delivered_in_half_a_year(
        self, shop, oil, soy
    ):
        self.order(shop, oil, "5", 1, batch="A")
        self.order(shop, oil, "6", 2, batch="B")
        self.order(shop, soy, "5", 1, ordered_at=NOW - timedelta(days=181))
        assert self.offered(shop) == [("OIL", "", None, Decimal(11))]

    def test_of_a_great_many_those_are_offered_of_which_there_is_most(self, shop, oil, soy):
        report = make_stock_report(shop, {soy: 10_000}, reported_at=local(2026, 6, 1))
        for number in range(39):
            make_stock_line(report, oil, 100 + number, batch=f"B{number:02}")
        for number in range(30):
            make_stock_line(report, make_product(), number + 1)
        offered = self.offered(shop)
        assert len(offered) == 40
        assert {sku for sku, *_rest in offered} == {"OIL", "SOY"}

    def test_a_count_that_is_put_right_is_not_its_own_last_one(self, shop, oil):
        make_stock_report(shop, {oil: 9}, reported_at=local(2026, 6, 1))
        report = make_stock_report(shop, {oil: 5}, reported_at=local(2026, 6, 10))
        assert self.offered(shop, besides=report.pk) == [("OIL", "", Decimal(9), None)]

    def test_it_costs_the_same_however_much_there_is(self, shop, django_assert_num_queries):
        for day in range(1, 12):
            make_stock_report(shop, {make_product(): day}, reported_at=local(2026, 6, day))
            self.order(shop, make_product(), "3", day)
        with django_assert_num_queries(4):
            assert len(self.offered(shop)) == 22


class TestStoring:
    def count(self, shop: Customer, lines: Sequence[Counted], **values: Any) -> StockReport:
        values = {"reported_at": NOW - timedelta(hours=1), **values}
        report = StockReport(customer=shop, **values)
        return enter_count(report=report, lines=lines, client_id=uuid4(), now=NOW)

    @pytest.mark.parametrize(
        ("lines", "values"),
        [
            ([], {}),
            ([("3", "A", None), ("4", "A", None)], {}),
            ([("-1", "", None)], {}),
            ([("1", "", date(2026, 6, 17))], {}),
            ([("1", "", None)], {"reported_at": NOW + timedelta(minutes=1)}),
            ([("1", "", None)], {"note": "x" * 301}),
            ([("1", str(n), None) for n in range(201)], {}),
        ],
    )
    def test_what_makes_no_sense_is_refused_and_nothing_is_written(self, shop, oil, lines, values):
        counted = [Counted(oil, Decimal(q), batch, made) for q, batch, made in lines]
        with pytest.raises(ValidationError):
            self.count(shop, counted, **values)
        assert not StockReport.objects.exists()

    def test_only_what_differs_is_written_and_the_log_tells_the_lines(self, shop, oil, soy):
        report = self.count(
            shop,
            [
                Counted(oil, Decimal(5), "A"),
                Counted(oil, Decimal(6), "B"),
                Counted(soy, Decimal(1)),
            ],
        )
        ids = dict(report.lines.values_list("batch", "pk"))
        again = [
            Counted(soy, Decimal(1)),
            Counted(oil, Decimal(5), "A"),
            Counted(oil, Decimal(6), "B"),
        ]
        assert record_count(report=report, lines=again, now=NOW).version == 1
        record_count(
            report=report, lines=[Counted(oil, Decimal(5), "A"), Counted(soy, Decimal(2))], now=NOW
        )
        assert lines_of(report) == [("OIL", "A", Decimal(5)), ("SOY", "", Decimal(2))]
        assert dict(report.lines.values_list("batch", "pk")) == {"A": ids["A"], "": ids[""]}
        changed, made = AuditEntry.objects.of(report)
        assert len(made.after["lines"]) == 3
        assert [(told["product"], told["quantity"]) for told in changed.after["lines"]] == [
            ("OIL", "5.000"),
            ("SOY", "2.000"),
        ]
        assert set(changed.before) == {"lines"}

    @pytest.mark.parametrize("source", ["api", "visit"])
    def test_a_count_of_a_system_or_a_visit_is_not_changed_here(self, shop, oil, source):
        report = make_stock_report(shop, {oil: 5}, source=source)
        with pytest.raises(ValidationError) as refusal:
            enter_count(report=report, lines=[Counted(oil, Decimal(1))], client_id=None, now=NOW)
        assert refusal.value.code == "not_by_hand"


class TestPages:
    def url(self, shop: Customer) -> str:
        return reverse("orders:stock-report-new", args=[shop.pk])

    def test_p23_a_rep_counts_what_is_offered_and_one_thing_more(self, as_, rep, shop, oil, soy):
        last = make_stock_report(shop, reported_at=local(2026, 6, 1))
        make_stock_line(last, oil, 42, batch="A", produced_on=date(2026, 4, 2))
        client = as_(rep)
        page = client.get(self.url(shop))
        assert "last 42 on" in page.content.decode()
        offered = {"offered": "True", "product": "OIL", "batch": "A", "produced_on": "2026-04-02"}
        answer = client.post(
            self.url(shop),
            sent(
                {**offered, "quantity": "1,027.5"},
                {"product": "头道", "quantity": "0"},
                note="后仓",
            ),
        )
        report = StockReport.objects.exclude(pk=last.pk).get()
        assert answer["Location"] == reverse("orders:stock-report", args=[report.pk])
        assert (report.source, report.note) == ("dealer", "后仓")
        assert report.reported_at == local(2026, 6, 12, 10)
        assert lines_of(report) == [("OIL", "A", Decimal("1027.5")), ("SOY", "", Decimal(0))]
        shown = client.get(answer["Location"]).content.decode()
        assert "1,027.5" in shown
        assert "2026-04-02" in shown

    def test_pressed_twice_it_is_there_once(self, as_, rep, shop, oil):
        data = sent({"product": "OIL", "quantity": "5"})
        first, second = (as_(rep).post(self.url(shop), data) for _press in range(2))
        assert first["Location"] == second["Location"]
        assert StockReport.objects.count() == StockLine.objects.count() == 1

    @pytest.mark.parametrize(
        ("lines", "words"),
        [
            ([{}], "at least one product"),
            ([{"product": "NOTHING", "quantity": "1"}], "No product is called"),
            ([{"product": "OIL"}], "How many?"),
            ([{"quantity": "1"}], "Which product?"),
            ([{"product": "OIL", "quantity": "-1"}], "greater than or equal to 0"),
            ([{"product": "OIL", "quantity": "1e999"}], "no more than"),
            ([{"product": "OIL", "quantity": "NaN"}], "Enter a number"),
            ([{"product": "OIL", "quantity": "1"}] * 2, "counted twice"),
            ([{"product": "OIL", "quantity": "1", "produced_on": "2026-06-13"}], "after the day"),
            ([{"product": "OIL", "quantity": "1", "produced_on": "x"}], "Enter a valid date"),
        ],
    )
    def test_what_is_wrong_is_said_and_nothing_is_written(self, as_, rep, shop, oil, lines, words):
        answer = as_(rep).post(self.url(shop), sent(*lines))
        assert answer.status_code == 422
        assert words in answer.content.decode()
        assert not StockReport.objects.exists()

    def test_more_lines_come_without_a_script_and_keep_what_was_typed(self, as_, rep, shop, oil):
        data = {**sent({"product": "OIL", "quantity": "x"}), "more": "1"}
        answer = as_(rep).post(self.url(shop), data)
        page = answer.content.decode()
        assert answer.status_code == 200
        assert 'name="count-3-product"' in page
        assert 'value="x"' in page
        assert not StockReport.objects.exists()

    def test_a_count_is_put_right_unless_somebody_else_did_meanwhile(
        self, as_, rep, manager, shop, oil, soy
    ):
        report = make_stock_report(shop, {oil: 5, soy: 2}, source="dealer")
        url = reverse("orders:stock-report-edit", args=[report.pk])
        line = {"offered": "True", "product": "OIL", "quantity": "6"}
        empty = {"offered": "True", "product": "SOY", "quantity": ""}
        data = sent(line, empty, version=report.version)
        assert as_(manager).post(url, data).status_code == 302
        assert lines_of(report) == [("OIL", "", Decimal(6))]
        late = as_(rep).post(url, {**data, "count-0-quantity": "9"})
        assert late.status_code == 422
        assert "Changed meanwhile" in late.content.decode()
        assert lines_of(report) == [("OIL", "", Decimal(6))]

    def test_a_count_of_a_system_has_no_buttons(self, as_, rep, shop, oil):
        report = make_stock_report(shop, {oil: 5}, source="api")
        client = as_(rep)
        page = client.get(reverse("orders:stock-report", args=[report.pk])).content.decode()
        assert "it is changed there" in page
        assert "Correct" not in page
        edit = reverse("orders:stock-report-edit", args=[report.pk])
        assert client.get(edit)["Location"] == reverse("orders:stock-report", args=[report.pk])

    def enter(self, client: Client, shop: Customer) -> StockReport:
        client.post(
            self.url(shop),
            sent(
                {"product": "OIL", "quantity": "5", "batch": "A", "produced_on": "2026-04-02"},
                {"product": "OIL", "quantity": "3"},
            ),
        )
        return StockReport.objects.get()

    def test_p23_an_own_count_of_today_is_taken_back_and_comes_again(self, as_, rep, shop, oil):
        client = as_(rep)
        report = self.enter(client, shop)
        before = lines_of(report)
        back = reverse("orders:stock-report-back", args=[report.pk])
        answer = client.post(back, {"version": report.version})
        assert not StockReport.objects.exists()
        undo = reverse("orders:stock-report-restore", args=[report.pk])
        assert undo in client.get(answer["Location"]).content.decode()
        client.post(undo)
        restored = StockReport.objects.get()
        assert (restored.pk, restored.customer, restored.source) == (report.pk, shop, "dealer")
        assert restored.reported_at == report.reported_at
        assert lines_of(restored) == before
        assert StockLine.objects.get(batch="A").produced_on == date(2026, 4, 2)
        client.post(undo)
        assert StockLine.objects.count() == 2
        kinds = [entry.action for entry in AuditEntry.objects.of(report)]
        assert kinds == ["create", "delete", "create"]

    def test_nobody_elses_count_and_none_of_yesterday_is_taken_back(
        self, as_, rep, manager, shop, oil
    ):
        report = self.enter(as_(rep), shop)
        back = reverse("orders:stock-report-back", args=[report.pk])
        as_(manager).post(back, {"version": report.version})
        as_(rep).post(back, {"version": report.version + 1})
        AuditEntry.objects.update(at=timezone.now() - timedelta(days=1))
        as_(rep).post(back, {"version": report.version})
        assert StockReport.objects.exists()

    def test_who_may_not_write_or_see_it_does_neither(self, as_, finance, shop, oil):
        assert as_(finance).post(self.url(shop), sent()).status_code == 403
        assert as_(finance).get(self.url(shop)).status_code == 403
        stranger: User = make_user()
        assert as_(stranger).get(self.url(shop)).status_code == 404

    def test_the_list_is_filtered_counted_and_exported(self, as_, rep, shop, oil, soy):
        other = make_customer(owner=rep, name="=1+1")
        make_stock_report(shop, {oil: 5, soy: 6}, external_id="A", reported_at=local(2026, 6, 1))
        odd = make_stock_report(other, {oil: 7}, source="visit", reported_at=local(2026, 6, 3))
        make_stock_line(odd, oil, 8, batch="=B")
        make_stock_report(make_customer(), {oil: 9})
        client, url = as_(rep), reverse("orders:stock-reports")

        def found(**asked: Any) -> list[int]:
            return [row["number"] for row in client.get(url, asked).context["page"].rows]

        assert found() == [1, 2]
        assert found(customer_id=shop.pk) == found(customer="C-1") == found(q="江阴") == [2]
        assert found(source="visit") == found(reported_from="2026-06-02") == [1]
        assert found(product="SOY") == found(reported_to="2026-06-02") == [2]
        assert found(source="nonsense") == []
        sheet = client.get(reverse("orders:stock-reports-export"), {"format": "csv"})
        text = b"".join(sheet.streaming_content).decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text)))[1:]
        assert [(row[4], row[6], row[8], Decimal(row[10])) for row in rows] == [
            ("'=1+1", "OIL", "", Decimal(7)),
            ("'=1+1", "OIL", "'=B", Decimal(8)),
            ("江阴粮油", "OIL", "", Decimal(5)),
            ("江阴粮油", "SOY", "", Decimal(6)),
        ]

    def test_the_list_costs_the_same_however_long_and_is_paged(self, as_, rep, shop, oil):
        client, url = as_(rep), reverse("orders:stock-reports")
        for _n in range(2):
            make_stock_report(shop, {oil: 1})
        with CaptureQueriesContext(connection) as few:
            client.get(url)
        for _n in range(60):
            make_stock_report(shop, {oil: 1, make_product(): 2})
        with CaptureQueriesContext(connection) as many:
            page = client.get(url)
        assert len(many) <= len(few)
        assert page.context["page"].next
