"""The eight questions and the Pareto curve, recounted in plain Python (P48, P14)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random
from statistics import median
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from customers.merging import merge
from customers.models import Customer
from tests.factories import (
    SHANGHAI,
    local,
    make_customer,
    make_interaction,
    make_order,
    make_product,
    make_visit,
)
from tests.tiers import recount_questions as plain
from tests.tiers.recount_questions import Bought, History, Line
from tiers.questions import concentration, purchases
from tiers.questions.answers import CUSTOMERS, Answers
from tiers.questions.cohorts import cohorts
from tiers.questions.periods import Period, presets, usual
from tiers.questions.slices import Slice

TODAY = date(2026, 6, 16)


# --- periods


@pytest.mark.parametrize(
    ("first", "last", "before"),
    [
        ("2026-06-01", "2026-06-30", ("2026-05-01", "2026-05-31")),
        ("2026-03-01", "2026-03-31", ("2026-02-01", "2026-02-28")),
        ("2024-02-01", "2024-02-29", ("2024-01-01", "2024-01-31")),
        ("2026-04-01", "2026-06-30", ("2026-01-01", "2026-03-31")),
        ("2026-01-01", "2026-12-31", ("2025-01-01", "2025-12-31")),
        ("2025-06-17", "2026-06-16", ("2024-06-17", "2025-06-16")),
        ("2024-02-29", "2024-03-28", ("2024-01-29", "2024-02-28")),
        ("2026-06-01", "2026-06-16", ("2026-05-16", "2026-05-31")),
        ("2026-06-16", "2026-06-16", ("2026-06-15", "2026-06-15")),
    ],
)
def test_a_period_is_compared_with_as_many_months_or_days_before(
    first: str, last: str, before: tuple[str, str]
) -> None:
    found = Period(date.fromisoformat(first), date.fromisoformat(last)).before()
    assert (found.first.isoformat(), found.last.isoformat()) == before


@given(st.dates(date(1950, 1, 1), date(2150, 1, 1)), st.integers(0, 2000))
def test_the_period_before_ends_where_the_period_begins(first: date, days: int) -> None:
    period = Period(first, first + timedelta(days=days))
    before = period.before()
    assert before.last + timedelta(days=1) == first
    assert before.first <= before.last
    assert before.bounds[1] == period.bounds[0]


@pytest.mark.parametrize("today", [TODAY, date(2024, 2, 29), date(2026, 1, 1), date(2026, 12, 31)])
def test_presets_hold_today_or_end_before_it(today: date) -> None:
    found = {name: period for name, _label, period in presets(today)}
    assert all(p.first <= p.last <= today for p in found.values())
    assert found["12-months"] == usual(today)
    assert found["last-month"].last + timedelta(days=1) == found["month"].first
    assert found["last-quarter"].last + timedelta(days=1) == found["quarter"].first
    assert (found["last-quarter"].last - found["last-quarter"].first).days in range(89, 93)
    assert found["last-year"] == Period(date(today.year - 1, 1, 1), date(today.year - 1, 12, 31))


# --- every figure against a plain recount


def make_history(rng: Random, owners: list[User], *, customers: int = 14) -> History:
    """Random customers, orders in every state around midnights and month ends, and contacts."""
    products = [
        make_product(category=category, unit_cost=cost)
        for category, cost in (("酱油", Decimal("31.37")), ("酱油", None), ("醋", Decimal("12.5")))
    ]
    names: list[str] = []
    orders: list[Bought] = []
    contacts: dict[str, list[date]] = {}
    for number in range(customers):
        owner = rng.choice(owners)
        customer = make_customer(
            external_id=f"Q-{number:03}", owner=owner, division=rng.choice(["330602", "330681"])
        )
        names.append(f"Q-{number:03}")
        number_of_orders = rng.choice([0, 1, 1, 2, 3, 6])
        orders += [some_order(rng, customer, products) for _order in range(number_of_orders)]
        if rng.random() < 0.5:
            day = TODAY - timedelta(days=rng.randrange(-5, 500))
            contacts[names[-1]] = contact(rng, customer, owner, day)
    return History(names, orders, contacts)


def some_order(rng: Random, customer: Customer, products: list[Any]) -> Bought:
    day = TODAY - timedelta(days=rng.choice([0, 1, 15, 16, 89, 90, 91, *range(200, 900, 37)]))
    hour = rng.choice([time(0), time(23, 59, 59, 999999), time(7, 59), time(8), time(12)])
    at = datetime.combine(day, hour, SHANGHAI)
    status = rng.choice(
        ["confirmed", "shipped", "completed", "completed", "draft", "cancelled", "returned"]
    )
    picked = rng.sample(products, rng.randrange(3))
    lines = [
        (product, f"{rng.randrange(1, 9000) / 1000:.3f}", f"{rng.randrange(1, 20000) / 100:.2f}")
        for product in picked
    ]
    told = tuple(Line(p.category, Decimal(q), Decimal(price), p.unit_cost) for p, q, price in lines)
    amount = sum((line.amount for line in told), Decimal(0))
    if not told:
        amount = Decimal(rng.randrange(0, 500_000)) / 100
    order = make_order(customer, amount, ordered_at=at, status=status)
    for number, (product, quantity, price) in enumerate(lines, start=1):
        order.lines.create(line_no=number, product=product, quantity=quantity, unit_price=price)
    return Bought(str(customer.external_id), at, status, amount, told)


def contact(rng: Random, customer: Customer, by: User, day: date) -> list[date]:
    """One dealing with a customer; the days that count as contact."""
    at = datetime.combine(day, rng.choice([time(0), time(23, 59, 59)]), SHANGHAI)
    kind = rng.choice(["call", "message", "magazine", "done", "planned", "checked_in", "missed"])
    if kind in {"call", "message", "magazine"}:
        make_interaction(customer, by, channel=kind, at=at)
        return [] if kind == "magazine" else [day]
    begun = at if kind in {"done", "checked_in"} else None
    make_visit(customer, by, scheduled_for=at, status=kind, checked_in_at=begun)
    return [day] if begun else []


def numbers(found: Any) -> list[str]:
    return sorted(found.values_list("external_id", flat=True))


PERIODS = [
    Period(date(2025, 6, 17), TODAY),
    Period(date(2026, 6, 1), date(2026, 6, 15)),
    Period(date(2026, 1, 1), date(2026, 3, 31)),
    Period(date(2024, 2, 29), date(2026, 6, 16)),
]


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("category", ["", "酱油"])
def test_p48_every_figure_and_the_list_behind_it(
    seed: int, category: str, rep: User, stranger: User
) -> None:
    rng = Random(seed)
    history = make_history(rng, [rep, stranger])
    for period in PERIODS:
        silence = rng.choice([1, 30, 90])
        of = Slice(Customer.objects.all(), period, TODAY, category, silence)
        answers = Answers(of)
        before = of.period.before()
        expected = history.figures(
            period.first, period.last, (before.first, before.last), category, silence
        )
        for name in ("buyers", "once", "repeat", "silent", "newcomers", "returned", "stayed"):
            assert getattr(answers.now, name) == len(expected[name]), (name, period)
        assert answers.now.dropped == len(expected["dropped"])
        assert answers.now.unreturned == len(expected["unreturned"])
        assert answers.now.buyers_before == len(expected["buyers_before"])
        assert answers.idle == len(expected["idle"])
        assert answers.untouched == len(expected["untouched"])
        assert answers.unseen == len(expected["unseen"])
        assert answers.customers == len(history.population(category, period.last))
        for name, customers in CUSTOMERS.items():
            if name != "leaving":
                assert numbers(customers(of)) == sorted(expected[name]), (name, period)
        second = expected["returned"]
        rate = len(second) / len(expected["newcomers"]) if expected["newcomers"] else None
        assert answers.now.second_purchase_rate == (None if rate is None else round(rate, 6))
        days = history.days_to_second(period.first, period.last, category)
        assert sorted(purchases.days_to_second(of)) == days
        assert answers.median_days == (median(days) if days else None)
        assert {f"{c.month:%Y-%m}": c.buying for c in cohorts(of)} == history.cohorts(
            period.first, period.last, category
        )


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(3))
def test_p48_the_period_before_is_counted_as_if_asked_for(seed: int, rep: User) -> None:
    make_history(Random(seed), [rep])
    for period in PERIODS:
        of = Slice(Customer.objects.all(), period, TODAY)
        assert Answers(of).before == Answers(of.earlier()).now
        assert Answers(of).untouched_before == Answers(of.earlier()).untouched
        assert Answers(of).median_days_before == Answers(of.earlier()).median_days


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(3))
def test_p48_a_slice_counts_its_customers_alone(seed: int, rep: User, stranger: User) -> None:
    history = make_history(Random(seed), [rep, stranger])
    mine = numbers(Customer.objects.filter(owner=rep, division__startswith="330602"))
    history.customers = mine
    for period in PERIODS:
        before = period.before()
        customers = Customer.objects.filter(owner=rep, division__startswith="330602")
        expected = history.figures(period.first, period.last, (before.first, before.last), "醋", 90)
        of = Slice(customers, period, TODAY, "醋")
        for name, found in CUSTOMERS.items():
            if name != "leaving":
                assert numbers(found(of)) == sorted(expected[name]), name
        assert Answers(of).now.buyers == len(expected["buyers"])


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("category", ["", "酱油"])
@pytest.mark.parametrize("measure", ["amount", "margin"])
def test_p14_the_curve_of_a_period_and_its_ranking(
    seed: int, category: str, measure: Any, rep: User
) -> None:
    history = make_history(Random(seed), [rep], customers=11)
    for period in PERIODS:
        of = Slice(Customer.objects.all(), period, TODAY, category)
        sums = history.sums(period.first, period.last, category, margin=measure == "margin")
        line, total, top = plain.pareto(sums)
        found = concentration.read(of, measure)
        assert found.customers == len(line)
        rows = list(concentration.ranking(of, measure))
        names = {c.pk: str(c.external_id) for c in Customer.objects.all()}
        assert [names[row.customer_id] for row in rows] == line
        assert [row.amount for row in rows] == [sums[name] for name in line]
        if not found.curve:
            continue
        assert Fraction(found.curve.amount) == total
        assert abs(Fraction(found.curve.top20) - top) < Fraction(1, 10**6)
        running = Fraction(0)
        for row in rows:
            running += Fraction(sums[names[row.customer_id]])
            assert 0 <= running / total - Fraction(str(row.running)) < Fraction(1, 10**6)
        assert found.curve.points[-1] == (Decimal(1), Decimal(1))
        assert list(concentration.ranking(of, measure, after=1, until=3)) == rows[1:3]


@pytest.mark.django_db
def test_p14_says_for_what_share_of_the_amount_costs_are_known(rep: User) -> None:
    known, unknown = make_product(unit_cost=Decimal(4)), make_product(unit_cost=None)
    make_order(make_customer(), lines=[(known, "10", "6.00"), (unknown, "1", "20.00")])
    make_order(make_customer(), "20.00")
    of = Slice(Customer.objects.all(), Period(date(2026, 6, 1), TODAY), TODAY)
    found = concentration.read(of, "margin")
    assert concentration.known_share(concentration.read(of), found) == Decimal("0.6")
    assert found.curve is not None
    assert (found.customers, found.curve.amount) == (1, Decimal(20))


# --- the edges of days


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("at", "counts"),
    [
        (local(2024, 2, 28, 23, 59, 59), False),
        (local(2024, 2, 29, 0, 0, 0), True),
        (local(2024, 2, 29, 23, 59, 59), True),
        (local(2024, 3, 1, 0, 0, 0), False),
    ],
)
def test_p57_both_days_count_whole_in_the_companys_time_zone(at: datetime, counts: bool) -> None:
    make_order(ordered_at=at)
    leap = Period(date(2024, 2, 29), date(2024, 2, 29))
    assert Answers(Slice(Customer.objects.all(), leap, TODAY)).now.buyers == counts


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("at", "silent"),
    [
        (local(2026, 3, 18, 23, 59, 59), True),  # 90 days before 16 June
        (local(2026, 3, 19, 0, 0, 0), False),
    ],
)
def test_p48_silence_is_counted_in_whole_days(at: datetime, silent: bool) -> None:
    make_order(ordered_at=at)
    of = Slice(Customer.objects.all(), Period(date(2026, 6, 1), TODAY), TODAY)
    assert Answers(of).now.silent == silent


@pytest.mark.django_db
def test_p5_merged_files_count_as_one_customer(rep: User) -> None:
    gone, stays = make_customer(owner=rep), make_customer(owner=rep)
    for customer in (gone, stays):
        make_order(customer, ordered_at=local(2026, 6, 3))
    make_interaction(gone, rep)
    of = Slice(Customer.objects.all(), Period(date(2026, 6, 1), TODAY), TODAY)
    assert (Answers(of).now.once, Answers(of).untouched) == (2, 1)
    merge(gone_id=gone.pk, into_id=stays.pk, by=rep, now=local(2026, 6, 16))
    found = Answers(of)
    assert (found.now.buyers, found.now.once, found.now.repeat) == (1, 0, 1)
    assert (found.untouched, found.customers, found.median_days) == (0, 1, 0)


@pytest.mark.django_db
def test_an_order_without_lines_is_in_no_category_and_told(rep: User) -> None:
    soy = make_product(category="酱油")
    make_order(make_customer(), lines=[(soy, "1", "5.00")], ordered_at=local(2026, 6, 2))
    make_order(make_customer(), ordered_at=local(2026, 6, 2))
    make_order(make_customer(), ordered_at=local(2026, 5, 2))
    period = Period(date(2026, 6, 1), TODAY)
    found = Answers(Slice(Customer.objects.all(), period, TODAY, "酱油"))
    assert (found.customers, found.now.buyers, found.without_lines) == (1, 1, 1)
    assert Answers(Slice(Customer.objects.all(), period, TODAY)).without_lines == 0


@pytest.mark.django_db
def test_nobody_in_sight_answers_with_nothing() -> None:
    make_order()
    found = Answers(Slice(Customer.objects.none(), usual(TODAY), TODAY))
    assert found.now == found.before == purchases.Purchases()
    assert (found.customers, found.untouched, found.leaving, found.cohorts) == (0, 0, 0, [])
    assert concentration.read(found.of).curve is None
    assert concentration.read(found.of, "margin").curve is None


@pytest.mark.django_db
def test_questions_cost_as_many_statements_whatever_there_is(
    rep: User, django_assert_num_queries
) -> None:
    make_history(Random(7), [rep], customers=30)
    of = Slice(Customer.objects.filter(owner=rep), usual(TODAY), TODAY, "酱油")
    with django_assert_num_queries(1):
        purchases.tally(of)
    with django_assert_num_queries(1):
        cohorts(of)
    with django_assert_num_queries(1):
        purchases.median_days_to_second(of)
    with django_assert_num_queries(1):
        assert Answers(of).untouched
    with django_assert_num_queries(1):
        concentration.read(of)
    with django_assert_num_queries(1):
        list(concentration.ranking(of))
