"""The BG/NBD model of Fader, Hardie and Lee (2005): how likely a customer is still alive.

While alive, a customer buys at random at its own rate; after each purchase it leaves with its own
chance. Rates spread over the customers as a gamma distribution (r, alpha), chances as a beta
distribution (a, b). A customer is told by three numbers: `x` repeat purchases (days with a
purchase after the first one), `t_x` the time of the last one and `age` the time until today, both
counted from the first purchase in any one unit.

Equation numbers are those of “Counting your customers the easy way”, Marketing Science 24 (2).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import exp, expm1, inf, isfinite, lgamma, log, log1p, sqrt
from typing import NamedTuple, TypeAlias

#: Fewer customers with a repeat purchase tell too little about four parameters.
FEWEST_REPEATERS = 30
#: A parameter beyond this, either way, has run off: there is no maximum within reason.
FURTHEST = 1e5
#: Standard errors of the logarithms above this: 95 % of the probability spans a factor of fifty.
VAGUE = 1.0
#: Where repeat customers are on average that surely alive, nobody ever leaves: it says nothing.
ALL_ALIVE = 0.99
MOST_STEPS = 300
#: The slope of the mean log-likelihood at which the hill is flat enough to be its top.
TOP = 1e-8


class History(NamedTuple):
    """One customer's purchases: repeats, time of the last one, time until today."""

    x: int
    t_x: float
    age: float


class Parameters(NamedTuple):
    """Of the gamma (r, alpha) and of the beta distribution (a, b), all above zero."""

    r: float
    alpha: float
    a: float
    b: float


class Unfit(StrEnum):
    """Why the model says nothing about these customers."""

    TOO_FEW = "too_few"
    RUNS_OFF = "runs_off"
    FLAT = "flat"
    ALL_ALIVE = "all_alive"


@dataclass(frozen=True, slots=True)
class Fitted:
    """The model fits: its parameters, and the log-likelihood of all histories."""

    parameters: Parameters
    log_likelihood: float


@dataclass(frozen=True, slots=True)
class NotIdentified:
    """No maximum that could be relied on; `parameters` are where the search ended, if it began."""

    why: Unfit
    parameters: Parameters | None = None
    log_likelihood: float | None = None


Outcome: TypeAlias = Fitted | NotIdentified
Vector: TypeAlias = list[float]


# --- one customer


def chance_alive(p: Parameters, x: int, t_x: float, age: float) -> float:
    """The chance that the customer is alive, 0–1.

    Always 1 for x = 0: in this model nobody leaves but after a repeat purchase.
    """
    if x == 0:
        return 1.0
    # The odds of having left; log1p keeps them exact where the silence is short.
    odds = log(p.a) - log(p.b + x - 1) + (p.r + x) * log1p((age - t_x) / (p.alpha + t_x))
    return 1 / (1 + exp(odds)) if odds < 0 else exp(-odds) / (1 + exp(-odds))


def pace(p: Parameters, x: int, age: float, period: float) -> float:
    """Purchases to be expected in the coming `period` of a customer that is alive.

    Times `chance_alive` this is equation (10). Its hypergeometric function is taken through
    Euler's transformation, in which the difference that vanishes for a = 1 cancels by itself:
    nothing diverges for any parameters above zero.
    """
    z = period / (p.alpha + age + period)
    left = p.a - 1
    shrink = log1p(-z)
    first = -expm1(left * shrink) / left if abs(left) > 1e-12 else -shrink
    return (p.a + p.b + x - 1) * first - exp(left * shrink) * _series(
        p.a + p.b - 1 - p.r, p.a, p.a + p.b + x, z
    )


def _series(upper: float, a: float, c: float, z: float) -> float:
    """The sum over n ≥ 1 of (upper)ₙ (a)ₙ₋₁ / ((c)ₙ₋₁ n!) zⁿ, for 0 ≤ z < 1."""
    term = upper * z
    total = term
    n = 1
    while abs(term) > 1e-15 * abs(total) and n < 100_000:
        term *= (upper + n) * (a + n - 1) / ((c + n - 1) * (n + 1)) * z
        total += term
        n += 1
    return total


# --- all customers


