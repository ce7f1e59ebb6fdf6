"""What the demo is made by, and when it is refused: no company is loaded for it."""

from __future__ import annotations

from datetime import date
from random import Random

import phonenumbers
import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from accounts.models import Team, User
from crm.demo import company
from crm.demo.people import COMPANY, REPS
from crm.demo.places import PREFECTURES, TERRITORIES, Place, full_name, phone, whole_provinces
from crm.management.commands.serve import environment
from crm.processes import LEAN
from customers.divisions import is_known
from tests.factories import local


@pytest.mark.parametrize(
    ("today", "days"),
    [
        (date(2026, 6, 16), [date(2026, 5, 31), date(2026, 6, 15)]),
        (date(2026, 6, 1), [date(2026, 4, 30), date(2026, 5, 31)]),
        (date(2026, 6, 5), [date(2026, 4, 30), date(2026, 6, 4)]),
        (date(2026, 3, 9), [date(2026, 2, 28), date(2026, 3, 8)]),
    ],
)
def test_the_run_before_is_a_month_end_at_least_a_week_earlier(
    today: date, days: list[date]
) -> None:
    assert company._tier_days(today, runs=2) == days


def test_every_place_is_what_it_is_called() -> None:
    assert set(TERRITORIES) == set(REPS)
    for place in (*whole_provinces(), *(p for own in TERRITORIES.values() for p in own)):
        assert is_known(place.code)
        assert place.short in full_name(place.code)


def test_every_prefecture_has_numbers_that_pass_for_valid() -> None:
    for code in PREFECTURES:
        number = phone(Random(code), Place(code + "02", "", 0, 0, ()))
        assert phonenumbers.is_valid_number(phonenumbers.parse(number, "CN")), (code, number)


def test_a_day_ahead_is_refused() -> None:
    with pytest.raises(CommandError):
        call_command("load_demo", as_of=date(2999, 1, 1))


@pytest.mark.django_db
def test_a_taken_username_is_refused_before_anything_is_written() -> None:
    User.objects.create(username="chenli", name="Somebody")
    with pytest.raises(ValidationError, match="chenli"):
        company.load(
            size="small",
            seed=1,
            today=date(2026, 6, 16),
            now=local(2026, 6, 16, 12),
            say=lambda line: None,
        )
    assert not Team.objects.exists()


def test_a_demo_bears_its_company_s_name_unless_another_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("COMPANY_NAME", raising=False)
    assert "COMPANY_NAME" not in environment(demo=False)
    assert environment(demo=True)["COMPANY_NAME"] == COMPANY
    monkeypatch.setenv("COMPANY_NAME", "Ours")
    assert environment(demo=True)["COMPANY_NAME"] == "Ours"


@pytest.mark.parametrize("name", LEAN)
def test_the_processes_are_lean_unless_the_operator_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delenv(name, raising=False)
    assert environment(demo=False)[name] == LEAN[name]
    monkeypatch.setenv(name, "4")
    assert environment(demo=False)[name] == "4"
