"""The occasions of the Chinese year (P30), against published tables and the State Council."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

import pytest

from crm.lib.calendar import LAST_YEAR, occasions, occasions_of

#: Spring Festival, Qingming, Dragon Boat, Mid-Autumn, as published (Hong Kong Observatory tables).
MOVING = {
    2009: ("01-26", "04-04", "05-28", "10-03"),  # leap month 5: the festival is in the plain one
    2020: ("01-25", "04-04", "06-25", "10-01"),  # leap month 4; Mid-Autumn on National Day
    2023: ("01-22", "04-05", "06-22", "09-29"),  # leap month 2
    2024: ("02-10", "04-04", "06-10", "09-17"),
    2025: ("01-29", "04-04", "05-31", "10-06"),  # leap month 6
    2026: ("02-17", "04-05", "06-19", "09-25"),
    2027: ("02-06", "04-05", "06-09", "09-15"),
    2028: ("01-26", "04-04", "05-28", "10-03"),  # leap month 5, and 29 February
    2029: ("02-13", "04-04", "06-16", "09-22"),
    2030: ("02-03", "04-05", "06-05", "09-12"),
    2033: ("01-31", "04-04", "06-01", "09-08"),  # the disputed year: leap month 11, not 8
}
NAMES = {
    "new_year": "元旦",
    "spring_festival": "春节",
    "qingming": "清明",
    "labour_day": "劳动节",
    "dragon_boat": "端午",
    "mid_autumn": "中秋",
    "national_day": "国庆",
}


def on(year: int) -> dict[str, date]:
    return {occasion.code: occasion.on for occasion in occasions_of(year)}


@pytest.mark.parametrize(("year", "days"), MOVING.items())
def test_moving_feasts_fall_on_their_published_days(year: int, days: tuple[str, ...]) -> None:
    codes = ("spring_festival", "qingming", "dragon_boat", "mid_autumn")
    assert tuple(f"{on(year)[code]:%m-%d}" for code in codes) == days


def test_solar_feasts_stay_where_they_are() -> None:
    for year in range(1990, 2060):
        days = on(year)
        assert days["new_year"] == date(year, 1, 1)
        assert days["labour_day"] == date(year, 5, 1)
        assert days["national_day"] == date(year, 10, 1)


@pytest.mark.data
def test_every_occasion_is_a_day_off_by_that_name_in_the_state_council_s_list(
    data_dir: Path,
) -> None:
    off: dict[date, str] = {}
    with (data_dir / "cn_holidays" / "state_council.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["is_off"] == "1":
                off[date.fromisoformat(row["date"])] = row["name"]
    checked = 0
    for year in range(2008, 2027):
        days = on(year)
        for code, day in days.items():
            if day not in off:  # a feast on a Sunday may be listed by its substitute day only
                assert off.get(day + timedelta(days=1)) or day.weekday() >= 5, (code, day)
                continue
            same_day = {NAMES[other] for other, that in days.items() if that == day}
            names = off[day].replace("“五一”", "劳动节").replace("“十一”", "国庆")
            assert any(name in names for name in same_day) or "国庆" in names, (code, day, names)
            checked += 1
    assert checked > 120


def test_a_range_includes_both_ends_and_crosses_years() -> None:
    found = occasions(date(2025, 10, 1), date(2026, 1, 1))
    assert [(o.code, o.on.isoformat()) for o in found] == [
        ("national_day", "2025-10-01"),
        ("mid_autumn", "2025-10-06"),
        ("new_year", "2026-01-01"),
    ]
    assert occasions(date(2026, 1, 2), date(2026, 1, 1)) == []


def test_a_leap_day_changes_nothing() -> None:
    assert occasions(date(2028, 2, 29), date(2028, 4, 4))[-1].code == "qingming"


def test_a_year_has_seven_occasions_in_order() -> None:
    for year in range(1900, LAST_YEAR + 1):
        found = occasions_of(year)
        assert {o.code for o in found} == set(NAMES)
        assert list(found) == sorted(found)
        assert all(o.on.year == year for o in found)


@pytest.mark.parametrize("year", [1899, 2101, 1, 9999])
def test_years_outside_the_calendar_are_refused(year: int) -> None:
    with pytest.raises(ValueError, match="1900 to 2100"):
        occasions_of(year)
