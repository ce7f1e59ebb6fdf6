"""A merge is taken back: every table is as before, but for what came later (P5)."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.http import Http404

from accounts.models import User
from customers import unmerging
from customers.merging import merge
from customers.models import Alias, Contact, Customer, Merge
from customers.unmerging import undo
from orders.models import Order
from tests.customers.pairs import NOW, merged, pair_of, random_pair
from tests.factories import make_customer, make_order
from visits.models import Visit

pytestmark = pytest.mark.django_db

#: What a merge and its undo leave behind on purpose.
LEFT = {"accounts.AuditEntry", "customers.Merge", "orders.Unsettled"}
UNTOLD = {"version", "updated_at"}


def dump() -> dict[str, Any]:
    """Every row of every table, without what tells that something happened."""
    return {
        model._meta.label: sorted(
            (
                {name: str(value) for name, value in row.items() if name not in UNTOLD}
                for row in model._base_manager.values()
            ),
            key=str,
        )
        for model in apps.get_models()
        if model._meta.label not in LEFT and model._meta.managed
    }


@pytest.mark.parametrize("seed", range(25))
def test_merged_and_taken_back_everything_is_as_before(seed: int, rep: User) -> None:
    gone, into = random_pair(Random(seed), rep)
    before = dump()
    rows = Order.objects.count(), Visit.objects.count(), Contact.objects.count()
    record = merge(gone_id=gone.pk, into_id=into.pk, by=rep, now=NOW)
    assert not Customer.objects.filter(pk=gone.pk).exists()
    assert (Order.objects.count(), Visit.objects.count(), Contact.objects.count()) == rows
    assert dump() != before
    undone = undo(merge_id=record.pk, by=rep, now=NOW)
    assert undone.customer.pk == gone.pk
    assert undone.kept == []
    after = dump()
    assert {label for label in before if before[label] != after[label]} == set()


def test_what_was_changed_since_stays_and_is_told(rep: User) -> None:
    gone, into = pair_of(rep, phone="+8613800000000", email="a@example.com")
    into = merged(gone, into, rep)
    into.phone = "+8613900000000"
    into.save()
    later = make_order(into)
    undone = undo(merge_id=Merge.objects.get().pk, by=rep, now=NOW)
    into.refresh_from_db()
    assert undone.kept == [Customer._meta.get_field("phone").verbose_name]
    assert (into.phone, into.email) == ("+8613900000000", "")
    later.refresh_from_db()
    assert later.customer == into
    assert undone.customer.external_id == "G-1"
    assert not Alias.objects.exists()


def test_rows_that_went_on_to_another_customer_stay_there(rep: User) -> None:
    gone, into = pair_of(rep)
    order, elsewhere = make_order(gone), make_customer(owner=rep)
    merged(gone, into, rep)
    Order.objects.update(customer=elsewhere)
    undo(merge_id=Merge.objects.get().pk, by=rep, now=NOW)
    order.refresh_from_db()
    assert order.customer == elsewhere


def test_a_chain_is_taken_apart_from_its_end(rep: User) -> None:
    a, b, c = (make_customer(owner=rep, external_id=n, name=n) for n in ("A-1", "B-1", "C-1"))
    order = make_order(a)
    first = merge(gone_id=a.pk, into_id=b.pk, by=rep, now=NOW)
    second = merge(gone_id=b.pk, into_id=c.pk, by=rep, now=NOW)
    assert set(Alias.objects.values_list("external_id", "customer")) == {
        ("A-1", c.pk),
        ("B-1", c.pk),
    }
    first.refresh_from_db()
    assert unmerging.why_not(first)
    with pytest.raises(ValidationError):
        undo(merge_id=first.pk, by=rep, now=NOW)
    undo(merge_id=second.pk, by=rep, now=NOW)
    undo(merge_id=first.pk, by=rep, now=NOW)
    order.refresh_from_db()
    assert order.customer == a
    assert Customer.objects.count() == 3
    assert not Alias.objects.exists()


def test_two_merges_into_one_file_are_taken_back_in_any_order(rep: User) -> None:
    into = make_customer(owner=rep)
    gone = [make_customer(owner=rep) for _n in range(2)]
    orders = [make_order(one) for one in gone]
    records = [merge(gone_id=one.pk, into_id=into.pk, by=rep, now=NOW) for one in gone]
    for record in records:
        undo(merge_id=record.pk, by=rep, now=NOW)
    for order, one in zip(orders, gone, strict=True):
        order.refresh_from_db()
        assert order.customer_id == one.pk


def test_a_merge_is_taken_back_once(rep: User) -> None:
    gone, into = pair_of(rep)
    record = merge(gone_id=gone.pk, into_id=into.pk, by=rep, now=NOW)
    undo(merge_id=record.pk, by=rep, now=NOW)
    with pytest.raises(ValidationError):
        undo(merge_id=record.pk, by=rep, now=NOW)


def test_out_of_sight_nothing_is_taken_back(rep: User, stranger: User) -> None:
    gone, into = pair_of(rep)
    record = merge(gone_id=gone.pk, into_id=into.pk, by=rep, now=NOW)
    with pytest.raises(Http404):
        undo(merge_id=record.pk, by=stranger, now=NOW)
