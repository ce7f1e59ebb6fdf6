"""Cursor pages: complete, in order, whatever the column holds and whichever way one reads."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from customers.models import Customer
from tests.factories import make_customer

pytestmark = pytest.mark.django_db
LIST = "/api/v1/customers/"


def walk(client: APIClient, query: str, link: str = "next") -> list[list[int]]:
    """The ids of every page, following `link`."""
    pages, url = [], f"{LIST}?{query}"
    while url:
        answer = client.get(url)
        assert answer.status_code == 200, answer.content
        pages.append([row["id"] for row in answer.json()["results"]])
        url = answer.json()[link]
        assert len(pages) < 50
    return pages


@pytest.fixture
def many() -> list[Customer]:
    """Twelve customers: names in pairs, every third without a number."""
    return [
        make_customer(name=f"N{n // 2}", external_id=None if n % 3 == 0 else f"C{n:02}")
        for n in range(12)
    ]


def expected(ordering: str) -> list[int]:
    """The order as it must be: by the column, empty ones last, ties by id the same way."""
    name, down = ordering.lstrip("-"), ordering.startswith("-")
    rows = sorted(Customer.objects.all(), key=lambda row: row.pk, reverse=down)
    filled = [row for row in rows if getattr(row, name) is not None]
    filled.sort(key=lambda row: getattr(row, name), reverse=down)
    if down:  # sorted() keeps ties as they were, also when reversed
        filled.sort(key=lambda row: row.pk, reverse=True)
        filled.sort(key=lambda row: getattr(row, name), reverse=True)
    return [row.pk for row in filled + [row for row in rows if getattr(row, name) is None]]


@pytest.mark.parametrize(
    "ordering", ["id", "-id", "name", "-name", "external_id", "-external_id", "-updated_at"]
)
@pytest.mark.parametrize("size", [1, 5, 12])
def test_the_pages_together_are_the_whole_list(erp, many, ordering, size) -> None:
    pages = walk(erp, f"ordering={ordering}&page_size={size}")
    assert [pk for page in pages for pk in page] == expected(ordering)


@pytest.mark.parametrize("ordering", ["name", "-name", "external_id", "-external_id"])
def test_the_way_back_is_the_way_there(erp, many, ordering) -> None:
    url, last = f"{LIST}?ordering={ordering}&page_size=5", ""
    while url:
        last, url = url, erp.get(url).json()["next"]
    back = walk(erp, urlsplit(last).query, "previous")
    assert [pk for page in reversed(back) for pk in page] == expected(ordering)


def test_a_row_that_goes_or_comes_shifts_no_page(erp, many) -> None:
    first = erp.get(f"{LIST}?page_size=5").json()
    Customer.objects.filter(pk=many[0].pk).delete()
    make_customer()
    second = erp.get(first["next"]).json()
    assert [row["id"] for row in second["results"]] == [row.pk for row in many[5:10]]


def test_a_late_page_costs_what_the_first_costs(erp, many) -> None:
    def statement(url: str) -> str:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            erp.get(url)
        return next(q["sql"] for q in queries if 'FROM "customers_customer"' in q["sql"])

    url = f"{LIST}?ordering=name&page_size=2"
    late = erp.get(erp.get(url).json()["next"]).json()["next"]
    sql = statement(late)
    assert "OFFSET" not in sql
    assert "COUNT(" not in sql
    assert '"customers_customer"."name" >= ' in sql  # the bound an index starts from


def test_changes_are_read_in_the_order_of_change(erp, many) -> None:
    many[2].save()
    since = Customer.objects.get(pk=many[4].pk).updated_at.isoformat()
    answer = erp.get(LIST, {"updated_since": since}).json()
    assert [row["id"] for row in answer["results"]] == [
        *(row.pk for row in many[4:]),
        many[2].pk,
    ]


@pytest.mark.parametrize(
    "query",
    [
        "cursor=nonsense",
        "cursor=",
        "cursor=WzEsMl0:1abc:zzz",
        "page_size=0",
        "page_size=1001",
        "page_size=-1",
        "page_size=ten",
        "page_size=²",
        "ordering=owner",
        "ordering=",
        "ordering=name,name",
        "ordering=password",
        "updated_since=yesterday",
        "updated_since=2026-06-01",
        "updated_since=2026-06-01T00:00:00",
        "updated_since=0001-01-01T00:00:00%2B08:00",
        "updated_since=9999-12-31T23:59:59-08:00",
        "status=asleep",
        "abc=D",
        "owner=nobody",
        "search=a%00b",
        "no_such_filter=1",
    ],
)
def test_a_list_refuses_what_it_cannot_read(erp, customer, query: str) -> None:
    answer = erp.get(f"{LIST}?{query}")
    assert answer.status_code == 400, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert set(answer.json()["errors"]) == {query.split("=", maxsplit=1)[0]}


def test_a_cursor_of_another_order_is_refused(erp, many) -> None:
    url = erp.get(f"{LIST}?ordering=name&page_size=5").json()["next"]
    assert erp.get(url.replace("ordering=name", "ordering=-name")).status_code == 400


def test_a_plus_that_became_a_space_is_understood(erp, customer) -> None:
    answer = erp.get(f"{LIST}?updated_since=2020-01-01T00:00:00+08:00")
    assert len(answer.json()["results"]) == 1
