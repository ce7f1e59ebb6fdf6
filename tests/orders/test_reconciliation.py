"""Sums by day and status, for an ERP to compare with its own (P8: which orders count)."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import translation
from openpyxl import Workbook, load_workbook
from rest_framework.test import APIClient

from accounts.models import User
from orders.erp_sums import read_sums
from orders.models import Order, OrderStatus
from orders.reconciliation import DaySum, Difference, differences
from tests.factories import SHANGHAI, local, make_customer, make_key, make_order, make_product

REPORT, PAGE = "/api/v1/reports/reconciliation/", "/orders/reconciliation/"
COMPARE = f"{PAGE}compare/"
JUNE = {"from": "2026-06-01", "to": "2026-06-30"}


@pytest.fixture(autouse=True)
def today(db: None, settings):
    settings.API_RATE_PER_MINUTE = 0  # its counter has queries of its own
    with time_machine.travel(local(2026, 6, 16, 12), tick=True):
        yield


def recount(orders: list[Order]) -> dict[tuple[str, str], tuple[int, Decimal]]:
    """The same figures added up one by one, in whole cents."""
    counts: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for order in orders:
        day = (order.ordered_at.astimezone(SHANGHAI)).date().isoformat()
        cents = int(order.amount * 100)
        sums = counts[day, order.status]
        sums[0] += 1
        sums[1] += -cents if order.status == "returned" else cents
    return {key: (n, Decimal(cents) / 100) for key, (n, cents) in counts.items()}


def told(answer: Any) -> dict[tuple[str, str], tuple[int, Decimal]]:
    assert answer.status_code == 200, answer.content
    rows = answer.json()
    found = {(r["day"], r["status"]): (r["orders"], Decimal(r["amount"])) for r in rows}
    assert len(found) == len(rows)
    return found


def text_of(answer: Any) -> str:
    return b"".join(answer.streaming_content).decode("utf-8-sig")


# --- the figures


def test_sums_are_what_a_recount_finds_to_the_cent(erp: APIClient) -> None:
    dice, customer = Random(39), make_customer()
    orders = [
        make_order(
            customer,
            Decimal(dice.randint(0, 10**9)) / 100,
            status=dice.choice(OrderStatus.values),
            ordered_at=local(2026, 6, 1) + timedelta(minutes=dice.randint(0, 30 * 24 * 60 - 1)),
        )
        for _n in range(300)
    ]
    answer = erp.get(REPORT, JUNE)
    assert told(answer) == recount(orders)
    rows = answer.json()
    assert set(rows[0]) == {"day", "status", "orders", "amount"}
    places = [(row["day"], OrderStatus.values.index(row["status"])) for row in rows]
    assert places == sorted(places)
    assert {row["status"] for row in rows} == set(OrderStatus.values)


def test_days_begin_at_midnight_of_the_company(erp: APIClient) -> None:
    for moment in (
        local(2026, 5, 31, 23, 59, 59, 999_999),
        local(2026, 6, 1),
        local(2026, 6, 1, 7, 59),  # still May in UTC
        local(2026, 6, 30, 23, 59, 59, 999_999),
        local(2026, 7, 1),
    ):
        make_order(ordered_at=moment, amount="1.00")
    assert told(erp.get(REPORT, JUNE)) == {
        ("2026-06-01", "completed"): (2, Decimal(2)),
        ("2026-06-30", "completed"): (1, Decimal(1)),
    }
    assert told(erp.get(REPORT, {"from": "2026-05-31", "to": "2026-05-31"})) == {
        ("2026-05-31", "completed"): (1, Decimal(1))
    }


def test_the_report_is_narrowed_as_every_report(erp: APIClient, rep: User, stranger: User) -> None:
    sauce = make_product(category="酱油")
    hers = make_customer(owner=rep, division="330602")
    mine = make_customer(owner=stranger, division="510100")
    make_order(hers, lines=[(sauce, "2", "5.00"), (make_product(), "1", "7.00")])
    make_order(mine, "3.00")

    def amounts(**query: str) -> list[str]:
        return [row["amount"] for row in erp.get(REPORT, {**JUNE, **query}).json()]

    assert amounts() == ["20.00"]
    assert amounts(rep="rep") == amounts(team=str(rep.team_id)) == ["17.00"]
    assert amounts(division="33") == amounts(category="酱油") == ["17.00"]
    assert amounts(division="51") == ["3.00"]
    assert amounts(category="醋") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "2026-06-31"}, "from"),
        ({"to": "yesterday"}, "to"),
        ({"from": "2026-06-02", "to": "2026-06-01"}, "to"),
        ({"from": "0001-01-01"}, "from"),
        ({"rep": "nobody"}, "rep"),
        ({"team": "x"}, "team"),
        ({"category": "x" * 101}, "category"),
        ({"format": "pdf"}, "format"),
        ({"form": "2026-06-01"}, "form"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_named(erp: APIClient, query, field) -> None:
    answer = erp.get(REPORT, query)
    assert (answer.status_code, set(answer.json()["errors"])) == (400, {field})


def test_without_days_it_is_the_last_twelve_months(erp: APIClient) -> None:
    for moment in (
        local(2025, 6, 16, 23),
        local(2025, 6, 17),
        local(2026, 6, 16),
        local(2026, 6, 17),
    ):
        make_order(ordered_at=moment)
    assert [day for day, _status in told(erp.get(REPORT))] == ["2025-06-17", "2026-06-16"]
    assert told(erp.get(REPORT, {"from": "1900-01-01", "to": "2199-12-31"}))


def test_orders_out_of_sight_do_not_count(manager: User, rep: User, stranger: User) -> None:
    for owner in (rep, stranger):
        make_order(make_customer(owner=owner), "100.00")
    _key, secret = make_key(manager, scopes=["reports:read"])
    client = APIClient(headers={"Authorization": f"Bearer {secret}"})
    assert list(told(client.get(REPORT, JUNE)).values()) == [(1, Decimal(100))]
    assert client.get(REPORT, {**JUNE, "rep": stranger.username}).status_code == 400
    _key, secret = make_key(manager, scopes=["orders:read"])
    client = APIClient(headers={"Authorization": f"Bearer {secret}"})
    assert client.get(REPORT).status_code == 403
    assert APIClient().get(REPORT).status_code == 401


def test_the_report_leaves_as_a_file(erp: APIClient) -> None:
    make_order(amount="5.50")
    make_order(amount="2.25", status="returned")
    rows = list(csv.reader(io.StringIO(text_of(erp.get(REPORT, {**JUNE, "format": "csv"})))))
    assert rows == [
        ["day", "status", "orders", "amount"],
        ["2026-06-01", "completed", "1", "5.50"],
        ["2026-06-01", "returned", "1", "-2.25"],
    ]
    book = load_workbook(io.BytesIO(b"".join(erp.get(REPORT, {**JUNE, "format": "xlsx"}))))
    assert [cell.value for cell in book.worksheets[0][3]][1:] == ["returned", 1, -2.25]


def test_it_costs_one_grouped_statement_whatever_there_is(
    erp: APIClient, django_assert_num_queries
) -> None:
    make_order()
    with django_assert_num_queries(3):  # key, its last use, the sums
        erp.get(REPORT, JUNE)
    for number in range(1, 28):
        make_order(ordered_at=local(2026, 6, number), status="draft")
    with django_assert_num_queries(2):
        erp.get(REPORT, JUNE)


# --- the page


def test_every_figure_opens_the_orders_behind_it(as_, director: User, rep: User) -> None:
    customer = make_customer(owner=rep, division="330602")
    make_order(customer, "5.00", ordered_at=local(2026, 6, 1, 0, 0))
    make_order(customer, "6.00", ordered_at=local(2026, 6, 1, 23, 59))
    make_order(customer, "7.00", ordered_at=local(2026, 6, 2), status="cancelled")
    make_order(amount="9.00", ordered_at=local(2026, 6, 2))
    query = "ordered_from=2026-06-01&ordered_to=2026-06-30&customer_division=33"
    browser = as_(director)
    page = browser.get(f"{PAGE}?{query}")
    assert [s.value for s in page.context["statuses"]] == ["completed", "cancelled"]
    cells = [
        *page.context["totals"],
        *(cell for row in page.context["days"] for cell in row.cells if cell),
    ]
    assert [str(cell.amount) for cell in cells] == ["11.00", "7.00", "7.00", "11.00"]
    for cell in cells:
        rows = browser.get(cell.url).context["rows"]
        assert len(rows) == cell.orders
        assert sum(row["amount"] for row in rows) == cell.amount
        assert {row["status"] for row in rows} == {cell.status}
    part = browser.get(f"{PAGE}?{query}", headers={"HX-Request": "true"}).content.decode()
    assert "<h1>" not in part
    table = text_of(browser.get(f"{PAGE}export/?{query}&format=csv"))
    assert list(csv.reader(io.StringIO(table)))[1:] == [
        ["2026-06-01", "Completed", "2", "11.00"],
        ["2026-06-02", "Cancelled", "1", "7.00"],
    ]


def test_the_page_costs_the_same_however_long_the_period(
    as_, director: User, django_assert_num_queries
) -> None:
    browser = as_(director)
    make_order()
    with django_assert_num_queries(5):  # session, user, sums, whether there are teams, people
        browser.get(PAGE)
    for number in range(1, 28):
        make_order(ordered_at=local(2026, 5, number))
    with django_assert_num_queries(5):
        browser.get(f"{PAGE}?ordered_from=2026-05-01")


@pytest.mark.parametrize("path", [PAGE, COMPARE, f"{PAGE}export/"])
def test_it_is_for_managers_finance_and_administrators(
    as_, manager, finance, administrator, rep, path: str
) -> None:
    for user in (manager, finance, administrator):
        assert as_(user).get(path).status_code == 200
    assert as_(rep).get(path).status_code == 403
    page = as_(finance).get(f"{PAGE}?ordered_from=2026-06-31").content.decode()
    assert 'role="alert"' in page


# --- reading the ERP's table

ROW = DaySum(date(2026, 6, 1), "completed", 12, Decimal("1240000.50"))


@pytest.mark.parametrize(
    "text",
    [
        "2026-06-01\tcompleted\t12\t1240000.50",
        "Day,Status,Orders,Amount\n2026-06-01,Completed,12,1240000.50\n",
        "金额;状态;日期;订单数\n1,240,000.50;已完成;2026年6月1日;12\n合计;;合计;12",
        "日期\t订单状态\t笔数\t金额\n2026/6/1\t完成\t12\t￥1240000.50",
        "20260601,completed,12.0,124.00005万",
    ],
)
def test_the_table_of_the_erp_is_read_however_it_is_written(text: str) -> None:
    assert read_sums(io.BytesIO(text.encode())) == [ROW]


def test_a_workbook_with_days_and_numbers_is_read() -> None:
    book = Workbook()
    book.worksheets[0].append(["日期", "状态", "单数", "金额"])
    book.worksheets[0].append([date(2026, 6, 1), "completed", 12, 1240000.5])
    file = io.BytesIO()
    book.save(file)
    assert read_sums(file) == [ROW]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "The file is empty."),
        ("Day,Status,Orders,Amount", "Below the heads of the table there is no row."),
        ("Day,Status,Amount\n2026-06-01,draft,5", "A column is missing: Orders."),
        ("2026-06-31,draft,1,5.00", "Line 1: “2026-06-31” is no day"),
        ("2026-06-01,draft,1,5.00\n2026-06-01,lost,1,5.00", "Line 2: “lost” is none of: Draft,"),
        ("2026-06-01,draft,1.5,5.00", "Line 1: “1.5” is no number."),
        ("2026-06-01,draft,-1,5.00", "Line 1: A number from 0 to"),
        ("2026-06-01,draft,1,NaN", "Line 1: “NaN” is no number."),
        ("2026-06-01,draft,1,1e20", "Line 1: “1e20” has too many digits."),
        ("2026-06-01,draft,1", "Line 1: “” is no number."),
        ("%PDF-1.4 x", "This is no Excel file (.xlsx) and no CSV file."),
    ],
)
def test_a_table_that_cannot_be_read_says_where_and_why(text: str, words: str) -> None:
    with translation.override("en"):
        with pytest.raises(ValidationError) as refused:
            read_sums(io.BytesIO(text.encode()))
        assert refused.value.messages[0].startswith(words)


def test_the_first_faults_of_a_long_table_are_told() -> None:
    with pytest.raises(ValidationError) as refused:
        read_sums(io.BytesIO(b"x,draft,1,1\n" * 1000))
    assert len(refused.value.messages) == 10


# --- comparing


def row(day: int, status: str, orders: int, amount: str) -> DaySum:
    return DaySum(date(2026, 6, day), status, orders, Decimal(amount))


@pytest.mark.parametrize(
    ("theirs", "ours", "found"),
    [
        ([], [], []),
        ([row(1, "draft", 1, "1.00")], [row(1, "draft", 1, "1")], []),
        ([row(1, "draft", 1, "1"), row(1, "draft", 2, "2")], [row(1, "draft", 3, "3")], []),
        ([row(1, "returned", 1, "5")], [row(1, "returned", 1, "-5")], []),
        ([row(1, "draft", 0, "0")], [], []),
        ([row(1, "draft", 1, "0.01")], [row(1, "draft", 1, "0")], [(1, 1, "0.01", "0")]),
        ([row(1, "draft", 1, "3")], [], [(1, 0, "3", "0")]),
        ([], [row(1, "draft", 2, "3")], [(0, 2, "0", "3")]),
    ],
)
def test_only_what_differs_is_found(theirs, ours, found) -> None:
    assert differences(theirs, ours) == [
        Difference(date(2026, 6, 1), "draft", n, m, Decimal(a), Decimal(b)) for n, m, a, b in found
    ]


def test_the_comparison_shows_both_figures_and_stores_nothing(as_, finance: User) -> None:
    make_order(amount="5.00")
    make_order(amount="7.00", status="cancelled")
    make_order(amount="9.00", ordered_at=local(2026, 6, 3))
    browser = as_(finance)
    pasted = "2026-06-01\tcompleted\t1\t5.00\n2026-06-01\tcancelled\t2\t17.00"
    page = browser.post(COMPARE, {"text": pasted})
    (one, status, _tone, url), *more = page.context["differences"]
    assert (status, one.orders, one.amount, more) == ("cancelled", 1, Decimal("10.00"), [])
    assert [row["amount"] for row in browser.get(url).context["rows"]] == [Decimal(7)]
    page = browser.post(COMPARE, {"text": pasted, "last": "2026-06-03"})
    assert [(d[0].day.day, d[0].amount) for d in page.context["differences"]] == [
        (1, Decimal(10)),
        (3, Decimal(-9)),
    ]
    file = SimpleUploadedFile("sums.csv", pasted.encode())
    answer = browser.post(COMPARE, {"file": file, "format": "csv"})
    assert list(csv.reader(io.StringIO(text_of(answer))))[1:] == [
        ["2026-06-01", "Cancelled", "2", "1", "1", "17.00", "7.00", "10.00"]
    ]
    right = "2026-06-01,completed,1,5\n2026-06-01,cancelled,1,7"
    page = browser.post(COMPARE, {"text": right}).content.decode()
    assert "ERP and Kehu agree" in page


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({}, "Paste the sums or choose a file."),
        ({"text": "x"}, "Line 1"),
        ({"text": "2026-06-01,draft,1,1", "first": "2026-06-02"}, "begins"),
        ({"text": "2026-06-01,draft,1,1", "first": "2026-06-02", "last": "2026-06-03"}, "outside"),
        ({"text": "2026-06-01,draft,1,1", "first": "x"}, "valid date"),
        ({"file": SimpleUploadedFile("a.xlsx", b"")}, "The file is empty."),
        ({"file": SimpleUploadedFile("a.xlsx", b"PK\x03\x04broken")}, "damaged"),
    ],
)
def test_what_cannot_be_compared_is_told(as_, finance: User, form, words: str) -> None:
    answer = as_(finance).post(COMPARE, form)
    assert answer.status_code == 422
    assert words in answer.content.decode()
