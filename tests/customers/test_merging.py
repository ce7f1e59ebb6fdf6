"""Two files become one without losing a record (P5)."""

from __future__ import annotations

from datetime import date
from random import Random
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404

from accounts.models import AuditEntry, User
from customers.cards import refresh
from customers.merging import merge
from customers.models import Customer, IndexCard, Profile
from orders.models import Order
from tests.customers.pairs import NOW, file_of_everything, merged, pair_of
from tests.factories import local, make_customer, make_order
from tiers.models import TierPolicy, TierRun

pytestmark = pytest.mark.django_db


def test_every_relation_to_a_customer_goes_over(rep: User) -> None:
    """Fails for a new table that no app's merge hands over."""
    gone, into = make_customer(owner=rep), make_customer(owner=rep)
    runs = [
        TierRun.objects.create(
            policy=TierPolicy.objects.get(), as_of=date(2026, 6, 1), state="done", created_at=NOW
        )
    ]

    class Always(Random):
        def random(self) -> float:
            return 0.0

        def randrange(self, *_args: Any, **_more: Any) -> int:
            return 1

    file_of_everything(gone, Always(), rep=rep, runs=runs, others=[make_customer(owner=rep)])
    make_customer(owner=rep, parent=gone, group_head=gone)
    earlier = make_customer(owner=rep)
    merge(gone_id=earlier.pk, into_id=gone.pk, by=rep, now=NOW)
    refresh([gone.pk, into.pk])
    linked = {}
    for relation in Customer._meta.related_objects:
        model, name = relation.related_model, relation.field.name
        linked[f"{model._meta.label}.{name}"] = model._base_manager.filter(**{name: gone}).count()
    pairs = {"customers.DuplicatePair.first", "customers.DuplicatePair.second"}
    lacking = {name for name, count in linked.items() if not count} - pairs
    assert not lacking, f"make a row of {lacking} in file_of_everything"
    merge(gone_id=gone.pk, into_id=into.pk, by=rep, now=NOW)
    worked_out = {  # by the next run anew
        "orders.Balance.customer",
        "orders.StockPosition.customer",
        "tiers.Assessment.customer",
        "tiers.Outlook.customer",
    }
    for relation in Customer._meta.related_objects:
        model, name = relation.related_model, relation.field.name
        assert not model._base_manager.filter(**{name: gone.pk}).exists(), model
        if f"{model._meta.label}.{name}" not in pairs | worked_out:
            assert model._base_manager.filter(**{name: into}).exists(), model


def test_a_model_that_names_a_customer_without_a_foreign_key_is_known() -> None:
    """Ids of customers in plain columns do not follow a merge by themselves."""
    known = {"customers.Merge.gone_id", "customers.ImportRow.customer_id"}
    found = {
        f"{model._meta.label}.{field.attname}"
        for model in apps.get_models()
        if model._meta.app_label in {"customers", "orders", "tiers", "visits"}
        for field in model._meta.concrete_fields
        if field.attname in {"customer_id", "gone_id", "survivor_id"} and not field.is_relation
    }
    assert found == known


# --- which values stay


def test_the_survivors_values_win_and_empty_ones_are_filled(rep: User) -> None:
    gone, into = pair_of(rep, phone="+8613800000000", tags=["b"], custom={"x": 1}, buyout=True)
    into = merged(gone, into, rep)
    assert (into.name, into.phone, into.buyout) == ("Survivor", "+8613800000000", False)
    assert (into.tags, into.custom) == (["a", "b"], {"x": 1})


def test_values_are_chosen_field_by_field(rep: User) -> None:
    gone, into = pair_of(rep, phone="+8613800000000", tags=["b"], kind="outlet")
    into = merged(gone, into, rep, name="theirs", kind="theirs", tags="theirs", phone="ours")
    assert (into.name, into.kind, into.tags, into.phone) == ("Gone", "outlet", ["b"], "")


def test_profiles_become_one(rep: User) -> None:
    gone, into = pair_of(rep)
    Profile.objects.create(customer=into, capital=1, purchase_months=[1])
    Profile.objects.create(customer=gone, capital=2, staff_count=9, purchase_months=[2])
    merged(gone, into, rep, **{"profile.capital": "theirs"})
    profile = Profile.objects.get()
    assert profile.customer == into
    assert profile.capital == 2
    assert profile.staff_count == 9
    assert profile.purchase_months == [1, 2]


