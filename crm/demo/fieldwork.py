"""The visits of the demo: a year of them at roughly the cadence, with gaps, and today's routes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby
from operator import attrgetter
from random import Random
from typing import Any

from django.db.models import OuterRef, Subquery
from django.db.models.functions import TruncDate
from django.utils import timezone

from crm.demo import talk
from crm.demo.catalogue import Item
from crm.demo.season import workday
from crm.demo.writing import Writer
from customers.models import Customer, Tier
from visits.models import Cadence, Visit, VisitStatus
from visits.places import distance_m

#: Days between visits where no cadence says otherwise (unranked customers).
UNRANKED_EVERY = 150
#: Of a tier's customers: the share that is overdue, and the share never visited.
_LATE = {Tier.A: 0.09, Tier.B: 0.13, Tier.C: 0.15, None: 0.0}
_NEVER = {Tier.A: 0.0, Tier.B: 0.0, Tier.C: 0.04, None: 0.5}
#: Beginnings of visits in minutes after midnight; a rep does no more on one day.
_SLOTS = (510, 570, 630, 690, 810, 860, 910, 960, 1010)
_ROUTE = (510, 600, 660, 810, 880, 960)
#: Customers known from the manual: days since the last visit, and today's route of the demo rep.
_KNOWN_GAPS = {"C-10002": 44, "C-10005": 71, "C-10010": 126, "C-10003": 57, "C-10001": 21}
_KNOWN_ROUTE = {
    "C-10001": "陈列复查，谈礼盒订单",
    "C-10003": "补货与陈列架",
    "C-10009": "陈列与海报检查",
    "C-10004": "月度拜访，对账",
    "C-10006": "慢动销黄豆酱换货",
}
COLUMNS = (
    "id", "customer_id", "rep_id", "scheduled_for", "purpose", "status", "checked_in_at",
    "closed_at", "latitude", "longitude", "accuracy_m", "distance_m", "answers", "words",
    "created_at", "updated_at",
)  # fmt: skip


@dataclass(slots=True)
class Stop:
    """A customer of a rep, as far as visiting it goes; `seen` is the last visit."""

    id: int
    number: str
    abc: str | None
    owner: int
    division: str
    latitude: Any
    longitude: Any
    since: date
    every: int = 0
    seen: date | None = None

    def due(self, today: date) -> float:
        """Share of the cadence that has passed; above 1 is overdue."""
        return (today - self.seen).days / self.every if self.seen else 0.9


def write_visits(
    writer: Writer, rng: Random, items: Sequence[Item], *, today: date, history_days: int
) -> None:
    """Write the visits of all owned customers, and set each customer's last visit.

    The last visit is always there; earlier ones go back `history_days`.
    """
    cadence: dict[str | None, int] = dict(Cadence.objects.values_list("abc", "every_days"))
    owned: Iterable[Any] = (
        Customer.objects.exclude(owner=None)
        .order_by("owner_id", "id")
        .values_list(
            "id", "external_id", "abc", "owner_id", "division", "latitude", "longitude",
            "created_at",
        )
    )  # fmt: skip
    stops = [
        Stop(pk, number, abc, owner, division, latitude, longitude, timezone.localdate(made))
        for pk, number, abc, owner, division, latitude, longitude, made in owned
    ]
    for stop in stops:
        stop.every = cadence.get(stop.abc, UNRANKED_EVERY)
    new = [item for item in items if (today - item.sold_from).days < 540]
    first = writer.next_id(Visit)
    rows = (
        row
        for owner, own in groupby(stops, key=attrgetter("owner"))
        for row in _visits_of_rep(
            rng, owner, list(own), new, today=today, history_days=history_days
        )
    )
    writer.write(Visit, COLUMNS, ((first + number, *row) for number, row in enumerate(rows)))
    done = Visit.objects.filter(customer=OuterRef("pk"), status=VisitStatus.DONE)
    last = done.order_by("-scheduled_for").values(day=TruncDate("checked_in_at"))[:1]
    Customer.objects.exclude(owner=None).update(last_visited_on=Subquery(last))


def _visits_of_rep(
    rng: Random, rep: int, stops: list[Stop], new: list[Item], *, today: date, history_days: int
) -> Iterator[tuple[object, ...]]:
    """All visits of one rep: those that were, then today's and the next days'."""
    taken: dict[date, int] = {}
    for stop in stops:
        for day in _days_seen(rng, stop, today, history_days):
            free = _free_day(day, taken)
            if free < stop.since:
                continue
            stop.seen = stop.seen or free
            begins = _at(free, _SLOTS[taken[free]] + rng.randrange(-5, 15))
            taken[free] += 1
            chance = rng.random()
            if chance < 0.03 and stop.seen != free:
                status = VisitStatus.MISSED if chance < 0.018 else VisitStatus.CANCELLED
                yield _unseen(rng, stop, rep, begins, status)
            else:
                yield _seen(rng, stop, rep, begins, new)
    yield from _planned(rng, stops, rep, today)


def _days_seen(rng: Random, stop: Stop, today: date, history_days: int) -> Iterator[date]:
    """The days a customer was visited, the latest first."""
    if rng.random() < _NEVER[Tier(stop.abc) if stop.abc else None]:
        return
    if rng.random() < _LATE[Tier(stop.abc) if stop.abc else None]:
        gap = int(stop.every * rng.uniform(1.08, 1.7))
    else:
        gap = max(1, int(stop.every * rng.uniform(0.04, 0.93)))
    day = today - timedelta(days=_KNOWN_GAPS.get(stop.number, gap))
    earliest = max(stop.since, today - timedelta(days=history_days))
    yield day
    while True:
        day -= timedelta(days=max(7, int(stop.every * rng.uniform(0.8, 1.25))))
        if day < earliest:
            return
        yield day


def _free_day(day: date, taken: dict[date, int]) -> date:
    """`day`, or the last working day before it on which the rep has time."""
    while not workday(day) or taken.setdefault(day, 0) >= len(_SLOTS):
        day -= timedelta(days=1)
    return day


def _at(day: date, minutes: int) -> datetime:
    clock = time(minutes // 60, minutes % 60)
    return timezone.make_aware(datetime.combine(day, clock), timezone.get_default_timezone())


def _seen(
    rng: Random, stop: Stop, rep: int, begins: datetime, new: Iterable[Item]
) -> tuple[object, ...]:
    """A visit that took place."""
    arrived = begins + timedelta(minutes=rng.randint(-8, 18))
    closed = arrived + timedelta(minutes=rng.randint(14, 62))
    place: tuple[str | None, str | None, int | None, int | None] = (None, None, None, None)
    if stop.latitude is not None and rng.random() < 0.9:
        latitude = float(stop.latitude) + rng.gauss(0, 0.0005)
        longitude = float(stop.longitude) + rng.gauss(0, 0.0005)
        metres = distance_m(latitude, longitude, stop.latitude, stop.longitude)
        place = f"{latitude:.6f}", f"{longitude:.6f}", rng.randint(5, 38), metres
    day = timezone.localdate(begins)
    launched = [item for item in new if 0 <= (day - item.sold_from).days <= 120]
    return (
        stop.id,
        rep,
        begins,
        talk.purpose(rng, day, stop.abc),
        VisitStatus.DONE,
        arrived,
        closed,
        *place,
        talk.answers(rng, day, launched),
        talk.words(rng, day),
        begins - timedelta(days=rng.randint(1, 6)),
        closed,
    )


def _unseen(
    rng: Random, stop: Stop, rep: int, begins: datetime, status: str, *, purpose: str = ""
) -> tuple[object, ...]:
    """A visit without a check-in: planned, missed or cancelled."""
    day = timezone.localdate(begins)
    asked = begins - timedelta(days=rng.randint(1, 6))
    changed = asked if status == VisitStatus.PLANNED else begins + timedelta(hours=9)
    return (
        stop.id, rep, begins, purpose or talk.purpose(rng, day, stop.abc), status, None, None,
        None, None, None, None, {}, "", asked, changed,
    )  # fmt: skip


def _planned(rng: Random, stops: list[Stop], rep: int, today: date) -> Iterator[tuple[object, ...]]:
    """Today's route within one division where the rep has work waiting, then the days after."""
    waiting = sorted(stops, key=lambda stop: (stop.due(today) > 1, -stop.due(today), stop.id))
    known = [stop for number in _KNOWN_ROUTE for stop in stops if stop.number == number]
    route = known or _route(waiting, today)
    for stop, minutes in zip(route, _ROUTE, strict=False):
        purpose = _KNOWN_ROUTE.get(stop.number, "")
        yield _unseen(rng, stop, rep, _at(today, minutes), VisitStatus.PLANNED, purpose=purpose)
    later = iter([stop for stop in waiting if stop not in route and stop.every])
    day = today
    for count in (4, 3, 3, 2, 1):
        day = next(d for i in range(1, 15) if workday(d := day + timedelta(days=i)))
        for minutes in _ROUTE[:count]:
            if (another := next(later, None)) is not None:
                yield _unseen(rng, another, rep, _at(day, minutes), VisitStatus.PLANNED)


def _route(waiting: list[Stop], today: date) -> list[Stop]:
    """Up to six customers of one division, those first whose visit is due soonest."""
    by_division: dict[str, list[Stop]] = {}
    for stop in waiting:
        by_division.setdefault(stop.division, []).append(stop)
    nearest = max(by_division.values(), key=lambda own: (min(len(own), 6), own[0].due(today)))
    others = [stop for stop in waiting if stop not in nearest]
    return [*nearest, *others][: len(_ROUTE)]
