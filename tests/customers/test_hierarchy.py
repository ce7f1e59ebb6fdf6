"""Two forests of customers: no rings, and totals of what lies below, as far as one sees (P25)."""

from __future__ import annotations

import random
import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from rest_framework.test import APIClient

from accounts.models import User
from customers import hierarchy
from customers.hierarchy import Tie, is_unusual
from customers.models import Customer, Kind
from tests.factories import make_customer, make_key, make_user

API = "/api/v1/customers/"
TIES = ("parent", "group_head")


@pytest.fixture
def chain(rep: User) -> list[Customer]:
    """A distributor, its dealer, and the dealer's outlet."""
    top = make_customer(owner=rep, kind=Kind.DISTRIBUTOR, net_amount=100, order_count=10)
    middle = make_customer(owner=rep, kind=Kind.DEALER, net_amount=20, order_count=2, parent=top)
    bottom = make_customer(owner=rep, kind=Kind.OUTLET, net_amount=3, order_count=1, parent=middle)
    return [top, middle, bottom]


@pytest.mark.parametrize(
    ("above", "below", "unusual"),
    [
        (Kind.DISTRIBUTOR, Kind.DEALER, False),
        (Kind.DISTRIBUTOR, Kind.OUTLET, False),
        (Kind.DISTRIBUTOR, Kind.DISTRIBUTOR, False),
        (Kind.DEALER, Kind.OUTLET, False),
        (Kind.DEALER, Kind.GROUP_BUYER, False),
        (Kind.DEALER, Kind.DISTRIBUTOR, True),
        (Kind.OUTLET, Kind.DEALER, True),
        (Kind.OUTLET, Kind.DISTRIBUTOR, True),
        (Kind.OUTLET, Kind.OUTLET, True),
        (Kind.GROUP_BUYER, Kind.DEALER, True),
    ],
)
def test_goods_flow_from_distributor_to_dealer_to_outlet(above, below, unusual) -> None:
    assert is_unusual(above, below) is unusual


@pytest.mark.parametrize("tie", TIES)
def test_nobody_comes_to_stand_below_itself(tie: str, rep) -> None:
    top = make_customer(owner=rep)
    middle = make_customer(owner=rep, **{tie: top})
    bottom = make_customer(owner=rep, **{tie: middle})
    for above in (top, middle, bottom):
        top.refresh_from_db()
        setattr(top, tie, above)
        with pytest.raises(ValidationError) as no:
            top.full_clean()
        assert list(no.value.message_dict) == [tie]


def test_a_supplier_may_belong_to_the_group_of_whom_it_supplies(chain) -> None:
    top, middle, _bottom = chain
    top.group_head = middle
    top.full_clean()


def test_what_lies_below_is_counted_by_kind_without_the_customer_itself(chain, rep) -> None:
    totals = hierarchy.totals(chain[0].pk, rep)
    assert (totals.customers, totals.net_amount, totals.orders) == (2, Decimal("23.00"), 3)
    assert totals.by_kind[Kind.OUTLET].net_amount == Decimal("3.00")
    assert totals.by_kind[Kind.DISTRIBUTOR].customers == 0
    assert hierarchy.totals(chain[2].pk, rep).customers == 0


def test_what_stands_behind_a_file_out_of_sight_neither_shows_nor_counts(
    chain, rep, stranger, manager, director
) -> None:
    top, middle, bottom = chain
    Customer.objects.filter(pk=middle.pk).update(owner=stranger)
    assert hierarchy.totals(top.pk, rep).customers == 0
    assert hierarchy.totals(top.pk, manager).customers == 0
    assert hierarchy.totals(top.pk, director).customers == 2
    assert hierarchy.path_to(bottom, rep) == []
    assert hierarchy.path_to(bottom, director) == [top, middle]


def test_a_ring_that_got_in_ends_the_walk(chain, rep) -> None:
    top, _middle, bottom = chain
    Customer.objects.filter(pk=top.pk).update(parent=bottom)
    top.refresh_from_db()
    assert hierarchy.totals(top.pk, rep).customers == 2
    assert hierarchy.totals_of_many([top.pk], rep)[top.pk].customers == 2
    assert len(hierarchy.path_to(top, rep)) == 3


