"""The purchase model: the published fit, every customer of it, and where there is none (P48)."""

from __future__ import annotations

import csv
import json
import math
from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiers.churn.bgnbd import (
    Fitted,
    NotIdentified,
    Parameters,
    Sample,
    Unfit,
    chance_alive,
    fit,
    likelihood,
    pace,
)

#: Fader, Hardie and Lee (2005), table 2: CDNOW, 39 weeks.
PUBLISHED = Parameters(r=0.243, alpha=4.414, a=0.793, b=2.426)
Rows = list[dict[str, str]]


def read(path: Path) -> Rows:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def histories(rows: Rows) -> list[tuple[int, float, float]]:
    return [(int(row["x"]), float(row["t_x"]), float(row["T"])) for row in rows]


def reference(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "reference.json").read_text())["bgnbd"])


# --- against what others have worked out


@pytest.mark.data
def test_p48_the_published_fit_of_39_weeks(data_dir: Path) -> None:
    rows = read(data_dir / "cdnow_sample" / "bgnbd_calibration_1997-09-30.csv")
    found = fit(histories(rows))
    assert isinstance(found, Fitted)
    assert [round(value, 3) for value in found.parameters] == list(PUBLISHED)
    assert round(found.log_likelihood, 1) == -9582.4


@pytest.mark.data
def test_p48_every_customer_of_the_published_fit(data_dir: Path) -> None:
    rows = read(data_dir / "cdnow_sample" / "bgnbd_calibration_1997-09-30.csv")
    for row, (x, t_x, age) in zip(rows, histories(rows), strict=True):
        alive = chance_alive(PUBLISHED, x, t_x, age)
        assert alive == pytest.approx(float(row["p_alive_published_params"]), abs=1e-5)
        expected = alive * pace(PUBLISHED, x, age, 39)
        assert expected == pytest.approx(float(row["expected_39w"]), abs=2e-5), row


@pytest.mark.data
def test_p48_what_the_published_fit_foretells_of_the_next_39_weeks(data_dir: Path) -> None:
    """The whole: told from the first 39 weeks, counted in the following 39."""
    rows = read(data_dir / "cdnow_sample" / "bgnbd_calibration_1997-09-30.csv")
    told = sum(
        chance_alive(PUBLISHED, x, t_x, age) * pace(PUBLISHED, x, age, 39)
        for x, t_x, age in histories(rows)
    )
    came = sum(float(row["actual_39w"]) for row in rows)
    assert abs(told / came - 1) < 0.15


@pytest.mark.data
@pytest.mark.parametrize("days", [1, 7])
def test_p48_the_whole_cdnow_sample_in_days_or_weeks(data_dir: Path, days: int) -> None:
    folder = data_dir / "cdnow_sample"
    known = reference(folder)["own_scipy_mle"]
    rows = read(folder / "bgnbd.csv")
    told = [(x, round(t_x * 7) / days, round(age * 7) / days) for x, t_x, age in histories(rows)]
    found = fit(told)
    assert isinstance(found, Fitted)
    p = found.parameters
    assert (p.r, p.alpha * days / 7, p.a, p.b) == pytest.approx(
        (known["r"], known["alpha"], known["a"], known["b"]), rel=1e-5
    )
    for row, (x, t_x, age) in zip(rows, told, strict=True):
        alive = chance_alive(p, x, t_x, age)
        assert alive == pytest.approx(float(row["p_alive"]), abs=1e-5)
        expected = alive * pace(p, x, age, 90 / days)
        assert expected == pytest.approx(float(row["e_90d"]), abs=2e-5)


@pytest.mark.data
def test_p48_dealers_who_buy_regularly_are_not_told_by_the_model(data_dir: Path) -> None:
    folder = data_dir / "adventureworks_resellers"
    found = fit(histories(read(folder / "bgnbd.csv")))
    assert isinstance(found, NotIdentified)
    assert found.why == Unfit.RUNS_OFF
    # The search went on to where it is as high as the best that others have found, or higher.
    assert found.log_likelihood is not None
    assert found.log_likelihood >= reference(folder)["own_LL"] - 0.01


