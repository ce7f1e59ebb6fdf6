"""The day of a rep as a list of stops."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from crm.lib.formats import local_day
from visits.models import Visit, VisitStatus


@dataclass(frozen=True, slots=True)
class Stop:
    """One visit of the day: its number on the route, and whether it is the next thing to do."""

    visit: Visit
    number: int
    is_next: bool

    @property
    def is_over(self) -> bool:
        return not self.visit.is_open


@dataclass(frozen=True, slots=True)
class Route:
    """The stops of a day in order, without visits that were called off."""

    stops: list[Stop]
    done: int

    @property
    def total(self) -> int:
        return len(self.stops)

    @property
    def next(self) -> Visit | None:
        return next((stop.visit for stop in self.stops if stop.is_next), None)


def route_of(visits: Iterable[Visit]) -> Route:
    """The route through `visits`: by time; one that has begun goes before the planned ones."""
    kept = sorted(
        (visit for visit in visits if visit.status != VisitStatus.CANCELLED),
        key=lambda visit: (visit.checked_in_at or visit.scheduled_for, visit.pk),
    )
    upcoming = [v for v in kept if v.status == VisitStatus.CHECKED_IN] or [
        v for v in kept if v.status == VisitStatus.PLANNED
    ]
    stops = [
        Stop(visit, number, is_next=bool(upcoming) and visit is upcoming[0])
        for number, visit in enumerate(kept, start=1)
    ]
    return Route(stops, done=sum(visit.status == VisitStatus.DONE for visit in kept))


def next_slot(now: datetime) -> datetime:
    """The next full or half hour of the same day; late in the evening it is `now`."""
    start = now.replace(minute=0, second=0, microsecond=0)
    slot = start + timedelta(minutes=30 if now.minute < 30 else 60)
    return slot if local_day(slot) == local_day(now) else now.replace(second=0, microsecond=0)
