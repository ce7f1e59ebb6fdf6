"""P12: a tier set by hand counts at once, up to its day and no longer; a run respects it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from accounts.models import AuditEntry, User
from customers.models import Customer
from tests.factories import local, make_customer, make_order
from tests.tiers.conftest import NOW
from tiers import overrides
from tiers.models import Assessment, TierChange, TierOverride
from tiers.overrides import presets

TODAY = date(2026, 6, 17)
JULY = date(2026, 7, 31)


@pytest.fixture
def ranked(rep: User, run_as_of) -> Customer:
    """A C by its orders: 99 % of the amount is before it."""
    make_order(make_customer(external_id="big"), 9900)
    customer = make_customer(external_id="small", owner=rep)
    make_order(customer, 100)
    run_as_of()
    customer.refresh_from_db()
    assert customer.abc == "C"
    return customer


def set_a(customer: Customer, by: User, **values) -> TierOverride:
    given = {"tier": "A", "reason": "Strategic", "until": JULY, "now": NOW, "today": TODAY}
    return overrides.set_tier(customer=customer, by=by, **{**given, **values})


def tier_of(customer: Customer) -> str | None:
    return Customer.objects.values_list("abc", flat=True).get(pk=customer.pk)


def history(customer: Customer) -> list[tuple[str, str | None, str | None]]:
    changes = TierChange.objects.filter(customer=customer).order_by("pk")
    return [(one.cause, one.from_tier, one.to_tier) for one in changes]


def test_it_counts_at_once_and_stands_in_the_history(ranked: Customer, manager: User) -> None:
    made = set_a(ranked, manager, reason="  Strategic ")
    assert tier_of(ranked) == "A"
    assert (made.first_on, made.until, made.reason, made.by) == (TODAY, JULY, "Strategic", manager)
    change = TierChange.objects.latest("pk")
    assert (change.cause, change.from_tier, change.to_tier) == ("override", "C", "A")
    assert (change.by, change.override, change.run) == (manager, made, None)
    assert (change.changed_at, change.net_amount) == (NOW, Decimal(100))
    assert change.rank is None
    assert overrides.computed_tier(ranked) == "C"
    assert AuditEntry.objects.of(made).count() == 1


@pytest.mark.parametrize("now", [NOW + timedelta(hours=1), local(2026, 7, 31, 23, 59)])
def test_runs_respect_it_up_to_its_last_day(
    ranked: Customer, manager: User, run_as_of, now
) -> None:
    set_a(ranked, manager)
    run = run_as_of(now=now)
    assert tier_of(ranked) == "A"
    assert run.overridden == 1
    assert overrides.computed_tier(ranked) == "C"
    assert history(ranked)[1:] == [("override", "C", "A")]


def test_it_ends_by_itself_with_a_run_after_its_day(
    ranked: Customer, manager: User, run_as_of
) -> None:
    made = set_a(ranked, manager)
    run_as_of(now=local(2026, 8, 1, 2))
    assert tier_of(ranked) == "C"
    made.refresh_from_db()
    assert made.ended_at is not None
    assert made.ended_by is None
    assert history(ranked)[1:] == [("override", "C", "A"), ("override_expired", "A", "C")]


def test_an_expired_one_counts_no_longer_before_the_next_run(
    ranked: Customer, manager: User
) -> None:
    made = set_a(ranked, manager)
    assert overrides.expire(today=JULY, now=local(2026, 7, 31, 23)) == 0
    assert tier_of(ranked) == "A"
    first_of_august = local(2026, 8, 1, 0, 5)
    assert overrides.expire(today=date(2026, 8, 1), now=first_of_august) == 1
    assert tier_of(ranked) == "C"
    made.refresh_from_db()
    assert (made.ended_at, made.ended_by) == (first_of_august, None)
    assert history(ranked)[-1] == ("override_expired", "A", "C")
    assert overrides.expire(today=date(2026, 8, 1), now=first_of_august) == 0


def test_the_task_of_the_night_ends_them(ranked: Customer, manager: User, time_machine) -> None:
    from tiers.tasks import end_overrides

    set_a(ranked, manager)
    time_machine.move_to(local(2026, 8, 1, 0, 5))
    end_overrides()
    assert tier_of(ranked) == "C"


def test_it_is_ended_early_and_that_is_taken_back(ranked: Customer, manager: User) -> None:
    made = set_a(ranked, manager)
    later = NOW + timedelta(days=1)
    overrides.end(override=made, by=manager, now=later)
    assert tier_of(ranked) == "C"
    made.refresh_from_db()
    assert (made.ended_at, made.ended_by) == (later, manager)
    assert Assessment.objects.get(customer=ranked).override is None
    overrides.end(override=made, by=manager, now=later)  # the second press changes nothing
    overrides.reopen(override=made, by=manager, now=later, today=TODAY)
    assert tier_of(ranked) == "A"
    assert Assessment.objects.get(customer=ranked).override == made
    causes = [cause for cause, _from, _to in history(ranked)]
    assert causes[1:] == ["override", "override_ended", "override"]


def test_one_whose_day_has_passed_is_not_opened_again(ranked: Customer, manager: User) -> None:
    made = set_a(ranked, manager)
    overrides.end(override=made, by=manager, now=NOW)
    with pytest.raises(ValidationError):
        overrides.reopen(override=made, by=manager, now=NOW, today=date(2026, 8, 1))
    set_a(ranked, manager, tier="B")
    with pytest.raises(ValidationError):
        overrides.reopen(override=made, by=manager, now=NOW, today=TODAY)
    assert tier_of(ranked) == "B"


def test_there_is_one_at_a_time(ranked: Customer, manager: User) -> None:
    set_a(ranked, manager)
    with pytest.raises(ValidationError) as refused:
        set_a(ranked, manager, tier="B")
    assert refused.value.code == "exists"
    assert tier_of(ranked) == "A"
    # after its day it stands in nobody's way, whether a run has ended it or not
    august = date(2026, 8, 1)
    set_a(ranked, manager, tier="B", today=august, until=august, now=local(2026, 8, 1, 9))
    assert tier_of(ranked) == "B"
    assert history(ranked)[2:] == [("override_expired", "A", "C"), ("override", "C", "B")]


def test_it_is_changed_while_it_is_in_force(ranked: Customer, manager: User) -> None:
    made = set_a(ranked, manager)
    made.tier, made.until = "B", date(2026, 6, 30)
    overrides.change(override=made, by=manager, now=NOW, today=TODAY)
    assert tier_of(ranked) == "B"
    assert history(ranked)[-1] == ("override", "A", "B")
    made.reason = "Another reason"
    overrides.change(override=made, by=manager, now=NOW, today=TODAY)
    assert history(ranked)[-1] == ("override_changed", "B", "B")  # the tier did not move
    overrides.change(override=made, by=manager, now=NOW, today=TODAY)
    assert len(history(ranked)) == 4  # nothing was changed
    with pytest.raises(ValidationError):
        overrides.change(override=made, by=manager, now=NOW, today=date(2026, 7, 1))


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"until": TODAY - timedelta(days=1)}, "until"),
        ({"until": TODAY + timedelta(days=732)}, "until"),
        ({"reason": " "}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"tier": "D"}, "tier"),
    ],
)
def test_what_does_not_fit_is_refused(ranked: Customer, manager: User, values, field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        set_a(ranked, manager, **values)
    assert set(refused.value.message_dict) == {field}
    assert tier_of(ranked) == "C"
    assert not TierOverride.objects.exists()


def test_a_customer_that_no_run_has_seen_may_have_one(
    customer: Customer, manager: User, run_as_of
) -> None:
    made = set_a(customer, manager)
    assert tier_of(customer) == "A"
    run_as_of()
    assert tier_of(customer) == "A"
    overrides.end(override=made, by=manager, now=NOW + timedelta(hours=1))
    assert tier_of(customer) is None


@pytest.mark.parametrize(
    ("today", "wanted"),
    [
        (date(2026, 6, 17), ("2026-06-30", "2026-06-30", "2026-12-31")),
        (date(2026, 2, 1), ("2026-02-28", "2026-03-31", "2026-12-31")),
        (date(2028, 2, 29), ("2028-02-29", "2028-03-31", "2028-12-31")),
        (date(2026, 12, 31), ("2026-12-31", "2026-12-31", "2026-12-31")),
        (date(2026, 10, 1), ("2026-10-31", "2026-12-31", "2026-12-31")),
    ],
)
def test_the_usual_last_days(today: date, wanted: tuple[str, ...]) -> None:
    assert tuple(day.isoformat() for day in presets(today).values()) == wanted
