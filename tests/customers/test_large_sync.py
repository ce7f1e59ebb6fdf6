"""Customers of a body that is worked on in parts: what becomes of them is as in one piece."""

from __future__ import annotations

import random
from typing import Any

import pytest
from django.db import transaction

from accounts import sync_parts
from accounts.models import AuditEntry
from customers.models import Alias, Customer
from customers.sync import CustomerSync
from tests.customers.test_sync import CUSTOMERS, became, customer, parents, refused, sync
from tests.factories import make_customer

pytestmark = pytest.mark.django_db
LOOP = {"parent": ["A customer cannot be supplied by itself or by one below it."]}


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(sync_parts, "PART_BYTES", 150)


@pytest.mark.usefixtures("small_parts")
class TestParts:
    def test_those_above_come_first_whatever_they_are_called(self, erp):
        chain = [customer(f"C-{n:02}", parent=f"C-{n + 1:02}") for n in range(30)]
        assert became(erp, *chain, customer("C-30")) == {"created": 31}
        assert parents() == {f"C-{n:02}": f"C-{n + 1:02}" for n in range(30)} | {"C-30": None}
        assert set(Customer.objects.values_list("version", flat=True)) == {1}
        assert became(erp, customer("C-30", phone="1"), *chain) == {"updated": 1, "unchanged": 30}

    def test_those_below_a_rejected_one_are_rejected(self, erp):
        chain = [customer(f"C-{n}", parent=f"C-{n + 1}") for n in range(9)]
        errors = refused(erp, *chain, customer("C-9", parent="C-404"), customer("D-1"))
        assert set(errors) == {f"C-{n}" for n in range(10)}
        assert {key for error in errors.values() for key in error} == {"parent"}
        assert parents() == {"D-1": None}

    def test_a_ring_is_refused_as_a_whole(self, erp):
        some = [customer(f"D-{n}") for n in range(9)]
        ring = [customer("C-1", parent="C-2"), customer("C-2", parent="C-1")]
        assert refused(erp, *ring, *some) == {"C-1": LOOP, "C-2": LOOP}
        assert len(parents()) == 9

    def test_moves_of_stored_ones_are_judged_beside_each_other(self, erp):
        top = make_customer(external_id="C-1", name="Customer C-1")
        middle = make_customer(external_id="C-2", name="Customer C-2", parent=top)
        make_customer(external_id="C-3", name="Customer C-3", parent=middle)
        some = [customer(f"A-{n}", parent=f"C-{n % 3 + 1}") for n in range(9)]
        closed = [customer("C-1", parent="A-0"), customer("A-0", parent="C-3")]
        assert refused(erp, *closed, *some[1:]) == {"C-1": LOOP, "A-0": LOOP}
        turned = [customer("C-1", parent="C-3"), customer("C-2", parent=None)]
        assert became(erp, *turned, *some) == {"updated": 2, "created": 1, "unchanged": 8}
        assert [parents()[name] for name in ("C-1", "C-2", "C-3")] == ["C-3", None, "C-2"]

    def test_a_row_by_two_names_has_its_newest_record(self, erp):
        kept = make_customer(external_id="C-9", name="Kept")
        Alias.objects.create(external_id="A-1", customer=kept)
        some = [customer(f"B-{n}") for n in range(9)]
        answer = became(erp, customer("C-9", name="Now"), *some, customer("A-1", name="Later"))
        assert answer == {"updated": 1, "stale": 1, "created": 9}
        kept.refresh_from_db()
        assert kept.name == "Later"

    def test_with_atomic_a_rejection_leaves_nothing(self, erp):
        chain = [customer(f"C-{n}", parent=f"C-{n - 1}" if n else None) for n in range(9)]
        records = [*chain, customer("A-1", parent="C-404"), customer("C-9", kind="nonsense")]
        answer = erp.post(f"{CUSTOMERS}?atomic=true", records, format="json")
        assert answer.status_code == 422
        assert [error["external_id"] for error in answer.json()["errors"]] == ["A-1", "C-9"]
        assert not Customer.objects.exists()
        assert not AuditEntry.objects.filter(model="customers.customer").exists()


@pytest.mark.parametrize("seed", range(15))
def test_a_body_in_parts_becomes_what_it_becomes_in_one_piece(erp, monkeypatch, seed):
    chance = random.Random(seed)
    names = [f"C-{n:02}" for n in range(16)]
    stored: list[Customer] = []
    for name in chance.sample(names, 9):
        above = chance.choice([None, None, *stored])
        stored.append(make_customer(external_id=name, name=f"Customer {name}", parent=above))
    Alias.objects.create(external_id="OLD-1", customer=stored[0])

    def record(name: str) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for tie in ("parent", "group_head"):
            if chance.random() < 0.5:
                values[tie] = chance.choice([None, *names, "C-404", "OLD-1"])
        if chance.random() < 0.3:
            values["source_updated_at"] = f"2026-06-0{chance.randint(1, 5)}T00:00:00Z"
        if chance.random() < 0.1:
            values["kind"] = "nonsense"
        return customer(name, **values)

    body = [record(name) for name in chance.sample([*names, "OLD-1"], 14)]

    def outcome(part_bytes: int) -> tuple[Any, ...]:
        monkeypatch.setattr(sync_parts, "PART_BYTES", part_bytes)
        with transaction.atomic():
            every = erp.post(f"{CUSTOMERS}?atomic=true", body, format="json").json()
            transaction.set_rollback(True)
        with transaction.atomic():
            answer = sync(erp, *body)
            columns = ("external_id", "parent__external_id", "group_head__external_id", "version")
            rows = sorted(Customer.objects.values_list(*columns, "source_updated_at", "name"))
            transaction.set_rollback(True)
        # In parts a record may hear at once of two above it that are not to be had.
        refused = [error["index"] for error in answer.pop("errors")]
        return answer, refused, [error["index"] for error in every["errors"]], rows

    assert outcome(200) == outcome(10**9)


def test_a_large_body_is_worked_on_in_parts(erp, small_parts, monkeypatch):
    sizes: list[int] = []
    gather = CustomerSync.gather

    def counted(self: CustomerSync, records: Any, stored: Any) -> None:
        sizes.append(len(records))
        gather(self, records, stored)

    monkeypatch.setattr(CustomerSync, "gather", counted)
    became(erp, *(customer(f"C-{n:02}", parent="T-1") for n in range(20)), customer("T-1"))
    assert sum(sizes) == 21
    assert max(sizes) <= 4