@pytest.mark.parametrize("seed", range(6))
def test_totals_equal_those_of_plain_recursion_on_random_forests(seed, rep, stranger) -> None:
    chance = random.Random(seed)
    people = [rep, rep, rep, stranger]
    files: list[Customer] = []
    for number in range(40):
        files.append(
            make_customer(
                owner=chance.choice(people),
                kind=chance.choice(Kind.values),
                net_amount=chance.choice([None, number, Decimal("0.10")]),
                order_count=chance.randrange(5),
                parent=chance.choice([None, *files[-12:]]),
                group_head=chance.choice([None, *files[:5]]),
            )
        )
    for reader in (rep, make_user("chief", role="director")):
        for tie in Tie:
            expected = {f.pk: _recursive(f.pk, files, reader, tie) for f in files}
            many = hierarchy.totals_of_many([f.pk for f in files], reader, tie)
            for file in files:
                got = hierarchy.totals(file.pk, reader, tie)
                figures = (got.customers, got.net_amount, got.orders)
                assert figures == expected[file.pk]
                one = many[file.pk]
                assert (one.customers, one.net_amount, one.orders) == expected[file.pk]


def _recursive(
    root: int, files: list[Customer], reader: User, tie: str
) -> tuple[int, Decimal, int]:
    children: dict[Any, list[Customer]] = defaultdict(list)
    for file in files:
        if reader.sees_all or file.owner_id == reader.pk:
            children[getattr(file, f"{tie}_id")].append(file)

    def below(pk: int) -> list[Customer]:
        return [one for child in children[pk] for one in (child, *below(child.pk))]

    found = below(root)
    net = sum((Decimal(one.net_amount or 0) for one in found), Decimal(0))
    return len(found), net.quantize(Decimal("0.01")), sum(one.order_count for one in found)


def test_any_size_of_a_network_costs_two_statements(chain, rep, django_assert_num_queries) -> None:
    for _number in range(20):
        make_customer(owner=rep, parent=chain[2])
    with django_assert_num_queries(2):  # whom the reader sees, then the walk
        hierarchy.totals(chain[0].pk, rep)
    with django_assert_num_queries(2):
        hierarchy.totals_of_many([file.pk for file in chain], rep)


@pytest.mark.parametrize("tie", TIES)
def test_a_sync_refuses_rings_of_either_tie(erp: APIClient, tie: str, db) -> None:
    body = [
        {"external_id": "C-1", "name": "1", tie: "C-2"},
        {"external_id": "C-2", "name": "2", tie: "C-1"},
        {"external_id": "C-3", "name": "3", tie: "C-4"},
        {"external_id": "C-4", "name": "4"},
    ]
    answer = erp.post(f"{API}sync/", body, format="json").json()
    assert {e["external_id"]: list(e["errors"]) for e in answer["errors"]} == {
        "C-1": [tie],
        "C-2": [tie],
    }
    child = Customer.objects.get(external_id="C-3")
    assert getattr(child, tie).external_id == "C-4"
    again = erp.post(f"{API}sync/", body[2:], format="json").json()
    assert again["unchanged"] == 2
    ring = [{"external_id": "C-4", tie: "C-3"}]
    assert list(erp.post(f"{API}sync/", ring, format="json").json()["errors"][0]["errors"]) == [tie]


def test_the_api_tells_the_network_of_a_customer(erp: APIClient, chain, customer) -> None:
    top, middle, bottom = chain
    Customer.objects.filter(pk=customer.pk).update(group_head=middle)
    told = erp.get(f"{API}{middle.pk}/network/").json()
    assert [one["external_id"] for one in told["supply"]["above"]] == [top.external_id]
    below = told["supply"]["below"]
    assert (below["customers"], below["net_amount"], below["orders"]) == (1, "3.00", 1)
    assert below["by_kind"]["outlet"]["customers"] == 1
    assert told["group"]["below"]["customers"] == 1
    found = erp.get(API, {"group_head": middle.external_id}).json()["results"]
    assert [one["id"] for one in found] == [customer.pk]
    assert found[0]["group_head"] == middle.external_id
    under = erp.get(API, {"under": top.pk, "ordering": "id"}).json()["results"]
    assert [one["id"] for one in under] == [middle.pk, bottom.pk]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(4))
def test_two_who_make_half_a_ring_each_at_once_do_not_close_it(attempt: int) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time: there is nothing to interleave")
    _key, secret = make_key()
    one, two = make_customer(), make_customer()
    start = threading.Barrier(2)

    def move(child: Customer, above: Customer, synced: bool) -> int:
        client = APIClient(raise_request_exception=False)
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
        body = {"parent": above.external_id}
        try:
            start.wait(10)
            if synced:
                body["external_id"] = str(child.external_id)
                return client.post(f"{API}sync/", [body], format="json").status_code
            return client.patch(f"{API}{child.pk}/", body, format="json").status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        moves = [pool.submit(move, one, two, attempt % 2 == 1), pool.submit(move, two, one, False)]
        statuses = [done.result(60) for done in moves]
    assert max(statuses) < 500
    assert Customer.objects.exclude(parent=None).count() == 1, statuses
