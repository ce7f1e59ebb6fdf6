"""Days and months of the company."""

from __future__ import annotations

from datetime import UTC, date, timedelta

import pytest

from accounts.models import User
from crm.lib.days import EARLIEST, LATEST, day_bounds, months_before
from customers.models import Customer
from tests.factories import local, make_visit
from visits.models import Visit


@pytest.mark.parametrize(
    ("day", "months", "earlier"),
    [
        (date(2026, 6, 30), 12, date(2025, 6, 30)),
        (date(2026, 6, 16), 1, date(2026, 5, 16)),
        (date(2026, 1, 31), 1, date(2025, 12, 31)),
        (date(2026, 3, 31), 1, date(2026, 2, 28)),  # clipped to the month's length
        (date(2024, 3, 31), 1, date(2024, 2, 29)),
        (date(2024, 2, 29), 12, date(2023, 2, 28)),
        (date(2026, 6, 30), 0, date(2026, 6, 30)),
    ],
)
def test_the_same_day_some_months_before(day: date, months: int, earlier: date) -> None:
    assert months_before(day, months) == earlier


def test_days_begin_and_end_at_midnight_of_the_company() -> None:
    bounds = day_bounds(date(2026, 6, 1), date(2026, 6, 2))
    assert bounds == (local(2026, 6, 1), local(2026, 6, 3))


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "UTC", "America/New_York"])
def test_the_first_and_the_last_day_of_the_calendar_have_bounds(zone: str, settings) -> None:
    settings.TIME_ZONE = zone
    start, end = day_bounds(date.min, date.max)
    assert start.astimezone(UTC) <= EARLIEST + timedelta(days=1)
    assert end == LATEST
    for day in (date.min, date.max):
        start, end = (moment.astimezone(UTC) for moment in day_bounds(day, day))
        assert start < end


@pytest.mark.parametrize("day", [date.min, date.max])
def test_the_database_compares_with_the_bounds(customer: Customer, rep: User, day: date) -> None:
    make_visit(customer, rep)
    assert Visit.objects.of_days(date.min, date.max).count() == 1
    assert not Visit.objects.of_days(day, day).exists()
