"""Who is due for a visit (P28)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from accounts.models import User
from customers.models import Customer
from tests.factories import local, make_customer, make_visit
from visits.cadence import most_urgent_first, overdue, page_after, with_next_visit
from visits.models import Cadence

TODAY = date(2026, 6, 16)


def late(today: date = TODAY) -> list[str]:
    found = overdue(Customer.objects.all(), Cadence.objects.all(), today)
    return [customer.name for customer in most_urgent_first(found)]


def seen(days_ago: int) -> date:
    return TODAY - timedelta(days=days_ago)


@pytest.mark.django_db
def test_the_company_begins_with_30_60_and_120_days() -> None:
    assert dict(Cadence.objects.values_list("abc", "every_days")) == {"A": 30, "B": 60, "C": 120}


@pytest.mark.parametrize(
    ("abc", "days_ago", "is_late"),
    [
        ("A", 30, False),
        ("A", 31, True),
        ("B", 60, False),
        ("B", 61, True),
        ("C", 120, False),
        ("C", 121, True),
        (None, 5000, False),
    ],
)
@pytest.mark.django_db
def test_a_customer_is_late_when_its_cadence_has_run_out(abc, days_ago: int, is_late: bool) -> None:
    make_customer(name="X", abc=abc, last_visited_on=seen(days_ago))
    assert late() == (["X"] if is_late else [])


@pytest.mark.django_db
def test_a_ranked_customer_that_was_never_visited_is_late_from_the_start() -> None:
    make_customer(name="never", abc="C")
    make_customer(name="unranked")
    assert late() == ["never"]


@pytest.mark.django_db
def test_a_comes_first_then_who_waits_longest() -> None:
    make_customer(name="b", abc="B", last_visited_on=seen(400))
    make_customer(name="a late", abc="A", last_visited_on=seen(31))
    make_customer(name="a later", abc="A", last_visited_on=seen(90))
    make_customer(name="a never", abc="A")
    assert late() == ["a never", "a later", "a late", "b"]


@pytest.mark.django_db
def test_the_cadence_is_data() -> None:
    make_customer(name="X", abc="A", last_visited_on=seen(20))
    assert late() == []
    Cadence.objects.filter(abc="A").update(every_days=14)
    assert late() == ["X"]


@pytest.mark.django_db
def test_the_29th_of_february_is_a_day_like_others() -> None:
    make_customer(name="X", abc="A", last_visited_on=date(2028, 1, 30))
    assert late(date(2028, 2, 29)) == []
    assert late(date(2028, 3, 1)) == ["X"]


def test_pages_hold_every_late_customer_once(rep: User, django_assert_num_queries) -> None:
    for number in range(7):
        make_customer(abc="ABC"[number % 3], owner=rep, last_visited_on=seen(200 + number % 2))
    customers = overdue(Customer.objects.all(), list(Cadence.objects.all()), TODAY)
    expected = [customer.pk for customer in most_urgent_first(customers)]
    found: list[int] = []
    cursor = ""
    for _ in range(4):
        with django_assert_num_queries(1):
            page = page_after(customers, cursor, 2, TODAY)
        found += [customer.pk for customer in page.rows]
        cursor = page.next
    assert found == expected
    assert cursor == ""
    assert page_after(customers, "rubbish", 2, TODAY).rows[0].pk == expected[0]


def test_the_next_visit_is_known(rep: User, customer: Customer) -> None:
    customer.abc = "A"
    customer.save()
    make_visit(customer, rep, scheduled_for=local(2026, 6, 15, 10))
    make_visit(customer, rep, scheduled_for=local(2026, 6, 17, 10), status="cancelled")
    visit = make_visit(customer, rep, scheduled_for=local(2026, 6, 16, 0, 0))
    found: Any = with_next_visit(
        overdue(Customer.objects.all(), Cadence.objects.all(), TODAY), TODAY
    ).get()
    assert found.next_visit_id == visit.pk
