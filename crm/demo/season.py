"""How business runs through the year: towards Spring Festival and Mid-Autumn it rises."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

from crm.lib.calendar import lunar_day, occasions_of

#: Occasion → (days before it when orders begin to rise, days before when they end, factor).
_RISES = {
    "spring_festival": (50, 9, 2.1),
    "mid_autumn": (38, 6, 1.75),
    "dragon_boat": (28, 5, 1.3),
    "national_day": (20, 4, 1.15),
}
_WEEKDAYS = (1.15, 1.05, 1.0, 1.0, 0.95, 0.45, 0.2)


def days_of(first: date, last: date) -> list[date]:
    """Every day from `first` to `last`, both inclusive."""
    return [first + timedelta(days=i) for i in range((last - first).days + 1)]


@cache
def closed(day: date) -> bool:
    """Whether the trade rests: the week of Spring Festival, and the first days of October."""
    spring = lunar_day(day.year, 1, 1)
    return -1 <= (day - spring).days <= 6 or (day.month == 10 and day.day <= 3)


def workday(day: date) -> bool:
    return day.weekday() < 5 and not closed(day)


def demand(day: date) -> float:
    """How much is ordered on a day beside an ordinary one of 1."""
    if closed(day):
        return 0.04
    factor = _WEEKDAYS[day.weekday()]
    rises = [
        rise
        for year in (day.year, day.year + 1)
        for occasion in occasions_of(year)
        if occasion.code in _RISES
        for begins, ends, rise in [_RISES[occasion.code]]
        if ends <= (occasion.on - day).days <= begins
    ]
    spring = lunar_day(day.year, 1, 1)
    if 7 <= (day - spring).days <= 25:
        factor *= 0.6  # the shelves are full
    return factor * max(rises, default=1.0)


@cache
def festival_ahead(day: date, within: int = 45) -> str:
    """The gift-giving occasion that is at most `within` days ahead, or an empty text."""
    for year in (day.year, day.year + 1):
        for occasion in occasions_of(year):
            if (
                occasion.code in {"spring_festival", "mid_autumn", "dragon_boat"}
                and 0 < (occasion.on - day).days <= within
            ):
                return occasion.code
    return ""
