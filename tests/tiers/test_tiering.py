"""The tier run: P8 to the letter, with its history (P12), on both databases."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.models import Customer
from orders.models import Order, OrderStatus
from tests.factories import local, make_customer, make_order
from tests.tiers.conftest import NOW
from tests.tiers.recount import Bought, recount, window_start
from tiers import actions, sql, tiering
from tiers.models import Failure, RunState, TierChange, TierPolicy, TierRun

AS_OF = date(2026, 6, 16)


@pytest.mark.parametrize(
    ("as_of", "months", "first"),
    [
        (date(2026, 6, 16), 12, date(2025, 6, 17)),
        (date(2026, 3, 31), 1, date(2026, 3, 1)),  # 31 March − 1 month = 28 February
        (date(2024, 3, 31), 1, date(2024, 3, 1)),  # 29 February in a leap year
        (date(2026, 3, 29), 1, date(2026, 3, 1)),
        (date(2026, 3, 28), 1, date(2026, 3, 1)),
        (date(2026, 5, 31), 1, date(2026, 5, 1)),  # 30 April
        (date(2024, 2, 29), 12, date(2023, 3, 1)),  # 28 February 2023
        (date(2025, 2, 28), 12, date(2024, 2, 29)),  # 28 February 2024: the 29th counts
        (date(2026, 1, 15), 1, date(2025, 12, 16)),
        (date(2026, 12, 31), 12, date(2026, 1, 1)),
        (date(2026, 1, 31), 60, date(2021, 2, 1)),
    ],
)
def test_p8_the_window_goes_back_by_calendar_months(as_of: date, months: int, first: date) -> None:
    assert tiering.window(as_of, months) == (first, as_of)


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)), st.integers(1, 60))
def test_p8_the_window_is_the_one_counted_by_hand(as_of: date, months: int) -> None:
    first, last = tiering.window(as_of, months)
    assert (first - timedelta(days=1), last) == (window_start(as_of, months), as_of)


@pytest.mark.django_db
class TestTiers:
    """P8 on small sets of orders."""

    def tiers(self) -> dict[str | None, str | None]:
        return dict(Customer.objects.values_list("external_id", "abc"))

    def bought(self, **amounts: int | str) -> None:
        for name, amount in amounts.items():
            make_order(make_customer(external_id=name), amount)

    def test_a_tier_ends_where_the_share_before_reaches_its_line(self, run_as_of) -> None:
        self.bought(w=50, x=30, y=15, z=5)
        run_as_of()
        # before w 0 %, before x 50 %, before y exactly 80 %, before z exactly 95 %
        assert self.tiers() == {"w": "A", "x": "A", "y": "B", "z": "C"}

    def test_a_cent_below_the_line_is_still_inside(self, run_as_of) -> None:
        self.bought(w="79.99", x="20.01")
        run_as_of()
        assert self.tiers() == {"w": "A", "x": "A"}
        assert TierChange.objects.get(customer__external_id="x").share_before == Decimal("0.7999")

    def test_a_share_just_below_a_line_is_not_rounded_up_to_it(self, run_as_of) -> None:
        self.bought(w="79999999.99", x="20000000.01")
        run_as_of()
        change = TierChange.objects.get(customer__external_id="x")
        assert (change.to_tier, change.share_before) == ("A", Decimal("0.799999"))

    def test_one_customer_alone_is_an_a(self, run_as_of) -> None:
        self.bought(only="0.01")
        run_as_of()
        assert self.tiers() == {"only": "A"}

    def test_ties_go_by_external_id_in_code_point_order_and_none_last(self, run_as_of) -> None:
        nameless = make_customer(external_id=None)
        make_order(nameless, 10)
        self.bought(**{"b": 10, "B": 10, "a": 10, "Z": 10, "10": 10, "9": 10, "é": 10, "中": 10})
        run_as_of()
        by_rank = TierChange.objects.order_by("rank").values_list("customer__external_id", "rank")
        names = ["10", "9", "B", "Z", "a", "b", "é", "中", None]
        assert list(by_rank) == [(name, place) for place, name in enumerate(names, start=1)]

    def test_returns_count_negative_and_drafts_and_cancelled_not_at_all(self, run_as_of) -> None:
        customer = make_customer(external_id="k")
        for status in OrderStatus:
            make_order(customer, 10, status=status)
        run_as_of()
        customer.refresh_from_db()
        assert (customer.net_amount, customer.order_count) == (Decimal("20.00"), 3)

    @pytest.mark.parametrize("returned", ["100.00", "100.01"])
    def test_a_net_of_zero_or_less_is_unranked(self, run_as_of, returned: str) -> None:
        customer = make_customer(external_id="gone")
        make_order(customer, "100.00")
        make_order(customer, returned, status=OrderStatus.RETURNED)
        make_customer(external_id="never")
        job = run_as_of()
        assert self.tiers() == {"gone": None, "never": None}
        assert job.counts == {"A": 0, "B": 0, "C": 0, "unranked": 2}
        customer.refresh_from_db()
        assert customer.net_amount == Decimal("100.00") - Decimal(returned)

    def test_days_are_the_companys_days(self, run_as_of) -> None:
        moments = {
            "too early": local(2025, 6, 16, 23, 59, 59, 999999),
            "first": local(2025, 6, 17),
            "last": local(2026, 6, 16, 23, 59, 59, 999999),
            "too late": local(2026, 6, 17),
        }
        for name, at in moments.items():
            make_order(make_customer(external_id=name), 10, ordered_at=at)
        run_as_of()
        inside = {name for name, tier in self.tiers().items() if tier}
        assert inside == {"first", "last"}
        assert Customer.objects.get(external_id="last").last_ordered_on == date(2026, 6, 16)

    def test_cents_add_up_exactly(self, run_as_of) -> None:
        customer = make_customer()
        for _order in range(30):
            make_order(customer, "0.10")
        make_order(customer, "3.00", status=OrderStatus.RETURNED)
        run_as_of()
        customer.refresh_from_db()
        assert (customer.net_amount, customer.abc) == (Decimal("0.00"), None)

    def test_large_amounts_stay_exact(self, run_as_of) -> None:
        self.bought(w="799999999999.99", x="200000000000.01")
        job = run_as_of()
        assert self.tiers() == {"w": "A", "x": "A"}
        assert job.ranked_amount == Decimal("1000000000000.00")

    def test_the_policy_decides_window_and_lines(self, run_as_of) -> None:
        strict = TierPolicy.objects.create(
            name="strict",
            effective_from=date(2026, 1, 1),
            window_months=1,
            a_share="0.5000",
            b_share="0.7500",
        )
        self.bought(w=50, x=25, y=25)
        make_order(make_customer(external_id="old"), 900, ordered_at=local(2026, 5, 16, 12))
        run_as_of(policy=strict)
        assert self.tiers() == {"w": "A", "x": "B", "y": "C", "old": None}

    def test_an_old_day_can_be_asked_for(self, run_as_of) -> None:
        make_order(make_customer(external_id="old"), 10, ordered_at=local(1998, 1, 31, 12))
        job = run_as_of(date(1998, 6, 30))
        assert self.tiers() == {"old": "A"}
        assert job.counts["A"] == 1


@pytest.mark.django_db
class TestHistory:
    """P12: what changed, from what to what, and why in numbers."""

    def test_a_change_keeps_its_numbers(self, run_as_of) -> None:
        big, small = make_customer(external_id="1"), make_customer(external_id="2")
        make_order(big, 80, ordered_at=local(2026, 5, 1))
        make_order(small, 20, ordered_at=local(2026, 5, 1))
        first = run_as_of(date(2026, 5, 31))
        make_order(small, 900, ordered_at=local(2026, 6, 1))
        second = run_as_of(AS_OF)
        assert second.moved == 2
        change = second.changes.get(customer=big)
        assert (change.from_tier, change.to_tier) == ("A", "B")
        assert (change.net_before, change.net_amount) == (Decimal(80), Decimal(80))
        assert (change.rank_before, change.rank, change.ranked) == (1, 2, 2)
        assert change.share_before == Decimal("0.920000")
        other = second.changes.get(customer=small)
        assert (other.from_tier, other.to_tier, other.rank_before) == ("B", "A", 2)
        assert first.changes.filter(net_before=None, rank_before=None).count() == 2
        assert list(TierChange.objects.up()) == [other]
        assert list(TierChange.objects.down()) == [change]
        assert set(TierChange.objects.new()) == set(first.changes.all())

    def test_counts_shares_and_amount_belong_to_the_run(self, run_as_of) -> None:
        for amount in (80, 15, 5):
            make_order(amount=amount)
        make_customer()
        job = run_as_of()
        assert job.counts == {"A": 1, "B": 1, "C": 1, "unranked": 1}
        assert job.customers == 4
        assert {tier: Decimal(share) for tier, share in job.shares.items()} == {
            "A": Decimal("0.8"),
            "B": Decimal("0.15"),
            "C": Decimal("0.05"),
        }
        assert (job.ranked_amount, job.state, job.progress) == (100, RunState.DONE, 100)
        assert job.seconds is not None

    def test_a_new_tier_makes_a_newer_version_and_facts_alone_do_not(self, run_as_of) -> None:
        customer = make_customer()
        make_order(customer, 10)
        run_as_of()
        customer.refresh_from_db()
        assert (customer.abc, customer.version) == ("A", 2)
        assert NOW <= customer.updated_at < NOW + timedelta(minutes=1)
        make_order(customer, 10)
        run_as_of(now=NOW + timedelta(days=1))
        again = Customer.objects.get()
        assert (again.net_amount, again.order_count) == (Decimal(20), 2)
        assert (again.version, again.updated_at) == (2, customer.updated_at)

    def test_a_trial_keeps_history_and_counts_and_writes_no_customer(self, run_as_of) -> None:
        make_order(amount=10)
        before = list(Customer.objects.values())
        job = run_as_of(dry_run=True)
        assert list(Customer.objects.values()) == before
        assert (job.moved, job.counts["A"], job.changes.count()) == (1, 1, 1)
        assert not TierChange.objects.decisive().exists()
        assert not TierRun.objects.decisive().exists()

    def test_an_empty_house_can_be_run(self, run_as_of) -> None:
        job = run_as_of()
        assert (job.moved, job.customers, job.ranked_amount) == (0, 0, 0)


def rows_written() -> int:
    """How often PostgreSQL has updated a customer's row in this transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_get_xact_tuples_updated('customers_customer'::regclass)")
        return int(cursor.fetchone()[0])


