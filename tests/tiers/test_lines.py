"""How far a customer is from a line (P8, P12), against trying every cent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from customers.models import Customer
from tests.factories import local, make_customer, make_order, make_product
from tiers import keyaccounts, overrides
from tiers.lines import distances
from tiers.models import Assessment, TierPolicy


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


KINDS = ("distributor", "dealer", "outlet")
DIVISIONS = ("330602", "330681", "330102", "320505", "")
#: What a group is called in this test: by the customer's own fields, as P8 draws the groups.
GROUP_OF: dict[str, Callable[[Customer], str]] = {
    "company": lambda one: "",
    "kind": lambda one: one.kind,
    "province": lambda one: one.division[:2],
    "prefecture": lambda one: one.division[:4],
}


@pytest.mark.django_db
@pytest.mark.parametrize("measure", ["amount", "margin"])
@pytest.mark.parametrize("within", list(GROUP_OF))
def test_after_a_run_within_any_group_and_by_either_measure(
    run_as_of, manager: User, within: str, measure: str
) -> None:
    """Every customer of a company with ties, one alone, unranked, held and overridden ones."""
    chance = Random(f"{within} {measure}")
    known = make_product(unit_cost=Decimal("0.05"))
    unknown = make_product(unit_cost=None)
    brought: dict[int, int | None] = {}
    for number in range(18):
        customer = make_customer(
            external_id=f"{number:02}" if number % 5 else None,
            kind=chance.choice(KINDS),
            division=chance.choice(DIVISIONS),
        )
        net, margin = 0, 0
        for _order in range(chance.choice((0, 1, 1, 2))):
            cents, product = chance.randint(3, 16), chance.choice((known, known, known, unknown))
            make_order(customer, lines=[(product, "1", f"{cents / 100:.2f}")])
            net += cents
            margin += cents - 5 if product is known else 0
        brought[customer.pk] = net if measure == "amount" else margin
        if measure == "margin" and not customer.orders.filter(lines__product=known).exists():
            brought[customer.pk] = None  # nobody knows what it earns us
    alone = make_customer(external_id="alone", kind="group_buyer", division="650100")
    make_order(alone, lines=[(known, "1", "0.12")])
    brought[alone.pk] = 12 if measure == "amount" else 7
    Customer.objects.filter(external_id__in=["01", "02", "03", "04"]).update(abc="A")  # held
    policy = TierPolicy.objects.create(
        name=within, effective_from=date(2026, 1, 1), measure=measure, ranked_within=within,
        a_share=Decimal("0.5"), b_share=Decimal("0.8"), downgrade_runs=3,
    )  # fmt: skip
    by_hand = Customer.objects.get(external_id="06")
    overrides.set_tier(
        customer=by_hand, tier="A", reason="Strategic", until=date(2026, 12, 31), by=manager,
        now=local(2026, 6, 16, 9), today=date(2026, 6, 16),
    )  # fmt: skip
    run_as_of(policy=policy)
    customers = list(Customer.objects.all())
    names = {one.pk: one.external_id or f"~{one.pk:09}" for one in customers}  # ~ comes last
    computed = {
        row.customer_id: row.held_tier if row.held_runs else row.computed_tier
        for row in Assessment.objects.all()
    }
    for one in customers:
        found = distances(one, policy)
        own = brought[one.pk]
        if own is None:
            assert found == []
            continue
        group = GROUP_OF[within]
        everyone = {
            names[other.pk]: brought[other.pk] or 0
            for other in customers
            if group(other) == group(one)
        }
        name = names[one.pk]
        tier = tier_of(name, everyone, (50, 80))
        assert computed.get(one.pk) == tier, "the run and this test agree on the tier"
        assert [line.tier for line in found] == ["A", "B"]
        for line in found:
            assert line.least * 100 == least_by_trying(line.tier, name, everyone, (50, 80))
            assert line.missing == line.least - Decimal(own) / 100
            assert line.reached == (str(tier) <= line.tier)
    assert Assessment.objects.filter(held_runs__gt=0).exists()
    assert Assessment.objects.get(customer=by_hand).override is not None
    for line in distances(Customer.objects.get(pk=alone.pk), policy)[: within == "kind"]:
        assert line.least == Decimal("0.01"), "alone in its group, any amount is enough"


@pytest.mark.django_db
@pytest.mark.parametrize(("measure", "known"), [("amount", True), ("margin", False)])
def test_a_customer_that_has_bought_nothing_yet_is_measured_against_its_own_group(
    run_as_of, manager: User, measure: str, known: bool
) -> None:
    """Also where a person's word made the first row about it: that row knows no group."""
    policy = TierPolicy.objects.create(
        name="by kind", effective_from=date(2026, 1, 1), measure=measure, ranked_within="kind",
        a_share=Decimal("0.5"), b_share=Decimal("0.8"),
    )  # fmt: skip
    product = make_product(unit_cost=Decimal(0))
    make_order(make_customer(kind="outlet"), lines=[(product, "1", "60.00")])
    make_order(make_customer(kind="dealer"), lines=[(product, "1", "900.00")])
    new = make_customer(kind="outlet")
    run_as_of(policy=policy)
    new.refresh_from_db()
    for time in range(2):
        found = [line.least for line in distances(new, policy)]
        # A: more than the 60.00, or exactly as much as they bring together before its half
        assert found == ([Decimal("60.01"), Decimal("15.01")] if known else [])
        if time == 0:
            keyaccounts.confirm(customer=new, reason="New", by=manager, now=local(2026, 6, 17))


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
