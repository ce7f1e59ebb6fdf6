"""The figures of the tier report: P14, and the migration between two runs."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from customers.models import Customer
from tests.factories import local, make_customer, make_order
from tests.tiers.conftest import NOW
from tiers import report
from tiers.models import LADDER, TierRun

MAY, JUNE = date(2026, 5, 31), date(2026, 6, 16)


def read(run: TierRun, owner: User | None = None) -> report.Report:
    customers, changes = Customer.objects.all(), run.changes.all()
    if owner:
        customers, changes = customers.filter(owner=owner), changes.filter(customer__owner=owner)
    return report.read(run, customers, changes)


@pytest.mark.parametrize(
    ("customers", "top"), [(1, 1), (4, 1), (5, 1), (6, 2), (10, 2), (11, 3), (2002, 401)]
)
def test_p14_the_top_fifth_is_rounded_up(customers: int, top: int) -> None:
    assert report.first_fifth(customers) == top == ceil(Fraction(customers, 5))


@given(st.integers(1, 2_000_000))
def test_a_curve_has_few_points_and_ends_at_the_last_customer(customers: int) -> None:
    places = report.places(customers, {report.first_fifth(customers), customers})
    assert len(places) <= 60
    assert places == sorted(set(places))
    assert (places[0], places[-1]) == (1, customers) or customers > 1600


@pytest.mark.django_db
class TestReport:
    @pytest.fixture
    def runs(self, run_as_of, rep: User, stranger: User) -> tuple[TierRun, TierRun]:
        """Two runs. Between them 2 rises to A, 1 falls to B, 3 to nothing, and 5 comes in."""
        for number, amount, owner in [("1", 800, rep), ("2", 150, rep), ("3", 50, stranger)]:
            make_order(
                make_customer(external_id=number, owner=owner),
                amount,
                ordered_at=local(2026, 5, 1),
            )
        make_customer(external_id="4", owner=stranger)
        before = NOW - timedelta(days=16)
        Customer.objects.update(created_at=before)
        first = run_as_of(MAY, now=before)
        make_order(Customer.objects.get(external_id="2"), 9000, ordered_at=local(2026, 6, 1))
        for amount in (30, 20):
            make_order(
                Customer.objects.get(external_id="3"),
                amount,
                status="returned",
                ordered_at=local(2026, 6, 2),
            )
        newcomer = make_customer(external_id="5", owner=stranger)
        Customer.objects.filter(pk=newcomer.pk).update(created_at=NOW - timedelta(days=3))
        make_order(newcomer, 50, ordered_at=local(2026, 6, 3))
        return first, run_as_of(JUNE)

    def test_p14_what_the_top_fifth_brings(self, runs) -> None:
        curve = read(runs[1]).pareto
        assert curve is not None
        assert (curve.customers, curve.amount) == (3, Decimal(10_000))
        assert curve.top20 == Decimal("0.915")
        assert curve.points == [
            (Decimal(0), Decimal(0)),
            (Decimal("0.333333"), Decimal("0.915")),
            (Decimal("0.666666"), Decimal("0.995")),
            (Decimal(1), Decimal(1)),
        ]
        assert curve.path.startswith("M0,100L33.33,8.5")

    def test_the_tiles_count_the_tiers_and_what_they_bring(self, runs) -> None:
        tiles = {tile["tier"]: tile for tile in read(runs[1]).tiles}
        assert {tier: tile["customers"] for tier, tile in tiles.items()} == {
            "A": 1,
            "B": 1,
            "C": 1,
            None: 2,
        }
        assert {tier: tile["change"] for tier, tile in tiles.items()} == {
            "A": 0,
            "B": 0,
            "C": 0,
            None: 1,
        }
        assert tiles["A"]["share"] == Decimal("0.915")
        assert tiles[None]["share"] == 0

    def test_the_matrix_says_who_went_where_and_newcomers_apart(self, runs) -> None:
        found = read(runs[1]).migration
        cells = {
            (c.start, c.end): c.customers for row in found.rows for c in row.cells if c.customers
        }
        assert cells == {("A", "B"): 1, ("B", "A"): 1, ("C", None): 1, (None, None): 1}
        assert [c.customers for c in found.new] == [0, 0, 1, 0]
        assert (found.up, found.down, found.new_total, found.moved) == (1, 2, 1, 4)
        assert found.totals == [1, 1, 1, 2]
        assert found.total == 5 == sum(row.total for row in found.rows) + found.new_total

    def test_a_scope_has_its_own_counts_and_curve(self, runs, stranger: User) -> None:
        found = read(runs[1], stranger)
        assert {tier: tally.customers for tier, tally in found.tallies.items()} == {
            "C": 1,
            None: 2,
        }
        assert found.pareto is not None
        assert (found.pareto.customers, found.pareto.amount) == (1, Decimal(50))
        assert (found.migration.up, found.migration.down, found.migration.new_total) == (0, 1, 1)

    def test_an_earlier_run_is_shown_as_it_was(self, runs) -> None:
        found = read(runs[0])
        assert {tier: tally.customers for tier, tally in found.tallies.items()} == {
            "A": 1,
            "B": 1,
            "C": 1,
            None: 1,
        }
        assert runs[0].counts == {"A": 1, "B": 1, "C": 1, "unranked": 1}
        assert found.pareto is not None
        assert found.pareto.amount == Decimal(1000)
        assert found.pareto.top20 == Decimal("0.8")
        assert found.migration.new_total == 3

    def test_nobody_in_sight_is_an_empty_report(self, runs) -> None:
        found = report.read(runs[1], Customer.objects.none(), runs[1].changes.none())
        assert found.pareto is None
        assert [tile["customers"] for tile in found.tiles] == [0, 0, 0, 0]


def test_the_ladder_goes_down() -> None:
    assert LADDER == ("A", "B", "C", None)