@pytest.mark.django_db
def test_nothing_changed_writes_nothing(run_as_of, monkeypatch: pytest.MonkeyPatch) -> None:
    for amount in (80, 15, 5):
        make_order(amount=amount)
    make_order(amount=7, status=OrderStatus.RETURNED)
    run_as_of()
    updated: list[int] = []
    write = sql.write_customers

    def counting(**values: Any) -> Any:
        with connection.cursor() as cursor:
            cursor.execute(*write(**values))
            updated.append(cursor.rowcount)
        return write(**values)

    monkeypatch.setattr(sql, "write_customers", counting)
    before = rows_written() if connection.vendor == "postgresql" else 0
    job = run_as_of(now=NOW + timedelta(hours=1))
    assert updated == [0]
    assert (job.moved, job.changes.count()) == (0, 0)
    if connection.vendor == "postgresql":
        assert rows_written() == before


@pytest.mark.django_db
def test_the_number_of_statements_does_not_grow_with_the_customers(
    run_as_of, django_assert_num_queries
) -> None:
    def statements(customers: int) -> int:
        for amount in range(1, customers + 1):
            make_order(amount=amount)
        job, _new = actions.open_run(as_of=AS_OF, user=None, now=NOW)
        with django_assert_num_queries(STATEMENTS) as seen:
            tiering.run(job.pk, now=NOW)
        return len(seen)

    assert statements(3) == statements(40)


