"""The day of a rep as a list of stops."""

from datetime import datetime

import pytest

from tests.factories import local
from visits.models import Visit
from visits.route import next_slot, route_of


def visit(pk: int, hour: int, status: str = "planned", began: datetime | None = None) -> Visit:
    return Visit(pk=pk, scheduled_for=local(2026, 6, 16, hour), status=status, checked_in_at=began)


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