def test_what_stood_below_or_above_makes_no_ring(rep: User) -> None:
    gone, into = pair_of(rep)
    above, between = make_customer(owner=rep), make_customer(owner=rep, parent=gone)
    Customer.objects.filter(pk=gone.pk).update(parent=above)
    Customer.objects.filter(pk=into.pk).update(parent=between)
    into = merged(gone, into, rep)
    between.refresh_from_db()
    assert (into.parent, between.parent) == (above, into)


# --- the number, the log, the cards


def test_both_files_tell_in_the_log_and_the_survivor_on_its_timeline(rep: User, as_) -> None:
    gone, into = pair_of(rep)
    order = make_order(gone)
    merged(gone, into, rep)
    told = {
        (entry.model, entry.object_id, entry.action)
        for entry in AuditEntry.objects.order_by("-pk")[:6]
    }
    assert ("customers.customer", gone.pk, "delete") in told
    assert ("customers.customer", into.pk, "update") in told
    assert ("orders.order", order.pk, "update") in told
    page = as_(rep).get(f"/customers/{into.pk}/timeline/").content.decode()
    assert "Gone" in page


def test_moved_orders_are_found_by_who_asks_for_what_changed(rep: User, erp) -> None:
    gone, into = pair_of(rep)
    order = make_order(gone)
    merged(gone, into, rep)
    moved = Order.objects.get()
    assert (moved.customer, moved.version, moved.updated_at) == (into, order.version + 1, NOW)


def test_the_old_number_finds_the_survivor_in_the_search(rep: User) -> None:
    gone, into = pair_of(rep)
    merged(gone, into, rep)
    assert "g-1" in IndexCard.objects.get(customer=into).text
    assert not IndexCard.objects.filter(customer=gone.pk).exists()


# --- rights


def test_files_of_two_owners_are_merged_by_who_may_hand_over(rep, manager, service, north) -> None:
    from tests.factories import make_user

    colleague = make_user(team=north)
    gone, into = make_customer(owner=colleague), make_customer(owner=rep)
    for user, refusal in ((rep, Http404), (service, PermissionDenied)):
        with pytest.raises(refusal):
            merge(gone_id=gone.pk, into_id=into.pk, by=user, now=NOW)
    merge(gone_id=gone.pk, into_id=into.pk, by=manager, now=NOW)
    assert Customer.objects.get() == into


def test_who_may_not_write_may_not_merge(finance: User, rep: User) -> None:
    gone, into = pair_of(rep)
    with pytest.raises(PermissionDenied):
        merge(gone_id=gone.pk, into_id=into.pk, by=finance, now=NOW)


def test_a_file_does_not_go_into_itself(rep: User) -> None:
    _gone, into = pair_of(rep)
    with pytest.raises(ValidationError):
        merge(gone_id=into.pk, into_id=into.pk, by=rep, now=NOW)


# --- tiers


def test_the_next_run_counts_both_as_one(rep: User) -> None:
    from tests.tiers.recount import Bought, recount
    from tiers import actions, tiering

    gone, into = pair_of(rep)
    other = make_customer(owner=rep, external_id="O-1")
    for customer, amount in ((gone, 700), (into, 400), (other, 900)):
        make_order(customer, amount, ordered_at=local(2026, 6, 1, 10))
    merged(gone, into, rep)
    job, _new = actions.open_run(as_of=date(2026, 6, 15), user=None, now=NOW)
    tiering.run(job.pk, now=NOW)
    numbers = dict(Customer.objects.values_list("pk", "external_id"))
    expected = recount(
        sorted(str(number) for number in numbers.values()),
        [
            Bought(str(numbers[order.customer_id]), order.ordered_at, order.status, order.amount)
            for order in Order.objects.all()
        ],
        date(2026, 6, 15),
    )
    for customer in Customer.objects.all():
        found = expected[str(customer.external_id)]
        assert (customer.abc, customer.net_amount) == (found.tier, found.net)
    assert expected["S-1"].net == 1100


# --- two at once


@pytest.mark.django_db(transaction=True)
def test_two_people_merge_the_same_files_crosswise_at_once(rep: User) -> None:
    import threading

    from django.db import connections

    gone, into = pair_of(rep)
    start, outcomes = threading.Barrier(2), []

    def go(one: int, other: int) -> None:
        try:
            start.wait(timeout=10)
            merge(gone_id=one, into_id=other, by=rep, now=NOW)
            outcomes.append("merged")
        except Http404:
            outcomes.append("gone")
        finally:
            connections.close_all()

    pairs = ((gone.pk, into.pk), (into.pk, gone.pk))
    threads = [threading.Thread(target=go, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(outcomes) == ["gone", "merged"]
    assert Customer.objects.count() == 1
