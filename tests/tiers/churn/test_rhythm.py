"""A silence against a customer's own intervals and its peers' (P48), without a database."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiers.churn.rhythm import (
    NO_RHYTHM,
    Peers,
    Rhythm,
    judge,
    peers_of,
    usual_of_all,
)

#: Peers that buy monthly, now and then after two months; one purchase in twenty is the last one.
MONTHLY = Peers(
    usual=30.0,
    ratios=[0.5] * 20 + [0.9] * 30 + [1.0] * 30 + [1.2] * 15 + [2.0] * 5,
    last_first=0.4,
    last_later=0.05,
)
REGULAR = [30, 31, 29, 32, 30, 28, 33, 30, 31, 29, 45, 30, 31, 30, 90]


@pytest.mark.parametrize(
    ("intervals", "silence", "alive", "shorter"),
    [
        # as it was counted by hand: (longer own + 5 × longer peers') / (own + 5), then Bayes' rule
        (REGULAR, 0, 0.95, 0),
        (REGULAR, 10, 0.95, 0),
        (REGULAR, 84, 0.50, 14),
        (REGULAR, 200, 0.03, 15),
        # few intervals: the peers speak
        ([], 10, 0.60, 0),
        ([], 90, 0.02, 0),
        ([60], 30, 0.94, 0),
        ([60], 300, 0.02, 1),
        # who always buys after half a year is not missed after four months
        ([180, 182, 178, 181], 120, 0.91, 0),
    ],
)
def test_p48_a_silence_is_judged_by_what_is_usual(
    intervals: list[int], silence: int, alive: float, shorter: int
) -> None:
    verdict = judge(Rhythm(intervals, silence), MONTHLY)
    assert verdict.shorter == shorter
    assert verdict.alive == pytest.approx(alive, abs=0.03)


def test_the_figure_is_the_product_of_what_was_counted() -> None:
    """One case worked out in full, from the definition."""
    verdict = judge(Rhythm([30, 40, 20], 40), MONTHLY)
    usual = (30 + 40 + 20 + 2 * 30) / 5
    assert verdict.usual == usual == 30
    peers_as_long = (5 + 30 / 70) / 101  # at least 40 / 30 of what is usual
    as_long = (1 + 5 * peers_as_long) / 8
    there = 0.95 * as_long
    assert verdict.alive == pytest.approx(there / (there + 0.05))
    assert verdict.shorter == 2


def test_the_same_silence_says_more_of_a_regular_customer() -> None:
    restless = [5, 90, 12, 70, 100, 3, 60, 45]
    regular = [48, 50, 47, 49, 46, 50, 48, 47]
    assert sum(restless) == sum(regular)
    assert judge(Rhythm(regular, 80), MONTHLY).alive < judge(Rhythm(restless, 80), MONTHLY).alive


def test_peers_are_counted() -> None:
    told = [
        Rhythm([10, 10, 10], 5),
        Rhythm([20, 20], 500),  # gone: five later purchases were followed, this one was not
        Rhythm([30], 20),
        Rhythm([], 10),
        Rhythm([], 600),
    ]
    usual = usual_of_all(told)
    assert usual == 20
    peers = peers_of(told, usual)
    assert len(peers.ratios) == 6
    assert list(peers.ratios) == sorted(peers.ratios)
    # later: one was the last, 2 + 1 + 0 were followed; first: one was the last, three followed
    assert peers.last_later == pytest.approx((1 + 1) / (1 + 3 + 20))
    assert peers.last_first == pytest.approx((1 + 1) / (1 + 3 + 20))


def test_nobody_has_bought_twice() -> None:
    told = [Rhythm([], 10), Rhythm([], 400)]
    assert usual_of_all(told) == NO_RHYTHM
    peers = peers_of(told, NO_RHYTHM)
    assert 0 < judge(Rhythm([], 400), peers).alive < judge(Rhythm([], 10), peers).alive < 1


rhythms = st.builds(
    Rhythm,
    intervals=st.lists(st.integers(1, 5000), max_size=30),
    silence=st.integers(0, 40_000),
)


@given(told=st.lists(rhythms, max_size=20), one=rhythms, more=st.integers(1, 4000))
def test_never_quite_there_never_quite_gone_and_falling(
    told: list[Rhythm], one: Rhythm, more: int
) -> None:
    peers = peers_of(told, usual_of_all(told))
    now = judge(one, peers)
    later = judge(Rhythm(one.intervals, one.silence + more), peers)
    assert 0 < later.alive <= now.alive < 1
    assert 0 <= now.shorter <= later.shorter <= len(one.intervals)
    assert now.usual > 0
