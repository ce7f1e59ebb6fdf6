"""Paging by position."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.lib.keyset import (
    BadCursor,
    Page,
    by_id_if_few,
    count_many,
    count_up_to,
    keyset_page,
    strict_page,
)
from customers.models import Customer
from tests.factories import make_customer

pytestmark = pytest.mark.django_db
ORDERS = [("-net_amount", "-id"), ("net_amount", "id"), ("name", "id"), ("-name", "-id"), ("id",)]


def make_customers() -> None:
    amounts = [None, 300, 100, 100, None, 200, 100, None, -5, 0, 300]
    for number, amount in enumerate(amounts):
        make_customer(
            name=f"Customer {number % 4}", net_amount=None if amount is None else Decimal(amount)
        )


def walk(order: tuple[str, ...], size: int) -> tuple[list[int], list[int], list[int]]:
    """All ids turning forward, the first numbers of the pages, and all ids turning back again."""
    page: Page[Customer] = keyset_page(Customer.objects.all(), order=order, size=size)
    forward, starts = [row.pk for row in page.rows], [page.start]
    while page.next:
        page = keyset_page(Customer.objects.all(), order=order, cursor=page.next, size=size)
        forward += [row.pk for row in page.rows]
        starts.append(page.start)
    back = [row.pk for row in page.rows]
    while page.previous:
        page = keyset_page(Customer.objects.all(), order=order, cursor=page.previous, size=size)
        back = [row.pk for row in page.rows] + back
    assert page.start == 1
    return forward, starts, back


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("size", [1, 2, 3, 4, 10, 11, 12])
def test_turning_pages_shows_every_row_once_both_ways(order: tuple[str, ...], size: int) -> None:
    make_customers()
    forward, starts, back = walk(order, size)
    assert sorted(forward) == sorted(Customer.objects.values_list("pk", flat=True))
    assert back == forward
    assert starts == list(range(1, len(forward) + 1, size))


@pytest.mark.parametrize("order", [("-net_amount", "-id"), ("net_amount", "id")])
def test_rows_without_a_value_come_last_in_both_directions(order: tuple[str, ...]) -> None:
    make_customers()
    page = keyset_page(Customer.objects.all(), order=order, size=50)
    amounts = [row.net_amount for row in page.rows]
    assert amounts[-3:] == [None, None, None]
    filled = [amount for amount in amounts if amount is not None]
    assert filled == sorted(filled, reverse=order[0].startswith("-"))


def test_rows_may_be_plain_values() -> None:
    make_customers()
    rows = Customer.objects.values("id", "net_amount", "name")
    first = keyset_page(rows, order=("-net_amount", "-id"), size=5)
    second = keyset_page(rows, order=("-net_amount", "-id"), cursor=first.next, size=5)
    assert {row["id"] for row in first.rows}.isdisjoint({row["id"] for row in second.rows})
    assert (second.start, second.end) == (6, 10)


@pytest.mark.parametrize("cursor", ["x", "WzFd:1abc:def", "\x00", "…", "a" * 5000])
def test_a_damaged_cursor_starts_from_the_top(cursor: str) -> None:
    make_customers()
    page = keyset_page(Customer.objects.all(), order=("name", "id"), cursor=cursor, size=3)
    assert page.start == 1
    assert not page.previous


def test_a_cursor_of_another_order_starts_from_the_top() -> None:
    make_customers()
    by_name = keyset_page(Customer.objects.all(), order=("name", "id"), size=3)
    page = keyset_page(
        Customer.objects.all(), order=("-net_amount", "-id"), cursor=by_name.next, size=3
    )
    assert page.start == 1


def test_when_the_rows_of_a_page_are_gone_the_list_starts_from_the_top() -> None:
    make_customers()
    page = keyset_page(Customer.objects.all(), order=("id",), size=10)
    Customer.objects.latest("pk").delete()
    again = keyset_page(Customer.objects.all(), order=("id",), cursor=page.next, size=10)
    assert again.start == 1
    assert len(again.rows) == 10


def test_a_page_costs_two_statements_at_most() -> None:
    make_customers()
    cursor = ""
    for _turn in range(4):
        with CaptureQueriesContext(
            connection,
        ) as seen:
            page = keyset_page(
                Customer.objects.all(), order=("-net_amount", "-id"), cursor=cursor, size=3
            )
        assert len(seen) <= 2
        cursor = page.next


def test_counting_stops_at_the_limit() -> None:
    make_customers()
    assert str(count_up_to(Customer.objects.all(), limit=10)) == "10+"
    assert str(count_up_to(Customer.objects.all(), limit=11)) == "11"
    with CaptureQueriesContext(connection) as seen:
        count_up_to(Customer.objects.values("id", "name").order_by("name"))
    assert "LIMIT 1001" in seen.captured_queries[0]["sql"]


@pytest.mark.parametrize("cursor", ["x", "WzFd:1abc:def"])
def test_a_program_is_told_of_a_damaged_cursor(cursor: str) -> None:
    with pytest.raises(BadCursor):
        strict_page(Customer.objects.all(), order=("name", "id"), cursor=cursor)


def test_a_program_gets_an_empty_page_when_its_rows_are_gone() -> None:
    make_customers()
    page = strict_page(Customer.objects.all(), order=("id",), size=10)
    Customer.objects.latest("pk").delete()
    again = strict_page(Customer.objects.all(), order=("id",), cursor=page.next, size=10)
    assert (again.rows, again.next, again.previous) == ([], "", "")


def test_few_rows_are_asked_for_by_id_and_many_as_they_were(monkeypatch) -> None:
    for _ in range(4):
        make_customer()
    every = Customer.objects.filter(name__startswith="Customer")
    few, count = by_id_if_few(every, limit=3)
    assert (str(count), set(few)) == ("3+", set(every))
    assert "LIKE" not in str(few.query)
    monkeypatch.setattr("crm.lib.keyset.FEW", 3)
    many, count = by_id_if_few(every, limit=2)
    assert str(count) == "2+"
    assert many is every


def test_several_lists_are_counted_with_one_statement(django_assert_num_queries) -> None:
    for n in range(4):
        make_customer(abc="A" if n else None)
    every = Customer.objects.order_by("name")
    lists = [every, every.filter(abc="A"), every.none(), every.filter(name__contains="%")]
    with django_assert_num_queries(1):
        assert [str(count) for count in count_many(lists, limit=3)] == ["3+", "3", "0", "0"]
    assert count_many([]) == []
