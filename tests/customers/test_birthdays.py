"""Birthdays in both calendars (P30), checked against a second library."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import product
from typing import cast

import pytest
from borax.calendars.lunardate import LCalendars, LunarDate
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from customers import birthdays
from customers.birthdays import Birthday, Parts

YEARS = range(2024, 2036)


def lunar(month: int, day: int, *, leap: bool = False, year: int | None = None) -> Birthday:
    return Birthday("lunar", month, day, leap, year)


def solar(month: int, day: int, year: int | None = None) -> Birthday:
    return Birthday("solar", month, day, False, year)


ALL = [
    lunar(*at, leap=leap) for at in product(range(1, 13), range(1, 31)) for leap in (False, True)
]


def kept_in(birthday: Birthday, year: int) -> date:
    """The day in the lunar year, by the rules of P30 and the second library."""
    leap = birthday.leap and LCalendars.leap_month(year) == birthday.month
    (days,) = {
        days
        for month, days, is_leap in LCalendars.iter_year_month(year)
        if (month, bool(is_leap)) == (birthday.month, bool(leap))
    }
    lunar_date = LunarDate(year, birthday.month, min(birthday.day, days), int(leap))
    return cast(date, lunar_date.to_solar_date())


def test_every_lunar_day_of_2024_to_2035_is_the_day_of_the_second_library() -> None:
    day, seen = date(2024, 1, 1), 0
    while day.year <= 2035:
        theirs = LunarDate.from_solar_date(day.year, day.month, day.day)
        born = lunar(theirs.month, theirs.day, leap=bool(theirs.leap), year=theirs.year)
        assert birthdays.fault(born) == "", born
        assert birthdays.next_on(born, day) == day
        assert day in birthdays.on_in_year(born, day.year)
        day, seen = day + timedelta(days=1), seen + 1
    assert seen == 12 * 365 + 3


def test_every_lunar_birthday_is_kept_as_the_rules_say_in_2024_to_2035() -> None:
    for birthday in ALL:
        kept = [kept_in(birthday, year) for year in range(2022, 2037)]
        for year in YEARS:
            assert birthdays.on_in_year(birthday, year) == [d for d in kept if d.year == year]
            today = date(year, 2, 3)
            assert birthdays.next_on(birthday, today) == min(d for d in kept if d >= today)


@pytest.mark.parametrize(
    ("birthday", "today", "next_on"),
    [
        (solar(6, 16), date(2026, 6, 16), date(2026, 6, 16)),
        (solar(6, 16, 1968), date(2026, 6, 17), date(2027, 6, 16)),
        (solar(2, 29), date(2026, 1, 1), date(2026, 2, 28)),
        (solar(2, 29), date(2028, 1, 1), date(2028, 2, 29)),
        (solar(2, 29), date(2027, 3, 1), date(2028, 2, 29)),
        (lunar(5, 3), date(2026, 6, 16), date(2026, 6, 17)),
        # leap months: 2025 has a leap 6th, 2028 a leap 5th, 2033 a leap 11th month
        (lunar(6, 10, leap=True), date(2025, 7, 5), date(2025, 8, 3)),
        (lunar(6, 10), date(2025, 7, 5), date(2026, 7, 23)),
        (lunar(6, 10, leap=True), date(2026, 1, 1), date(2026, 7, 23)),
        (lunar(2, 30, leap=True), date(2024, 1, 1), date(2024, 4, 8)),
        (lunar(11, 5, leap=True), date(2033, 6, 1), date(2033, 12, 26)),
        # the end of the lunar year: New Year's Eve is the 29th or the 30th of the 12th month
        (lunar(12, 30), date(2025, 1, 1), date(2025, 1, 28)),
        (lunar(12, 30), date(2024, 2, 10), date(2025, 1, 28)),
        (lunar(12, 30), date(2024, 2, 9), date(2024, 2, 9)),
        (lunar(1, 1), date(2025, 1, 28), date(2025, 1, 29)),
        (lunar(12, 1), date(2026, 1, 20), date(2027, 1, 8)),
    ],
)
def test_the_next_birthday(birthday: Birthday, today: date, next_on: date) -> None:
    assert birthdays.next_on(birthday, today) == next_on


def test_a_solar_year_can_hold_a_lunar_birthday_twice_or_not_at_all() -> None:
    birthday = lunar(12, 1)
    assert birthdays.on_in_year(birthday, 2027) == [date(2027, 1, 8), date(2027, 12, 28)]
    assert birthdays.on_in_year(lunar(12, 8), 2024) == [date(2024, 1, 18)]
    assert birthdays.on_in_year(lunar(11, 25), 2026) == [date(2026, 1, 13)]
    counts = {len(birthdays.on_in_year(b, year)) for b in ALL for year in YEARS}
    assert counts == {0, 1, 2}


@given(
    st.sampled_from(ALL) | st.builds(solar, st.integers(1, 12), st.integers(1, 28)),
    st.dates(date(1901, 1, 1), date(2098, 12, 31)),
)
def test_the_next_birthday_is_within_13_months(birthday: Birthday, today: date) -> None:
    following = birthdays.next_on(birthday, today)
    assert following is not None
    assert timedelta(0) <= following - today <= timedelta(days=386)
    assert following in birthdays.on_in_year(birthday, following.year)


def test_no_birthday_has_no_next() -> None:
    assert birthdays.next_on(None, date(2026, 6, 16)) is None


@pytest.mark.parametrize(
    ("birthday", "words"),
    [
        (solar(2, 29), ""),
        (solar(2, 29, 2000), ""),
        (solar(2, 29, 1900), "1900 has no 29 February."),
        (solar(2, 31), "Month 2 has 29 days at most."),
        (solar(4, 31), "Month 4 has 30 days at most."),
        (solar(0, 1), "A year has the months 1 to 12."),
        (solar(13, 1), "A year has the months 1 to 12."),
        (solar(1, 0), "Month 1 has 31 days at most."),
        (solar(1, 1, 1899), "Give a year of birth from 1900 to 2100."),
        (Birthday("solar", 6, 1, True), "Only the lunar calendar has leap months."),
        (lunar(2, 30), ""),
        (lunar(2, 31), "A lunar month has 30 days at most."),
        (
            lunar(2, 30, leap=True, year=1985),
            "The lunar year 1985 has no leap month after month 2.",
        ),
        (lunar(2, 30, leap=True, year=2004), "This month of the lunar year 2004 has 29 days."),
        (lunar(2, 29, leap=True, year=2004), ""),
        (lunar(1, 1, leap=True), "No lunar year has a leap month after month 1."),
        (lunar(12, 1, leap=True), "No lunar year has a leap month after month 12."),
        (lunar(11, 1, leap=True), ""),
        (lunar(12, 30, year=2025), "This month of the lunar year 2025 has 29 days."),
    ],
)
def test_a_day_that_does_not_exist_is_named(birthday: Birthday, words: str) -> None:
    with translation.override("en"):
        assert birthdays.fault(birthday) == words


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        (Parts(1968, 6, 16), "1968-06-16"),
        (Parts(None, 6, 16), "--06-16"),
        (Parts(None, 2, 30), "--02-30"),
        (Parts(1968), "1968"),
        (Parts(), ""),
    ],
)
def test_the_api_writes_the_date_of_its_own_calendar(parts: Parts, text: str) -> None:
    assert birthdays.as_text(parts) == text
    assert birthdays.from_text(text) == parts


@pytest.mark.parametrize("text", ["68", "06-16", "1968-6-16", "-06-16", "1968/06/16", "x"])
def test_other_ways_to_write_a_birthday_are_refused(text: str) -> None:
    with translation.override("en"), pytest.raises(ValueError, match="Write a birthday as"):
        birthdays.from_text(text)


@pytest.mark.parametrize(
    ("birthday", "english", "chinese"),
    [
        (lunar(5, 3), "3rd day of the 5th lunar month", "农历五月初三"),
        (lunar(1, 1), "1st day of the 1st lunar month", "农历正月初一"),
        (lunar(12, 22), "22nd day of the 12th lunar month", "农历腊月廿二"),
        (lunar(11, 11), "11th day of the 11th lunar month", "农历冬月十一"),
        (lunar(2, 30, leap=True), "30th day of the leap 2nd lunar month", "农历闰二月三十"),
        (lunar(5, 3, year=1968), "3rd day of the 5th lunar month, 1968", "1968年农历五月初三"),
        (solar(6, 16), "16 Jun", "6月16日"),
        (solar(6, 16, 1968), "16 Jun 1968", "1968年6月16日"),
        (solar(2, 29), "29 Feb", "2月29日"),
    ],
)
def test_a_birthday_in_words(birthday: Birthday, english: str, chinese: str) -> None:
    with translation.override("en"):
        assert birthdays.in_words(birthday) == english
    with translation.override("zh-hans"):
        assert birthdays.in_words(birthday) == chinese
