"""Two files become one without losing a record, and can be taken apart again (P5)."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404

from accounts.models import AuditEntry, User
from customers import merging
from customers.cards import refresh
from customers.merging import merge, undo
from customers.models import (
    Alias,
    Contact,
    Customer,
    DuplicatePair,
    FileRead,
    IndexCard,
    Interaction,
    Merge,
    PairState,
    Profile,
    Promise,
    Supplier,
)
from orders.models import Order
from tests.factories import local, make_customer, make_order, make_product, make_visit
from tiers.models import RunState, TierChange, TierPolicy, TierRun
from visits.models import Reminder, Visit

NOW = local(2026, 6, 16, 12)

pytestmark = pytest.mark.django_db


def file_of_everything(  # noqa: PLR0912  # a branch for each kind of row
    customer: Customer, rng: Random, *, rep: User, runs: list[TierRun], others: list[Customer]
) -> None:
    """Rows in every app, some of which clash with those of another file of the same run."""
    product = make_product()
    for _n in range(rng.randrange(4)):
        make_order(customer, lines=[(product, "2", "5.00")])
    for n in range(rng.randrange(3)):
        make_visit(customer, rep, scheduled_for=NOW + timedelta(days=n))
    for occasion in ("mid_autumn", "dragon_boat", "national_day"):
        if rng.random() < 0.6:
            Reminder.objects.create(
                occasion=occasion,
                on=date(2026, 9, 25),
                customer=customer,
                user=rep,
                done_at=rng.choice([None, NOW]),
            )
    for run in runs:
        if rng.random() < 0.6:
            TierChange.objects.create(
                run=run, customer=customer, to_tier="A", net_amount=10, rank=1, ranked=2
            )
    for n in range(rng.randrange(3)):
        person = Contact.objects.create(customer=customer, name=f"Contact {n}")
        Interaction.objects.create(
            customer=customer, contact=person, channel="call", at=NOW, by=rep, words="Hello"
        )
    if rng.random() < 0.7:
        Promise.objects.create(
            customer=customer,
            content="Samples",
            owner=rep,
            due_on=date(2026, 7, 1),
            made_at=NOW,
            made_by=rep,
        )
    if rng.random() < 0.7:
        Supplier.objects.create(customer=customer, name="Another firm", satisfaction=5)
    if rng.random() < 0.7:
        Profile.objects.create(
            customer=customer,
            capital=rng.choice([None, 500_000]),
            staff_count=rng.choice([None, 12]),
            purchase_months=rng.choice([[], [1, 9], [9, 10]]),
        )
    for day in range(3):
        if rng.random() < 0.6:
            FileRead.objects.create(
                customer=customer,
                reader=rep,
                on=date(2026, 6, day + 1),
                first_at=NOW - timedelta(hours=rng.randrange(9)),
                last_at=NOW,
                times=rng.randrange(1, 5),
            )
    for other in others:
        if rng.random() < 0.6:
            first, second = sorted((customer.pk, other.pk))
            DuplicatePair.objects.get_or_create(
                first_id=first,
                second_id=second,
                defaults={
                    "score": 70,
                    "state": rng.choice(PairState.values),
                    "found_at": NOW,
                },
            )


def random_pair(rng: Random, rep: User) -> tuple[Customer, Customer]:
    policy = TierPolicy.objects.order_by("pk").first()
    assert policy is not None
    runs = [
        TierRun.objects.create(
            policy=policy, as_of=date(2026, 6, n + 1), state=RunState.DONE, created_at=NOW
        )
        for n in range(3)
    ]
    others = [make_customer(owner=rep) for _n in range(3)]
    pair = []
    for n in range(2):
        above = rng.choice([None, *others])
        customer = make_customer(
            owner=rep,
            name=f"绍兴越州副食品{n}",
            external_id=rng.choice([None, f"X-{n}"]),
            parent=above,
            phone=rng.choice(["", "+8613800000000"]),
            address=rng.choice(["", "解放北路1号"]),
            tags=rng.choice([[], ["a", "b"], ["b", "c"]]),
            custom=rng.choice([{}, {"a": 1}, {"a": 2, "b": [1]}]),
            founded_on=rng.choice([None, date(2001, 2, 3)]),
            latitude=rng.choice([None, "30.000001"]),
            last_visited_on=rng.choice([None, date(2026, 5, 1 + n)]),
        )
        file_of_everything(customer, rng, rep=rep, runs=runs, others=others)
        pair.append(customer)
    for other in others:
        if other.pk not in {pair[0].parent_id, pair[1].parent_id} and rng.random() < 0.5:
            Customer.objects.filter(pk=other.pk).update(
                parent=rng.choice(pair), group_head=rng.choice(pair)
            )
    a, b = pair
    if rng.random() < 0.3:
        Customer.objects.filter(pk=b.pk).update(parent=a)
    elif rng.random() < 0.3:
        Customer.objects.filter(pk=a.pk).update(parent=b)
    refresh([a.pk, b.pk])
    rng.shuffle(pair)
    return pair[0], pair[1]


#: What a merge and its undo leave behind on purpose.
LEFT = {"accounts.AuditEntry", "customers.Merge"}
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


def without_ids(content: dict[str, Any], label: str) -> list[Any]:
    return sorted(({k: v for k, v in row.items() if k != "id"} for row in content[label]), key=str)


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
    for relation in Customer._meta.related_objects:
        model, name = relation.related_model, relation.field.name
        assert not model._base_manager.filter(**{name: gone.pk}).exists(), model
        if f"{model._meta.label}.{name}" not in pairs:
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


def pair_of(rep: User, **gone: Any) -> tuple[Customer, Customer]:
    into = make_customer(owner=rep, name="Survivor", external_id="S-1", tags=["a"])
    return make_customer(owner=rep, **{"name": "Gone", "external_id": "G-1", **gone}), into


def merged(gone: Customer, into: Customer, by: User, **takes: str) -> Customer:
    merge(gone_id=gone.pk, into_id=into.pk, by=by, now=NOW, takes=takes)
    into.refresh_from_db()
    return into


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


# --- taking it back


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
    assert merging.why_not(first)
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


# --- page and API


def test_the_page_asks_before_it_merges(as_, rep: User) -> None:
    gone, into = pair_of(rep, phone="+8613800000000")
    client, url = as_(rep), f"/customers/{into.pk}/merge/"
    page = client.get(url, {"with": gone.pk})
    assert page.status_code == 200
    chosen = {"with": gone.pk, "versions": f"{into.version}.{gone.version}", "name": "theirs"}
    asked = client.post(url, chosen)
    assert "confirmed" in asked.content.decode()
    assert Customer.objects.count() == 2
    done = client.post(url, {**chosen, "confirmed": "1"})
    assert done.status_code == 302
    assert Customer.objects.get().name == "Gone"
    record = Merge.objects.get()
    assert client.get(f"/customers/merges/{record.pk}/").status_code == 200
    again = client.post(url, {**chosen, "confirmed": "1"})
    assert again.status_code == 302
    client.post(f"/customers/merges/{record.pk}/undo/")
    assert Customer.objects.count() == 2


def test_a_choice_over_values_that_moved_meanwhile_is_asked_again(as_, rep: User) -> None:
    gone, into = pair_of(rep)
    into.save()
    chosen = {"with": gone.pk, "versions": "0.0", "confirmed": "1"}
    page = as_(rep).post(f"/customers/{into.pk}/merge/", chosen)
    assert page.status_code == 200
    assert Customer.objects.count() == 2


def test_the_page_does_not_name_a_supplier_out_of_sight(as_, rep: User, stranger: User) -> None:
    hidden = make_customer(owner=stranger, name="Hidden supplier")
    gone, into = pair_of(rep, parent=hidden)
    page = as_(rep).get(f"/customers/{into.pk}/merge/", {"with": gone.pk}).content.decode()
    assert "Hidden supplier" not in page


class TestApi:
    def post(self, client: Any, gone: int, into: Any, **more: Any) -> Any:
        return client.post(
            f"/api/v1/customers/{gone}/merge/", {"into": into}, format="json", **more
        )

    def test_the_file_goes_and_a_retry_answers_the_same(self, erp, rep: User) -> None:
        gone, into = pair_of(rep)
        first = self.post(erp, gone.pk, into.pk)
        assert (first.status_code, first.json()["id"]) == (200, into.pk)
        again = self.post(erp, gone.pk, into.pk)
        assert (again.status_code, again.json()) == (200, first.json())
        assert Merge.objects.count() == 1

    def test_gone_elsewhere_is_a_clash(self, erp, rep: User) -> None:
        gone, into = pair_of(rep)
        other = make_customer(owner=rep)
        self.post(erp, gone.pk, into.pk)
        assert self.post(erp, gone.pk, other.pk).status_code == 409
        assert self.post(erp, other.pk, gone.pk).status_code == 409

    @pytest.mark.parametrize("into", [None, "x", 0, -1, 2**63])
    def test_bad_input_is_refused(self, erp, rep: User, into: Any) -> None:
        gone, _into = pair_of(rep)
        assert self.post(erp, gone.pk, into).status_code == 400

    def test_into_itself_is_refused(self, erp, rep: User) -> None:
        gone, _into = pair_of(rep)
        assert self.post(erp, gone.pk, gone.pk).status_code == 400

    def test_what_is_out_of_sight_is_not_there(self, rep: User, stranger: User) -> None:
        from rest_framework.test import APIClient

        gone, into = pair_of(rep)
        own = make_customer(owner=stranger)
        client = APIClient()
        client.force_login(stranger)
        for one, other in ((gone, into), (own, into), (gone, own)):
            assert self.post(client, one.pk, other.pk).status_code == 404

    def test_a_key_that_only_reads_is_refused(self, rep: User) -> None:
        from rest_framework.test import APIClient

        from tests.factories import make_key

        _key, secret = make_key(scopes=["customers:read"])
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
        gone, into = pair_of(rep)
        assert self.post(client, gone.pk, into.pk).status_code == 403


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


def test_the_old_address_leads_to_the_survivor(as_, rep: User, stranger: User) -> None:
    gone, into = make_customer(owner=rep, name="Gone"), make_customer(owner=rep)
    merge(gone_id=gone.pk, into_id=into.pk, by=rep, now=NOW)
    answer = as_(rep).get(f"/customers/{gone.pk}/", follow=True)
    assert answer.redirect_chain == [(f"/customers/{into.pk}/", 302)]
    assert "“Gone” was merged into this file." in answer.content.decode()
    assert as_(stranger).get(f"/customers/{gone.pk}/").status_code == 404
