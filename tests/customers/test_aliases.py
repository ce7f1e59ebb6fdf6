"""The numbers of merged files stay good for the ERP (P5)."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from customers.merging import merge
from customers.models import Alias, Customer
from orders.models import Order
from tests.customers.test_sync import became, customer, parents, refused, sync
from tests.factories import local, make_customer

pytestmark = pytest.mark.django_db
NOW = local(2026, 6, 16, 12)
ORDERS = "/api/v1/orders/sync/"


@pytest.fixture
def survivor(rep: User) -> Customer:
    """C-1, into which C-2 went."""
    into = make_customer(
        external_id="C-1", name="绍兴越州副食品", owner=rep, source_updated_at=local(2026, 6, 1)
    )
    gone = make_customer(external_id="C-2", name="越州副食品", owner=rep)
    merge(gone_id=gone.pk, into_id=into.pk, by=rep, now=NOW)
    into.refresh_from_db()
    return into


class TestCustomers:
    def test_a_record_under_the_old_number_changes_the_survivor(self, survivor, erp) -> None:
        assert became(erp, customer("C-2", name="越州食品")) == {"updated": 1}
        assert became(erp, customer("C-2", name="越州食品")) == {"unchanged": 1}
        survivor.refresh_from_db()
        assert (survivor.name, survivor.external_id) == ("越州食品", "C-1")
        assert Customer.objects.count() == 1

    def test_what_is_older_than_the_survivor_is_stale(self, survivor, erp) -> None:
        old = customer("C-2", source_updated_at="2026-05-31T10:00:00+08:00")
        assert became(erp, old) == {"stale": 1}

    @pytest.mark.parametrize("order", [("C-1", "C-2"), ("C-2", "C-1")])
    def test_of_both_numbers_in_one_body_one_wins(self, survivor, erp, order) -> None:
        records = [customer(number, phone=f"+86138000000{n}0") for n, number in enumerate(order)]
        assert became(erp, *records) == {"updated": 1, "stale": 1}
        survivor.refresh_from_db()
        assert survivor.phone == "+8613800000010"

    def test_the_newer_of_both_wins(self, survivor, erp) -> None:
        newer = customer("C-2", name="newer", source_updated_at="2026-06-09T10:00:00+08:00")
        older = customer("C-1", name="older", source_updated_at="2026-06-08T10:00:00+08:00")
        assert became(erp, newer, older) == {"updated": 1, "stale": 1}
        survivor.refresh_from_db()
        assert survivor.name == "newer"

    def test_a_refused_record_is_told_under_the_number_it_was_sent_with(
        self, survivor, erp
    ) -> None:
        assert set(refused(erp, customer("C-2", parent="nobody"))) == {"C-2"}

    def test_the_old_number_serves_as_a_supplier(self, survivor, erp) -> None:
        assert became(erp, customer("C-3", parent="C-2")) == {"created": 1}
        assert parents()["C-3"] == "C-1"

    def test_nobody_is_supplied_by_oneself_under_another_number(self, survivor, erp) -> None:
        assert set(refused(erp, customer("C-1", parent="C-2"))) == {"C-1"}

    def test_out_of_sight_the_old_number_cannot_be_used(self, survivor, stranger) -> None:
        client = APIClient()
        client.force_login(stranger)
        assert set(refused(client, customer("C-2"))) == {"C-2"}

    def test_a_survivor_without_a_number_is_not_made_again(self, survivor, erp) -> None:
        Customer.objects.update(external_id=None)
        assert set(refused(erp, customer("C-2"))) == {"C-2"}

    def test_new_ones_beside_it_are_made(self, survivor, erp) -> None:
        assert became(erp, customer("C-9"), customer("C-2", name="x")) == {
            "created": 1,
            "updated": 1,
        }


class TestOrders:
    def test_an_order_under_the_old_number_is_the_survivors(self, survivor, erp) -> None:
        record = {
            "external_id": "SO-1",
            "customer": "C-2",
            "ordered_at": "2026-06-10T10:00:00+08:00",
            "amount": "10.00",
        }
        answer = erp.post(ORDERS, [record], format="json")
        assert answer.json()["created"] == 1, answer.content
        assert Order.objects.get().customer == survivor

    def test_a_single_order_too(self, survivor, erp) -> None:
        record = {"customer": "C-2", "ordered_at": "2026-06-10T10:00:00+08:00", "amount": "10.00"}
        answer = erp.post("/api/v1/orders/", record, format="json")
        assert (answer.status_code, answer.json()["customer"]) == (201, "C-1")

    def test_the_list_of_orders_takes_either_number(self, survivor, erp) -> None:
        Order.objects.create(customer=survivor, ordered_at=NOW, amount=1)
        for number, found in (("C-1", 1), ("C-2", 1), ("C-3", 0)):
            answer = erp.get("/api/v1/orders/", {"customer": number})
            assert len(answer.json()["results"]) == found


def test_the_list_of_customers_finds_the_survivor_by_either_number(survivor, erp) -> None:
    for number in ("C-1", "C-2"):
        answer = erp.get("/api/v1/customers/", {"external_id": number})
        assert [row["id"] for row in answer.json()["results"]] == [survivor.pk]


def test_the_old_number_is_not_given_to_a_new_file(survivor, erp) -> None:
    answer = erp.post("/api/v1/customers/", {"external_id": "C-2", "name": "x"}, format="json")
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == {"external_id"}


def test_a_survivor_without_a_number_takes_over_the_one_of_the_gone_file(rep, erp) -> None:
    into = make_customer(external_id=None, owner=rep)
    gone = make_customer(
        external_id="C-5", owner=rep, source_updated_at=local(2026, 6, 1), name="Gone"
    )
    merge(gone_id=gone.pk, into_id=into.pk, by=rep, now=NOW)
    into.refresh_from_db()
    assert (into.external_id, into.source_updated_at) == ("C-5", local(2026, 6, 1))
    assert not Alias.objects.exists()
    assert sync(erp, customer("C-5", name="Sent"))["updated"] == 1
