"""Periods that people ask about: days of the company, the first and the last of them inclusive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils.translation import gettext_lazy as _

from crm.lib.days import day_bounds, day_start, months_before
from crm.lib.text import Text

DAY = timedelta(days=1)
#: Months of the period that a page begins with, up to today: those of the tier window (P8).
USUAL_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Period:
    """From `first` to `last`, both inclusive."""

    first: date
    last: date

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """The same as moments: start <= moment < end."""
        return day_bounds(self.first, self.last)

    def before(self) -> Period:
        """As many whole months right before, where it is some whole months; else as many days."""
        end = self.last + DAY
        months = (end.year - self.first.year) * 12 + end.month - self.first.month
        if months > 0 and months_before(end, months) == self.first:
            return Period(months_before(self.first, months), self.first - DAY)
        return Period(self.first - (end - self.first), self.first - DAY)

    def silent_since(self, days: int) -> datetime:
        """Who last ordered before this moment ordered nothing in the last `days` of the period."""
        return day_start(self.last - timedelta(days=days - 1))

    def months(self) -> Iterator[date]:
        """The first day of every calendar month that the period touches."""
        year, month = self.first.year, self.first.month
        while (year, month) <= (self.last.year, self.last.month):
            yield date(year, month, 1)
            year, month = (year, month + 1) if month < 12 else (year + 1, 1)


def usual(today: date) -> Period:
    """The last 12 months up to `today`."""
    return Period(months_before(today, USUAL_MONTHS) + DAY, today)


def presets(today: date) -> list[tuple[str, Text, Period]]:
    """What can be picked with one press: a name, its words and the period as of `today`."""
    month = today.replace(day=1)
    quarter = date(today.year, (today.month - 1) // 3 * 3 + 1, 1)
    year = date(today.year, 1, 1)
    return [
        ("12-months", _("Last 12 months"), usual(today)),
        ("month", _("This month"), Period(month, today)),
        ("last-month", _("Last month"), Period(months_before(month, 1), month - DAY)),
        ("quarter", _("This quarter"), Period(quarter, today)),
        ("last-quarter", _("Last quarter"), Period(months_before(quarter, 3), quarter - DAY)),
        ("year", _("This year"), Period(year, today)),
        ("last-year", _("Last year"), Period(date(today.year - 1, 1, 1), year - DAY)),
    ]
