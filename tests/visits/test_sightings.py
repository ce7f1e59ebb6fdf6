"""Competitors seen in visits: how they are noted (P27, P52), and what the tiers are told (P9)."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from django.utils.timezone import localtime
from rest_framework.test import APIClient

from accounts.models import AuditEntry, User
from crm.lib.days import day_bounds
from customers.merging import merge
from customers.models import Customer
from customers.unmerging import undo
from tests.factories import (
    local,
    make_customer,
    make_key,
    make_order,
    make_sighting,
    make_visit,
)
from tests.visits.records import FULL
from tiers import actions as tier_actions
from tiers import loyal, tiering
from tiers.models import Assessment, TierPolicy
from visits import actions
from visits.actions import Seen
from visits.models import Competitor, Sighting, Visit, key_of
from visits.sightings import sightings

AT = local(2026, 6, 16, 10)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("金穗花", " 金 穗 花 "),
        ("金穗花", "金穂花".replace("穂", "穗")),
        ("金龍魚", "金龙鱼"),
        ("Ｌｅｅ　Ｋｕｍ", "lee kum"),
        ("Lee Kum", "LeeKum"),
        ("“海天”", "海天"),
    ],
)
def test_spellings_of_one_competitor_are_one(one: str, other: str) -> None:
    assert key_of(one) == key_of(other) != ""


def test_other_names_are_others() -> None:
    assert len({key_of(name) for name in ("金穗花", "金穗", "海天", "Lee Kum", "Lee")}) == 5


def record(visit: Visit, *seen: Seen, close: bool = True, now: datetime = AT) -> Visit:
    return actions.record_visit(
        visit=visit, answers=FULL, words="", purpose="", close=close, now=now, seen=seen
    )


def stored(visit: Visit) -> list[tuple[Any, ...]]:
    rows = visit.sightings.select_related("competitor").order_by("id")
    return [(r.competitor.name, r.product, r.size, r.price, r.note) for r in rows]


@pytest.fixture
def visit(customer: Customer, rep: User) -> Visit:
    return make_visit(customer, rep, status="checked_in", checked_in_at=local(2026, 6, 16, 9))


def test_a_visit_notes_several_and_the_first_spelling_stays(visit: Visit, customer, rep) -> None:
    record(
        visit,
        Seen("金穗花", "large", "菜籽油 5L", Decimal("58.00"), "买二送一"),
        Seen("海棠", "small"),
    )
    assert stored(visit) == [
        ("金穗花", "菜籽油 5L", "large", Decimal("58.00"), "买二送一"),
        ("海棠", "", "small", None, ""),
    ]
    assert {row.seen_at for row in visit.sightings.all()} == {local(2026, 6, 16, 9)}
    later = make_visit(customer, rep, status="checked_in", checked_in_at=AT)
    record(later, Seen("金 穗 花", "small"))
    assert stored(later)[0][0] == "金穗花"
    assert Competitor.objects.count() == 2


def test_what_stays_the_same_keeps_its_row_and_the_audit_log_tells_the_rest(visit) -> None:
    with translation.override("en"):
        record(visit, Seen("金穗花", "large"), Seen("海棠", "small"))
        kept = visit.sightings.get(competitor__name="海棠").pk
        before = Visit.objects.get(pk=visit.pk).version
        record(visit, Seen("海棠", "small"), Seen("金穗花", "medium", price=Decimal("9.9")))
    assert visit.sightings.get(competitor__name="海棠").pk == kept
    assert Visit.objects.get(pk=visit.pk).version == before + 1
    entry = AuditEntry.objects.of(visit).first()
    assert entry is not None
    assert entry.before["sightings"] == ["金穗花 · A lot", "海棠 · Little"]
    assert entry.after["sightings"] == ["海棠 · Little", "金穗花 · Some · 9.90"]


def test_a_form_that_says_nothing_leaves_them(visit: Visit) -> None:
    record(visit, Seen("金穗花", "large"))
    actions.record_visit(visit=visit, answers=FULL, words="x", purpose="", close=True, now=AT)
    assert len(stored(visit)) == 1
    record(visit)
    assert stored(visit) == []


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        ([Seen("·", "small")], "which competitor"),
        ([Seen("x", "huge")], "not a valid choice"),
        ([Seen("x", "small", price=Decimal(-1))], "greater than or equal to 0"),
        ([Seen(f"x{n}", "small") for n in range(21)], "At most 20"),
    ],
)
def test_refusals_leave_nothing_half_written(visit: Visit, seen: list[Seen], said: str) -> None:
    with translation.override("en"), pytest.raises(ValidationError, match=said):
        record(visit, Seen("海棠", "small"), *seen)
    assert not Sighting.objects.exists()
    assert not Competitor.objects.exists()
    assert Visit.objects.get(pk=visit.pk).status == "checked_in"


def test_only_while_the_visit_may_be_written(visit: Visit) -> None:
    record(visit, Seen("金穗花", "large"))
    with pytest.raises(ValidationError) as refused:
        record(visit, Seen("金穗花", "small"), now=AT + timedelta(days=1))
    assert refused.value.code == "closed"
    assert stored(visit)[0][2] == "large"


def test_sent_twice_it_is_noted_once(customer: Customer, rep: User) -> None:
    number = uuid4()

    def press() -> Visit:
        return actions.log_visit(
            client_id=number, customer=customer, rep=rep, at=AT, answers=FULL, words="",
            purpose="", close=True, now=AT, seen=[Seen("金穗花", "large"), Seen("海棠", "small")],
        )  # fmt: skip

    first = press()
    ids = set(first.sightings.values_list("pk", flat=True))
    assert set(press().sightings.values_list("pk", flat=True)) == ids
    assert len(ids) == 2


def test_a_merge_takes_them_along_and_back(rep: User, visit: Visit) -> None:
    gone, into = visit.customer, make_customer(owner=rep)
    record(visit, Seen("金穗花", "large"))
    one = merge(gone_id=gone.pk, into_id=into.pk, by=rep, now=AT)
    assert Sighting.objects.get(visit__customer=into)
    undo(merge_id=one.pk, by=rep, now=AT)
    assert Sighting.objects.get(visit__customer=gone)


# --- the REST API

VISITS = "/api/v1/visits/"


@pytest.fixture
def api(rep: User) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {make_key(rep)[1]}")
    return client


def sent(customer: Customer, **values: Any) -> dict[str, Any]:
    return {
        "client_id": str(uuid4()),
        "customer": customer.pk,
        "status": "done",
        "checked_in_at": (localtime() - timedelta(hours=1)).isoformat(timespec="seconds"),
        "answers": FULL,
        "sightings": [
            {"competitor": "金穗花", "product": "菜籽油", "size": "large", "price": "58.00"},
            {"competitor": "海棠", "size": "small", "note": "新货"},
        ],
        **values,
    }


def test_the_api_writes_and_reads_them_and_a_second_sending_is_the_same(api, customer) -> None:
    body = sent(customer)
    first, second = api.post(VISITS, body), api.post(VISITS, body)
    assert (first.status_code, second.status_code) == (201, 200), first.json()
    assert first.json() == second.json()
    assert first.json()["sightings"] == [
        {"competitor": "金穗花", "product": "菜籽油", "size": "large", "price": "58.00",
         "note": ""},
        {"competitor": "海棠", "product": "", "size": "small", "price": None, "note": "新货"},
    ]  # fmt: skip
    assert Sighting.objects.count() == 2


def test_the_api_replaces_what_is_sent_and_leaves_what_is_not(api, customer) -> None:
    made = api.post(VISITS, sent(customer)).json()
    url = f"{VISITS}{made['id']}/"
    assert len(api.patch(url, {"words": "好"}).json()["sightings"]) == 2
    tag = api.get(url)["ETag"]
    changed = api.patch(url, {"sightings": [{"competitor": "海棠", "size": "large"}]})
    assert [(s["competitor"], s["size"]) for s in changed.json()["sightings"]] == [
        ("海棠", "large")
    ]
    assert changed["ETag"] != tag
    late = api.patch(url, {"sightings": []}, HTTP_IF_MATCH=tag)
    assert late.status_code == 412
    assert api.patch(url, {"sightings": []}).json()["sightings"] == []


@pytest.mark.parametrize(
    "line",
    [
        {"competitor": "x"},
        {"size": "small"},
        {"competitor": "·", "size": "small"},
        {"competitor": "x" * 61, "size": "small"},
        {"competitor": "x", "size": "huge"},
        {"competitor": "x", "size": "small", "price": "-1"},
        {"competitor": "x", "size": "small", "price": "1.001"},
        "x",
    ],
)
def test_the_api_names_what_is_wrong(api, customer, line: Any) -> None:
    answer = api.post(VISITS, sent(customer, sightings=[line]))
    assert answer.status_code == 400
    (field,) = answer.json()["errors"]
    assert field.startswith("sightings.0"), field
    assert not Visit.objects.exists()


@pytest.mark.parametrize("status", ["cancelled", "missed"])
def test_the_api_refuses_sightings_of_what_did_not_take_place(api, customer, status) -> None:
    answer = api.post(VISITS, sent(customer, status=status, checked_in_at=None,
                                   scheduled_for=local(2026, 6, 1).isoformat()))  # fmt: skip
    assert answer.status_code == 400
    assert not Visit.objects.exists()


def test_a_list_of_the_api_costs_the_same_with_more_sightings(api, customer, rep) -> None:
    api.get(VISITS)  # what is read once
    costs = []
    for _more in range(2):
        for _again in range(6):
            visit = make_visit(customer, rep, status="done", checked_in_at=AT)
            make_sighting(visit)
            make_sighting(visit, "海棠")
        with CaptureQueriesContext(connection) as queries:
            rows = api.get(VISITS).json()["results"]
        costs.append(len(queries))
    assert costs[0] == costs[1]
    assert sum(len(row["sightings"]) for row in rows) == 24


# --- what the tiers are told


def test_p9_numbers_are_those_of_a_plain_recount(rep: User) -> None:
    """In closed visits only, by the company's days: the last minute before midnight counts."""
    chance = Random("sightings")
    first, last = date(2026, 3, 1), date(2026, 5, 31)
    edges = [
        local(2026, 2, 28, 23, 59), local(2026, 3, 1), local(2026, 5, 31, 23, 59),
        local(2026, 6, 1),
    ]  # fmt: skip
    expected: Counter[int] = Counter()
    for _customer in range(12):
        customer = make_customer(owner=rep)
        for _visit in range(chance.randrange(5)):
            at = chance.choice(
                [*edges, local(2026, chance.randint(1, 8), chance.randint(1, 28), 12)]
            )
            status = chance.choice(["done", "done", "checked_in", "cancelled"])
            visit = make_visit(customer, rep, scheduled_for=AT, checked_in_at=at, status=status)
            for _sighting in range(chance.randrange(4)):
                make_sighting(visit, chance.choice(["金穗花", "海棠"]))
                day = at.strftime("%Y-%m-%d")  # told in Shanghai
                if status == "done" and "2026-03-01" <= day <= "2026-05-31":
                    expected[customer.pk] += 1
    start, end = day_bounds(first, last)
    assert expected
    assert dict(sightings(start=start, end=end)) == expected


