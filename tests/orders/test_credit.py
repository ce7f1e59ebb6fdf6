"""P39: what counts as ordered, delivered and overdue, and which orders wait: the rules alone."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.credit import (
    Item,
    Rule,
    age_of,
    days_overdue,
    days_sales_outstanding,
    exposure,
    judge,
    taken_as_paid,
)

TODAY = date(2026, 6, 16)
TERMS = 30


def item(pk: int, amount: str, *, overdue: int | None = None, status: str = "shipped") -> Item:
    """An order with `amount` open, `overdue` days after its due day (below zero: before it)."""
    days = TERMS + (-5 if overdue is None else overdue)
    return Item(pk, TODAY - timedelta(days=days), status, Decimal(amount))


@pytest.mark.parametrize(
    ("overdue", "days", "age"),
    [(-30, 0, None), (0, 0, None), (1, 1, 0), (30, 30, 0), (31, 31, 1), (60, 60, 1), (61, 61, 2),
     (90, 90, 2), (91, 91, 3), (1000, 1000, 3)],
)  # fmt: skip
def test_p39_the_ages_of_what_is_overdue(overdue: int, days: int, age: int | None) -> None:
    ordered_on = TODAY - timedelta(days=TERMS + overdue)
    assert days_overdue(ordered_on, TERMS, TODAY) == days
    if age is None:
        with pytest.raises(ValueError, match="not overdue"):
            age_of(days)
    else:
        assert age_of(days) == age


def test_p39_exposure_is_shown_apart() -> None:
    owed = exposure(
        [
            item(1, "10", status="confirmed", overdue=99),
            item(2, "20"),
            item(3, "30", overdue=0, status="completed"),
            item(4, "40", overdue=30),
            item(5, "50", overdue=31),
            item(6, "60", overdue=61),
            item(7, "70", overdue=91),
        ],
        on_account=Decimal("0"),
        terms_days=TERMS,
        today=TODAY,
    )
    assert [owed.ordered, owed.not_due, *owed.overdue_by_age] == [10, 50, 40, 50, 60, 70]
    assert [owed.overdue, owed.delivered, owed.total] == [220, 270, 280]
    assert owed.available(Decimal(300)) == 20
    assert owed.available(Decimal(200)) == -80
    assert owed.available(None) is None


@pytest.mark.parametrize(("on_account", "total"), [("100", "-100"), ("0", "0"), ("-5.50", "5.50")])
def test_p39_what_is_on_account_counts_for_the_customer(on_account: str, total: str) -> None:
    owed = exposure([], on_account=Decimal(on_account), terms_days=TERMS, today=TODAY)
    assert owed.total == Decimal(total)


@pytest.mark.parametrize(
    ("receivable", "sales", "days"),
    [("100", "300", "30.0"), ("0", "300", "0.0"), ("-5", "300", "0.0"), ("1", "3", "30.0"),
     ("100", "0", None), ("100", "-1", None), ("600", "300", "180.0"), ("10", "900", "1.0")],
)  # fmt: skip
def test_p39_days_sales_outstanding(receivable: str, sales: str, days: str | None) -> None:
    found = days_sales_outstanding(Decimal(receivable), Decimal(sales))
    assert found == (None if days is None else Decimal(days))


ORDERED = [item(1, "60", status="confirmed"), item(2, "60", status="confirmed"),
           item(3, "30", status="confirmed")]  # fmt: skip
#: name → limit, point, overdue days, items, on account, released, waiting (order, cause)
HOLDS = {
    "never": ("1", "never", 0, [item(9, "5", overdue=50), *ORDERED], "0", (), []),
    "no limit": (None, "order", None, ORDERED, "0", (), []),
    "the one beyond the limit, not the one that fits after it": (
        "100", "order", None, ORDERED, "0", (), [(2, "limit")],
    ),
    "to the cent it fits": ("150", "order", None, ORDERED, "0", (), []),
    "a cent less": ("149.99", "order", None, ORDERED, "0", (), [(3, "limit")]),
    "a limit of nothing": ("0", "order", None, ORDERED[:1], "0", (), [(1, "limit")]),
    "what was delivered counts": (
        "100", "order", None, [item(9, "50"), *ORDERED], "0", (), [(1, "limit"), (2, "limit")],
    ),
    "what is on account helps": ("100", "order", None, ORDERED[:2], "20", (), []),
    "what is owed beside orders does not": (
        "100", "order", None, ORDERED[:1], "-41", (), [(1, "limit")],
    ),
    "before delivery each stands alone": ("100", "delivery", None, ORDERED, "0", (), []),
    "before delivery with what was delivered": (
        "100", "delivery", None, [item(9, "50"), *ORDERED], "0", (), [(1, "limit"), (2, "limit")],
    ),
    "a shipped order is gone": ("1", "order", None, [item(9, "50")], "0", (), []),
    "released, and it counts for those after it": (
        "100", "order", None, ORDERED, "0", {(2, "limit")}, [(3, "limit")],
    ),
    "overdue longer than allowed": (
        None, "order", 10, [item(9, "5", overdue=11), *ORDERED[:1]], "0", (), [(1, "overdue")],
    ),
    "overdue as long as allowed": (
        None, "delivery", 11, [item(9, "5", overdue=11), *ORDERED[:1]], "0", (), [],
    ),
    "released for one cause only": (
        "10", "order", 0, [item(9, "5", overdue=1), *ORDERED[:1]], "0", {(1, "overdue")},
        [(1, "limit")],
    ),
    "both causes": (
        "10", "order", 0, [item(9, "5", overdue=1), *ORDERED[:1]], "0", (),
        [(1, "overdue"), (1, "limit")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HOLDS)
def test_p39_which_orders_wait(name: str) -> None:
    limit, at, overdue_days, items, on_account, released, waiting = HOLDS[name]
    rule = Rule(None if limit is None else Decimal(limit), TERMS, at, overdue_days)
    held = judge(
        rule,
        items,
        on_account=Decimal(on_account),
        today=TODAY,
        paid_since=date.min,
        released=set(released),
    )
    assert [(one.order_id, one.cause) for one in held] == waiting


def test_p39_a_hold_says_its_reason_in_numbers() -> None:
    items = [item(9, "50.50", overdue=45), item(1, "60", status="confirmed")]
    late, beyond = judge(
        Rule(Decimal(100), TERMS, "order", 10),
        items,
        on_account=Decimal(0),
        today=TODAY,
        paid_since=date.min,
    )
    assert late.facts == {"overdue": "50.50", "days": 45, "allowed": 10}
    assert beyond.facts == {"limit": "100.00", "used": "50.50", "open": "60.00"}


@given(
    amounts=st.lists(st.integers(1, 9_999), max_size=8),
    delivered=st.integers(0, 20_000),
    limit=st.integers(0, 20_000),
)
def test_p39_what_does_not_wait_stays_within_the_limit(
    amounts: list[int], delivered: int, limit: int
) -> None:
    items = [item(99, str(delivered))] if delivered else []
    items += [item(n, str(cents), status="confirmed") for n, cents in enumerate(amounts)]
    held = judge(
        Rule(Decimal(limit), TERMS, "order"),
        items,
        on_account=Decimal(0),
        today=TODAY,
        paid_since=None,
    )
    waiting = {one.order_id for one in held}
    going = [one for one in items if not one.is_delivered and one.order_id not in waiting]
    if going:
        assert delivered + sum(one.open for one in going) <= limit


@pytest.mark.parametrize(
    ("paid_since", "waits"),
    [
        (None, False),  # no payment on file: nobody is late
        (TODAY - timedelta(days=TERMS + 45), True),
        (TODAY - timedelta(days=TERMS + 44), False),  # ordered before the books begin
    ],
)
def test_p39_nobody_waits_for_what_is_older_than_the_first_payment(paid_since, waits) -> None:
    items = [item(9, "50.50", overdue=45), item(1, "60", status="confirmed")]
    rule = Rule(None, TERMS, "order", 10)
    held = judge(rule, items, on_account=Decimal(0), today=TODAY, paid_since=paid_since)
    assert bool(held) is waits


def test_p39_without_payments_kept_what_is_due_counts_as_paid() -> None:
    due, late = item(1, "5", overdue=0), item(2, "6", overdue=1)
    ordered = item(3, "7", overdue=99, status="confirmed")
    kept = taken_as_paid([due, late, ordered], terms_days=TERMS, today=TODAY)
    assert kept == [due, ordered]
