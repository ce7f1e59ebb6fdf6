"""The chart of a customer's net amounts by month."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from customers.models import Customer
from orders import trend
from orders.trend import Month, drawn
from tests.factories import local, make_order

TODAY = date(2026, 6, 16)


def months(*amounts: int) -> list[Month]:
    return [
        Month(date(2026, number + 1, 1), Decimal(amount), Decimal(0))
        for number, amount in enumerate(amounts)
    ]


def test_it_takes_the_twelve_full_months_in_the_companys_time_zone(customer: Customer) -> None:
    make_order(customer, "100", ordered_at=local(2026, 5, 31, 23, 59))
    make_order(customer, "7", ordered_at=local(2026, 6, 1, 0, 0))
    make_order(customer, "40", ordered_at=local(2025, 6, 1, 0, 0))
    make_order(customer, "30", ordered_at=local(2025, 5, 31, 23, 59))
    make_order(customer, "20", ordered_at=local(2026, 5, 1), status="returned")
    make_order(customer, "5", ordered_at=local(2026, 5, 1), status="draft")
    make_order(customer, "9", ordered_at=local(2024, 5, 31))
    shown = trend.of_customer(customer, today=TODAY)
    assert shown is not None
    assert [month.first for month in shown.months][::11] == [date(2025, 6, 1), date(2026, 5, 1)]
    assert [month.net for month in shown.months] == [40, *[0] * 10, 80]
    assert [month.before for month in shown.months] == [*[0] * 11, 30]
    assert (shown.highest.first, shown.lowest.net) == (date(2026, 5, 1), Decimal(0))


def test_nothing_in_two_years_draws_nothing(customer: Customer) -> None:
    make_order(customer, ordered_at=local(2026, 6, 2))
    assert trend.of_customer(customer, today=TODAY) is None


@pytest.mark.parametrize(
    ("amounts", "marks", "first_bar"),
    [
        ((90_000, 30_000), ["0", "50", "100"], ("10.00", "90.00")),
        ((3_000, 0), ["0", "1", "2", "3"], ("0.00", "100.00")),
        ((0, 0), ["0.0000", "0.0005", "0.0010"], ("100.00", "0.00")),
        ((-20_000, 40_000), ["-20", "0", "20", "40"], ("66.67", "33.33")),
    ],
)
def test_bars_stand_on_the_zero_line_of_a_round_axis(
    amounts: tuple[int, ...], marks: list[str], first_bar: tuple[str, str]
) -> None:
    chart = drawn(months(*amounts))
    assert [Decimal(mark) for mark in marks] == [amount for amount, _y in chart.lines]
    assert (chart.months[0].y, chart.months[0].height) == first_bar
    assert chart.lines[-1][1] == "0.00"
