"""Customers that leave silently are suggested for a visit, with the reason (P28, P48)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils import translation

from accounts.models import User
from customers.models import Customer
from tests.factories import local, make_customer, make_outlook, make_visit
from tiers.models import Staying
from visits.suggestions import of_day, reason_for

pytestmark = pytest.mark.django_db
TODAY = date(2026, 6, 17)
REASON = "orders every 31 days, silent for 84: longer than 14 of its 15 intervals"


@pytest.fixture(autouse=True)
def today(time_machine) -> Iterator[None]:
    time_machine.move_to(local(2026, 6, 17, 9))
    with translation.override("en"):
        yield


def leaver(owner: User, **values: object) -> Customer:
    """An unranked customer of `owner`, whom no cadence makes due, that leaves silently."""
    customer = make_customer(owner=owner)
    make_outlook(customer, **values)
    return customer


def test_most_at_risk_first_without_those_planned_or_said_to_stay(rep, stranger) -> None:
    small = leaver(rep, value_at_risk=Decimal(10))
    large = leaver(rep, value_at_risk=Decimal(90))
    planned, stays, stood = leaver(rep), leaver(rep), leaver(rep)
    make_visit(planned, rep, scheduled_for=local(2026, 6, 20, 10))
    make_visit(small, rep, scheduled_for=local(2026, 6, 10, 10))  # that day is over
    Staying.objects.create(customer=stays, reason="r", until=TODAY, by=rep)
    leaver(rep, alive=Decimal("0.6"))
    leaver(stranger)
    mine = Customer.objects.visible_to(rep)
    found = of_day(mine, due=[stood], today=TODAY, limit=5)
    assert [one.customer for one in found.besides] == [large, small]
    assert {one.reason for one in found.besides} == {REASON}
    assert found.reasons == {stood.pk: REASON}
    assert len(of_day(mine, due=[], today=TODAY, limit=1).besides) == 1
    assert reason_for(stays, TODAY) == ""
    assert reason_for(large, TODAY) == REASON


def test_without_an_estimate_nobody_is_suggested(rep, customer) -> None:
    found = of_day(Customer.objects.all(), due=[customer], today=TODAY, limit=5)
    assert (found.reasons, found.besides) == ({}, [])
    assert reason_for(customer, TODAY) == ""


def test_the_day_shows_them_with_the_reason_and_plans_them_with_one_press(as_, rep) -> None:
    one = leaver(rep)
    client = as_(rep)
    page = client.get("/visits/today/").content.decode()
    assert 'id="leaving"' in page
    assert REASON in page
    client.post("/visits/plan/", {"customer": one.pk, "today": "1", "from": "today"})
    page = client.get("/visits/today/").content.decode()
    assert 'id="leaving"' not in page  # it stands on the route now


def test_who_is_due_and_leaves_stands_once_with_both_reasons(as_, rep) -> None:
    one = make_customer(owner=rep, abc="A", last_visited_on=TODAY - timedelta(days=50))
    make_outlook(one)
    page = as_(rep).get("/visits/today/").content.decode()
    assert f"Leaving silently: {REASON}" in page
    assert 'id="leaving"' not in page


def test_the_manager_sees_those_of_her_people_and_whose_they_are(as_, manager, rep) -> None:
    leaver(rep)
    page = as_(manager).get("/visits/today/").content.decode()
    assert f"{REASON} · Rep" in page
    assert "/tiers/leaving/?owner=rep" not in page
    assert (
        "/tiers/leaving/?owner=rep" in as_(manager).get("/visits/today/?rep=rep").content.decode()
    )


def test_the_plan_says_why_the_visit_is_worth_it(as_, rep, customer) -> None:
    one = leaver(rep)
    client = as_(rep)
    assert REASON in client.get(f"/visits/plan/?customer={one.pk}").content.decode()
    assert "Leaving silently" in client.get(f"/visits/plan/?customer={one.pk}").content.decode()
    plain = client.get(f"/visits/plan/?customer={customer.pk}").content.decode()
    assert 'class="note note-warn"' not in plain


def test_the_day_costs_the_same_for_more_of_them(as_, rep, django_assert_num_queries) -> None:
    client = as_(rep)
    for _number in range(2):
        leaver(rep)
        make_outlook(make_customer(owner=rep, abc="A"))
    client.get("/visits/today/")
    queries = 15
    with django_assert_num_queries(queries):
        client.get("/visits/today/")
    for _number in range(3):
        leaver(rep)
        make_outlook(make_customer(owner=rep, abc="A"))
    with django_assert_num_queries(queries):
        client.get("/visits/today/")
