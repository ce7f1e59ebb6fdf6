"""Promises: what may follow what, up to which day, and who keeps them in time (P42)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError

from accounts.models import Team, User
from accounts.roles import Role
from customers import promising
from customers.models import Customer, Promise, PromiseState
from tests.factories import local, make_promise, make_team, make_user

NOON = local(2026, 6, 16, 12)
DUE = date(2026, 6, 16)
OPEN, KEPT, BROKEN = PromiseState.OPEN, PromiseState.KEPT, PromiseState.BROKEN


def act(promise: Promise, verb: str, *, by: User, now: datetime) -> None:
    if verb == "keep":
        promise.keep(now=now)
    elif verb == "break":
        promise.break_off(outcome="No truck", now=now)
    elif verb == "renegotiate":
        promise.renegotiate(due_on=date(2026, 6, 20), reason="Rain", by=by, now=now)
    elif verb == "reopen":
        promise.reopen(now=now)
    else:
        promise.hand_over(to=by)


@pytest.mark.parametrize(
    ("state", "verb", "after"),
    [
        (OPEN, "keep", KEPT),
        (OPEN, "break", BROKEN),
        (OPEN, "renegotiate", OPEN),
        (OPEN, "reopen", OPEN),
        (OPEN, "hand over", OPEN),
        (KEPT, "keep", KEPT),
        (KEPT, "break", "settled"),
        (KEPT, "renegotiate", "settled"),
        (KEPT, "reopen", OPEN),
        (KEPT, "hand over", "settled"),
        (BROKEN, "keep", "settled"),
        (BROKEN, "break", BROKEN),
        (BROKEN, "renegotiate", "settled"),
        (BROKEN, "reopen", OPEN),
        (BROKEN, "hand over", "settled"),
    ],
)
def test_what_may_follow_what(
    customer: Customer, rep: User, state: str, verb: str, after: str
) -> None:
    settled = None if state == OPEN else NOON - timedelta(hours=1)
    promise = make_promise(customer, rep, due_on=DUE, state=state, settled_at=settled)
    if after in PromiseState.values:
        act(promise, verb, by=rep, now=NOON)
        promise.refresh_from_db()
        assert promise.state == after
        assert (promise.settled_at is None) == (after == OPEN)
    else:
        with pytest.raises(ValidationError) as refused:
            act(promise, verb, by=rep, now=NOON)
        assert refused.value.code == after
        promise.refresh_from_db()
        assert promise.state == state


#: One second before and after midnight of the company; the same moments are other days in UTC.
BEFORE_MIDNIGHT = local(2026, 6, 16, 23, 59, 59)
AFTER_MIDNIGHT = local(2026, 6, 17, 0, 0, 1)


@pytest.mark.parametrize(("now", "late"), [(BEFORE_MIDNIGHT, 0), (AFTER_MIDNIGHT, 1)])
def test_a_day_ends_at_the_companys_midnight(
    customer: Customer, rep: User, now: datetime, late: int
) -> None:
    promise = make_promise(customer, rep, due_on=DUE)
    promise.keep(now=now)
    assert promise.days_late == late
    in_time, too_late = Promise.objects.kept_in_time(), Promise.objects.kept_late()
    assert (in_time.count(), too_late.count()) == ((0, 1) if late else (1, 0))


def test_a_new_day_is_agreed_before_the_old_one_has_passed_only(
    customer: Customer, rep: User
) -> None:
    promise = make_promise(customer, rep, due_on=DUE)
    with pytest.raises(ValidationError) as refused:
        promise.renegotiate(due_on=date(2026, 6, 20), reason="x", by=rep, now=AFTER_MIDNIGHT)
    assert refused.value.code == "overdue"
    assert not promise.renegotiations.exists()
    promise.renegotiate(due_on=date(2026, 6, 20), reason=" Rain ", by=rep, now=BEFORE_MIDNIGHT)
    assert promise.due_on == date(2026, 6, 20)
    told = promise.renegotiations.get()
    assert (told.due_before, told.due_after, told.reason, told.by) == (
        DUE,
        date(2026, 6, 20),
        "Rain",
        rep,
    )


@pytest.mark.parametrize(("day", "code"), [(DUE, "same"), (date(2026, 6, 15), "past")])
def test_the_new_day_is_another_one_to_come(
    customer: Customer, rep: User, day: date, code: str
) -> None:
    promise = make_promise(customer, rep, due_on=DUE)
    with pytest.raises(ValidationError) as refused:
        promise.renegotiate(due_on=day, reason="x", by=rep, now=NOON)
    assert [error.code for error in refused.value.error_dict["due_on"]] == [code]
    promise.refresh_from_db()
    assert promise.due_on == DUE


def test_what_was_said_yesterday_stays(customer: Customer, rep: User) -> None:
    promise = make_promise(customer, rep, due_on=DUE)
    promise.keep(now=BEFORE_MIDNIGHT)
    with pytest.raises(ValidationError) as refused:
        promise.reopen(now=AFTER_MIDNIGHT)
    assert refused.value.code == "settled"
    assert promise.state == KEPT


@pytest.mark.parametrize(
    ("due", "today", "states"),
    [
        (DUE, date(2026, 6, 15), {"open"}),
        (DUE, DUE, {"open", "today", "waiting"}),
        (DUE, date(2026, 6, 17), {"open", "late", "waiting"}),
    ],
)
def test_open_promises_are_due_then_late(
    customer: Customer, rep: User, due: date, today: date, states: set[str]
) -> None:
    make_promise(customer, rep, due_on=due)
    make_promise(customer, rep, due_on=due, state=KEPT, settled_at=NOON)
    found = {
        "open": Promise.objects.open(),
        "today": Promise.objects.due_on(today),
        "late": Promise.objects.late(today),
        "waiting": Promise.objects.waiting(today),
    }
    assert {name for name, rows in found.items() if rows.exists()} == states


# --- making one


def made(customer: Customer, by: User, **values: Any) -> Promise:
    options: dict[str, Any] = {"content": "Racks", "owner": by, "due_on": DUE, "now": NOON}
    return promising.make(customer=customer, by=by, **{**options, **values})


def test_a_promise_made_twice_is_one(customer: Customer, rep: User) -> None:
    number = uuid4()
    first = made(customer, rep, client_id=number, source="visits.visit:7")
    again = made(customer, rep, client_id=number, content="Other words")
    assert first.pk == again.pk
    assert (again.content, again.source, again.made_by) == ("Racks", "visits.visit:7", rep)


@pytest.mark.parametrize(
    ("values", "field"),
    [({"due_on": date(2026, 6, 15)}, "due_on"), ({"content": "  "}, "content")],
)
def test_a_promise_needs_words_and_a_day_to_come(
    customer: Customer, rep: User, values: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        made(customer, rep, **values)
    assert set(refused.value.error_dict) == {field}
    assert not Promise.objects.exists()


def test_a_promise_is_kept_by_somebody_who_sees_the_customer(
    customer: Customer, rep: User, manager: User, north: Team
) -> None:
    boss, service = make_user(role=Role.MANAGER), make_user(role=Role.SERVICE)
    Team.objects.filter(pk=north.pk).update(parent=make_team(manager=boss))
    possible = {rep, manager, boss, service}
    assert set(promising.keepers(customer)) == possible
    for keeper in possible:  # whoever is offered does see it
        assert Customer.objects.visible_to(keeper).filter(pk=customer.pk).exists()
    for nobody in (
        make_user(team=north),
        make_user(role=Role.FINANCE),
        make_user(role=Role.SERVICE, is_active=False),
        make_user(role=Role.MANAGER),
    ):
        with pytest.raises(ValidationError):
            made(customer, rep, owner=nobody)


# --- who keeps them in time


def test_the_share_kept_in_time_counts_what_fell_due_in_ninety_days(
    customer: Customer, rep: User, service: User
) -> None:
    today = date(2026, 6, 16)

    def promise(
        days: int, state: str = OPEN, settled: int | None = None, owner: User = rep
    ) -> None:
        at = None if settled is None else local(2026, 6, 16, 12) - timedelta(days=settled)
        make_promise(
            customer, owner, due_on=today - timedelta(days=days), state=state, settled_at=at
        )

    promise(10, KEPT, 12)  # before its day
    promise(10, KEPT, 10)  # on its day
    promise(10, KEPT, 9)  # late
    promise(10, BROKEN, 10)
    promise(10)  # late and open
    promise(0)  # today: may still be kept
    promise(0, KEPT, 0)
    promise(91, KEPT, 95)  # too long ago
    promise(90, KEPT, 95)
    promise(1, KEPT, 1, service)
    rates = promising.keeping_rates(Promise.objects.all(), today=today)
    assert [(r.username, r.due, r.in_time) for r in rates] == [("rep", 6, 3), ("service", 1, 1)]
    assert rates[0].share == 0.5
