"""Customers in bulk: fields, owners, and parents that come in the same body."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import AuditEntry
from accounts.roles import Role
from customers.hierarchy import nodes_in_loops
from customers.models import Customer
from customers.sync import Own
from tests.factories import make_customer, make_user
from tests.syncing import Bulk

CUSTOMERS = "/api/v1/customers/sync/"
bulk = Bulk(CUSTOMERS)
sync, became, refused = bulk.sync, bulk.became, bulk.refused


def customer(number: str = "C-1", **values: Any) -> dict[str, Any]:
    return {"external_id": number, "name": f"Customer {number}", **values}


def parents() -> dict[str, str | None]:
    rows = Customer.objects.values_list("external_id", "parent__external_id")
    return {str(name): parent for name, parent in rows}


@pytest.fixture
def signed_in(client):
    def sign_in(user) -> APIClient:
        client = APIClient()
        client.force_login(user)
        return client

    return sign_in


# --- loops, without a database


@pytest.mark.parametrize(
    ("above", "loops"),
    [
        ({}, set()),
        ({1: 2, 2: 3, 3: None}, set()),
        ({1: 1}, {1}),
        ({1: 2, 2: 1, 3: 1}, {1, 2}),
        ({"a": 1, 1: 2, 2: "b", "b": 1, "c": "d", "d": "c"}, {1, 2, "b", "c", "d"}),
    ],
)
def test_nodes_in_loops(above, loops):
    assert nodes_in_loops(above) == loops


def test_a_long_chain_is_walked_once():
    assert nodes_in_loops({n: n + 1 for n in range(100_000)}) == set()


def test_own_fields_are_equal_only_if_they_read_the_same():
    assert Own({"a": 1, "b": [None]}) == {"b": [None], "a": 1}
    assert Own({"a": 1}) != {"a": True}
    assert Own({"a": 1}) != {"a": 1.0}


# --- fields


@pytest.mark.django_db
def test_every_field_comes_in(erp, rep):
    record = customer(
        kind="distributor",
        status="active",
        owner="rep",
        division="330602",
        address="解放南路 1 号",
        latitude="30.0000001",
        longitude=120.58,
        phone="0575-8512 3456",
        email="a@example.com",
        tax_id="91330602",
        founded_on="1743-01-01",
        buyout=True,
        tags=["rice wine", " new "],
        custom={"staff": 12, "deep": {"a": [1, None, True]}},
        source_updated_at="2026-06-01T08:00:00+08:00",
    )
    assert became(erp, record) == {"created": 1}
    stored = Customer.objects.get()
    assert (stored.kind, stored.status, stored.owner, stored.buyout) == (
        "distributor",
        "active",
        rep,
        True,
    )
    assert (stored.latitude, stored.longitude) == (Decimal("30.000000"), Decimal("120.580000"))
    assert stored.tags == ["rice wine", "new"]
    assert stored.custom == {"staff": 12, "deep": {"a": [1, None, True]}}
    assert (stored.abc, stored.net_amount, stored.order_count, stored.key_account) == (
        None,
        None,
        0,
        False,
    )
    assert became(erp, record) == {"unchanged": 1}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("0575-8512 3456", "+8657585123456"),
        ("（0575）85123456转801", "+8657585123456;ext=801"),
        ("13800138000", "+8613800138000"),
        ("13800138000/13900139000", "13800138000/13900139000"),
        ("ask Mr Li", "ask Mr Li"),
    ],
)
def test_a_phone_is_normalised_and_one_that_nobody_can_read_is_kept(erp, sent, kept):
    assert became(erp, customer(phone=sent)) == {"created": 1}
    assert Customer.objects.get().phone == kept
    assert became(erp, customer(phone=sent)) == {"unchanged": 1}
    assert became(erp, customer(phone=kept)) == {"unchanged": 1}


@pytest.mark.django_db
def test_a_bare_customer_gets_the_defaults(erp):
    became(erp, customer())
    stored = Customer.objects.get()
    assert (stored.kind, stored.status, stored.tags, stored.custom) == (
        "dealer",
        "prospect",
        [],
        {},
    )


@pytest.mark.django_db
def test_null_empties_a_field_and_what_is_left_out_stays(erp, rep):
    make_customer(external_id="C-1", name="One", phone="1", tags=["a"], owner=rep, kind="outlet")
    record = {"external_id": "C-1", "phone": None, "tags": None, "kind": None, "owner": None}
    assert became(erp, record) == {"updated": 1}
    stored = Customer.objects.get()
    assert (stored.name, stored.phone, stored.tags, stored.kind, stored.owner) == (
        "One",
        "",
        [],
        "dealer",
        None,
    )


@pytest.mark.django_db
def test_what_the_tier_run_wrote_is_not_touched(erp):
    make_customer(external_id="C-1", abc="A", net_amount=Decimal("5.00"), order_count=3)
    became(erp, customer(abc="C", net_amount=1, key_account=True))
    stored = Customer.objects.get()
    assert (stored.name, stored.abc, stored.net_amount, stored.order_count) == (
        "Customer C-1",
        "A",
        Decimal("5.00"),
        3,
    )
    assert stored.key_account is False


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "  "}, "name"),
        ({"name": None}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"kind": "shop"}, "kind"),
        ({"status": "happy"}, "status"),
        ({"division": "33060"}, "division"),
        ({"division": "999999"}, "division"),
        ({"latitude": 90.1}, "latitude"),
        ({"longitude": "-180.000001"}, "longitude"),
        ({"latitude": "NaN"}, "latitude"),
        ({"email": "nobody"}, "email"),
        ({"founded_on": "2026-02-29"}, "founded_on"),
        ({"founded_on": "0999-01-01"}, "founded_on"),
        ({"buyout": 1}, "buyout"),
        ({"tags": ["x"] * 51}, "tags"),
        ({"tags": ["x" * 51]}, "tags"),
        ({"tags": [7]}, "tags"),
        ({"tags": "x"}, "tags"),
        ({"custom": []}, "custom"),
        ({"custom": {"a": "x" * 20_000}}, "custom"),
        ({"custom": {"a": 1e300}}, "custom"),
        ({"custom": {"a": 2**63}}, "custom"),
        ({"custom": {"a": [[[[[[[[[[[[1]]]]]]]]]]]]}}, "custom"),
        ({"owner": "nobody"}, "owner"),
        ({"owner": "director"}, "owner"),
        ({"parent": "C-404"}, "parent"),
        ({"parent": "C-1"}, "parent"),
        ({"parent": 5}, "parent"),
    ],
)
def test_a_wrong_customer_is_rejected_by_field(erp, director, values, field):
    assert list(refused(erp, customer(**values))["C-1"]) == [field]
    assert not Customer.objects.exists()


@pytest.mark.django_db
def test_own_fields_that_only_look_alike_are_a_change(erp):
    became(erp, customer(custom={"a": 1}))
    assert became(erp, customer(custom={"a": True})) == {"updated": 1}
    assert became(erp, customer(custom={"a": True})) == {"unchanged": 1}
    assert became(erp, customer(custom={"x": 1.5, "y": 1e-7, "z": 100.0})) == {"updated": 1}
    assert became(erp, customer(custom={"z": 100.0, "y": 1e-7, "x": 1.5})) == {"unchanged": 1}


# --- owners


@pytest.mark.django_db
def test_a_former_owner_keeps_his_customers_but_gets_no_more(erp):
    gone = make_user("gone", is_active=False)
    make_customer(external_id="C-1", name="Customer C-1", owner=gone)
    assert became(erp, customer(owner="gone")) == {"unchanged": 1}
    assert list(refused(erp, customer("C-2", owner="gone"))) == ["C-2"]


@pytest.mark.django_db
def test_a_rep_brings_in_her_own_customers(rep, stranger, signed_in):
    browser = signed_in(rep)
    assert became(browser, customer()) == {"created": 1}
    assert Customer.objects.get().owner == rep
    assert list(refused(browser, customer("C-2", owner="stranger"))) == ["C-2"]
    assert refused(browser, customer(owner=None)) == {
        "C-1": {"owner": ["Only a manager may hand over a customer."]}
    }


@pytest.mark.django_db
def test_a_manager_hands_over_within_the_team(rep, manager, stranger, signed_in):
    make_customer(external_id="C-1", owner=manager)
    browser = signed_in(manager)
    assert became(browser, {"external_id": "C-1", "owner": "rep"}) == {"updated": 1}
    assert list(refused(browser, {"external_id": "C-1", "owner": "stranger"})["C-1"]) == ["owner"]


@pytest.mark.django_db
def test_who_sees_all_but_does_not_assign_keeps_the_owners(rep, signed_in):
    make_customer(external_id="C-1", owner=rep)
    service = signed_in(make_user(role=Role.SERVICE))
    assert became(service, customer(phone="1")) == {"updated": 1}
    assert list(refused(service, customer(owner=None))["C-1"]) == ["owner"]


# --- out of sight


@pytest.mark.django_db
def test_what_is_out_of_sight_can_neither_be_changed_nor_referred_to(rep, stranger, signed_in):
    make_customer(external_id="C-9", name="Hers", owner=stranger)
    errors = refused(signed_in(rep), customer("C-9"), customer("C-1", parent="C-9"))
    assert errors == {
        "C-9": {"external_id": ["This external_id cannot be used."]},
        "C-1": {"parent": ["No customer has external_id 'C-9'."]},
    }
    assert Customer.objects.get().name == "Hers"


# --- parents


@pytest.mark.django_db
def test_parents_may_come_in_the_same_body_in_any_order(erp):
    records = [
        customer("C-1", parent="C-2"),
        customer("C-2", parent="C-3"),
        customer("C-3"),
        customer("C-4", parent="C-3"),
    ]
    assert became(erp, *records) == {"created": 4}
    assert parents() == {"C-1": "C-2", "C-2": "C-3", "C-3": None, "C-4": "C-3"}
    assert set(Customer.objects.values_list("version", flat=True)) == {1}
    assert became(erp, *records) == {"unchanged": 4}
    entry = AuditEntry.objects.get(object_name="Customer C-1")
    assert entry.after["parent_id"] == Customer.objects.get(external_id="C-2").pk


@pytest.mark.django_db
def test_a_stored_customer_may_get_a_new_parent_of_the_same_body(erp):
    make_customer(external_id="C-1", name="Customer C-1")
    assert became(erp, customer("C-1", parent="C-2"), customer("C-2")) == {
        "created": 1,
        "updated": 1,
    }
    assert parents()["C-1"] == "C-2"


@pytest.mark.django_db
def test_children_of_a_rejected_parent_are_rejected_too(erp):
    errors = refused(
        erp,
        customer("C-1", parent="C-2"),
        customer("C-2", parent="C-3"),
        customer("C-3", parent="C-404"),
        customer("C-4"),
    )
    assert {name: list(e) for name, e in errors.items()} == {
        "C-1": ["parent"],
        "C-2": ["parent"],
        "C-3": ["parent"],
    }
    assert parents() == {"C-4": None}


@pytest.mark.django_db
def test_nobody_stands_below_himself(erp):
    top = make_customer(external_id="C-1", name="Customer C-1")
    middle = make_customer(external_id="C-2", name="Customer C-2", parent=top)
    make_customer(external_id="C-3", name="Customer C-3", parent=middle)
    loop = {"parent": ["A customer cannot be supplied by itself or by one below it."]}
    assert refused(erp, customer("C-1", parent="C-3")) == {"C-1": loop}
    assert refused(erp, customer("C-1", parent="C-9"), customer("C-9", parent="C-3")) == {
        "C-1": loop,
        "C-9": loop,
    }
    # Turned around in one body there is no loop.
    assert became(erp, customer("C-1", parent="C-3"), customer("C-2", parent=None)) == {
        "updated": 2
    }
    assert parents() == {"C-1": "C-3", "C-2": None, "C-3": "C-2"}


@pytest.mark.django_db
def test_a_loop_in_the_body_leaves_the_others_alone(erp):
    errors = refused(
        erp, customer("C-1", parent="C-2"), customer("C-2", parent="C-1"), customer("C-3")
    )
    assert sorted(errors) == ["C-1", "C-2"]
    assert parents() == {"C-3": None}


@pytest.mark.django_db
@pytest.mark.parametrize("again", [False, True], ids=["new", "sent again"])
def test_the_number_of_queries_does_not_grow_with_the_batch(erp, rep, again):
    became(erp, customer("C-warm"))

    def queries(size: int) -> int:
        top = customer(f"T-{size}")
        records = [customer(f"N{size}-{n}", parent=f"T-{size}", owner="rep") for n in range(size)]
        if again:
            sync(erp, top, *records)
        with CaptureQueriesContext(connection) as captured:
            sync(erp, top, *records)
        return len(captured)

    assert queries(10) == queries(500) <= 25  # one of them asks whether a webhook listens


@pytest.mark.django_db
def test_a_long_chain_of_new_customers_comes_in_at_once(erp):
    chain = [customer(f"C-{n}", parent=f"C-{n + 1}") for n in range(2000)]
    assert became(erp, *chain, customer("C-2000")) == {"created": 2001}
    assert became(erp, *chain) == {"unchanged": 2000}
