"""What an order comes to, to the cent."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from django.core.exceptions import ValidationError

from orders.amounts import check_amount, check_line, line_amount

RETURNED, COMPLETED = "returned", "completed"


@pytest.mark.parametrize(
    ("quantity", "price", "comes_to"),
    [
        ("10", "62.00", "620.00"),
        ("0.333", "1.00", "0.33"),
        ("0.5", "0.01", "0.01"),  # half a cent goes up
        ("1.5", "0.03", "0.05"),
        ("0.001", "0.01", "0.00"),
        ("99999999999.999", "9999999999.99", "999999999998990000000.00"),
    ],
)
def test_a_line_comes_to_quantity_times_price_half_a_cent_rounded_up(quantity, price, comes_to):
    assert line_amount(D(quantity), D(price)) == D(comes_to)


@pytest.mark.parametrize(
    ("status", "amount", "lines", "stored"),
    [
        (COMPLETED, "100.00", [], "100.00"),
        (COMPLETED, "0", [], "0"),
        (COMPLETED, None, [("2", "50.00")], "100.00"),
        (COMPLETED, "100.00", [("2", "50.00")], "100.00"),
        (COMPLETED, "0.02", [("0.5", "0.01"), ("0.5", "0.01")], "0.02"),  # each line rounded
        (RETURNED, "-100.00", [], "100.00"),
        (RETURNED, "100.00", [], "100.00"),
        (RETURNED, "-100.00", [("2", "50.00")], "100.00"),
        (RETURNED, None, [("2", "50.00")], "100.00"),
    ],
)
def test_the_amount_that_is_stored(status, amount, lines, stored):
    sent = None if amount is None else D(amount)
    priced = [(D(quantity), D(price)) for quantity, price in lines]
    assert check_amount(status=status, amount=sent, lines=priced) == D(stored)


@pytest.mark.parametrize(
    ("status", "amount", "lines", "code"),
    [
        (COMPLETED, None, [], "required"),
        (COMPLETED, "-0.01", [], "negative"),
        ("draft", "-5", [], "negative"),
        (COMPLETED, "100.01", [("2", "50.00")], "lines_disagree"),
        (RETURNED, "-99.99", [("2", "50.00")], "lines_disagree"),
        (COMPLETED, None, [("99999999999", "9999999999")], "too_large"),
    ],
)
def test_an_amount_that_is_refused(status, amount, lines, code):
    priced = [(D(quantity), D(price)) for quantity, price in lines]
    with pytest.raises(ValidationError) as refused:
        check_amount(status=status, amount=None if amount is None else D(amount), lines=priced)
    assert [error.code for error in refused.value.error_dict["amount"]] == [code]


@pytest.mark.parametrize(
    ("quantity", "price", "fields"),
    [
        ("0", "1", {"quantity"}),
        ("-1", "1", {"quantity"}),
        ("1", "-0.01", {"unit_price"}),
        ("0", "-1", {"quantity", "unit_price"}),
    ],
)
def test_a_line_sells_something_at_a_price(quantity, price, fields):
    with pytest.raises(ValidationError) as refused:
        check_line(status=COMPLETED, quantity=D(quantity), unit_price=D(price))
    assert set(refused.value.error_dict) == fields


@pytest.mark.parametrize(
    ("status", "quantity"), [(COMPLETED, "2"), (RETURNED, "2"), (RETURNED, "-2")]
)
def test_a_quantity_is_stored_without_a_sign(status, quantity):
    assert check_line(status=status, quantity=D(quantity), unit_price=D(0)) == 2
