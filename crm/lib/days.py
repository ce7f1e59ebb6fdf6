"""Days in the company's time zone, as moments in UTC."""

from calendar import monthrange
from datetime import date, datetime, time, timedelta

from django.utils import timezone


def day_start(day: date) -> datetime:
    """Midnight at the start of `day` in the company's time zone."""
    return timezone.make_aware(datetime.combine(day, time.min), timezone.get_default_timezone())


def day_bounds(first: date, last: date) -> tuple[datetime, datetime]:
    """From the start of `first` to the end of `last`: `start <= moment < end`."""
    return day_start(first), day_start(last + timedelta(days=1))


def months_before(day: date, months: int) -> date:
    """The same day of the month `months` months earlier, clipped to that month's length."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