@pytest.mark.data
def test_p48_a_wholesaler_whose_customers_are_all_taken_for_alive(data_dir: Path) -> None:
    folder = data_dir / "online_retail"
    days: dict[str, set[date]] = defaultdict(set)
    for row in read(folder / "orders.csv"):
        if row["kind"] == "order" and float(row["amount"]) > 0:
            days[row["customer_external_id"]].add(date.fromisoformat(row["ordered_at"][:10]))
    end = date(2011, 12, 9)
    told = [
        (len(own) - 1, (max(own) - min(own)).days / 7, (end - min(own)).days / 7)
        for own in days.values()
    ]
    known = reference(folder)
    assert len(told) == known["n"]
    found = fit(told)
    assert isinstance(found, NotIdentified)
    assert found.why == Unfit.ALL_ALIVE
    assert found.log_likelihood == pytest.approx(known["own_LL"], abs=0.001)


# --- where there is nothing to fit


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ([], Unfit.TOO_FEW),
        ([(0, 0.0, 100.0)] * 5000, Unfit.TOO_FEW),
        ([(3, 60.0, 100.0)] * 29 + [(0, 0.0, 50.0)] * 500, Unfit.TOO_FEW),
        # everybody the same: any spread of rates as narrow as one likes would do
        ([(3, 60.0, 80.0)] * 500, None),
        ([(12, 360.0, 365.0), (11, 330.0, 340.0)] * 300, None),
        # all orders on the last day
        ([(1, 100.0, 100.0)] * 300, None),
        # ages beyond all measure
        ([(2, 10.0, 1e6), (0, 0.0, 1e6), (5, 9e5, 1e6)] * 100, None),
    ],
)
def test_no_maximum_is_said_and_never_raised(
    told: list[tuple[int, float, float]], why: Unfit | None
) -> None:
    found = fit(told)
    if why is not None:
        assert found == NotIdentified(why)
    elif isinstance(found, Fitted):
        assert all(map(math.isfinite, found.parameters))


def test_customers_who_are_all_alike_are_not_identified() -> None:
    found = fit([(3, 60.0, 80.0)] * 500)
    assert isinstance(found, NotIdentified)


def test_the_search_says_how_far_it_is() -> None:
    heard: list[int] = []
    fit([(x % 4, (x % 4) * 7.0, 60.0 + x % 30) for x in range(400)], step=heard.append)
    assert heard == list(range(len(heard)))
    assert heard


# --- the slope, by differences


@pytest.mark.parametrize("place", range(4))
def test_the_slope_is_that_of_the_likelihood(place: int) -> None:
    sample = Sample.of([(0, 0, 30), (0, 0, 31), (1, 5, 40), (7, 33, 38), (2, 2, 400), (1, 5, 40)])
    p = list(PUBLISHED)
    _height, slope = likelihood(sample, Parameters(*p))
    width = 1e-6
    above, below = list(p), list(p)
    above[place] += width
    below[place] -= width
    rise = likelihood(sample, Parameters(*above))[0] - likelihood(sample, Parameters(*below))[0]
    assert slope[place] == pytest.approx(rise / (2 * width), rel=1e-5)


def test_equal_histories_count_as_often_as_they_come() -> None:
    one = Sample.of([(0, 0, 30), (4, 20, 38)])
    three = Sample.of([(0, 0, 30), (4, 20, 38)] * 3)
    assert three.size == 6
    assert likelihood(three, PUBLISHED)[0] == pytest.approx(3 * likelihood(one, PUBLISHED)[0])


# --- properties

parameters = st.builds(
    Parameters,
    r=st.floats(0.05, 20),
    alpha=st.floats(0.5, 500),
    a=st.floats(0.02, 8),
    b=st.floats(0.05, 50),
)


