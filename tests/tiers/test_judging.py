"""What a run finds beside P8: margins, groups, patience, loyalty, scores, and tiers set by hand."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db.models import Count, F
from django.utils import translation

from accounts.models import AuditEntry, User
from customers.models import Customer, Profile
from orders.models import Order
from tests.factories import local, make_customer, make_order, make_product
from tests.tiers.conftest import NOW
from tiers import history, tiering
from tiers.models import Assessment, Cause, TierChange, TierOverride, TierPolicy
from tiers.reasons import explain, explain_many, why

pytestmark = pytest.mark.django_db
AS_OF = date(2026, 6, 16)


def policy_with(**values: Any) -> TierPolicy:
    return TierPolicy.objects.create(
        **{"name": "other", "effective_from": date(2026, 1, 1), **values}
    )


def reasons_of(change: TierChange) -> tuple[str, str]:
    told = []
    for language in ("en", "zh-hans"):
        with translation.override(language):
            told.append(explain(change).replace("\u00a0", " "))
    return told[0], told[1]


class TestPolicies:
    def test_a_draft_is_never_in_force(self, policy: TierPolicy) -> None:
        draft = policy_with(effective_from=None)
        assert draft not in TierPolicy.objects.in_force(date(2030, 1, 1))
        assert list(TierPolicy.objects.drafts()) == [draft]
        assert list(TierPolicy.objects.adopted()) == [policy]
        assert TierPolicy.objects.first() == draft  # on both databases before those with a day

    def test_one_that_a_run_has_used_says_so(self, policy: TierPolicy, run_as_of) -> None:
        assert list(TierPolicy.objects.used()) == []
        run_as_of(dry_run=True)
        assert policy.is_used
        assert list(TierPolicy.objects.used()) == [policy]

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"window_months": 6}, "loyal_months"),
            ({"loyal_months": 2}, "switcher_months"),
            ({"key_weights": {"luck": 3}}, "key_weights"),
            ({"key_weights": {"volume": -1}}, "key_weights"),
            ({"key_weights": {"volume": True}}, "key_weights"),
            ({"potential_weights": [1]}, "potential_weights"),
            ({"downgrade_runs": 0}, "downgrade_runs"),
            ({"downgrade_runs": 13}, "downgrade_runs"),
            ({"key_from": 101}, "key_from"),
        ],
    )
    def test_nonsense_is_named(self, values: dict[str, Any], field: str) -> None:
        with pytest.raises(ValidationError) as refused:
            TierPolicy(name="x", **values).full_clean()
        assert set(refused.value.message_dict) - {"__all__"} == {field}


class TestMargin:
    def test_p8_lines_without_a_known_cost_are_left_out_and_their_orders_counted(
        self, run_as_of
    ) -> None:
        known = make_product(unit_cost=Decimal("30.00"))
        unknown = make_product(unit_cost=None)
        rich, poor, dark = (make_customer(external_id=number) for number in "123")
        make_order(rich, lines=[(known, "10", "50.00")])
        make_order(rich, lines=[(known, "1", "50.00")], status="returned")
        make_order(poor, lines=[(known, "1", "40.00"), (unknown, "9", "900.00")])
        make_order(poor, "5000.00")
        make_order(dark, lines=[(unknown, "1", "70.00")])
        job = run_as_of(policy=policy_with(measure="margin"))
        assert job.without_margin == 3
        assert dict(Customer.objects.values_list("external_id", "abc")) == {
            "1": "A", "2": "B", "3": None,
        }  # fmt: skip
        margins = dict(Assessment.objects.values_list("customer__external_id", "margin"))
        assert (margins["1"], margins["2"]) == (Decimal("180.00"), Decimal("10.00"))
        assert margins.get("3") is None
        change = job.changes.get(customer=rich)
        assert (change.net_amount, change.measured) == (Decimal("450.00"), Decimal("180.00"))
        english, chinese = reasons_of(change)
        assert english.startswith("12-month margin 180; rank 1 of 2; cumulative share 94.7 %")
        assert chinese.startswith("近 12 个月毛利 180")

    def test_half_a_cent_is_rounded_line_by_line_as_in_orders(self, run_as_of) -> None:
        product = make_product(unit_cost=Decimal("0.05"))
        customer = make_customer()
        make_order(customer, lines=[(product, "0.5", "0.11")] * 3)
        run_as_of(policy=policy_with(measure="margin"))
        # each line: 0.06 (of 0.055) less 0.03 (of 0.025)
        assert Assessment.objects.get().margin == Decimal("0.09")


def test_each_group_has_its_own_ranking(run_as_of) -> None:
    for name, division, amount in [
        ("a", "330602", 900), ("b", "330683", 90), ("c", "331002", 5), ("d", "", 1),
    ]:  # fmt: skip
        make_order(make_customer(external_id=name, division=division), amount)
    job = run_as_of(policy=policy_with(ranked_within="prefecture"))
    found = {
        c.customer.external_id: (c.to_tier, c.ranked_in, c.rank, c.ranked)
        for c in job.changes.select_related("customer")
    }
    assert found == {
        "a": ("A", "3306", 1, 2),
        "b": ("B", "3306", 2, 2),
        "c": ("A", "3310", 1, 1),
        "d": ("A", "-", 1, 1),
    }
    change = job.changes.get(customer__external_id="b")
    english, chinese = reasons_of(change)
    assert "rank 2 of 2 in “绍兴市”" in english
    assert "“绍兴市”第 2 名" in chinese
    customers = list(Customer.objects.order_by("external_id"))
    with translation.override("en"):
        assert "rank 2 of 2" in explain_many(customers)[customers[1].pk]["reason"]


class TestPatience:
    """A downgrade takes effect once it was proposed in so many runs of different days."""

    @pytest.fixture
    def fallen(self, run_as_of) -> tuple[Customer, TierPolicy]:
        patient = policy_with(downgrade_runs=3)
        big, other = make_customer(external_id="1"), make_customer(external_id="2")
        make_order(big, 90, ordered_at=local(2026, 5, 1))
        make_order(other, 10, ordered_at=local(2026, 5, 1))
        run_as_of(date(2026, 6, 10), policy=patient)
        make_order(other, 9000, ordered_at=local(2026, 6, 11))
        return big, patient

    def test_it_waits_and_says_so_and_then_falls(self, run_as_of, fallen) -> None:
        big, patient = fallen
        for day, runs in [(11, 1), (11, 1), (12, 2)]:
            job = run_as_of(date(2026, 6, day), policy=patient)
            big.refresh_from_db()
            assert (big.abc, job.held, job.counts["A"]) == ("A", 1, 2)
            assert Assessment.objects.get(customer=big).held_runs == runs
        with translation.override("en"):
            said = explain_many([big])[big.pk]["reason"]
        assert said.endswith("would be C since 2026-06-11, 2 of 3 runs")
        job = run_as_of(date(2026, 6, 13), policy=patient)
        change = job.changes.get()
        assert (change.from_tier, change.to_tier, change.after_runs) == ("A", "C", 3)
        english, chinese = reasons_of(change)
        assert english.endswith("; in 3 runs in a row")
        assert chinese.endswith("连续 3 次")
        assert Assessment.objects.get(customer=big).held_runs == 0

    def test_a_run_that_does_not_propose_it_begins_anew(self, run_as_of, fallen) -> None:
        big, patient = fallen
        run_as_of(date(2026, 6, 11), policy=patient)
        make_order(big, 90_000, ordered_at=local(2026, 6, 12))
        run_as_of(date(2026, 6, 12), policy=patient)
        assert Assessment.objects.get(customer=big).held_runs == 0

    def test_a_trial_counts_nothing(self, run_as_of, fallen) -> None:
        big, patient = fallen
        job = run_as_of(date(2026, 6, 11), policy=patient, dry_run=True)
        assert (job.held, job.moved) == (1, 1)
        assert Assessment.objects.get(customer=big).held_runs == 0


class TestOverrides:
    @pytest.fixture
    def word(self, run_as_of, manager: User) -> TierOverride:
        make_order(make_customer(external_id="0"), 990)
        customer = make_customer(external_id="1")
        make_order(customer, 10)
        run_as_of()
        return TierOverride.objects.create(
            customer=customer, tier="A", reason="new shop", by=manager,
            first_on=date(2026, 6, 17), until=date(2026, 6, 20),
        )  # fmt: skip

    def test_it_decides_until_its_last_day_and_ends_by_itself(self, run_as_of, word) -> None:
        first = run_as_of(now=local(2026, 6, 18, 2, 10))
        last = run_as_of(date(2026, 6, 19), now=local(2026, 6, 20, 2, 10))
        over = run_as_of(date(2026, 6, 20), now=local(2026, 6, 21, 2, 10))
        assert [(job.overridden, job.moved) for job in (first, last, over)] == [
            (1, 1), (1, 0), (0, 1)
        ]  # fmt: skip
        begun, ended = first.changes.get(), over.changes.get()
        assert (begun.cause, begun.from_tier, begun.to_tier) == (Cause.OVERRIDE, "C", "A")
        assert (ended.cause, ended.from_tier, ended.to_tier) == (Cause.OVERRIDE_EXPIRED, "A", "C")
        assert reasons_of(begun)[0].startswith(
            "Manager set A until 2026-06-20: new shop; the orders: 12-month net 10; rank 2 of 2"
        )
        assert reasons_of(begun)[1].startswith("Manager 指定为 A，至 2026-06-20：new shop")
        assert reasons_of(ended)[0].startswith("What Manager had set (A until 2026-06-20) is over")
        assert "已到期" in reasons_of(ended)[1]
        assert why(ended)
        word.refresh_from_db()
        assert (word.ended_at, word.ended_by) == (over.finished_at, None)
        assert AuditEntry.objects.of(word).count() == 2

    def test_what_is_computed_is_kept_beside_it(self, run_as_of, word) -> None:
        run_as_of(now=NOW + timedelta(minutes=1))
        found = Assessment.objects.get(customer=word.customer)
        assert (found.computed_tier, found.override) == ("C", word)

    def test_a_day_in_the_past_has_the_tier_that_stood_then(self, run_as_of, word) -> None:
        run_as_of(date(2026, 6, 17), now=local(2026, 6, 18, 2, 10))
        Customer.objects.update(created_at=local(2026, 6, 1))
        later = make_customer(external_id="late")
        Customer.objects.filter(pk=later.pk).update(created_at=local(2026, 6, 19))
        for day, tiers in [
            (date(2026, 6, 16), {"0": None, "1": None}),
            (date(2026, 6, 17), {"0": "A", "1": "C"}),
            (date(2026, 6, 18), {"0": "A", "1": "A"}),
            (date(2026, 6, 19), {"0": "A", "1": "A", "late": None}),
        ]:
            stood: Any = history.tier_on(day, Customer.objects.all())
            assert dict(stood.values_list("external_id", "tier")) == tiers


class TestLoyalty:
    """P9, at the edges of its thresholds; a policy's own."""

    @pytest.mark.parametrize(
        ("months", "yearly", "early", "loyalty"),
        [
            (0, None, 0, None),
            (1, None, 0, "none"),
            (2, None, 0, "switcher"),
            (3, None, 0, "loyal"),  # a wallet share that is unknown passes
            (3, "100.00", 0, "loyal"),  # 30 of 100
            (3, "100.01", 0, "switcher"),
            (1, "9999.00", 2, "loyal"),  # an early adopter
            (1, None, 1, "none"),
        ],
    )
    def test_thresholds(self, run_as_of, months, yearly, early, loyalty) -> None:
        customer = make_customer()
        if yearly:
            Profile.objects.create(customer=customer, yearly_purchase=Decimal(yearly))
        for month in range(months):
            make_order(customer, 10, ordered_at=local(2026, 5 - month, 3))
        order = Order.objects.order_by("-ordered_at").first()
        for _new in range(early):
            assert order is not None
            product = make_product(launched_on=date(2026, 4, 3))  # the order is of day 30
            order.lines.create(line_no=_new, product=product, quantity=1, unit_price=5)
        strict = policy_with(
            loyal_months=3, switcher_months=2, loyal_wallet_share="0.3000", early_launches=2
        )
        job = run_as_of(policy=strict)
        customer.refresh_from_db()
        assert customer.loyalty == loyalty
        assert sum(job.loyalty_counts.values()) == (1 if loyalty else 0)

    @pytest.mark.parametrize(("seen", "loyalty"), [(3, "loyal"), (4, "switcher")])
    def test_competitors_that_higher_apps_have_seen(
        self, run_as_of, monkeypatch: pytest.MonkeyPatch, seen: int, loyalty: str
    ) -> None:
        """An app offers a QuerySet of customers and numbers; here each order is a sighting."""

        def sightings(*, start: Any, end: Any) -> Any:
            return (
                Order.objects.between(start, end).order_by().values_list("customer")
                .annotate(number=Count("pk") * 0 + seen)
            )  # fmt: skip

        monkeypatch.setattr(tiering, "contributions", lambda module, function: (sightings,))
        customer = make_customer()
        for month in (1, 2, 3):
            make_order(customer, 10, ordered_at=local(2026, month, 3))
        run_as_of(policy=policy_with(loyal_months=3, switcher_months=2))
        customer.refresh_from_db()
        assert customer.loyalty == loyalty
        assert Assessment.objects.get().sightings == seen

    def test_a_policy_that_does_not_ask_takes_the_classes_away(self, run_as_of) -> None:
        make_order(amount=10)
        run_as_of()
        assert Customer.objects.get().loyalty == "none"
        run_as_of(policy=policy_with(loyal_months=None), now=NOW + timedelta(minutes=1))
        assert Customer.objects.get().loyalty is None


def test_a_new_class_makes_a_newer_version(run_as_of) -> None:
    make_order(amount=10)
    run_as_of()
    before = Customer.objects.get().version
    run_as_of(policy=policy_with(loyal_months=1, switcher_months=1), now=NOW + timedelta(minutes=1))
    assert Customer.objects.filter(version=before + 1, loyalty="loyal").exists()
    assert not TierChange.objects.exclude(recorded_for=F("customer")).exists()
