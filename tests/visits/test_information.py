"""Market information: whom it fits, the letter, sending it once, what came of it (P26)."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import AuditEntry, User
from customers.merging import merge
from customers.models import Customer
from customers.timeline import collect
from customers.unmerging import undo
from tests.factories import (
    local,
    make_contact,
    make_customer,
    make_information,
    make_order,
    make_product,
    make_sending,
    make_suggestion,
    make_user,
)
from visits.actions import send_information, take_back_sendings, write_information
from visits.informing import audience, fits, letter, whom_it_helps
from visits.models import MarketInformation, Outcome, Sending
from visits.taking_up import by_month, by_person, by_source, tally

TODAY = date(2026, 6, 16)
NOW = local(2026, 6, 16, 12)


def send(information: MarketInformation, by: User, **values: Any) -> list[Sending]:
    values = {"customers": Customer.objects.all(), "way": "message", "sent_at": NOW, **values}
    return send_information(information=information, by=by, now=NOW, **values)


def fitting(information: MarketInformation, user: User) -> set[str]:
    found = fits(information, Customer.objects.visible_to(user), today=TODAY)
    return set(found.values_list("name", flat=True))


@pytest.fixture
def market(rep: User) -> dict[str, Customer]:
    """Five customers that differ in what the rules look at, and what they bought."""
    oil = make_product(category="食用油")
    vinegar = make_product(category="食醋")
    made = {
        "dealer": make_customer(
            owner=rep, name="dealer", kind="dealer", abc="A", division="330602", tags=["会员"]
        ),
        "outlet": make_customer(
            owner=rep, name="outlet", kind="outlet", abc="C", division="330105", tags=["夜市"]
        ),
        "buyer": make_customer(owner=rep, name="buyer", kind="group_buyer", division="320500"),
        "old": make_customer(owner=rep, name="old", kind="dealer", abc="B", division="340100"),
        "undone": make_customer(owner=rep, name="undone", kind="dealer", abc="B"),
    }
    make_order(made["dealer"], lines=[(oil, "1", "5")], ordered_at=local(2026, 6, 16, 23, 59))
    make_order(made["outlet"], lines=[(vinegar, "1", "5")], ordered_at=local(2025, 6, 17))
    make_order(made["old"], lines=[(oil, "1", "5")], ordered_at=local(2025, 6, 16, 23, 59))
    make_order(made["undone"], lines=[(oil, "1", "5")], status="cancelled")
    return made


EVERYBODY = {"dealer", "outlet", "buyer", "old", "undone"}


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({}, EVERYBODY),
        ({"kinds": ["outlet", "group_buyer"]}, {"outlet", "buyer"}),
        ({"tiers": ["A", "B"]}, {"dealer", "old", "undone"}),
        ({"tiers": ["C", "none"]}, {"outlet", "buyer"}),
        ({"areas": ["33"]}, {"dealer", "outlet"}),
        ({"areas": ["3306", "32"]}, {"dealer", "buyer"}),
        ({"areas": ["330602"]}, {"dealer"}),
        ({"tags": ["会员"]}, {"dealer"}),
        ({"tags": ["会员", "夜市"]}, {"dealer", "outlet"}),
        ({"tags": ["会"]}, set()),
        ({"categories": ["食用油"]}, {"dealer"}),
        ({"categories": ["食用油", "食醋"]}, {"dealer", "outlet"}),
        ({"categories": ["食醋"], "tiers": ["A"]}, set()),
        ({"kinds": ["dealer"], "areas": ["33"], "tags": ["会员"], "tiers": ["A"]}, {"dealer"}),
    ],
)
def test_p26_information_fits_whom_its_rules_describe(market, rep, rules, expected) -> None:
    assert fitting(make_information(rep, **rules), rep) == expected


@pytest.mark.parametrize("seed", range(6))
def test_p26_what_fits_is_what_plain_python_counts(rep: User, seed: int) -> None:
    rng = Random(seed)
    products = {name: make_product(category=name) for name in ("油", "醋")}
    facts = []
    for number in range(14):
        one: dict[str, Any] = {
            "name": f"c{number}",
            "kind": rng.choice(["dealer", "outlet"]),
            "abc": rng.choice(["A", "B", None]),
            "division": rng.choice(["330602", "320500", ""]),
            "tags": rng.sample(["x", "y"], rng.randrange(3)),
        }
        customer = make_customer(owner=rep, **one)
        bought = set()
        for name in rng.sample(list(products), rng.randrange(3)):
            days = rng.choice([0, 100, 364, 365, 366, 500])
            at = local(2026, 6, 16, 10) - timedelta(days=days)
            make_order(customer, lines=[(products[name], "1", "1")], ordered_at=at)
            if days < 365:
                bought.add(name)
        facts.append({**one, "bought": bought})
    rules = {
        "kinds": rng.choice([[], ["dealer"]]),
        "tiers": rng.choice([[], ["A"], ["B", "none"]]),
        "areas": rng.choice([[], ["33"], ["3205", "3306"]]),
        "tags": rng.choice([[], ["x"], ["x", "y"]]),
        "categories": rng.choice([[], ["油"]]),
    }
    wanted = {
        one["name"]
        for one in facts
        if (not rules["kinds"] or one["kind"] in rules["kinds"])
        and (not rules["tiers"] or (one["abc"] or "none") in rules["tiers"])
        and (not rules["areas"] or any(one["division"].startswith(a) for a in rules["areas"]))
        and (not rules["tags"] or set(one["tags"]) & set(rules["tags"]))
        and (not rules["categories"] or one["bought"] & set(rules["categories"]))
    }
    assert fitting(make_information(rep, **rules), rep) == wanted


def test_p26_whom_it_fits_is_in_the_reader_s_sight_and_has_not_received_it(
    market, rep, manager, stranger
) -> None:
    known = make_information(rep, kinds=["dealer"])
    make_sending(market["dealer"], rep, known)
    make_sending(market["old"], rep, make_information(rep))
    assert fitting(known, rep) == fitting(known, manager) == {"old", "undone"}
    assert fitting(known, stranger) == set()
    every = audience(known, Customer.objects.visible_to(rep), today=TODAY)
    assert every.count() == 3


def test_whom_it_helps_is_said_in_words(rep: User) -> None:
    rules = {
        "kinds": ["dealer", "outlet"], "tiers": ["B", "A", "none"], "areas": ["33", "3205"],
        "categories": ["食用油"], "tags": ["会员"],
    }  # fmt: skip
    with translation.override("en"):
        assert whom_it_helps(make_information(rep)) == "All customers"
        assert whom_it_helps(make_information(rep, **rules)) == (
            "Dealer, Outlet · Tier A, Tier B · without a tier · 浙江省, 苏州市 · "
            "buys 食用油 · tagged 会员"
        )


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"valid_until": date(2026, 5, 31)}, "valid_until"),
        ({"kinds": ["shop"]}, "kinds"),
        ({"tiers": ["D"]}, "tiers"),
        ({"areas": ["浙江"]}, "areas"),
        ({"areas": ["3"]}, "areas"),
        ({"categories": "食用油"}, "categories"),
        ({"tags": [""]}, "tags"),
        ({"tags": [f"t{n}" for n in range(31)]}, "tags"),
        ({"title": ""}, "title"),
    ],
)
def test_information_that_cannot_be_is_refused(rep: User, values, field) -> None:
    usual = {"title": "x", "text": "y", "source": "read", "learned_on": date(2026, 6, 1)}
    with pytest.raises(ValidationError) as refused:
        write_information(information=MarketInformation(**{**usual, **values}), by=rep)
    assert field in refused.value.message_dict
    assert not MarketInformation.objects.exists()


# --- the letter


def test_p26_the_letter_says_what_it_is_where_from_and_by_whom(rep: User) -> None:
    known = make_information(
        rep, title="Oil & salt", text="Line 1\nLine 2 50% +", where="Weekly", source="read",
        valid_until=date(2026, 7, 1),
    )  # fmt: skip
    with translation.override("en"):
        text = letter(known, name="Ms Li", sender="Rep", company="Yunling", today=TODAY)
    assert text.subject == "Oil & salt"
    assert text.body.split("\n") == [
        "Ms Li,", "", "Line 1", "Line 2 50% +", "", "Source: Read, Weekly, 1 Jun",
        "Holds until 1 Jul", "", "Rep", "Yunling", "16 Jun",
    ]  # fmt: skip
    to = urlsplit(text.mailto("li@example.com"))
    assert (to.scheme, to.path) == ("mailto", "li@example.com")
    assert parse_qs(to.query) == {"subject": [text.subject], "body": [text.body]}
    assert "+" not in to.query  # mail programs take a plus for what it is


# --- sending


def test_p26_the_same_information_reaches_a_customer_once(market, rep: User) -> None:
    known = make_information(rep)
    first = send(known, rep, customers=Customer.objects.filter(kind="dealer"))
    assert {one.customer.name for one in first} == {"dealer", "old", "undone"}
    again = send(known, rep, way="call", note="again")
    assert {one.customer.name for one in again} == {"outlet", "buyer"}
    assert Sending.objects.count() == 5
    assert send(known, rep) == []
    entries = AuditEntry.objects.filter(model="visits.sending", action="create")
    assert entries.count() == 5
    assert {entry.after["customer_id"] for entry in entries} == {
        one.pk for one in Customer.objects.all()
    }


def test_only_customers_in_sight_are_sent_to(market, stranger: User, finance: User) -> None:
    known = make_information()
    assert send(known, stranger) == []
    with pytest.raises(PermissionDenied):
        send(known, finance)
    assert not Sending.objects.exists()


@pytest.mark.parametrize(
    ("sent_at", "field"),
    [
        (NOW + timedelta(minutes=1), "sent_on"),
        (local(2026, 5, 31, 23, 59), "sent_on"),
    ],
)
def test_a_moment_that_cannot_be_is_refused(market, rep, sent_at, field) -> None:
    with pytest.raises(ValidationError) as refused:
        send(make_information(rep), rep, sent_at=sent_at)
    assert list(refused.value.message_dict) == [field]


def test_a_person_of_another_customer_is_refused(market, rep: User) -> None:
    other = make_contact(market["old"])
    with pytest.raises(ValidationError):
        send(
            make_information(rep), rep, contact=other,
            customers=Customer.objects.filter(pk=market["dealer"].pk),
        )  # fmt: skip
    assert not Sending.objects.exists()


@pytest.mark.parametrize(
    ("until", "sent_at", "in_time"),
    [
        (None, NOW, True),
        (date(2026, 6, 16), local(2026, 6, 16, 11, 59), True),
        (date(2026, 6, 15), local(2026, 6, 15, 23, 59), True),
        (date(2026, 6, 15), local(2026, 6, 16, 0, 0), False),
        (date(2026, 6, 14), NOW, False),
    ],
)
def test_p26_in_time_is_a_day_of_the_company(rep, customer, until, sent_at, in_time) -> None:
    known = make_information(rep, valid_until=until)
    (sending,) = send(known, rep, sent_at=sent_at)
    assert sending.was_in_time is in_time
    assert Sending.objects.sent_late().exists() is not in_time


@pytest.mark.django_db(transaction=True)
def test_two_people_at_once_send_it_once() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time: there is nothing to interleave")
    people = [make_user(role="service"), make_user(role="service")]
    known = make_information(people[0])
    for _n in range(12):
        make_customer()
    start = threading.Barrier(2)

    def press(person: User) -> int:
        try:
            start.wait(10)
            return len(send(known, person))
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(press, people)) == [0, 12]
    assert Sending.objects.count() == 12


def test_what_was_noted_by_mistake_is_taken_back_unless_its_outcome_is_known(
    market, rep, stranger
) -> None:
    made = send(make_information(rep), rep)
    ids = [one.pk for one in made]
    made[0].answer(outcome="taken_up", words="Ordered", on=TODAY)
    assert take_back_sendings(ids=ids, by=stranger) == 0
    assert take_back_sendings(ids=ids, by=rep) == len(made) - 1
    assert list(Sending.objects.values_list("pk", flat=True)) == [made[0].pk]
    gone = AuditEntry.objects.filter(model="visits.sending", action="delete")
    assert gone.count() == len(made) - 1
    assert take_back_sendings(ids=ids, by=rep) == 0


def test_p26_an_outcome_is_said_changed_and_taken_back(customer, rep: User) -> None:
    sending = make_sending(customer, rep)
    sending.answer(outcome="taken_up", words=" Ordered 20 ", on=TODAY)
    said = Sending.objects.get()
    assert (said.outcome, said.outcome_words) == ("taken_up", "Ordered 20")
    assert said.outcome_on == TODAY
    said.answer(outcome="taken_up", words="Ordered 20", on=TODAY + timedelta(days=1))
    again = Sending.objects.get()
    assert (again.version, again.outcome_on) == (sending.version, TODAY)
    with pytest.raises(ValidationError):
        sending.answer(outcome="waiting", words="", on=TODAY)
    with pytest.raises(ValidationError):
        sending.answer(outcome="taken_up", words="x" * 501, on=TODAY)
    sending.refresh_from_db()
    sending.wait_again()
    open_again = Sending.objects.get()
    assert open_again.is_waiting
    assert (open_again.outcome_words, open_again.outcome_on) == ("", None)


# --- the report

SENT = st.lists(
    st.tuples(
        st.sampled_from(["read", "heard", "seen"]),
        st.sampled_from(Outcome.values),
        st.integers(0, 70),
        st.integers(0, 1),
    ),
    max_size=12,
)


@pytest.mark.django_db
@settings(max_examples=15, deadline=None)
@given(sent=SENT)
def test_p26_the_shares_are_those_that_plain_python_counts(sent) -> None:
    Sending.objects.all().delete()
    people = [make_user(), make_user()]
    facts = []
    for source, outcome, days, who in sent:
        at = local(2026, 6, 30, 23, 30) - timedelta(days=days)
        make_sending(
            make_customer(), people[who], make_information(people[0], source=source),
            outcome=outcome, sent_at=at,
        )  # fmt: skip
        facts.append((source, outcome, f"{at:%Y-%m}", people[who].username))
    rows = Sending.objects.all()
    total = tally(rows)
    assert total.sent == len(sent)
    assert total.taken_up == sum(outcome == "taken_up" for _s, outcome, *_rest in facts)
    assert total.sent == total.taken_up + total.not_taken_up + total.waiting
    assert total.share == (total.taken_up / len(sent) if sent else None)
    for told, place, name in (
        (by_source(rows), 0, "source"),
        (by_person(rows), 3, "by"),
    ):
        got = {one.narrowed[name]: (one.sent, one.taken_up) for one in told}
        assert got == counted(facts, place)
    assert {one.name: (one.sent, one.taken_up) for one in by_month(rows, {})} == counted(facts, 2)


def counted(facts: Sequence[tuple[str, ...]], place: int) -> dict[str, tuple[int, int]]:
    return {
        key: (
            sum(one[place] == key for one in facts),
            sum(one[place] == key and one[1] == "taken_up" for one in facts),
        )
        for key in {one[place] for one in facts}
    }


def test_a_month_that_the_filter_cuts_is_opened_with_it(customer, rep: User) -> None:
    make_sending(customer, rep, sent_at=local(2026, 6, 10))
    (one,) = by_month(Sending.objects.all(), {"sent_from": "2026-06-05", "sent_to": "2026-06-20"})
    assert one.narrowed == {"sent_from": "2026-06-05", "sent_to": "2026-06-20"}


# --- beside it


def test_p26_the_timeline_tells_what_was_sent_and_suggested(customer, rep, manager) -> None:
    known = make_information(rep, title="Oil rises")
    sending = make_sending(customer, rep, known)
    sending.answer(outcome="taken_up", words="Ordered 20", on=TODAY)
    make_suggestion(customer, rep, text="Move the shelf", state="declined", outcome_words="No room")
    with translation.override("en"):
        told = {one.kind: one for one in collect(customer, before=None).entries}
    assert told["information"].title == "Sent: Oil rises"
    assert told["information"].text == "Message · Rep · Taken up"
    assert told["information"].words == "Ordered 20"
    assert told["suggestion"].title == "Suggested: Move the shelf"
    assert told["suggestion"].words == "No room"
    older = collect(customer, before=sending.sent_at).entries
    assert "information" not in {one.kind for one in older}


def test_p26_two_files_that_received_the_same_are_one_and_two_again(rep: User) -> None:
    gone, into = make_customer(owner=rep), make_customer(owner=rep)
    both, one = make_information(rep), make_information(rep)
    told = {"outcome": "taken_up", "outcome_words": "Ordered", "outcome_on": TODAY}
    make_sending(gone, rep, both, **told)
    make_sending(into, rep, both)
    make_sending(gone, rep, one)
    suggestion = make_suggestion(gone, rep)
    record = merge(gone_id=gone.pk, into_id=into.pk, by=rep, now=NOW)
    rows = {row.information_id: row for row in Sending.objects.filter(customer=into)}
    assert rows.keys() == {both.pk, one.pk}
    assert (rows[both.pk].outcome, rows[both.pk].outcome_words) == ("taken_up", "Ordered")
    suggestion.refresh_from_db()
    assert suggestion.customer_id == into.pk
    undo(merge_id=record.pk, by=rep, now=NOW)
    assert Sending.objects.filter(customer=gone).count() == 2
    assert Sending.objects.get(customer=into).outcome == "waiting"
    suggestion.refresh_from_db()
    assert suggestion.customer_id == gone.pk
