"""Days in the company's time zone, as moments in UTC."""

from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from time import monotonic

from django.utils import timezone

#: The first and the last moment there is a word for.
EARLIEST = datetime.min.replace(tzinfo=UTC)
LATEST = datetime.max.replace(tzinfo=UTC)


def day_start(day: date) -> datetime:
    """Midnight at the start of `day` in the company's time zone.

    On the first day of the calendar that may lie before the beginning of time in UTC: then it
    is EARLIEST, so that every day a person types can be compared with what is stored.
    """
    start = timezone.make_aware(datetime.combine(day, time.min), timezone.get_default_timezone())
    try:
        start.astimezone(UTC)
    except OverflowError:
        return EARLIEST
    return start


def day_bounds(first: date, last: date) -> tuple[datetime, datetime]:
    """From the start of `first` to the end of `last`: `start <= moment < end`.

    The last day of the calendar ends with LATEST.
    """
    return day_start(first), (LATEST if last == date.max else day_start(last + timedelta(days=1)))


def months_before(day: date, months: int) -> date:
    """The same day of the month `months` months earlier, clipped to that month's length."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def clock_from(now: datetime) -> Callable[[], datetime]:
    """A clock that says `now` at this moment and goes on from there, for what takes a while."""
    begun = monotonic()
    return lambda: now + timedelta(seconds=monotonic() - begun)
