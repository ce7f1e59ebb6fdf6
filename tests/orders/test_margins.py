"""The margin in the channel, as a rule: tables without a database (P16)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from orders.margins import Margin, Sold, judge, of_line, total


def number(text: str) -> Decimal | None:
    return None if text == "-" else Decimal(text)


def line(text: str) -> Margin:
    quantity, *prices = (number(word) for word in text.split())
    assert quantity is not None
    assert prices[0] is not None
    return of_line(Sold(quantity, prices[0], *prices[1:]))


@pytest.mark.parametrize(
    ("sold", "paid", "deviation", "dealer", "dealer_share", "own", "own_share"),
    [
        # quantity, paid, uniform dealer, uniform retail, cost
        ("10 50 50 80 30", "500.00", "0", "300", "0.375", "200", "0.4"),
        ("10 45 50 80 30", "450.00", "-50", "350", "0.4375", "150", "0.3333"),
        ("10 60 50 80 30", "600.00", "100", "200", "0.25", "300", "0.5"),
        ("10 90 50 80 30", "900.00", "400", "-100", "-0.125", "600", "0.6667"),
        ("10 20 50 80 30", "200.00", "-300", "600", "0.75", "-100", "-0.5"),
        ("10 0 50 80 30", "0.00", "-500", "800", "1", "-300", "-"),
        ("-10 45 50 80 30", "-450.00", "50", "-350", "-", "-150", "-"),
        ("10 50 - 80 30", "500.00", "-", "300", "0.375", "200", "0.4"),
        ("10 50 50 - 30", "500.00", "0", "-", "-", "200", "0.4"),
        ("10 50 50 80 -", "500.00", "0", "300", "0.375", "-", "-"),
        ("10 50 0 0 0", "500.00", "500", "-500", "-", "500", "1"),
        ("0.333 9.99 10.01 15.55 8", "3.33", "0", "1.85", "0.3571", "0.67", "0.2012"),
        ("0.5 0.01 0.03 0.05 0", "0.01", "-0.01", "0.02", "0.6667", "0.01", "1"),
    ],
)
def test_a_line(sold, paid, deviation, dealer, dealer_share, own, own_share) -> None:
    margin = line(sold)
    assert (margin.paid, margin.deviation, margin.dealer, margin.own) == tuple(
        number(text) for text in (paid, deviation, dealer, own)
    )
    for found, text in ((margin.dealer_share, dealer_share), (margin.own_share, own_share)):
        assert (None if found is None else round(found, 4)) == number(text)


def test_like_is_compared_with_like() -> None:
    both = total([line("10 50 50 80 30"), line("1 100 - - -")])
    assert (both.lines, both.paid) == (2, Decimal(600))
    assert (both.uniform.lines, both.retail.lines, both.cost.lines) == (1, 1, 1)
    assert (both.deviation, both.dealer, both.own) == (Decimal(0), Decimal(300), Decimal(200))
    assert both.dealer_share == Decimal("0.375")


def test_nothing_sold_is_nothing_known() -> None:
    nothing = total([])
    assert nothing.paid == 0
    assert (nothing.deviation, nothing.dealer, nothing.own) == (None, None, None)
    assert judge(nothing, least_dealer=Decimal("0.9"), least_own=Decimal("0.9")) == []


@pytest.mark.parametrize(
    ("sold", "least_dealer", "least_own", "warnings"),
    [
        ("10 50 50 80 30", "-", "-", []),
        ("10 50 50 80 30", "0.375", "0.4", []),
        ("10 50 50 80 30", "0.38", "0.41", ["dealer", "own"]),  # at the uniform price already
        ("10 40 50 80 30", "0.3", "0.3", ["own eaten"]),  # a discount
        ("10 60 50 80 30", "0.3", "0.3", ["dealer eaten"]),  # a surcharge, as for freight
        ("10 81 50 80 30", "-", "-", ["dealer eaten"]),
        ("10 80 50 80 30", "-", "-", []),  # the dealer earns nothing, but does not lose
        ("10 29 50 80 30", "-", "-", ["own eaten"]),
        ("10 29 - 80 30", "-", "-", ["own"]),  # without a uniform price nobody knows why
        ("-10 29 50 80 30", "0.9", "0.9", []),  # a return earns nothing
        ("10 40 50 - -", "0.9", "0.9", []),
    ],
)
def test_what_eats_a_margin_is_said(sold, least_dealer, least_own, warnings) -> None:
    found = judge(line(sold), least_dealer=number(least_dealer), least_own=number(least_own))
    assert [f"{one.side}{' eaten' if one.eaten else ''}" for one in found] == warnings
