"""Charts: from numbers to places on an SVG."""

from decimal import Decimal

import pytest

from crm.lib.charts import Axis, Zone, heat, line_path, per_cent, zones


def test_lengths_are_plain_numbers_whatever_the_language() -> None:
    assert [per_cent(Decimal(n)) for n in ("0", "0.1558", "0.333333", "1")] == [
        "0",
        "15.58",
        "33.33",
        "100",
    ]


def test_a_line_goes_up_where_the_numbers_do() -> None:
    points = [
        (Decimal(0), Decimal(0)),
        (Decimal("0.2"), Decimal("0.859")),
        (Decimal(1), Decimal(1)),
    ]
    assert line_path(points) == "M0,100L20,14.1L100,0"
    assert line_path([]) == ""


@pytest.mark.parametrize(("count", "step"), [(0, 0), (1, 1), (12, 2), (24, 3), (32, 4)])
def test_heat_has_four_steps(count: int, step: int) -> None:
    assert heat(count, 32) == step


def test_zones_stand_side_by_side() -> None:
    assert zones([("A", Decimal("0.2")), ("B", Decimal("0.3"))]) == [
        Zone("A", "0", "20", "10"),
        Zone("B", "20", "30", "35"),
    ]


@pytest.mark.parametrize(
    ("values", "least_step", "marks"),
    [
        ([], 0, ["0", "0.5", "1"]),
        ([1, 2], 1, ["0", "1", "2"]),
        ([0], 1, ["0", "1"]),
        ([59, 48], 0, ["0", "20", "40", "60"]),
        ([-30, 100], 0, ["-50", "0", "50", "100"]),
        (["870069.83"], 0, ["0", "500000", "1000000"]),
    ],
)
def test_an_axis_takes_in_zero_and_all_values_with_round_marks(
    values: list[int | str], least_step: int, marks: list[str]
) -> None:
    axis = Axis.over([Decimal(value) for value in values], least_step=Decimal(least_step))
    assert axis.marks == [Decimal(mark) for mark in marks]
    assert [axis.y(axis.high), axis.y(axis.low)] == [Decimal(0), Decimal(100)]
