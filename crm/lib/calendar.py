"""The occasions of the Chinese year on which customers are greeted (P30), worked out offline."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache

from lunar_python import Lunar

#: The years the lunar calendar below has been checked for.
FIRST_YEAR, LAST_YEAR = 1900, 2100

_SOLAR = {"new_year": (1, 1), "labour_day": (5, 1), "national_day": (10, 1)}
_LUNAR = {"spring_festival": (1, 1), "dragon_boat": (5, 5), "mid_autumn": (8, 15)}


@dataclass(frozen=True, slots=True, order=True)
class Occasion:
    """One occasion of one year, and the day it falls on."""

    on: date
    code: str


def lunar_day(year: int, month: int, day: int) -> date:
    """The solar date of a day of the lunar calendar, in the plain month.

    A leap month repeats the plain one after it; festivals are kept in the plain month.
    """
    solar = Lunar.fromYmd(year, month, day).getSolar()
    return date(solar.getYear(), solar.getMonth(), solar.getDay())


def qingming(year: int) -> date:
    """The day in Beijing on which the sun reaches 15° (solar term 清明)."""
    term = Lunar.fromYmd(year, 1, 1).getJieQiTable()["清明"]
    return date(term.getYear(), term.getMonth(), term.getDay())


@cache
def occasions_of(year: int) -> tuple[Occasion, ...]:
    """The seven occasions of a solar year, in order. ValueError outside 1900–2100."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(f"The calendar knows the years {FIRST_YEAR} to {LAST_YEAR}.")
    days = {code: date(year, *month_day) for code, month_day in _SOLAR.items()}
    days |= {code: lunar_day(year, *month_day) for code, month_day in _LUNAR.items()}
    days["qingming"] = qingming(year)
    return tuple(sorted(Occasion(on, code) for code, on in days.items()))


def occasions(start: date, end: date) -> list[Occasion]:
    """The occasions from `start` to `end`, both inclusive, in order of their days.

    ValueError where the range leaves the years 1900–2100.
    """
    return [
        occasion
        for year in range(start.year, end.year + 1)
        for occasion in occasions_of(year)
        if start <= occasion.on <= end
    ]
