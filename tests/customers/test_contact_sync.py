"""Contacts in bulk: fields, customers, birthdays; sent twice, sent by many at once."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from accounts.models import AuditEntry, SyncCall
from customers import birthdays
from customers.models import Alias, Contact, Customer, IndexCard
from tests.factories import make_contact, make_customer, make_key
from tests.syncing import Bulk

URL = "/api/v1/contacts/sync/"
BEGIN = datetime(2026, 6, 1, tzinfo=UTC)
bulk = Bulk(URL)
sync, became = bulk.sync, bulk.became


def contact(number: str = "P-1", **values: Any) -> dict[str, Any]:
    return {"external_id": number, "customer": "C-1", "name": f"Contact {number}", **values}


@pytest.fixture
def one(rep) -> Customer:
    return make_customer(external_id="C-1", owner=rep)


@pytest.mark.django_db
def test_every_field_comes_in_and_a_second_sending_changes_nothing(erp, one):
    record = contact(
        name=" 王建国 ",
        gender="male",
        title="总经理",
        phone="138 0013 8000",
        email="wang@example.cn",
        wechat="wang",
        birthday="1971-05-12",
        birthday_calendar="lunar",
        birthday_leap=True,
        buying_role="decision_maker",
        rapport=82,
        likes="龙井",
        source_updated_at="2026-06-01T08:00:00+08:00",
    )
    assert became(erp, record) == {"created": 1}
    stored = Contact.objects.get()
    assert (stored.customer, stored.name, stored.phone) == (one, "王建国", "+8613800138000")
    assert stored.birthday == ("lunar", 5, 12, True, 1971)
    assert (stored.gender, stored.title, stored.email) == ("male", "总经理", "wang@example.cn")
    assert (stored.wechat, stored.rapport, stored.likes) == ("wang", 82, "龙井")
    assert (stored.buying_role, stored.has_left) == ("decision_maker", False)
    assert "王建国" in one.card.text
    assert became(erp, record) == {"unchanged": 1}
    assert Contact.objects.get().version == 1
    entry = AuditEntry.objects.of(stored).get()
    assert (entry.action, entry.through, entry.object_name) == ("create", "sync", "王建国")
    assert SyncCall.objects.values_list("resource", "created").last() == ("contacts", 1)


@pytest.mark.django_db
def test_null_empties_a_field_and_what_is_left_out_stays(erp, one):
    make_contact(
        one, external_id="P-1", title="Boss", rapport=5, birthday_calendar="lunar",
        birth_month=5, birth_day=3, birthday_leap=True, birth_year=1971,
    )  # fmt: skip
    assert became(
        erp, {"external_id": "P-1", "title": None, "rapport": None, "birthday": None}
    ) == {"updated": 1}
    stored = Contact.objects.get()
    assert (stored.title, stored.rapport, stored.birthday_text) == ("", None, "")
    assert (stored.birthday_calendar, stored.birthday_leap) == ("lunar", False)
    assert stored.customer == one


@pytest.mark.django_db
def test_a_phone_that_nobody_can_read_is_kept(erp, one):
    assert became(erp, contact(phone="13800138000/13900139000")) == {"created": 1}
    assert Contact.objects.get().phone == "13800138000/13900139000"
    assert became(erp, contact(phone="13800138000/13900139000")) == {"unchanged": 1}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"customer": "C-404"}, "customer", "No customer has external_id 'C-404'."),
        ({"customer": None}, "customer", "cannot be empty"),
        ({"name": ""}, "name", "cannot be empty"),
        ({"gender": "x"}, "gender", "“x” is not one of: female, male."),
        ({"buying_role": "boss"}, "buying_role", "is not one of: decision_maker"),
        ({"birthday_calendar": "julian"}, "birthday_calendar", "is not one of: solar, lunar."),
        ({"email": "x"}, "email", "valid email"),
        ({"rapport": 101}, "rapport", "100"),
        ({"rapport": "x"}, "rapport", "whole number"),
        ({"birthday": "16.6.68"}, "birthday", "Write a birthday as"),
        ({"birthday": "1968-02-31"}, "birthday", "Month 2 has 29 days at most."),
        ({"birthday": "1899"}, "birthday", "Give a year of birth from 1900 to 2100."),
        (
            {"birthday": "--01-03", "birthday_calendar": "lunar", "birthday_leap": True},
            "birthday",
            "No lunar year has a leap month after month 1.",
        ),
    ],
)
def test_a_wrong_contact_is_rejected_by_field_and_stops_no_other(erp, one, values, field, words):
    answer = sync(erp, contact(**values), contact("P-2"))
    assert (answer["created"], answer["rejected"]) == (1, 1)
    (error,) = answer["errors"]
    assert (error["index"], error["external_id"]) == (0, "P-1")
    assert words in " ".join(error["errors"][field])


@pytest.mark.django_db
def test_a_change_is_judged_with_what_is_stored(erp, one):
    became(erp, contact(birthday="--02-30", birthday_calendar="lunar"))
    error = sync(erp, {"external_id": "P-1", "birthday_calendar": "solar"})["errors"][0]
    assert error["errors"] == {"birthday": ["Month 2 has 29 days at most."]}


@pytest.mark.django_db
def test_what_is_out_of_sight_can_neither_be_changed_nor_referred_to(rep, stranger, one):
    theirs = make_customer(external_id="HIDDEN", owner=stranger)
    make_contact(theirs, external_id="P-9")
    client = APIClient()
    client.force_login(rep)
    answer = sync(client, contact("P-9"), contact(customer="HIDDEN"), contact("P-3"))
    assert (answer["created"], answer["rejected"]) == (1, 2)
    assert [error["errors"] for error in answer["errors"]] == [
        {"external_id": ["This external_id cannot be used."]},
        {"customer": ["No customer has external_id 'HIDDEN'."]},
    ]


@pytest.mark.django_db
def test_the_number_of_a_merged_file_means_the_one_that_survived(erp, one):
    Alias.objects.create(external_id="C-OLD", customer=one)
    assert became(erp, contact(customer="C-OLD")) == {"created": 1}
    assert Contact.objects.get().customer == one


@pytest.mark.django_db
def test_who_goes_to_another_customer_is_found_there_only(erp, one):
    other = make_customer(external_id="C-2")
    became(erp, contact(name="王建国"))
    became(erp, contact(name="王建国", customer="C-2"))
    cards = dict(IndexCard.objects.values_list("customer", "text"))
    assert "王建国" not in cards[one.pk]
    assert "王建国" in cards[other.pk]


@pytest.mark.django_db
def test_an_older_record_is_stale(erp, one):
    became(erp, contact(title="New", source_updated_at="2026-06-02T00:00:00Z"))
    old = contact(title="Old", source_updated_at="2026-06-01T00:00:00Z")
    assert became(erp, old) == {"stale": 1}
    assert Contact.objects.get().title == "New"


@pytest.mark.django_db
def test_with_atomic_one_rejection_writes_nothing(erp, one):
    answer = erp.post(f"{URL}?atomic=true", [contact(), contact("P-2", rapport=-1)], format="json")
    assert answer.status_code == 422
    assert not Contact.objects.exists()


@pytest.mark.django_db
def test_the_number_of_queries_does_not_grow_with_the_batch(erp, one):
    def cost(batch: range) -> int:
        records = [contact(f"P-{n}", phone=f"138{n:08d}") for n in batch]
        with CaptureQueriesContext(connection) as queries:
            assert became(erp, *records) == {"created": len(records)}
        return len(queries)

    cost(range(1))
    few = cost(range(1, 3))
    assert cost(range(3, 60)) == few


PARTS = st.builds(
    birthdays.Parts, st.none() | st.integers(1950, 2010), st.integers(1, 12), st.integers(1, 30)
)
RECORDS = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["王建国", "李秀兰"]),
        "phone": st.sampled_from(["13800138000", "+86 138 0013 8000", "ask", "", None]),
        "title": st.sampled_from(["经理", "", None]),
        "birthday": PARTS.map(birthdays.as_text) | st.sampled_from(["", "1968", None]),
        "birthday_calendar": st.sampled_from(["solar", "lunar", None]),
        "birthday_leap": st.booleans(),
        "rapport": st.none() | st.integers(0, 100),
        "has_left": st.booleans(),
    },
)


@pytest.mark.django_db
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(batch=st.lists(st.tuples(st.integers(1, 3), RECORDS), max_size=6))
def test_whatever_is_sent_twice_is_unchanged_and_every_birthday_exists(erp, one, batch):
    """The last of several with one number counts; what was taken is taken again unchanged."""
    Contact.objects.all().delete()
    latest = {f"P-{number}": contact(f"P-{number}", **values) for number, values in batch}
    sync(erp, *latest.values())
    again = sync(erp, *latest.values())
    assert (again["created"], again["updated"]) == (0, 0)
    for stored in Contact.objects.all():
        assert stored.birthday is None or birthdays.fault(stored.birthday) == ""
        stored.full_clean()


@pytest.mark.django_db(transaction=True)
def test_eight_syncs_of_the_same_contacts_fail_nothing_and_lose_nothing(transactional_db):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time: there is nothing to interleave")
    for number in range(10):
        make_customer(external_id=f"C-{number}")
    _key, secret = make_key()

    def post(batches: list[list[dict[str, Any]]]) -> list[tuple[int, Any]]:
        client = APIClient(raise_request_exception=False)
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
        answers = [client.post(URL, records, format="json") for records in batches]
        return [(answer.status_code, answer.json()) for answer in answers]

    newest: dict[str, int] = {}
    works: list[Callable[[], Any]] = []
    for worker in range(8):
        dice = random.Random(worker)
        batches = []
        for _round in range(4):
            stamps = {f"P-{n}": dice.randint(1, 500) for n in dice.sample(range(60), 40)}
            batches.append([stamped(name, stamp) for name, stamp in stamps.items()])
            for name, stamp in stamps.items():
                newest[name] = max(newest.get(name, 0), stamp)
        works.append(partial(post, batches))
    answers = [answer for answers in together(*works) for answer in answers]
    assert {status for status, _body in answers} == {200}
    assert sum(body["rejected"] for _status, body in answers) == 0
    assert sum(body["created"] for _status, body in answers) == len(newest)
    stored = {str(c.external_id): c for c in Contact.objects.select_related("customer__card")}
    assert {name: int(c.title) for name, c in stored.items()} == newest
    for one in stored.values():
        assert one.customer.external_id == f"C-{int(one.title) % 10}"
        assert one.name.lower() in one.customer.card.text


def stamped(name: str, stamp: int) -> dict[str, Any]:
    """Everything in the contact says which stamp it came with, the customer too."""
    return {
        "external_id": name,
        "customer": f"C-{stamp % 10}",
        "name": f"{name} at {stamp}",
        "title": str(stamp),
        "source_updated_at": (BEGIN + timedelta(minutes=stamp)).isoformat(),
    }


def together(*works: Callable[[], Any]) -> list[Any]:
    """Run all works at the same moment, each on a connection of its own."""
    start = threading.Barrier(len(works))

    def run(work: Callable[[], Any]) -> Any:
        try:
            start.wait(10)
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return [future.result(120) for future in [pool.submit(run, work) for work in works]]
