"""P49: the customer share is worked out exactly, and only what is shown is rounded."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from tiers import share
from tiers.share import Inputs, amount, people, read_share, typed, work_out, written

SHARES = st.tuples(st.integers(0, 10**6), st.integers(1, 10**6)).map(
    lambda pair: Fraction(min(pair), max(pair))
)


def inputs(population: int, *shares: Fraction | str, spend: str = "3000.00") -> Inputs:
    age, reachable, valid, spenders = (Fraction(one) for one in shares)
    return Inputs(population, age, reachable, valid, spenders, Decimal(spend))


def test_p49_the_worked_example_comes_out_to_the_cent() -> None:
    found = work_out(inputs(5_000_000, "15/100", "20/100", "2/3", "20/100"))
    assert people(found.group) == 750_000
    assert people(found.reachable) == 150_000
    assert people(found.won) == 100_000
    assert found.share == Fraction(2, 3)
    assert people(found.spenders) == 20_000
    assert amount(found.revenue) == Decimal("60000000.00")


@pytest.mark.parametrize(
    ("number", "whole"),
    [("0", 0), ("0.4999999", 0), ("1/2", 1), ("1.5", 2), ("2.5", 3), ("7/3", 2), ("8/3", 3)],
)
def test_half_a_person_counts_as_one(number: str, whole: int) -> None:
    assert people(Fraction(number)) == whole


@pytest.mark.parametrize(
    ("money", "shown"),
    [
        ("0", "0.00"),
        ("0.004", "0.00"),
        ("0.005", "0.01"),
        ("2/3", "0.67"),
        ("123456.9", "123456.90"),
    ],
)
def test_half_a_cent_counts_as_one(money: str, shown: str) -> None:
    assert str(amount(Fraction(money))) == shown


def test_figures_are_not_worked_out_from_rounded_ones() -> None:
    found = work_out(inputs(3, "1/2", "1/2", "1", "1", spend="100.00"))
    assert (people(found.group), people(found.reachable)) == (2, 1)  # 1.5 and 0.75 people
    assert amount(found.revenue) == Decimal("75.00")


def test_where_nobody_can_be_reached_there_is_no_share() -> None:
    found = work_out(inputs(1000, "0", "1", "1", "1"))
    assert found.share is None
    assert amount(found.revenue) == 0
    assert work_out(inputs(1000, "1", "1", "0", "1")).share == 0


@given(
    st.integers(1, share.MOST_PEOPLE),
    st.tuples(SHARES, SHARES, SHARES, SHARES),
    st.integers(0, int(share.MOST_SPENT) * 100).map(lambda cents: Decimal(cents).scaleb(-2)),
)
def test_each_stage_is_a_part_of_the_one_before(
    population: int, shares: tuple[Fraction, ...], spend: Decimal
) -> None:
    found = work_out(inputs(population, *shares, spend=str(spend)))
    stages = [Fraction(population), found.group, found.reachable, found.won, found.spenders]
    assert stages == sorted(stages, reverse=True)
    assert found.share in (None, shares[2])
    # counted again with decimals, as on a pocket calculator
    by_hand = population * math.prod(map(float, shares)) * float(spend)
    assert float(amount(found.revenue)) == pytest.approx(by_hand, rel=1e-9, abs=0.006)


@pytest.mark.parametrize(
    ("text", "per_cent", "wanted"),
    [
        ("15", True, "3/20"),
        ("15 %", True, "3/20"),
        ("15％", True, "3/20"),
        (" 66.67% ", True, "6667/10000"),
        ("2/3", True, "2/3"),
        ("2 / 3", True, "2/3"),
        ("2／3", True, "2/3"),
        ("100", True, "1"),
        ("0", True, "0"),
        (".5", True, "1/200"),
        ("0.15", False, "3/20"),
        ("15%", False, "3/20"),
        ("1", False, "1"),
        ("1.0", False, "1"),
        ("2/3", False, "2/3"),
    ],
)
def test_a_share_is_read_as_it_is_written(text: str, per_cent: bool, wanted: str) -> None:
    assert read_share(text, per_cent=per_cent) == Fraction(wanted)


@pytest.mark.parametrize(
    ("text", "per_cent", "says"),
    [
        ("150", True, "A share is at most 100 %, this one is 150\xa0%."),
        ("1.5", False, "A share is at most 100 %, this one is 150\xa0%."),
        ("15", False, "A share is at most 100 %, this one is 1500\xa0%."),
        ("4/3", True, "A share is at most 100 %, this one is 4/3."),
        ("100.01", True, "A share is at most 100 %, this one is 100.01\xa0%."),
        ("-5", True, "A share cannot be below 0 %."),
        ("1/0", True, "Nothing can be divided by 0."),
        ("", True, "Give a percentage such as 15, or a fraction such as 2/3."),
        ("half", True, "Give a percentage such as 15, or a fraction such as 2/3."),
        ("1e3", True, "Give a percentage such as 15, or a fraction such as 2/3."),
        ("nan", False, "Give a share from 0 to 1 such as 0.15, or a fraction such as 2/3."),
        ("١٥", True, "Give a percentage such as 15, or a fraction such as 2/3."),
        ("1" * 21, True, "Give a percentage such as 15, or a fraction such as 2/3."),
    ],
)
def test_what_is_no_share_is_refused_with_a_reason(text: str, per_cent: bool, says: str) -> None:
    with translation.override("en"), pytest.raises(ValidationError) as refused:
        read_share(text, per_cent=per_cent)
    assert refused.value.messages == [says]


@pytest.mark.parametrize(
    ("share_", "as_typed", "as_written"),
    [
        ("3/20", "15", "15\xa0%"),
        ("1", "100", "100\xa0%"),
        ("0", "0", "0\xa0%"),
        ("1/8", "12.5", "12.5\xa0%"),
        ("6667/10000", "66.67", "66.67\xa0%"),
        ("2/3", "2/3", "2/3"),
    ],
)
def test_a_share_is_shown_as_it_was_typed(share_: str, as_typed: str, as_written: str) -> None:
    assert typed(Fraction(share_)) == as_typed
    assert written(Fraction(share_)) == as_written
    assert read_share(as_typed, per_cent=True) == Fraction(share_)


@given(SHARES)
def test_nothing_is_lost_on_the_way_into_the_database(one: Fraction) -> None:
    assert share.read_stored(share.stored(one)) == one
    assert read_share(typed(one), per_cent=True) == one
