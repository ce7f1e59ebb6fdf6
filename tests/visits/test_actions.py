"""Visits where several rows change together."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from accounts.models import User
from accounts.roles import Role
from customers.models import Customer
from tests.factories import local, make_customer, make_user, make_visit
from visits import actions
from visits.models import Visit
from visits.places import Place

FULL: dict[str, Any] = {"sales": "normal", "new_need": False, "new_products": [], "care": []}
NOW = local(2026, 6, 16, 12, 5)


def log(customer: Customer, rep: User, **values: Any) -> Visit:
    given: dict[str, Any] = {
        "client_id": uuid4(),
        "at": local(2026, 6, 16, 10),
        "answers": FULL,
        "words": "",
        "purpose": "",
        "close": True,
        "now": NOW,
        **values,
    }
    return actions.log_visit(customer=customer, rep=rep, **given)


def test_closing_a_visit_tells_the_customer(customer: Customer, rep: User) -> None:
    visit = log(customer, rep)
    customer.refresh_from_db()
    assert visit.status == "done"
    assert customer.last_visited_on == date(2026, 6, 16)


def test_an_older_visit_does_not_take_the_last_one_back(customer: Customer, rep: User) -> None:
    log(customer, rep)
    log(customer, rep, at=local(2026, 5, 1, 9))
    customer.refresh_from_db()
    assert customer.last_visited_on == date(2026, 6, 16)


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (local(2026, 6, 15, 23, 59), date(2026, 6, 15)),
        (local(2026, 6, 16, 0, 1), date(2026, 6, 16)),  # still the 15th in UTC
        (local(2024, 2, 29, 23, 59), date(2024, 2, 29)),
    ],
)
def test_the_day_of_a_visit_is_the_company_s_day(customer, rep: User, at, day: date) -> None:
    log(customer, rep, at=at)
    customer.refresh_from_db()
    assert customer.last_visited_on == day


def test_a_draft_tells_nobody(customer: Customer, rep: User) -> None:
    visit = log(customer, rep, close=False, answers={"sales": "slow"})
    customer.refresh_from_db()
    assert visit.status == "checked_in"
    assert customer.last_visited_on is None


def test_the_same_device_number_again_is_the_same_visit(customer: Customer, rep: User) -> None:
    number = uuid4()
    first = log(customer, rep, client_id=number, close=False, answers={"sales": "slow"})
    again = log(customer, rep, client_id=number)
    third = log(customer, rep, client_id=number)
    assert first.pk == again.pk == third.pk
    assert third.answers == FULL
    assert Visit.objects.count() == 1


def test_a_refused_visit_leaves_nothing(customer: Customer, rep: User) -> None:
    with pytest.raises(ValidationError):
        log(customer, rep, answers={})
    with pytest.raises(ValidationError) as refused:
        log(customer, rep, at=local(2026, 6, 16, 12, 6))
    assert refused.value.code == "future"
    assert not Visit.objects.exists()


def test_planning_twice_for_a_day_plans_once(customer: Customer, rep: User, manager: User) -> None:
    def plan(hour: int, who: User, day: int = 17) -> int:
        visit = actions.plan_visit(
            customer=customer, rep=who, scheduled_for=local(2026, 6, day, hour), purpose=" 补货 "
        )
        assert visit.purpose == "补货"
        return visit.pk

    assert plan(10, rep) == plan(23, rep)
    assert plan(10, manager) != plan(10, rep)
    assert plan(10, rep, day=18) != plan(10, rep)
    actions.cancel_visit(visit=Visit.objects.get(pk=plan(10, rep)))
    assert Visit.objects.count() == 3
    plan(10, rep)
    assert Visit.objects.count() == 4


def test_check_in_of_a_past_plan_is_written_down_as_of_that_day(customer, rep: User) -> None:
    planned = local(2026, 6, 15, 10)
    visit = make_visit(customer, rep, scheduled_for=planned)
    place = Place(Decimal("30"), Decimal("120"))
    visit = actions.check_in(visit=visit, by=rep, now=NOW, place=place)
    assert (visit.checked_in_at, visit.latitude) == (planned, None)


def test_a_second_check_in_only_puts_the_place_right(customer: Customer, rep: User) -> None:
    visit = make_visit(customer, rep)
    actions.check_in(visit=visit, by=rep, now=NOW, place=None)
    later = local(2026, 6, 16, 12, 20)
    place = Place(Decimal("30"), Decimal("120"), 9)
    visit = actions.check_in(visit=visit, by=rep, now=later, place=place)
    assert (visit.checked_in_at, visit.accuracy_m) == (NOW, 9)


def test_two_people_writing_one_visit_do_not_overwrite_each_other(customer, rep: User) -> None:
    visit = make_visit(customer, rep, status="checked_in", checked_in_at=NOW)
    common: dict[str, Any] = {"visit": visit, "purpose": "", "close": False, "now": NOW}
    seen = visit.version
    actions.record_visit(**common, answers={"sales": "slow"}, words="一", version=seen)
    with pytest.raises(ValidationError) as refused:
        actions.record_visit(**common, answers={"sales": "normal"}, words="二", version=seen)
    assert refused.value.code == "changed"
    visit.refresh_from_db()
    assert (visit.answers, visit.words) == ({"sales": "slow"}, "一")
    # what is stored already may be sent again
    again = actions.record_visit(**common, answers={"sales": "slow"}, words="一 ", version=seen)
    assert again.version == visit.version


def test_names_of_any_kind_are_no_obstacle(rep: User) -> None:
    customer = make_customer(owner=rep, name="🍜" * 100 + "字" * 100)
    visit = log(customer, rep, words="好👍🏽" * 100, purpose="🎏" * 200)
    assert len(visit.purpose) == 200


@pytest.mark.django_db(transaction=True)
def test_two_presses_at_once_are_one_visit() -> None:
    rep = make_user("rep", role=Role.REP)
    customer = make_customer(owner=rep)
    number = uuid4()

    def press(_: int) -> int:
        try:
            return log(customer, rep, client_id=number).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(press, range(4)))) == 1
    assert Visit.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_presses_on_plan_at_once_are_one_plan() -> None:
    rep = make_user("rep", role=Role.REP)
    customer = make_customer(owner=rep)

    def press(_: int) -> int:
        try:
            return actions.plan_visit(customer=customer, rep=rep, scheduled_for=NOW, purpose="").pk
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(press, range(4)))) == 1
