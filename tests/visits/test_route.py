"""The day of a rep as a list of stops."""

from datetime import datetime

import pytest

from customers.models import Customer
from tests.factories import local
from visits.models import Visit
from visits.route import next_slot, route_of


def visit(
    pk: int,
    hour: int,
    status: str = "planned",
    began: datetime | None = None,
    at: tuple[float, float] | None = (30.0, 120.5),
) -> Visit:
    latitude, longitude = at or (None, None)
    return Visit(
        pk=pk,
        customer=Customer(latitude=latitude, longitude=longitude),
        scheduled_for=local(2026, 6, 16, hour),
        status=status,
        checked_in_at=began,
    )


def test_stops_run_by_time_and_the_first_open_one_is_next() -> None:
    route = route_of([visit(3, 15), visit(1, 9, "done", local(2026, 6, 16, 9)), visit(2, 11)])
    assert [stop.visit.pk for stop in route.stops] == [1, 2, 3]
    assert [stop.is_next for stop in route.stops] == [False, True, False]
    assert (route.done, route.total) == (1, 3)


def test_one_that_has_begun_goes_first() -> None:
    route = route_of([visit(1, 9), visit(2, 14, "checked_in", local(2026, 6, 16, 14))])
    assert route.next is not None
    assert route.next.pk == 2


def test_called_off_visits_are_no_stops_and_missed_ones_stay() -> None:
    route = route_of([visit(1, 9, "cancelled"), visit(2, 10, "missed")])
    assert [stop.visit.pk for stop in route.stops] == [2]
    assert route.next is None


def test_the_route_is_as_long_as_its_legs_past_missed_and_unplaced_stops() -> None:
    route = route_of(
        [
            visit(1, 9, "done", local(2026, 6, 16, 9)),
            visit(2, 10, "missed", at=(31.0, 120.5)),
            visit(3, 11, at=None),
            visit(4, 12, at=(30.001, 120.5)),
            visit(5, 13, "cancelled", at=(31.0, 120.5)),
            visit(6, 14, at=(30.003, 120.5)),
        ]
    )
    assert [stop.leg_m for stop in route.stops] == [None, None, None, 111, 222]
    assert (route.length_m, route.unplaced) == (333, 1)


@pytest.mark.parametrize("at", [None, (30.0, 120.5)])
def test_one_stop_is_no_way(at: tuple[float, float] | None) -> None:
    assert route_of([visit(1, 9, at=at)]).length_m is None


@pytest.mark.parametrize(
    ("now", "slot"),
    [
        ((12, 5), (12, 30)),
        ((12, 30), (13, 0)),
        ((0, 0), (0, 30)),
        ((23, 29), (23, 30)),
        ((23, 31), (23, 31)),  # never tomorrow
        ((23, 59), (23, 59)),
    ],
)
def test_a_visit_for_today_is_planned_for_the_next_half_hour_of_today(now, slot) -> None:
    assert next_slot(local(2026, 6, 16, *now)) == local(2026, 6, 16, *slot)
