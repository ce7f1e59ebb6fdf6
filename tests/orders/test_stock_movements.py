"""P23: what moved between counts, and what cannot be: tables and random histories, no database."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.stock.movements import (
    Arrival,
    Count,
    History,
    Interval,
    Kind,
    Lot,
    Move,
    Problem,
    intervals,
)

BEGIN = datetime(2026, 5, 1, 2, tzinfo=UTC)


def at(day: float) -> datetime:
    return BEGIN + timedelta(days=day)


def count(day: float, *lots: Any, pk: int | None = None) -> Count:
    """A count of lots (batch, quantity, day of production), or of one quantity without a batch."""
    made = tuple(
        Lot(lot[0], D(lot[1]), date(2026, 1, 1) + timedelta(days=lot[2]) if lot[2:] else None)
        if isinstance(lot, tuple)
        else Lot("", D(lot))
        for lot in lots
    )
    return Count(pk or int(day * 10) + 1, at(day), made)


def move(kind: str, day: float, quantity: Any, batch: str = "", cause: str = "") -> Move:
    return Move(Kind(kind), int(day * 10), at(day), D(quantity), batch, cause)


def judged(counts: list[Count], *moves: Move, arrivals: Any = ()) -> list[Interval]:
    history = History(1, 1, counts, sorted(moves, key=lambda one: one.at), list(arrivals))
    return intervals(history)


def problems(found: list[Interval]) -> list[list[Problem]]:
    return [[one.problem for one in interval.findings] for interval in found]


class TestSums:
    def test_p23_opening_and_sell_in_and_adjustments_less_closing_was_sold(self):
        first, last = judged(
            [count(0, 100), count(30, 60)],
            move("delivery", 10, 50),
            move("delivery", 20, -5),
            move("adjustment", 12, -3, cause="damage"),
            move("sale", 15, 70),
        )
        assert (first.sell_in, first.adjusted, first.derived) == (D(45), D(-3), D(82))
        assert (first.reported, first.difference, first.days) == (D(70), D(12), D(30))
        assert (last.closing, last.derived, last.difference, last.available) == (
            None, None, None, D(60),
        )  # fmt: skip

    def test_what_moves_at_the_moment_of_a_count_comes_after_it(self):
        first, last = judged(
            [count(0, 10), count(10, 10)], move("delivery", 0, 4), move("delivery", 10, 7)
        )
        assert (first.sell_in, last.sell_in) == (D(4), D(7))

    def test_before_the_first_count_nothing_is_known(self):
        (only,) = judged([count(10, 8)], move("delivery", 5, 99))
        assert (only.available, only.derived, only.reported) == (D(8), None, None)

    def test_a_batch_without_a_line_is_gone(self):
        first, _open = judged([count(0, ("A", 5), ("B", 7)), count(9, ("B", 7))])
        assert first.derived == 5

    def test_a_dealer_that_reports_nothing_is_not_one_that_sold_nothing(self):
        first, _open = judged([count(0, 5), count(9, 5)])
        assert (first.derived, first.reported, first.difference) == (D(0), None, None)

    @given(
        st.lists(st.integers(0, 60), min_size=2, max_size=6),
        st.lists(
            st.tuples(
                st.sampled_from(["delivery", "sale", "adjustment"]),
                st.integers(0, 59),
                st.integers(-20, 20).filter(bool),
            ),
            max_size=15,
        ),
    )
    def test_p23_the_sums_are_those_of_a_recount(self, stocks, moved):
        """Day by day with integers: what is derived and adjusted leads from count to count."""
        counts = [count(n * 10, stock) for n, stock in enumerate(stocks)]
        found = judged(counts, *(move(kind, day + 0.5, q) for kind, day, q in moved))
        assert len(found) == len(stocks)
        for n, interval in enumerate(found):
            days = range(n * 10, n * 10 + 10) if n + 1 < len(stocks) else range(n * 10, 999)
            sums = dict.fromkeys(("delivery", "sale", "adjustment"), 0)
            for kind, day, quantity in moved:
                if day in days:
                    sums[kind] += quantity
            assert (interval.sell_in, interval.adjusted) == (
                D(sums["delivery"]),
                D(sums["adjustment"]),
            )
            if n + 1 < len(stocks):
                sold = stocks[n] + sums["delivery"] + sums["adjustment"] - stocks[n + 1]
                assert interval.derived == sold
                assert (Problem.NEGATIVE in problems(found)[n]) == (sold < 0)
                told = any(kind == "sale" and day in days for kind, day, _q in moved)
                assert interval.difference == (sold - sums["sale"] if told else None)


#: counts, moves, arrivals, the problems of each interval.
IMPOSSIBLE: dict[str, tuple[list[Count], list[Move], list[Arrival], list[list[str]]]] = {
    "more is there than came": (
        [count(0, 10), count(9, 31)], [move("delivery", 4, 20)], [], [["negative"], []],
    ),
    "exactly what came is there": (
        [count(0, 10), count(9, 30)], [move("delivery", 4, 20)], [], [[], []],
    ),
    "more reported than there was": (
        [count(0, 10), count(9, 0)], [move("sale", 4, 11)], [], [["oversold"], []],
    ),
    "more reported since the last count": (
        [count(0, 10)], [move("sale", 4, 8), move("sale", 5, 3)], [], [["oversold"]],
    ),
    "all of it reported": ([count(0, 10)], [move("sale", 4, 10)], [], [[]]),
    "a batch grew, though the sum fell": (
        [count(0, ("A", 10), ("B", 50)), count(9, ("A", 15), ("B", 1))], [], [],
        [["grew"], []],
    ),
    "it grew by what came of it": (
        [count(0, ("A", 10)), count(9, ("A", 15))], [move("delivery", 4, 5, "A")], [], [[], []],
    ),
    "it may have grown by what came without a batch": (
        [count(0, ("A", 10)), count(9, ("A", 15))], [move("delivery", 4, 5)], [], [[], []],
    ),
    "it may have grown by a transfer": (
        [count(0, ("A", 10)), count(9, ("A", 15))],
        [move("adjustment", 4, 5, "A", "transfer")], [], [[], []],
    ),
    "the first count did not name batches": (
        [count(0, 20), count(9, ("A", 15))], [], [], [[], []],
    ),
    "a batch that was never delivered here": (
        [count(0, ("A", 9)), count(9, ("A", 8), ("X", 1))], [],
        [Arrival("A", at(-5), at(-5))], [["foreign"], []],
    ),
    "it is said once": (
        [count(0, ("X", 9)), count(9, ("X", 9)), count(18, ("X", 9))], [],
        [Arrival("A", at(-5), at(-5))], [["foreign"], [], []],
    ),
    "delivered later than counted": (
        [count(0, ("X", 9)), count(9, ("X", 9))], [],
        [Arrival("A", at(-5), at(-5)), Arrival("X", at(4), at(4))], [["foreign"], []],
    ),
    "deliveries do not all name their batch": (
        [count(0, ("X", 9)), count(9, ("X", 9))], [],
        [Arrival("A", at(-5), at(-5)), Arrival("", at(-9), at(-9))], [[], []],
    ),
    "nothing was ever delivered": ([count(0, ("X", 9)), count(9, ("X", 9))], [], [], [[], []]),
    "it came from another dealer": (
        [count(0, ("A", 9)), count(9, ("A", 9), ("X", 2))],
        [move("adjustment", 3, 2, "X", "transfer")], [Arrival("A", at(-5), at(-5))], [[], []],
    ),
    "two counts of a moment differ": (
        [count(0, 5), count(9, 4, pk=7), count(9, 3, pk=8)], [], [], [["contradiction"], []],
    ),
    "two first counts differ": (
        [count(0, 5, pk=1), count(0, 6, pk=2)], [], [], [["contradiction"]],
    ),
    "two counts of a moment agree": (
        [count(0, 5), count(9, 4, pk=7), count(9, 4, pk=8)], [], [], [[], []],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_p23_what_cannot_be_is_found(case: str) -> None:
    counts, moves, arrivals, wanted = IMPOSSIBLE[case]
    assert problems(judged(counts, *moves, arrivals=arrivals)) == wanted


def test_of_contradicting_counts_the_last_one_stored_is_gone_by() -> None:
    first, last = judged([count(0, 5), count(9, 3, pk=8), count(9, 4, pk=7)])
    assert (first.derived, last.opening.pk) == (D(2), 8)
    assert first.findings[0].facts == {"first": D(4), "second": D(3), "reports": [7, 8]}


#: opening lots, closing lots, moves → (newer, older, gone, left) of each warning.
OVERTAKEN: dict[str, tuple[Any, Any, list[Move], list[tuple[str, str, int, int]]]] = {
    "the newer went, the older stayed": (
        [("OLD", 10, 0), ("NEW", 10, 50)], [("OLD", 10), ("NEW", 4)], [],
        [("NEW", "OLD", 6, 10)],
    ),
    "the older went first": ([("OLD", 10, 0), ("NEW", 10, 50)], [("OLD", 3), ("NEW", 10)], [], []),
    "the older is used up": ([("OLD", 10, 0), ("NEW", 10, 50)], [("NEW", 4)], [], []),
    "a delivery of the newer was sold from": (
        [("OLD", 10, 0)], [("OLD", 10), ("NEW", 4, 50)], [move("delivery", 3, 10, "NEW")],
        [("NEW", "OLD", 6, 10)],
    ),
    "nobody knows when it was produced": ([("OLD", 10), ("NEW", 10)], [("OLD", 10)], [], []),
    "of the same day": ([("A", 10, 5), ("B", 10, 5)], [("A", 10), ("B", 4)], [], []),
}  # fmt: skip


@pytest.mark.parametrize("case", OVERTAKEN)
def test_p24_a_newer_batch_that_left_before_an_older_one_is_warned_of(case: str) -> None:
    opening, closing, moves, wanted = OVERTAKEN[case]
    first, _open = judged([count(0, *opening), count(9, *closing)], *moves)
    found = [(one.newer, one.older, int(one.gone), int(one.left)) for one in first.overtaken]
    assert found == wanted
