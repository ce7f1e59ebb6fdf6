"""A leaver's customers go to others in one action, with what waits for them, and come back (P6)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.audit import Through, acting
from accounts.models import AuditEntry, User
from customers.companions import companions
from customers.handing_over import Share, hand_back, hand_over, preview
from customers.models import Customer, HandOver, PromiseState
from tests.factories import local, make_customer, make_promise, make_user, make_visit
from visits.models import VisitStatus

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 16, 4, tzinfo=UTC)


@pytest.fixture
def heir(rep: User) -> User:
    return make_user("heir", team=rep.team)


def all_to(successor: User) -> list[Share]:
    return [Share(Customer.objects.all(), successor)]


def pass_all(rep: User, heir: User, manager: User, reason: str = "") -> HandOver:
    with acting(user=manager, through=Through.PAGE):
        (made,) = hand_over(all_to(heir), giver=rep, by=manager, reason=reason, now=NOW)
    return made


def test_every_app_with_rows_that_pass_is_asked() -> None:
    assert [one.KIND for one in companions()] == ["promises", "visits"]


def test_files_pass_with_open_promises_and_planned_visits(rep, heir, manager, stranger) -> None:
    file = make_customer(owner=rep, abc="A")
    others = make_customer(owner=stranger)
    open_one, colleagues = make_promise(file, rep), make_promise(file, manager)
    kept = make_promise(file, rep, state=PromiseState.KEPT)
    planned = make_visit(file, rep, scheduled_for=local(2026, 6, 20, 10))
    closed = make_visit(file, rep, status=VisitStatus.DONE)
    elsewhere = make_visit(others, rep)
    made = pass_all(rep, heir, manager, reason="left")
    for row in (file, others, open_one, colleagues, kept, planned, closed, elsewhere):
        row.refresh_from_db()
    assert (file.owner, others.owner) == (heir, stranger)
    assert (open_one.owner, colleagues.owner, kept.owner) == (heir, manager, rep)
    assert (planned.rep, closed.rep, elsewhere.rep) == (heir, rep, rep)
    assert (made.count, made.customer_ids, made.reason, made.by) == (1, [file.pk], "left", manager)
    assert made.beside == {"promises": [open_one.pk], "visits": [planned.pk]}
    for row in (file, open_one, planned):
        assert AuditEntry.objects.of(row).latest("id").actor == manager
        assert row.version == 2


def test_a_former_user_gives_but_never_gets(rep, heir, manager) -> None:
    make_customer(owner=rep)
    rep.is_active = False
    rep.save()
    assert pass_all(rep, heir, manager).count == 1
    with pytest.raises(ValidationError):
        hand_over(all_to(rep), giver=heir, by=manager, reason="", now=NOW)
    with pytest.raises(ValidationError) as no:
        hand_over(all_to(heir), giver=heir, by=manager, reason="", now=NOW)
    assert no.value.code == "same"


def test_areas_go_to_others_first_and_the_rest_follows(rep, heir, manager) -> None:
    second = make_user("second", team=rep.team)
    south = make_customer(owner=rep, division="330681", abc="A")
    north = make_customer(owner=rep, division="330602", abc="C")
    shares = [Share(Customer.objects.filter(division="330681"), second), *all_to(heir)]
    told = preview(shares, giver=rep)
    assert [(one.successor, one.count, one.tiers) for one in told] == [
        (second, 1, [("A", 1)]),
        (heir, 1, [("C", 1)]),
    ]
    made = hand_over(shares, giver=rep, by=manager, reason="", now=NOW)
    assert [(one.successor, one.customer_ids) for one in made] == [
        (second, [south.pk]),
        (heir, [north.pk]),
    ]


def test_the_preview_counts_what_would_pass(rep, heir) -> None:
    for tier in ("A", "C", "C", None):
        file = make_customer(owner=rep, abc=tier)
        make_promise(file, rep)
    make_visit(file, rep)
    (told,) = preview(all_to(heir), giver=rep)
    assert told.tiers == [("A", 1), ("C", 2), (None, 1)]
    assert [count for _label, count in told.beside] == [4, 1]


def test_what_the_successor_still_has_is_handed_back(rep, heir, manager) -> None:
    stays, moved_on = make_customer(owner=rep), make_customer(owner=rep)
    promises = [make_promise(file, rep) for file in (stays, moved_on)]
    visit = make_visit(stays, rep)
    made = pass_all(rep, heir, manager)
    Customer.objects.filter(pk=moved_on.pk).update(owner=manager)
    assert hand_back(made, by=manager, now=NOW) == 1
    for row in (stays, moved_on, visit, *promises, made):
        row.refresh_from_db()
    assert (stays.owner, moved_on.owner, visit.rep) == (rep, manager, rep)
    assert [promise.owner for promise in promises] == [rep, heir]
    assert (made.undone_by, made.undone_count) == (manager, 1)
    with pytest.raises(ValidationError) as no:
        hand_back(made, by=manager, now=NOW)
    assert no.value.code == "undone"


def test_who_may_not_assign_is_refused_and_nothing_moves(rep, heir, manager) -> None:
    make_customer(owner=rep)
    with pytest.raises(PermissionDenied):
        hand_over(all_to(heir), giver=rep, by=rep, reason="", now=NOW)
    made = pass_all(rep, heir, manager)
    with pytest.raises(PermissionDenied):
        hand_back(made, by=rep, now=NOW)
    with pytest.raises(ValidationError) as no:
        hand_over(all_to(heir), giver=rep, by=manager, reason="", now=NOW)
    assert no.value.code == "nothing"


def test_any_number_of_files_costs_the_same_statements(rep, heir, manager) -> None:
    def cost(files: int) -> int:
        for _ in range(files):
            file = make_customer(owner=rep)
            make_promise(file, rep)
            make_visit(file, rep)
        with CaptureQueriesContext(connection) as queries:
            made = pass_all(rep, heir, manager)
        assert made.count == files
        return len(queries)

    cost(1)  # looks up the teams of the manager
    assert cost(2) == cost(15)
