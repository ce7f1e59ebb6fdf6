"""A visit from plan to close, without pages."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.models import AuditEntry, User
from customers.models import Customer
from tests.factories import local, make_customer, make_visit
from visits.models import FOLLOWS, Visit, VisitStatus
from visits.places import Place

FULL: dict[str, Any] = {"sales": "normal", "new_need": False, "new_products": [], "care": []}
NOW = local(2026, 6, 16, 12, 5)


@pytest.mark.parametrize(("before", "after"), list(product(VisitStatus, VisitStatus)))
def test_a_state_follows_another_only_by_the_table(before: str, after: str) -> None:
    allowed = {
        ("planned", "checked_in"),
        ("planned", "missed"),
        ("planned", "cancelled"),
        ("checked_in", "done"),
        ("checked_in", "cancelled"),
    }
    assert (after in FOLLOWS[before]) is ((before, after) in allowed)


def act(visit: Visit, rep: User, status: str) -> None:
    match status:
        case VisitStatus.CHECKED_IN:
            visit.check_in(by=rep, at=NOW, now=NOW)
        case VisitStatus.DONE:
            visit.close(answers=FULL, words="", purpose="", now=NOW)
        case VisitStatus.CANCELLED:
            visit.cancel()
        case VisitStatus.MISSED:
            visit.miss(NOW)


@pytest.mark.parametrize(
    ("before", "verb"),
    [
        (before, verb)
        for before, verb in product(VisitStatus, VisitStatus)
        if verb != VisitStatus.PLANNED
    ],
)
def test_every_verb_keeps_to_the_table(
    customer: Customer, rep: User, before: VisitStatus, verb: VisitStatus
) -> None:
    visit = make_visit(customer, rep, status=before)
    if verb in FOLLOWS[before]:
        act(visit, rep, verb)
        assert Visit.objects.get(pk=visit.pk).status == verb
        return
    with pytest.raises(ValidationError) as refused:
        act(visit, rep, verb)
    assert refused.value.code == "invalid_transition"
    assert visit.status == before
    assert Visit.objects.get(pk=visit.pk).status == before


def test_check_in_measures_the_way_to_the_address(rep: User) -> None:
    customer = make_customer(owner=rep, latitude=Decimal("30.08"), longitude=Decimal("120.49"))
    visit = make_visit(customer, rep)
    place = Place(Decimal("30.081"), Decimal("120.49"), 18)
    visit.check_in(by=rep, at=NOW, now=NOW, place=place)
    visit.refresh_from_db()
    assert (visit.distance_m, visit.accuracy_m, visit.checked_in_at) == (111, 18, NOW)
    assert visit.was_near


def test_check_in_works_without_a_place(customer: Customer, rep: User) -> None:
    visit = make_visit(customer, rep)
    visit.check_in(by=rep, at=NOW, now=NOW)
    assert visit.distance_m is None


def test_whoever_checks_in_is_who_visits(customer: Customer, rep: User, manager: User) -> None:
    visit = make_visit(customer, rep)
    visit.check_in(by=manager, at=NOW, now=NOW)
    assert visit.rep == manager


def test_closing_says_which_questions_are_open(customer: Customer, rep: User) -> None:
    visit = make_visit(customer, rep, status="checked_in", checked_in_at=NOW)
    with pytest.raises(ValidationError) as refused:
        visit.close(answers={"sales": "slow"}, words="", purpose="", now=NOW)
    assert set(refused.value.message_dict) == {"new_need", "new_products", "care"}
    assert Visit.objects.get(pk=visit.pk).status == "checked_in"


def test_a_visit_cannot_lie_in_the_future(customer: Customer, rep: User) -> None:
    visit = make_visit(customer, rep)
    with pytest.raises(ValidationError) as refused:
        visit.check_in(by=rep, at=NOW + timedelta(minutes=1), now=NOW)
    assert refused.value.code == "future"


def test_what_has_not_come_yet_cannot_be_missed(customer: Customer, rep: User) -> None:
    visit = make_visit(customer, rep, scheduled_for=NOW + timedelta(hours=1))
    with pytest.raises(ValidationError) as refused:
        visit.miss(NOW)
    assert refused.value.code == "not_yet"


@pytest.mark.parametrize(
    ("closed", "now", "may"),
    [
        (local(2026, 6, 16, 0, 0), local(2026, 6, 16, 23, 59), True),
        (local(2026, 6, 16, 23, 59), local(2026, 6, 17, 0, 0), False),
        # the same day in UTC, but not here
        (local(2026, 6, 17, 7, 59), local(2026, 6, 17, 8, 1), True),
        (local(2026, 6, 16, 23, 30), local(2026, 6, 17, 0, 30), False),
        (local(2028, 2, 29, 9), local(2028, 2, 29, 22), True),
        (local(2028, 2, 29, 9), local(2028, 3, 1, 0), False),
    ],
)
def test_a_record_can_be_put_right_on_the_day_of_closing(closed, now, may: bool) -> None:
    visit = Visit(status="done", closed_at=closed)
    assert visit.may_be_written(now) is may


def test_a_correction_keeps_all_four_answers(customer: Customer, rep: User) -> None:
    visit = make_visit(customer, rep, status="done", checked_in_at=NOW, closed_at=NOW, answers=FULL)
    visit.write(answers={**FULL, "sales": "stuck"}, words="", purpose="", now=NOW)
    assert visit.answers["sales"] == "stuck"
    with pytest.raises(ValidationError):
        visit.write(answers={}, words="", purpose="", now=NOW)


def test_the_audit_log_tells_each_step(customer: Customer, rep: User) -> None:
    visit = make_visit(customer, rep)
    visit.check_in(by=rep, at=NOW, now=NOW)
    visit.close(answers=FULL, words="再便宜点 🙂", purpose="", now=NOW)
    last, first, made = AuditEntry.objects.of(visit)
    assert (made.action, first.after["status"], last.after["status"]) == (
        "create",
        "checked_in",
        "done",
    )
    assert last.after["words"] == "再便宜点 🙂"
