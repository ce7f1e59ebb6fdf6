"""The day of a rep as a list of stops."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from crm.lib.formats import local_day
from visits.models import Visit, VisitStatus
from visits.places import legs_m


@dataclass(frozen=True, slots=True)
class Stop:
    """One visit of the day: its number on the route, and whether it is the next thing to do.

    `leg_m` are the straight-line metres from the stop before; None for the first one, and where
    the address of the customer has no coordinates.
    """

    visit: Visit
    number: int
    is_next: bool
    leg_m: int | None = None

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
    def length_m(self) -> int | None:
        """The straight-line metres from stop to stop; None where there is nothing to measure."""
        legs = [stop.leg_m for stop in self.stops if stop.leg_m is not None]
        return sum(legs) if legs else None

    @property
    def unplaced(self) -> int:
        """How many stops are left out of the length: their customers have no coordinates."""
        return sum(not _is_placed(stop.visit) for stop in self.stops if _is_on_the_way(stop.visit))

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
    on_the_way = [visit for visit in kept if _is_on_the_way(visit)]
    legs = legs_m((v.customer.latitude, v.customer.longitude) for v in on_the_way)
    leg_of = dict(zip((visit.pk for visit in on_the_way), legs, strict=True))
    stops = [
        Stop(visit, number, bool(upcoming) and visit is upcoming[0], leg_of.get(visit.pk))
        for number, visit in enumerate(kept, start=1)
    ]
    return Route(stops, done=sum(visit.status == VisitStatus.DONE for visit in kept))


def _is_on_the_way(visit: Visit) -> bool:
    """A missed visit was no way to go."""
    return visit.status != VisitStatus.MISSED


def _is_placed(visit: Visit) -> bool:
    return visit.customer.latitude is not None and visit.customer.longitude is not None


def next_slot(now: datetime) -> datetime:
    """The next full or half hour of the same day; late in the evening it is `now`."""
    start = now.replace(minute=0, second=0, microsecond=0)
    slot = start + timedelta(minutes=30 if now.minute < 30 else 60)
    return slot if local_day(slot) == local_day(now) else now.replace(second=0, microsecond=0)
