"""One definition of margin: the run and the curve against a recount in plain Python (P8, P14)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest
from django.test import Client

from accounts.models import User
from customers.models import Customer
from tests.factories import make_customer, make_order, make_product
from tests.tiers import recount_questions as plain
from tests.tiers.recount_questions import PURCHASES, History
from tests.tiers.test_questions import make_history
from tiers.models import Assessment, TierPolicy
from tiers.questions import concentration
from tiers.questions.periods import usual
from tiers.questions.slices import Slice

pytestmark = pytest.mark.django_db
TODAY = date(2026, 6, 16)
WINDOW = usual(TODAY)


def by_margin() -> TierPolicy:
    return TierPolicy.objects.create(
        name="margin", measure="margin", effective_from=date(2026, 1, 1)
    )


def not_wholly_known(history: History) -> int:
    """Orders of the window without lines, or with a line whose cost nobody knows."""
    return sum(
        WINDOW.first <= order.day <= WINDOW.last
        and order.status in {*PURCHASES, "returned"}
        and (not order.lines or any(line.cost is None for line in order.lines))
        for order in history.orders
    )


@pytest.mark.parametrize("seed", range(8))
def test_p8_p14_the_run_and_the_curve_find_the_margins_of_the_recount(
    seed: int, rep: User, run_as_of
) -> None:
    history = make_history(Random(seed), [rep], customers=20)
    sums = history.sums(WINDOW.first, WINDOW.last, "", margin=True)
    line, total, _top = plain.pareto(sums)
    numbers = {one.pk: str(one.external_id) for one in Customer.objects.all()}

    job = run_as_of(TODAY, policy=by_margin())
    found = dict(Assessment.objects.values_list("customer__external_id", "margin"))
    assert {name: found.get(name) or 0 for name in history.customers} == {
        name: sums.get(name, 0) for name in history.customers
    }
    assert Fraction(job.ranked_amount or 0) == total
    assert job.without_margin == not_wholly_known(history)
    ranks = {change.rank: numbers[change.customer_id] for change in job.changes.all()}
    assert [ranks[place] for place in sorted(ranks)] == line

    of = Slice(Customer.objects.all(), WINDOW, TODAY)
    places = list(concentration.ranking(of, "margin"))
    assert [numbers[row.customer_id] for row in places] == line
    assert [row.amount for row in places] == [sums[name] for name in line]
    curve = concentration.read(of, "margin").curve
    assert (Fraction(curve.amount) if curve else 0) == total


def test_p14_an_order_half_of_whose_costs_are_known_counts_by_half(run_as_of) -> None:
    known, unknown = make_product(unit_cost=Decimal("3.00")), make_product(unit_cost=None)
    make_order(lines=[(known, "2", "5.00"), (unknown, "1", "99.00")])
    job = run_as_of(TODAY, policy=by_margin())
    of = Slice(Customer.objects.all(), WINDOW, TODAY)
    [place] = concentration.ranking(of, "margin")
    assert place.amount == Assessment.objects.get().margin == Decimal("4.00")
    assert job.without_margin == 1


def test_p8_whoever_reads_a_ranking_by_margin_is_told_what_it_does_not_know(
    as_, director: User, rep: User, run_as_of
) -> None:
    customer = make_customer(owner=rep)
    make_order(customer, lines=[(make_product(unit_cost=Decimal("3.00")), "2", "5.00")])
    make_order(customer, "80.00")
    policy = by_margin()
    trial, job = run_as_of(TODAY, policy=policy, dry_run=True), run_as_of(TODAY, policy=policy)
    pages = [
        "/tiers/",
        f"/tiers/runs/{job.pk}/",
        f"/tiers/runs/{trial.pk}/",
        f"/tiers/of-customer/{customer.pk}/",
    ]
    for address in pages:
        assert "1 order of the window is not wholly known" in text(as_(director), address)
        narrow = text(as_(rep), address)
        assert "Some orders of the window have no lines" in narrow
        assert "1 order of the window" not in narrow  # how many the company has is not the rep's
    run_as_of(TODAY)  # by amount: nothing of it is unknown
    for address in (pages[0], pages[3]):
        assert "counts nothing in this ranking" not in text(as_(director), address)


def text(browser: Client, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200
    return str(answer.content.decode())
