"""Days and months of the company."""

from __future__ import annotations

from datetime import date

import pytest

from crm.lib.days import day_bounds, months_before
from tests.factories import local


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