@dataclass(frozen=True, slots=True)
class Sample:
    """The histories, each different one once with how many customers have it."""

    #: How many customers have x repeats: x, number, in order.
    counts: list[tuple[int, int]]
    #: Those without a repeat: age, number.
    once: list[tuple[float, int]]
    #: The others: x, t_x, age, number.
    repeated: list[tuple[int, float, float, int]]
    size: int

    @classmethod
    def of(cls, histories: Iterable[tuple[int, float, float]]) -> Sample:
        different = Counter(histories)
        counts: Counter[int] = Counter()
        once: Counter[float] = Counter()
        for (x, _t_x, age), number in different.items():
            counts[x] += number
            if x == 0:
                once[age] += number
        return cls(
            counts=sorted(counts.items()),
            once=sorted(once.items()),
            repeated=sorted((*history, n) for history, n in different.items() if history[0]),
            size=counts.total(),
        )

    @property
    def repeaters(self) -> int:
        return sum(number for x, number in self.counts if x)


def likelihood(sample: Sample, p: Parameters) -> tuple[float, Vector]:
    """The log-likelihood of all histories (equation 6), and its slope along r, alpha, a and b."""
    r, alpha, a, b = p
    total, d_r, d_alpha, d_a, d_b = _of_counts(sample, p)
    for age, number in sample.once:
        until = alpha + age
        total -= number * r * log(until)
        d_r -= number * log(until)
        d_alpha -= number * r / until
    log_a = log(a)
    log_b = {x: log(b + x - 1) for x, _number in sample.counts if x}
    for x, t_x, age, number in sample.repeated:
        k = r + x
        until, last = alpha + age, alpha + t_x
        log_until, log_last = log(until), log(last)
        alive = -k * log_until
        odds = log_a - log_b[x] + k * (log_until - log_last)
        if odds > 0:
            rest = exp(-odds)
            gone = 1 / (1 + rest)
            total += number * (alive + odds + log1p(rest))
        else:
            rest = exp(odds)
            gone = rest / (1 + rest)
            total += number * (alive + log1p(rest))
        there = 1 - gone
        d_r -= number * (there * log_until + gone * log_last)
        d_alpha -= number * k * (there / until + gone / last)
        d_a += number * gone / a
        d_b -= number * gone / (b + x - 1)
    return total, [d_r, d_alpha, d_a, d_b]


def _of_counts(sample: Sample, p: Parameters) -> Vector:
    """The part of the likelihood that depends on the number of repeats alone, and its slope.

    Differences of digamma functions over whole numbers are sums of reciprocals.
    """
    r, alpha, a, b = p
    total = d_r = d_alpha = d_a = d_b = 0.0
    over_r = over_b = over_ab = 0.0
    reached = 0
    log_alpha = log(alpha)
    for x, number in sample.counts:
        for j in range(reached, x):
            over_r += 1 / (r + j)
            over_b += 1 / (b + j)
            over_ab += 1 / (a + b + j)
        reached = x
        total += number * (
            lgamma(r + x)
            - lgamma(r)
            + r * log_alpha
            + lgamma(a + b)
            - lgamma(a + b + x)
            + lgamma(b + x)
            - lgamma(b)
        )
        d_r += number * (over_r + log_alpha)
        d_alpha += number * r / alpha
        d_a -= number * over_ab
        d_b += number * (over_b - over_ab)
    return [total, d_r, d_alpha, d_a, d_b]


def fit(
    histories: Iterable[tuple[int, float, float]], *, step: Callable[[int], None] = lambda n: None
) -> Outcome:
    """The parameters that make `histories` most likely, or why there are none to rely on.

    `step` hears the number of each step of the search. Time goes with the number of different
    histories: some hundred passes over them.
    """
    sample = Sample.of(histories)
    if sample.repeaters < FEWEST_REPEATERS:
        return NotIdentified(Unfit.TOO_FEW)
    unit = sum(age * n for age, n in sample.once) + sum(one[2] * one[3] for one in sample.repeated)
    scale = unit / sample.size or 1.0

    def climb(point: Vector) -> tuple[float, Vector]:
        """The mean log-likelihood and its slope, over the logarithms of the parameters."""
        p = Parameters(*(exp(value) for value in point))
        height, slope = likelihood(sample, p)
        return height / sample.size, [
            value * along / sample.size for value, along in zip(p, slope, strict=True)
        ]

    # From the mean age on, so that the search begins at the same place for days and weeks.
    point, height, at_top = _search(climb, [0.0, log(scale / 4), 0.0, 0.0], step)
    p = Parameters(*(exp(value) for value in point))
    found = height * sample.size
    bounds = [value / scale if place == 1 else value for place, value in enumerate(p)]
    if any(not 1 / FURTHEST < value < FURTHEST for value in bounds) or not isfinite(height):
        return NotIdentified(Unfit.RUNS_OFF, p, found)
    errors = _errors(climb, point, sample.size)
    if mean_alive(sample, p) > ALL_ALIVE:
        return NotIdentified(Unfit.ALL_ALIVE, p, found)
    if not at_top or max(errors) > VAGUE:
        return NotIdentified(Unfit.FLAT, p, found)
    return Fitted(p, found)