@st.composite
def purchase_histories(draw: st.DrawFn) -> tuple[int, float, float]:
    x = draw(st.integers(0, 300))
    age = draw(st.floats(0, 20_000))
    return x, 0.0 if x == 0 else age * draw(st.floats(0, 1)), age


def by_integration(p: Parameters, x: int, age: float, period: float) -> float:
    """Expected purchases of a customer that is alive, without a hypergeometric function.

    The mean over the chance of leaving, beta(a, b + x), of what it buys until it leaves, the rate
    being gamma(r + x, alpha + age); the chance is put as u**(1/a), so that nothing is infinite.
    """
    steps = 4000
    a, b = p.a, p.b + x
    scale = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)) / a
    total = 0.0
    for number in range(steps):
        # midpoints, closer to each other at both ends
        s = (number + 0.5) / steps
        u = s * s * (3 - 2 * s)
        chance = u ** (1 / a)
        if chance in (0.0, 1.0):
            continue
        grown = -math.expm1(-(p.r + x) * math.log1p(chance * period / (p.alpha + age))) / chance
        total += grown * (1 - chance) ** (b - 1) * 6 * s * (1 - s) / steps
    return scale * total


@pytest.mark.parametrize(
    "p",
    [
        PUBLISHED,
        Parameters(0.9, 30, 0.9999999999999, 3.0),
        Parameters(0.9, 30, 1.0, 3.0),
        Parameters(2.0, 300, 1.0001, 1.5),
        Parameters(2.0, 100, 2.5, 12.0),
        Parameters(0.3, 4, 0.3, 0.7),
        Parameters(0.3, 4, 0.25, 0.75),
    ],
)
@pytest.mark.parametrize(("x", "age"), [(0, 0.0), (0, 50.0), (1, 5.0), (9, 400.0), (60, 700.0)])
def test_expected_purchases_equal_an_integral(p: Parameters, x: int, age: float) -> None:
    assert pace(p, x, age, 39) == pytest.approx(by_integration(p, x, age, 39), rel=2e-3)


@given(p=parameters, told=purchase_histories(), period=st.floats(0.1, 1000))
@settings(max_examples=300, deadline=None)
def test_any_history_gives_a_chance_and_a_number_of_purchases(
    p: Parameters, told: tuple[int, float, float], period: float
) -> None:
    x, t_x, age = told
    alive = chance_alive(p, x, t_x, age)
    assert 0 <= alive <= 1
    coming = pace(p, x, age, period)
    # It never buys more than without ever leaving.
    assert 0 <= coming <= (p.r + x) / (p.alpha + age) * period * (1 + 1e-6) + 1e-9
    assert coming <= pace(p, x, age, period * 2) * (1 + 1e-6) + 1e-9


@given(p=parameters, told=purchase_histories(), more=st.floats(0.1, 1000))
@settings(max_examples=200, deadline=None)
def test_the_longer_the_silence_the_less_likely_it_is_alive(
    p: Parameters, told: tuple[int, float, float], more: float
) -> None:
    x, t_x, age = told
    assert chance_alive(p, x, t_x, age + more) <= chance_alive(p, x, t_x, age)
    assert chance_alive(p, 0, 0.0, age) == 1


@given(p=parameters, told=purchase_histories())
@settings(max_examples=200, deadline=None)
def test_the_unit_of_time_does_not_matter(p: Parameters, told: tuple[int, float, float]) -> None:
    x, t_x, age = told
    weeks = p._replace(alpha=p.alpha / 7)
    assert chance_alive(p, x, t_x, age) == pytest.approx(
        chance_alive(weeks, x, t_x / 7, age / 7), abs=1e-9
    )
    assert pace(p, x, age, 90) == pytest.approx(pace(weeks, x, age / 7, 90 / 7), rel=1e-6)