#: Read, take up (in a savepoint), 5 %, drop, costs or none, rank, 60 %, lock or nothing, look
#: again, the last change, the last run, drop, keep, count, history, classes, customers, findings
#: changed and new, drop, overrides that are over, webhooks that listen, finish, drop, read again;
#: and the savepoints around.
STATEMENTS = 29 if connection.vendor == "postgresql" else 28


class TestKilled:
    """A worker that dies leaves the last complete run in force, and the retry finishes its run."""

    @pytest.fixture
    def second(self, run_as_of) -> TierRun:
        make_order(make_customer(external_id="1"), 100, ordered_at=local(2026, 5, 1))
        run_as_of(date(2026, 5, 31))
        make_order(make_customer(external_id="2"), 900, ordered_at=local(2026, 6, 1))
        return actions.open_run(as_of=AS_OF, user=None, now=NOW)[0]

    @pytest.mark.parametrize(
        "step",
        ["rank", "keep", "keep_changes", "keep_classes", "write_customers", "add_assessments"],
    )
    @pytest.mark.parametrize(
        ("how", "state"), [(KeyboardInterrupt, "running"), (ZeroDivisionError, "failed")]
    )
    @pytest.mark.django_db(transaction=True)
    def test_in_the_middle(
        self,
        second: TierRun,
        monkeypatch: pytest.MonkeyPatch,
        step: str,
        how: type[BaseException],
        state: str,
    ) -> None:
        before = list(Customer.objects.order_by("pk").values())

        def die(**_values: Any) -> None:
            raise how

        with monkeypatch.context() as patched:
            patched.setattr(sql, step, die)
            with pytest.raises(how):
                tiering.run(second.pk, now=NOW)
        second.refresh_from_db()
        assert second.state == state
        assert second.error == (Failure.ERROR if state == "failed" else "")
        assert list(Customer.objects.order_by("pk").values()) == before
        assert not second.changes.exists()
        assert tiering.run(second.pk, now=NOW).state == RunState.DONE
        assert second.changes.count() == 2
        assert dict(Customer.objects.values_list("external_id", "abc")) == {"1": "B", "2": "A"}

    @pytest.mark.django_db
    def test_a_finished_run_that_is_delivered_again_is_left_alone(self, run_as_of) -> None:
        make_order(amount=10)
        job = run_as_of()
        make_order(amount=90)
        again = tiering.run(job.pk, now=NOW + timedelta(days=1))
        assert (again.finished_at, again.counts) == (job.finished_at, job.counts)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("same", [True, False])