def mean_alive(sample: Sample, p: Parameters) -> float:
    """The mean chance of being alive of those with a repeat purchase."""
    alive = sum(n * chance_alive(p, x, t_x, age) for x, t_x, age, n in sample.repeated)
    return alive / max(sample.repeaters, 1)


# --- the search


def _search(
    climb: Callable[[Vector], tuple[float, Vector]], start: Vector, step: Callable[[int], None]
) -> tuple[Vector, float, bool]:
    """The highest point from `start` on, by the quasi-Newton method of Broyden and others (BFGS).

    Where it is, how high, and whether the slope there is that of a top.
    """
    point = start
    height, slope = climb(point)
    bend = _identity()
    for number in range(MOST_STEPS):
        step(number)
        if max(map(abs, slope)) < TOP:
            return point, height, True
        way = _times(bend, slope)
        if _dot(way, slope) <= 0:
            bend, way = _identity(), slope
        # A step of one is a factor of e: further at once is a leap in the dark.
        reach = min(1.0, 1.0 / max(map(abs, way)))
        rise = _dot(way, slope)
        while True:
            there = [one + reach * along for one, along in zip(point, way, strict=True)]
            higher, new_slope = climb(there)
            if higher >= height + 1e-4 * reach * rise:
                break
            reach /= 2
            if reach < 1e-10:
                # No way up within what numbers can tell: the top, as far as the slope agrees.
                return point, height, max(map(abs, slope)) < sqrt(TOP)
        moved = [one - other for one, other in zip(there, point, strict=True)]
        turned = [other - one for one, other in zip(new_slope, slope, strict=True)]
        bend = _bent(bend, moved, turned)
        point, height, slope = there, higher, new_slope
        if any(abs(one) > 2 * log(FURTHEST) for one in point):
            return point, height, False
    return point, height, False


def _bent(bend: list[Vector], moved: Vector, turned: Vector) -> list[Vector]:
    """The new estimate of the inverse curvature after a step."""
    curve = _dot(moved, turned)
    if curve <= 1e-14:
        return bend
    size = range(len(moved))
    along = _times(bend, turned)
    factor = 1 + _dot(turned, along) / curve
    return [
        [
            bend[i][j]
            + (factor * moved[i] * moved[j] - along[i] * moved[j] - moved[i] * along[j]) / curve
            for j in size
        ]
        for i in size
    ]


def _errors(
    climb: Callable[[Vector], tuple[float, Vector]], point: Vector, size: int
) -> Sequence[float]:
    """The standard errors of the logarithms of the parameters; infinite on a ridge."""
    width = 1e-4
    curvature = []
    for place in range(len(point)):
        above, below = list(point), list(point)
        above[place] += width
        below[place] -= width
        high, low = climb(above)[1], climb(below)[1]
        curvature.append([(b - a) * size / (2 * width) for a, b in zip(high, low, strict=True)])
    even = [[(curvature[i][j] + curvature[j][i]) / 2 for j in range(4)] for i in range(4)]
    return _roots_of_inverse(even)


def _roots_of_inverse(matrix: list[Vector]) -> Sequence[float]:
    """The roots of the diagonal of the inverse, by Cholesky; infinite where there is none."""
    size = range(len(matrix))
    lower = [[0.0] * len(matrix) for _row in size]
    for i in size:
        for j in range(i + 1):
            rest = matrix[i][j] - sum(lower[i][k] * lower[j][k] for k in range(j))
            if i != j:
                lower[i][j] = rest / lower[j][j]
            elif rest <= 1e-12 * abs(matrix[i][i]) or not isfinite(rest):
                return [inf] * len(matrix)
            else:
                lower[i][i] = sqrt(rest)
    errors = []
    for unit in size:
        column = [0.0] * len(matrix)
        for i in size:
            known = sum(lower[i][k] * column[k] for k in range(i))
            column[i] = ((1.0 if i == unit else 0.0) - known) / lower[i][i]
        errors.append(column)
    # The inverse is the product of the inverse of `lower` with its own transpose.
    return [sqrt(sum(errors[i][k] ** 2 for k in size)) for i in size]


def _identity() -> list[Vector]:
    return [[1.0 if i == j else 0.0 for j in range(4)] for i in range(4)]


def _dot(one: Vector, other: Vector) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def _times(matrix: list[Vector], vector: Vector) -> Vector:
    return [_dot(row, vector) for row in matrix]
