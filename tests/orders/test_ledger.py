"""P39: which payments pay which orders; the statement for many customers says the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.models import Customer
from orders import balances
from orders.ledger import Bill, Money, settle
from orders.models import Order, Payment
from tests.factories import local, make_customer

BEGIN = local(2026, 5, 1, 9)


def bill(pk: int, amount: str, *, day: int = 0, status: str = "shipped") -> Bill:
    return Bill(pk, f"SO-{pk}", BEGIN + timedelta(days=day), status, Decimal(amount))


def money(amount: str, order: int | None = None) -> Money:
    return Money(Decimal(amount), order)


#: name → bills, payments, paid by order, on account
CASES = {
    "nothing": ([], [], {}, "0"),
    "the oldest first": (
        [bill(1, "100", day=2), bill(2, "50", day=1)], [money("70")], {2: "50", 1: "20"}, "0",
    ),
    "the named one before older ones": (
        [bill(1, "100"), bill(2, "50", day=1)], [money("50", 2)], {1: "0", 2: "50"}, "0",
    ),
    "beyond the named one, to the oldest": (
        [bill(1, "100"), bill(2, "50", day=1)], [money("80", 2)], {1: "30", 2: "50"}, "0",
    ),
    "beyond all of them, on account": ([bill(1, "100")], [money("100.01")], {1: "100"}, "0.01"),
    "a part leaves the rest open": ([bill(1, "100")], [money("0.01", 1)], {1: "0.01"}, "0"),
    "two parts of one order": (
        [bill(1, "100")], [money("40", 1), money("60", 1)], {1: "100"}, "0",
    ),
    "a return pays the oldest": (
        [bill(1, "100"), bill(2, "30", day=9, status="returned")], [], {1: "30"}, "0",
    ),
    "a reversal takes back": (
        [bill(1, "100")], [money("60", 1), money("-60", 1)], {1: "0"}, "0",
    ),
    "a reversal without an order": ([bill(1, "100")], [money("60"), money("-60")], {1: "0"}, "0"),
    "more taken back than paid": ([bill(1, "100")], [money("-5")], {1: "0"}, "-5"),
    "a cancelled order releases": (
        [bill(1, "100", status="cancelled"), bill(2, "100", day=1)], [money("100", 1)],
        {2: "100"}, "0",
    ),
    "a draft owes nothing": ([bill(1, "100", status="draft")], [money("10")], {}, "10"),
    "an order that is nobody's here": ([bill(1, "100")], [money("10", 99)], {1: "10"}, "0"),
    "at the same moment, by number": (
        [bill(2, "10"), bill(1, "10")], [money("10")], {1: "10", 2: "0"}, "0",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_p39_payments_find_their_orders(name: str) -> None:
    bills, payments, paid, on_account = CASES[name]
    ledger = settle(bills, payments)
    assert ledger.paid == {pk: Decimal(amount) for pk, amount in paid.items()}
    assert ledger.on_account == Decimal(on_account)


CENTS = st.integers(0, 20_000).map(lambda cents: Decimal(cents) / 100)
STATUSES = st.sampled_from(["draft", "confirmed", "shipped", "completed", "cancelled", "returned"])
BILLS = st.lists(st.tuples(CENTS, st.integers(0, 4), STATUSES), max_size=7).map(
    lambda rows: [
        Bill(n, f"SO-{n}", BEGIN + timedelta(days=day), status, amount)
        for n, (amount, day, status) in enumerate(rows, start=1)
    ]
)
PAYMENTS = st.lists(
    st.tuples(
        st.integers(-10_000, 20_000).filter(bool).map(lambda cents: Decimal(cents) / 100),
        st.none() | st.integers(1, 8),
    ).map(lambda pair: Money(*pair)),
    max_size=8,
)


@given(bills=BILLS, payments=PAYMENTS, dice=st.randoms(use_true_random=False))
def test_p39_no_cent_is_lost_and_the_order_of_arrival_does_not_matter(
    bills: list[Bill], payments: list[Money], dice
) -> None:
    ledger = settle(bills, payments)
    came_in = sum(payment.amount for payment in payments) + sum(
        one.amount for one in bills if one.status == "returned"
    )
    assert sum(ledger.paid.values()) + ledger.on_account == came_in
    for one in bills:
        if one.id in ledger.paid:
            assert 0 <= ledger.paid[one.id] <= one.amount
            assert ledger.paid[one.id] + ledger.open[one.id] == one.amount
    if ledger.on_account > 0:
        assert not any(ledger.open.values())
    dice.shuffle(bills)
    dice.shuffle(payments)
    # other ids, as another order of arrival gives them
    ids = {one.id: 1000 - n for n, one in enumerate(bills)}
    renamed = settle(
        [replace(one, id=ids[one.id]) for one in bills],
        [Money(p.amount, p.order_id and ids.get(p.order_id, 5)) for p in payments],
    )
    assert renamed.on_account == ledger.on_account
    assert renamed.paid == {ids[pk]: amount for pk, amount in ledger.paid.items()}


@pytest.fixture
def two(db: None) -> tuple[Customer, Customer]:
    return make_customer(), make_customer()


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(bills=BILLS, payments=PAYMENTS, owners=st.lists(st.booleans(), min_size=15, max_size=15))
def test_p39_the_statement_for_many_customers_agrees_with_the_rule(
    two: tuple[Customer, Customer], bills: list[Bill], payments: list[Money], owners: list[bool]
) -> None:
    Payment.objects.all().delete()
    Order.objects.all().delete()
    whose = {one.id: two[owners[one.id]] for one in bills}
    stored = {
        one.id: Order.objects.create(
            customer=whose[one.id], external_id=one.number, ordered_at=one.ordered_at,
            status=one.status, amount=one.amount,
        )
        for one in bills
    }  # fmt: skip
    payers = [two[owners[-n - 1]] for n in range(len(payments))]
    for payment, payer in zip(payments, payers, strict=True):
        order = stored.get(payment.order_id or 0)
        Payment.objects.create(customer=payer, order=order, amount=payment.amount, paid_at=BEGIN)
    found = balances.open_accounts([one.pk for one in two], today=date(2026, 6, 16), terms={})
    for customer in two:
        wanted = settle(
            [one for one in bills if whose[one.id] == customer],
            [p for p, payer in zip(payments, payers, strict=True) if payer == customer],
        )
        account = found.get(customer.pk, balances.Account())
        assert {item.order_id: item.open for item in account.items} == {
            stored[pk].pk: rest for pk, rest in wanted.open.items() if rest
        }
        assert account.on_account == wanted.on_account
        queue = [
            one.pk
            for one in sorted(stored.values(), key=lambda o: (o.ordered_at, o.external_id or ""))
        ]
        places = [queue.index(item.order_id) for item in account.items]
        assert places == sorted(places)
        live = balances.ledger_of(customer.pk)
        assert Fraction(live.on_account) == Fraction(wanted.on_account)
