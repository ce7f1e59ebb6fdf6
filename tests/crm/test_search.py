"""The search page: customers and orders in sight, the best hits first."""

from __future__ import annotations

from decimal import Decimal

import pytest

from accounts.models import User
from tests.factories import make_customer, make_order

HTMX = {"HX-Request": "true"}


def hits(client, words: str) -> list[str]:
    return [
        hit.title
        for group in client.get("/search/", {"q": words}).context["groups"]
        for hit in group.hits
    ]


def test_customers_and_orders_are_found_together(as_, rep: User, stranger: User) -> None:
    mine = make_customer(owner=rep, name="绿城商贸", external_id="SO-77")
    make_order(mine, external_id="SO-7700")
    make_order(make_customer(owner=stranger, name="SO-77 far"), external_id="SO-7701")
    client = as_(rep)
    assert hits(client, "so-77") == ["绿城商贸", "SO-7700"]
    assert hits(client, "lcsm") == ["绿城商贸"]
    assert hits(client, "SO") == []  # two characters are looked for in names only
    assert hits(client, "") == []
    assert hits(client, "（）") == []
    assert hits(client, "\x00%_\\") == []


def test_the_number_comes_first_then_names_that_begin_so(as_, rep: User) -> None:
    for name, net, number in [
        ("越州食品", 10, "1"), ("大越州", 9000, "2"), ("小越州", None, "3"), ("越州粮油", 20, "4"),
        ("别家", None, "越州"),
    ]:  # fmt: skip
        make_customer(owner=rep, name=name, external_id=number, net_amount=net and Decimal(net))
    assert hits(as_(rep), "越州") == ["别家", "越州粮油", "越州食品", "大越州", "小越州"]


def test_names_come_before_addresses_whatever_the_amounts(as_, rep: User) -> None:
    make_customer(owner=rep, name="永泰粮油", address="越州路 1 号", net_amount=Decimal(9000))
    make_customer(owner=rep, name="大越州", net_amount=Decimal(10))
    make_customer(owner=rep, name="恒信", division="330602", net_amount=Decimal(1))
    assert hits(as_(rep), "越州") == ["大越州", "永泰粮油"]
    assert hits(as_(rep), "越城区") == ["恒信"]


@pytest.mark.parametrize("words", ["shop", "shop 0", "SO-"])
def test_the_search_page_is_flat_in_queries(
    as_, rep: User, words: str, django_assert_max_num_queries
) -> None:
    for n in range(12):
        make_order(make_customer(owner=rep, name=f"Shop {n:02}"))
    client = as_(rep)
    with django_assert_max_num_queries(12):
        answer = client.get("/search/", {"q": words}, headers=HTMX)
    group = answer.context["groups"][0]
    assert len(group.hits) == 8
    assert group.more_url
    assert b"<html" not in answer.content


def test_the_search_box_of_the_rail_leads_there(as_, rep: User) -> None:
    page = as_(rep).get("/search/").content.decode()
    assert 'action="/search/"' in page
    assert "⌘K" in page
    assert "data-seek" in page
