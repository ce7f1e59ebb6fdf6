"""recompute_tiers: the run in the foreground."""

from __future__ import annotations

from datetime import date
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from customers.models import Customer
from tests.factories import local, make_customer, make_order
from tests.tiers.conftest import NOW
from tiers.models import RunState, TierPolicy, TierRun

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def today(policy: TierPolicy, time_machine):
    time_machine.move_to(NOW)
    with translation.override("en"):
        yield


def recompute(*args: str) -> str:
    out = StringIO()
    call_command("recompute_tiers", *args, stdout=out)
    return out.getvalue()


def test_it_runs_as_of_today_with_progress_and_a_summary() -> None:
    make_order(make_customer(), 10, ordered_at=local(2026, 6, 17, 8))
    make_customer()
    said = recompute()
    assert TierRun.objects.get().as_of == date(2026, 6, 17)
    assert [line.strip() for line in said.splitlines()] == [
        "5 %",
        "60 %",
        "100 %",
        "1 A, 0 B, 0 C, 1 unranked; 1 moved.",
    ]


def test_it_runs_as_of_a_day_and_as_a_trial() -> None:
    make_order(make_customer(), 10, ordered_at=local(2025, 6, 1))
    recompute("--as-of", "2025-12-31", "--dry-run")
    run = TierRun.objects.get()
    assert (run.as_of, run.dry_run, run.state) == (date(2025, 12, 31), True, RunState.DONE)
    assert Customer.objects.get().abc is None


@pytest.mark.parametrize(
    ("day", "words"),
    [
        ("2026-06-18", "This day has not come yet."),
        ("2026-02-30", "“2026-02-30” is not a date; write it as YYYY-MM-DD."),
        ("yesterday", "“yesterday” is not a date; write it as YYYY-MM-DD."),
        ("1900-01-01", "No tier policy is in force on 1900-01-01."),
    ],
)
def test_a_bad_day_is_refused_in_plain_words(day: str, words: str) -> None:
    with pytest.raises(CommandError) as refused:
        recompute("--as-of", day)
    assert str(refused.value) == words
    assert not TierRun.objects.exists()