def test_p9_a_customer_where_too_many_competitors_were_seen_is_not_loyal(rep: User, db) -> None:
    """As many as the policy allows: loyal; one more: a switcher, and the page says why."""
    policy = TierPolicy.objects.in_force(date(2026, 6, 16)).first()
    assert policy is not None
    policy.most_sightings, policy.loyal_months, policy.switcher_months = 3, 3, 2
    policy.save()
    faithful, tempted, unseen = (make_customer(owner=rep) for _one in range(3))
    for customer, number in ((faithful, 3), (tempted, 4), (unseen, 0)):
        for month in (1, 2, 3):
            make_order(customer, 10, ordered_at=local(2026, month, 3))
        for n in range(number):
            visit = make_visit(customer, rep, status="done", checked_in_at=local(2026, 5, 1 + n))
            make_sighting(visit)
        off = make_visit(customer, rep, status="cancelled", checked_in_at=local(2026, 5, 9))
        make_sighting(off)
        early = make_visit(customer, rep, status="done", checked_in_at=local(2025, 5, 9))
        make_sighting(early)
    now = local(2026, 6, 17, 9)
    job, _new = tier_actions.open_run(as_of=date(2026, 6, 16), user=None, now=now)
    tiering.run(job.pk, now=now)
    found = {
        customer.pk: (customer.loyalty, customer.assessment.sightings)
        for customer in Customer.objects.select_related("assessment")
    }
    assert found == {
        faithful.pk: ("loyal", 3), tempted.pk: ("switcher", 4), unseen.pk: ("loyal", 0)
    }  # fmt: skip
    with translation.override("en"):
        facts = {
            str(fact.label): fact
            for fact in loyal.facts(Assessment.objects.get(customer=tempted), policy)
        }
    fact = facts["Competitor sightings"]
    assert (fact.value, fact.asked, fact.met) == ("4", "at most 3", False)


def test_p9_the_page_of_the_tier_shows_the_number(as_, rep: User) -> None:
    test_p9_a_customer_where_too_many_competitors_were_seen_is_not_loyal(rep, None)
    tempted = Customer.objects.get(loyalty="switcher")
    shown = as_(rep).get(f"/tiers/of-customer/{tempted.pk}/").content.decode()
    assert '<div>Competitor sightings</div><div class="t3 fs-xs">at most 3</div>' in shown
    assert '<span class="st st-warn">4</span>' in shown
