"""When birthdays fall, in the solar and in the lunar calendar (P30); pure, without the database.

A solar birthday on 29 February is kept on 28 February in common years. A lunar birthday in a leap
month falls in that leap month in years that have it, otherwise in the plain month; the 30th of a
month that has 29 days that year falls on the 29th. A lunar year begins between 21 January and 20
February, so a solar year can hold a lunar birthday twice, or not at all.
"""

from __future__ import annotations

import re
from calendar import isleap, monthrange
from datetime import date, timedelta
from functools import cache, lru_cache
from typing import NamedTuple, TypeAlias

from django.db.models import TextChoices
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from lunar_python import LunarYear, Solar
from lunar_python.util import LunarUtil

from crm.lib.formats import in_chinese


class BirthdayCalendar(TextChoices):
    SOLAR = "solar", gettext_lazy("solar")
    LUNAR = "lunar", gettext_lazy("lunar")


class Birthday(NamedTuple):
    """Month and day in one calendar; `year` is None where only the day is known."""

    calendar: str
    month: int
    day: int
    leap: bool = False
    year: int | None = None


#: Years of birth that can be given; without one, a date is possible if it is in any of them.
YEARS = range(1900, 2101)
#: (month, whether it is the leap month) → its first day and how many it has.
LunarMonths: TypeAlias = dict[tuple[int, bool], tuple[date, int]]
_TEXT = re.compile(r"([0-9]{4})|(?:([0-9]{4})-|--)([0-9]{2})-([0-9]{2})")


def next_on(birthday: Birthday | None, today: date) -> date | None:
    """The next day, `today` included, on which the birthday is kept; None for no birthday."""
    if birthday is None:
        return None
    # The lunar year of January is that of the year before.
    falls = (_in_own_year(birthday, today.year + step) for step in (-1, 0, 1))
    return next(day for day in falls if day >= today)


def on_in_year(birthday: Birthday, year: int) -> list[date]:
    """The days of the solar year on which the birthday is kept: one; 0–2 for a lunar one."""
    falls = (_in_own_year(birthday, own) for own in (year - 1, year))
    return [day for day in falls if day.year == year]


def _in_own_year(birthday: Birthday, year: int) -> date:
    """The day it is kept in `year` of its own calendar, as a solar date."""
    if birthday.calendar == BirthdayCalendar.SOLAR:
        return date(year, birthday.month, min(birthday.day, monthrange(year, birthday.month)[1]))
    months = _lunar_months(year)
    leap = birthday.leap and (birthday.month, True) in months
    first, days = months[birthday.month, leap]
    return first + timedelta(days=min(birthday.day, days) - 1)


@lru_cache(maxsize=512)
def _lunar_months(year: int) -> LunarMonths:
    months: LunarMonths = {}
    for month in LunarYear.fromYear(year).getMonthsInYear():
        first = Solar.fromJulianDay(month.getFirstJulianDay())
        key = (abs(month.getMonth()), month.isLeap())
        months[key] = (
            date(first.getYear(), first.getMonth(), first.getDay()),
            month.getDayCount(),
        )
    return months


@cache
def _longest_leap_months() -> dict[int, int]:
    """Month → how many days its leap month has at most, for those that come at all in YEARS."""
    longest: dict[int, int] = {}
    for year in YEARS:
        for (month, leap), (_first, days) in _lunar_months(year).items():
            if leap:
                longest[month] = max(days, longest.get(month, 0))
    return longest


def fault(birthday: Birthday) -> str:
    """Why there is no such day, in the reader's language; "" if there is."""
    if birthday.year is not None and birthday.year not in YEARS:
        return _("Give a year of birth from 1900 to 2100.")
    if not 1 <= birthday.month <= 12:
        return _("A year has the months 1 to 12.")
    if birthday.calendar == BirthdayCalendar.LUNAR:
        return _lunar_fault(birthday)
    if birthday.leap:
        return _("Only the lunar calendar has leap months.")
    return _solar_fault(birthday)


def _solar_fault(birthday: Birthday) -> str:
    year, month, day = birthday.year, birthday.month, birthday.day
    longest = 29 if month == 2 else monthrange(2000, month)[1]
    if not 1 <= day <= longest:
        return _("Month %(month)d has %(days)d days at most.") % {"month": month, "days": longest}
    if (month, day) == (2, 29) and year is not None and not isleap(year):
        return _("%(year)d has no 29 February.") % {"year": year}
    return ""


def _lunar_fault(birthday: Birthday) -> str:
    year, month, day, leap = birthday.year, birthday.month, birthday.day, birthday.leap
    if not 1 <= day <= 30:
        return _("A lunar month has 30 days at most.")
    if leap and month not in _longest_leap_months():
        return _("No lunar year has a leap month after month %(month)d.") % {"month": month}
    words = ""
    if year is None:
        if leap and day > _longest_leap_months()[month]:
            words = _("The leap month after month %(month)d never has 30 days.")
    elif (found := _lunar_months(year).get((month, leap))) is None:
        words = _("The lunar year %(year)d has no leap month after month %(month)d.")
    elif day > found[1]:
        words = _("This month of the lunar year %(year)d has 29 days.")
    return words % {"year": year, "month": month}


class Parts(NamedTuple):
    """What is known of a date of birth: the day, the year, both or nothing."""

    year: int | None = None
    month: int | None = None
    day: int | None = None


def as_text(parts: Parts) -> str:
    """How the API writes it: 1968-05-03, `--05-03` without the year, 1968 where only the year is
    known, "" for nothing.

    Always the date of its own calendar, so a lunar one need not be a solar date.
    """
    if parts.month is None or parts.day is None:
        return "" if parts.year is None else f"{parts.year:04d}"
    year = "-" if parts.year is None else f"{parts.year:04d}"
    return f"{year}-{parts.month:02d}-{parts.day:02d}"


def from_text(text: str) -> Parts:
    """What `as_text` wrote; raises ValueError in the reader's language for anything else.

    Whether there is such a day depends on the calendar: `fault` says so.
    """
    if not text.strip():
        return Parts()
    match = _TEXT.fullmatch(text.strip())
    if match is None:
        raise ValueError(_("Write a birthday as 1968-05-03, or as --05-03 without the year."))
    alone, year, month, day = match.groups()
    if alone:
        return Parts(year=int(alone))
    return Parts(int(year) if year else None, int(month), int(day))


def in_words(birthday: Birthday) -> str:
    """农历五月初三, 3rd day of the 5th lunar month; solar ones as 6月16日, 16 Jun."""
    year = birthday.year
    if birthday.calendar == BirthdayCalendar.LUNAR:
        words = _lunar_words(birthday)
        return _("%(day)s, %(year)d") % {"day": words, "year": year} if year else words
    if in_chinese():
        day = f"{birthday.month}月{birthday.day}日"
        return f"{year}年{day}" if year else day
    shown = date(year or 2000, birthday.month, birthday.day)
    return date_format(shown, "j M Y" if year else "j M")


def _lunar_words(birthday: Birthday) -> str:
    if in_chinese():
        parts = {
            "month": LunarUtil.MONTH[birthday.month],
            "day": LunarUtil.DAY[birthday.day],
        }
    else:
        parts = {"month": _ordinal(birthday.month), "day": _ordinal(birthday.day)}
    if birthday.leap:
        return _("%(day)s day of the leap %(month)s lunar month") % parts
    return _("%(day)s day of the %(month)s lunar month") % parts


def _ordinal(number: int) -> str:
    last = 0 if 10 < number < 14 else number % 10
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(last, 'th') }"