def test_two_runs_at_once_do_not_mix(policy: TierPolicy, same: bool) -> None:
    """Either the one's tiers stand at the end or the other's, and each history fits its run."""
    for number in range(60):
        customer = make_customer(external_id=f"{number:03}")
        make_order(customer, 1000 + number, ordered_at=local(2026, 5, 1))
        make_order(customer, 90_000 // (number + 1), ordered_at=local(2026, 6, 1))
    old, _new = actions.open_run(as_of=date(2026, 5, 31), user=None, now=NOW)
    new, _new = (old, True) if same else actions.open_run(as_of=AS_OF, user=None, now=NOW)
    start, failures = threading.Barrier(2), []

    def work(run_id: int) -> None:
        try:
            start.wait(timeout=10)
            tiering.run(run_id, now=NOW)
        except Exception as error:  # handed to the test
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=[job.pk]) for job in (old, new)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failures == []
    assert set(TierRun.objects.values_list("state", flat=True)) == {RunState.DONE}
    last = TierRun.objects.decisive().first()
    assert last is not None
    orders = [
        Bought(o.customer.external_id or "", o.ordered_at, o.status, o.amount)
        for o in Order.objects.select_related("customer")
    ]
    names = [f"{number:03}" for number in range(60)]
    expected = {name: found.tier for name, found in recount(names, orders, last.as_of).items()}
    assert dict(Customer.objects.values_list("external_id", "abc")) == expected
    assert TierChange.objects.filter(run=old).count() == TierRun.objects.get(pk=old.pk).moved


AMOUNTS = st.one_of(
    st.sampled_from(["10.00", "5.00", "80.00", "15.00", "0.01", "0.10", "33.33"]),
    st.decimals("0.01", "99999.99", places=2).map(str),
)
DAYS = st.one_of(
    st.sampled_from([date(2025, 2, 28), date(2024, 2, 29), date(2025, 3, 31), date(2024, 3, 30)]),
    st.dates(date(2023, 12, 1), date(2025, 6, 30)),
)
TIMES = st.one_of(
    st.sampled_from([(0, 0, 0), (23, 59, 59), (8, 0, 0), (7, 59, 59)]),
    st.tuples(st.integers(0, 23), st.integers(0, 59), st.integers(0, 59)),
)
NAMES = ["a", "A", "b", "10", "9", "é", "中", "Ω", "-", "~"]
ORDERS = st.lists(
    st.tuples(
        st.sampled_from(NAMES), DAYS, TIMES, st.sampled_from(list(OrderStatus.values)), AMOUNTS
    ),
    max_size=40,
)


@pytest.mark.django_db
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    orders=ORDERS,
    as_of=DAYS,
    months=st.sampled_from([1, 2, 12, 13]),
    lines=st.sampled_from([("0.8000", "0.9500"), ("0.5000", "0.7500"), ("0.3333", "1.0000")]),
)
def test_p8_any_history_is_tiered_as_counted_by_hand(
    policy: TierPolicy, orders: list[Any], as_of: date, months: int, lines: tuple[str, str]
) -> None:
    for model in (TierChange, Order, Customer, TierRun):
        model._default_manager.all().delete()
    TierPolicy.objects.filter(pk=policy.pk).update(
        window_months=months, a_share=lines[0], b_share=lines[1]
    )
    customers = {name: Customer(external_id=name, name=name) for name in NAMES}
    Customer.objects.bulk_create(customers.values())
    history = [
        Bought(name, local(day.year, day.month, day.day, *at), status, Decimal(amount))
        for name, day, at, status, amount in orders
    ]
    Order.objects.bulk_create(
        Order(customer=customers[o.customer], ordered_at=o.at, status=o.status, amount=o.amount)
        for o in history
    )
    expected = recount(NAMES, history, as_of, months=months, a=lines[0], b=lines[1])
    job, _new = actions.open_run(as_of=as_of, user=None, now=NOW)
    tiering.run(job.pk, now=NOW)
    stored = {
        c.external_id: (c.abc, c.net_amount, c.order_count, c.last_ordered_on)
        for c in Customer.objects.all()
    }
    assert stored == {name: (f.tier, f.net, f.orders, f.last_on) for name, f in expected.items()}
    kept = {str(c.customer.external_id): c for c in job.changes.select_related("customer")}
    assert set(kept) == {name for name, f in expected.items() if f.tier}
    for name, change in kept.items():
        found = expected[name]
        assert found.before is not None
        cut = found.before.numerator * 10**6 // found.before.denominator
        assert (change.rank, change.share_before) == (found.rank, Decimal(cut) / 10**6)
