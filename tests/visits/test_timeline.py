"""What visits tell on the customer's timeline."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from django.utils import translation
from django.utils.timezone import localtime

from accounts.models import User
from customers.models import Customer
from customers.timeline import collect
from tests.factories import local, make_sighting, make_visit
from visits.timeline.visits import KIND, entries


def test_visits_are_told_newest_first(customer: Customer, rep: User) -> None:
    make_visit(customer, rep, status="done", checked_in_at=local(2026, 6, 16, 9), words="贵了点")
    visit = make_visit(
        customer,
        rep,
        status="done",
        scheduled_for=local(2026, 6, 10, 9),
        checked_in_at=local(2026, 6, 17, 9),
        purpose="补货",
        answers={"sales": "slow", "new_need": True, "new_need_note": "1.8 L"},
    )
    for name in ("金穗花", "海棠", "金穗花"):
        make_sighting(visit, name)
    make_visit(customer, rep, status="missed", scheduled_for=local(2026, 6, 1, 9))
    make_visit(customer, rep, status="planned")
    make_visit(customer, rep, status="cancelled")
    with translation.override("en"):
        found = entries(customer, before=None, limit=10)
    assert [entry.at for entry in found] == [
        local(2026, 6, 17, 9),
        local(2026, 6, 16, 9),
        local(2026, 6, 1, 9),
    ]
    assert found[0].text == "补货 · Sales: Slow · New need: 1.8 L · Competitors seen: 金穗花, 海棠"
    assert found[1].words == "贵了点"
    assert found[2].title == "Rep missed a planned visit"
    assert found[0].url.startswith("/visits/")


def test_older_entries_begin_before_the_last_one(
    customer: Customer, rep: User, django_assert_num_queries
) -> None:
    for day in range(1, 8):
        at = local(2026, 6, day, 9)
        visit = make_visit(customer, rep, status="done", scheduled_for=at, checked_in_at=at)
        make_sighting(visit)
    with django_assert_num_queries(3):
        first = entries(customer, before=None, limit=3)
    rest = entries(customer, before=first[-1].at, limit=10)
    assert [entry.at.astimezone(local(2026, 6, 1).tzinfo).day for entry in first + rest] == [
        *range(7, 0, -1)
    ]


def test_the_manager_sees_the_rep_s_visit_at_once(as_, rep, manager, customer) -> None:
    as_(rep).post(
        "/visits/new/",
        {
            "customer": customer.pk,
            "client_id": uuid4(),
            "at": f"{localtime() - timedelta(minutes=1):%Y-%m-%dT%H:%M}",
            "sales": "very_good",
            "new_need": "yes",
            "new_need_note": "想要 1.8L 小瓶装",
            "new_products": ["none"],
            "care": ["none"],
            "words": "给工厂食堂发福利",
            "close": "1",
        },
    )
    assert any(entry.kind == KIND for entry in collect(customer, before=None).entries)
    page = as_(manager).get(f"/customers/{customer.pk}/").content.decode()
    assert "Rep visited" in page
    assert "想要 1.8L 小瓶装" in page
    assert "给工厂食堂发福利" in page
