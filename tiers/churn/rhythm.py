"""How unusual a customer's silence is against its own intervals and those of its peers.

The chance of being alive is worked out by Bayes' rule from two figures that can be counted. How
often a customer that stayed was silent for this long: among its own intervals, filled up with
those of its peers where it has few. And how often a purchase was the last one: among its peers.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

#: The intervals of its peers count as this many of its own: little against a long history.
PEERS_WEIGHT = 5
#: The usual interval of its peers counts as this many of its own when its length is judged.
USUAL_WEIGHT = 2
#: A silence of so many usual intervals is taken for the end when last purchases are counted.
OVER = 4
#: Peers with fewer intervals than this are too few: all customers together stand in for them.
FEWEST_INTERVALS = 30
#: What is known before anything is counted: of twenty purchases one was the last.
LAST, OF = 1, 20
#: Where nobody has bought twice: a month.
NO_RHYTHM = 30.0


class Rhythm(NamedTuple):
    """How one customer buys: the days between its purchases, and how long it has been silent."""

    intervals: Sequence[int]
    silence: int


@dataclass(frozen=True, slots=True)
class Peers:
    """Customers to compare with.

    `usual` is their usual interval in days. `ratios` are their intervals, each divided by what is
    usual for the customer it comes from, in order. `last_first` is the share of first purchases
    that were the last one as well, `last_later` that of all later purchases.
    """

    usual: float
    ratios: Sequence[float]
    last_first: float
    last_later: float

    def share_as_long(self, ratio: float) -> float:
        """The share of intervals at least `ratio` times the usual one, 0–1, never quite 0.

        One interval is known before anything is counted, as long as the usual one by even chances
        and without an end: even what nobody has seen yet may happen.
        """
        longer = len(self.ratios) - bisect_left(self.ratios, ratio)
        return (longer + 1 / (1 + ratio)) / (len(self.ratios) + 1)


class Verdict(NamedTuple):
    """The chance of being alive (0–1), and how many days usually lie between purchases.

    `usual` is filled up with the peers' figure where there are few intervals; `shorter` counts
    the customer's own intervals that were shorter than its silence.
    """

    alive: float
    usual: float
    shorter: int


def usual_of(intervals: Sequence[int], peers_usual: float) -> float:
    """The days that usually lie between two purchases of a customer."""
    return (sum(intervals) + USUAL_WEIGHT * peers_usual) / (len(intervals) + USUAL_WEIGHT)


def judge(one: Rhythm, peers: Peers) -> Verdict:
    """How likely it is that a customer with this rhythm is still alive."""
    number = len(one.intervals)
    usual = usual_of(one.intervals, peers.usual)
    shorter = sum(interval < one.silence for interval in one.intervals)
    as_long = (number - shorter) + PEERS_WEIGHT * peers.share_as_long(one.silence / usual)
    silent_and_there = as_long / (number + PEERS_WEIGHT)
    last = peers.last_later if number else peers.last_first
    there = (1 - last) * silent_and_there
    return Verdict(there / (there + last), usual, shorter)


def usual_of_all(rhythms: Iterable[Rhythm]) -> float:
    """The usual interval of a group: the median of the customers' mean intervals."""
    means = [sum(one.intervals) / len(one.intervals) for one in rhythms if one.intervals]
    return max(median(means), 1.0) if means else NO_RHYTHM


def peers_of(rhythms: Iterable[Rhythm], usual: float) -> Peers:
    """What is to be counted of a group whose usual interval is `usual` days."""
    ratios = array("d")
    first_last = first_followed = later_last = later_followed = 0
    for one in rhythms:
        own = usual_of(one.intervals, usual)
        over = one.silence > OVER * own
        if not one.intervals:
            first_last += over
            continue
        first_followed += 1
        later_followed += len(one.intervals) - 1
        later_last += over
        ratios.extend(interval / own for interval in one.intervals)
    return Peers(
        usual=usual,
        ratios=array("d", sorted(ratios)),
        last_first=_share(first_last, first_followed),
        last_later=_share(later_last, later_followed),
    )


def _share(last: int, followed: int) -> float:
    return (last + LAST) / (last + followed + OF)
