"""How far a customer is from a line (P8, P12), against trying every cent."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.models import Customer
from tests.factories import make_customer
from tiers.lines import distances
from tiers.models import TierPolicy


def tier_of(number: str, cents: dict[str, int], shares: tuple[int, int]) -> str | None:
    """The tier of P8, told from scratch: shares in whole per cent."""
    ranked = sorted((-amount, name) for name, amount in cents.items() if amount > 0)
    total, before = -sum(amount for amount, _name in ranked), 0
    for amount, name in ranked:
        if name == number:
            line = {"A": shares[0], "B": shares[1], "C": 10**9}
            return next(tier for tier, share in line.items() if before * 100 < share * total)
        before -= amount
    return None


def least_by_trying(tier: str, own: str, cents: dict[str, int], shares: tuple[int, int]) -> int:
    """The first amount, cent by cent, that gives `tier` or better."""
    for amount in range(1, 10**6):
        if str(tier_of(own, {**cents, own: amount}, shares)) <= tier:
            return amount
    raise AssertionError


def policy_with(shares: tuple[int, int]) -> TierPolicy:
    a, b = shares
    return TierPolicy(window_months=12, a_share=Decimal(a) / 100, b_share=Decimal(b) / 100)


@pytest.mark.django_db
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.integers(-5, 40), min_size=1, max_size=9),
    st.integers(0, 8),
    st.tuples(st.integers(1, 98), st.integers(1, 98)).filter(lambda pair: pair[0] < pair[1]),
)
def test_the_least_amount_is_found_to_the_cent(
    amounts: list[int], place: int, shares: tuple[int, int]
) -> None:
    Customer.objects.all().delete()
    cents = {f"{number:02}": amount for number, amount in enumerate(amounts)}
    own = f"{place % len(amounts):02}"
    for number, amount in cents.items():
        make_customer(external_id=number, net_amount=Decimal(amount) / 100)
    found = distances(Customer.objects.get(external_id=own), policy_with(shares))
    assert [one.tier for one in found] == ["A", "B"]
    for one in found:
        assert one.least * 100 == least_by_trying(one.tier, own, cents, shares)
        assert one.missing == one.least - Decimal(cents[own]) / 100
        reached = str(tier_of(own, cents, shares)) <= one.tier
        assert one.reached == reached


@pytest.mark.django_db
def test_those_without_a_number_come_last_among_equals() -> None:
    first = make_customer(external_id=None, net_amount=Decimal(50))
    second = make_customer(external_id=None, net_amount=Decimal(50))
    a_of = {
        pk: distances(Customer.objects.get(pk=pk), policy_with((50, 90)))[0]
        for pk in (first.pk, second.pk)
    }
    assert a_of[first.pk].reached  # nothing before it
    assert a_of[second.pk].missing == Decimal("0.01")  # half before it: one cent more is enough


@pytest.mark.django_db
def test_before_the_first_run_there_is_no_distance() -> None:
    assert distances(make_customer(), policy_with((80, 95))) == []


@pytest.mark.django_db
def test_it_takes_two_statements_whatever_the_number(django_assert_num_queries) -> None:
    for number in range(20):
        make_customer(net_amount=Decimal(100 + number))
    customer = Customer.objects.latest("pk")
    with django_assert_num_queries(2):
        distances(customer, policy_with((80, 95)))
