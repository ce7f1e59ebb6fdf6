"""Distances on the ground."""

from decimal import Decimal

import pytest

from visits.places import Point, distance_m, legs_m


@pytest.mark.parametrize(
    ("there", "metres", "within"),
    [
        ((30.0, 120.5), 0, 0),
        ((30.001, 120.5), 111, 1),
        ((30.0, 121.5), 96_300, 100),  # a degree of longitude shrinks with cos(latitude)
        ((31.2304, 121.4737), 165_900, 1000),  # Shanghai
        ((-30.0, -59.5), 20_015_000, 2000),  # the other side of the world
    ],
)
def test_distance_of_known_places(there: tuple[float, float], metres: int, within: int) -> None:
    found = distance_m(30.0, 120.5, *there)
    assert found is not None
    assert abs(found - metres) <= within


def test_decimals_of_the_database_are_understood() -> None:
    assert distance_m(Decimal("30.000000"), Decimal("120.5"), 30.0, 120.5) == 0


def test_across_the_date_line_is_near() -> None:
    found = distance_m(0, 179.999, 0, -179.999)
    assert found is not None
    assert found < 230


@pytest.mark.parametrize("gap", range(4))
def test_an_unknown_coordinate_gives_no_distance(gap: int) -> None:
    place: list[float | None] = [30.0, 120.5, 30.1, 120.6]
    place[gap] = None
    assert distance_m(*place) is None


HOME, NORTH, FAR = (30.0, 120.5), (30.001, 120.5), (30.002, 120.5)
NOWHERE, HALF = (None, None), (30.0, None)


@pytest.mark.parametrize(
    ("points", "legs"),
    [
        ([], []),
        ([HOME], [None]),
        ([HOME, HOME], [None, 0]),
        ([HOME, NORTH, FAR], [None, 111, 111]),
        ([HOME, NORTH, HOME], [None, 111, 111]),
        ([HOME, NOWHERE, FAR], [None, None, 222]),  # the way goes past what is unknown
        ([HOME, HALF, FAR], [None, None, 222]),
        ([NOWHERE, HOME, NORTH], [None, None, 111]),
        ([HOME, NOWHERE], [None, None]),
        ([NOWHERE, HALF], [None, None]),
    ],
)
def test_the_way_from_point_to_point(points: list[Point], legs: list[int | None]) -> None:
    assert legs_m(points) == legs
