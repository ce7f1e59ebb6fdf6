"""P24: demand, safety stock, suggestions, ages and deadlines: tables, no database."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal as D
from math import isclose, sqrt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.stock.ageing import (
    Age,
    Deadline,
    age_of,
    by_age,
    deadlines,
    is_slow,
    next_deadline,
    oldest,
)
from orders.stock.movements import Lot
from orders.stock.planning import (
    Demand,
    Piece,
    Terms,
    cover_days,
    demand,
    factor,
    plan,
    safety_stock,
)

TODAY = date(2026, 6, 16)
TERMS = Terms(service_level=D(95), lead_days=7, lead_spread_days=2, review_days=14)


def pieces(*pairs: tuple[Any, Any]) -> list[Piece]:
    return [Piece(D(days), D(quantity)) for days, quantity in pairs]


class TestDemand:
    def test_p24_it_is_what_was_sold_in_the_days_it_was_sold_in(self):
        found = demand(pieces((10, 20), (30, 100)))
        assert found is not None
        assert (found.per_day, found.pieces, found.days) == (D(3), 2, D(40))
        # (20 − 30)²/10 + (100 − 90)²/30 = 10 + 10/3, over k − 1 = 1.
        assert isclose(found.deviation or 0, sqrt(10 + 10 / 3))

    def test_one_interval_tells_the_demand_and_not_how_it_varies(self):
        assert demand(pieces((20, 50))) == Demand(D("2.5"), None, 1, D(20))

    def test_none_tells_nothing(self):
        assert demand([]) is None
        assert demand(pieces(("0.2", 5))) is None

    def test_a_recount_of_the_same_day_does_not_make_it_vary(self):
        with_it = demand(pieces((10, 20), ("0.02", 0), (10, 20)))
        assert with_it is not None
        assert with_it.pieces == 2
        assert (with_it.deviation or 0) < 0.1
        assert demand(pieces((10, 20), ("0.5", 3))) == Demand(D(23) / D("10.5"), None, 1, D("10.5"))

    @given(
        st.lists(st.tuples(st.integers(1, 40), st.integers(0, 500)), min_size=2, max_size=8),
        st.integers(2, 9),
    )
    def test_it_grows_with_what_is_sold(self, pairs, times):
        once, more = demand(pieces(*pairs)), demand(pieces(*((d, q * times) for d, q in pairs)))
        assert once is not None
        assert more is not None
        assert once.deviation is not None
        assert more.deviation is not None
        assert isclose(more.per_day, once.per_day * times)
        assert isclose(more.deviation, once.deviation * times, abs_tol=1e-6)

    @given(st.integers(0, 50), st.lists(st.integers(1, 40), min_size=2, max_size=8))
    def test_what_is_sold_evenly_does_not_vary(self, rate, days):
        found = demand(pieces(*((n, rate * n) for n in days)))
        assert found is not None
        assert (found.per_day, found.deviation) == (rate, 0)


#: Standard deviation of the lead time in days → safety stock, with a demand of 2,500 ± 500 a day,
#: a lead time of 7 days and a service level of 90 %: Chopra, Meindl, Supply Chain Management, the
#: example of a maker of computers that buys a component (required safety inventory as a function
#: of lead time uncertainty).
TEXTBOOK = {
    6: 19_298, 5: 16_109, 4: 12_927, 3: 9_760, 2: 6_628, 1: 3_625, 0: 1_695, 7: 22_491,
}  # fmt: skip


@pytest.mark.parametrize("spread", TEXTBOOK)
def test_p24_the_safety_stock_is_that_of_the_textbook(spread: int) -> None:
    found = safety_stock(
        per_day=2500, deviation=500, lead_days=7, lead_spread=spread, z=factor(D(90))
    )
    assert abs(found - TEXTBOOK[spread]) < 2


@pytest.mark.parametrize(
    ("level", "z"), [("50", 0), ("84.13", 1), ("90", 1.2816), ("95", 1.6449), ("99", 2.3263)]
)
def test_the_factor_is_that_of_the_normal_distribution(level: str, z: float) -> None:
    assert abs(factor(D(level)) - z) < 0.001


def even(per_day: Any, deviation: float = 0.0) -> Demand:
    return Demand(D(per_day), deviation, 3, D(60))


class TestPlan:
    #: With a demand of 10 a day that never varies: z · 10 · 2 days = 32.897 of safety stock,
    #: 102.897 reorder point, 242.897 target.
    @pytest.mark.parametrize(
        ("expected", "on_the_way", "wanted"),
        [
            (200, 0, 0),
            (103, 0, 0),
            (102, 0, 141),
            (0, 0, 243),
            (-5, 0, 243),
            (0, 102, 141),
            (50, 53, 0),
            (D("101.5"), 0, 142),
        ],
    )
    def test_p24_it_fills_up_where_the_reorder_point_is_reached(self, expected, on_the_way, wanted):
        found = plan(even(10), expected=D(expected), on_the_way=D(on_the_way), terms=TERMS)
        assert found is not None
        assert (found.safety, found.reorder_point, found.target) == (
            D("32.897"), D("102.897"), D("242.897"),
        )  # fmt: skip
        assert (found.suggestion, found.is_due) == (wanted, wanted > 0)

    def test_without_two_intervals_there_is_no_number(self):
        for found in (None, Demand(D(3), None, 1, D(20))):
            assert plan(found, expected=D(0), on_the_way=D(0), terms=TERMS) is None

    def test_what_is_not_sold_is_not_ordered(self):
        found = plan(even(0), expected=D(0), on_the_way=D(0), terms=TERMS)
        assert found is not None
        assert found.suggestion == 0

    @given(
        st.integers(1, 100),
        st.floats(0, 50),
        st.decimals(0, 5000, places=3),
        st.decimals(0, 500, places=3),
    )
    def test_after_the_suggestion_nothing_more_is_due(self, per_day, deviation, there, way):
        def planned(way: D) -> Any:
            return plan(even(per_day, deviation), expected=there, on_the_way=way, terms=TERMS)

        first = planned(way)
        assert first.suggestion == first.suggestion.to_integral_value() >= 0
        again = planned(way + first.suggestion)
        assert again.suggestion == 0
        if first.is_due:
            assert there + way <= first.reorder_point
            assert first.target <= there + way + first.suggestion < first.target + 1

    def test_a_higher_service_level_never_asks_for_less(self):
        safe = [
            plan(
                even(10, 4.0), expected=D(0), on_the_way=D(0),
                terms=Terms(D(level), 7, 2, 14),
            )
            for level in (50, 80, 95, 99)
        ]  # fmt: skip
        stocks = [one.safety for one in safe if one]
        assert stocks == sorted(stocks)
        assert stocks[0] == 0

    @pytest.mark.parametrize(
        ("expected", "found", "days"),
        [
            (30, even(2), 15),
            (0, even(2), 0),
            (-3, even(2), 0),
            (30, even(0), None),
            (30, None, None),
        ],
    )
    def test_p24_cover_is_how_long_it_lasts(self, expected, found, days):
        assert cover_days(D(expected), found) == days


def slow(**given: Any) -> bool:
    usual: dict[str, Any] = {
        "expected": D(50), "cover": D(30), "slow_cover_days": 90, "sold": D(10),
        "watched_days": 95, "demand_days": 90,
    }  # fmt: skip
    return is_slow(**{**usual, **given})


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, False),
        ({"cover": D(90)}, False),
        ({"cover": D("90.1")}, True),
        ({"cover": D(500), "expected": D(0)}, False),
        ({"cover": None, "sold": D(0)}, True),
        ({"cover": None, "sold": D(0), "watched_days": 89}, False),
        ({"cover": None, "sold": D(3)}, False),
    ],
)
def test_p37_what_lasts_too_long_or_is_not_sold_at_all_moves_slowly(given, wanted) -> None:
    assert slow(**given) is wanted


def days_ago(days: int) -> date:
    return TODAY - timedelta(days=days)


class TestAges:
    @pytest.mark.parametrize(
        ("days", "age"),
        [
            (-3, Age.FRESH), (0, Age.FRESH), (90, Age.FRESH), (91, Age.HALF), (180, Age.HALF),
            (181, Age.YEAR), (365, Age.YEAR), (366, Age.OLDER), (None, Age.UNKNOWN),
        ],
    )  # fmt: skip
    def test_p24_a_batch_has_an_age(self, days, age):
        assert age_of(None if days is None else days_ago(days), TODAY) is age

    def test_p24_the_ages_add_up_to_what_is_there(self):
        lots = [Lot("A", D(5), days_ago(10)), Lot("B", D(7), days_ago(20)), Lot("", D(2))]
        sums = by_age(lots, TODAY)
        assert sums[Age.FRESH] == 12
        assert sums[Age.UNKNOWN] == 2
        assert sum(sums.values()) == 14

    def test_the_oldest_batch_is_one_that_is_still_there(self):
        lots = [Lot("A", D(0), days_ago(900)), Lot("B", D(1), days_ago(30)), Lot("C", D(9))]
        assert oldest(lots) == days_ago(30)
        assert oldest([Lot("C", D(9))]) is None


class TestDeadlines:
    def of(self, *lots: Lot, **given: Any) -> list[Deadline]:
        usual: dict[str, Any] = {
            "arrived": {}, "arrived_any": None, "first_counted": days_ago(100), "exchange_days": 90,
        }  # fmt: skip
        return deadlines(lots, **{**usual, **given})

    def test_p37_it_counts_from_the_arrival_of_the_batch(self):
        (found,) = self.of(
            Lot("A", D(3)), arrived={"A": days_ago(80), "B": days_ago(2)}, arrived_any=days_ago(2)
        )
        assert found == Deadline("A", days_ago(80), days_ago(-10))
        assert (found.days_left(TODAY), found.is_soon(TODAY)) == (10, True)

    def test_else_from_that_of_the_product_else_from_the_first_count(self):
        (of_product,) = self.of(Lot("A", D(3)), arrived={"B": days_ago(2)}, arrived_any=days_ago(2))
        assert of_product.arrived_on == days_ago(2)
        (of_count,) = self.of(Lot("A", D(3)))
        assert of_count == Deadline("A", days_ago(100), days_ago(10))
        assert (of_count.days_left(TODAY), of_count.is_soon(TODAY)) == (-10, False)

    def test_a_batch_that_is_gone_has_none(self):
        assert self.of(Lot("A", D(0))) == []

    def test_the_next_one_comes_before_those_that_passed(self):
        lots = [Lot("A", D(1)), Lot("B", D(1)), Lot("C", D(1))]
        arrived = {"A": days_ago(120), "B": days_ago(70), "C": days_ago(10)}
        found = self.of(*lots, arrived=arrived)
        assert [one.batch for one in found] == ["A", "B", "C"]
        first = next_deadline(found, TODAY)
        assert first is not None
        assert first.batch == "B"
        last = next_deadline(found[:1], TODAY)
        assert last is not None
        assert last.batch == "A"
        assert next_deadline([], TODAY) is None
