"""Loyalty classes and key-account scores keep their history, with the numbers (P9, P10, P12)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.utils import translation

from accounts.models import User
from customers.merging import merge
from customers.models import Customer, Profile
from customers.unmerging import undo
from orders.models import Order
from tests.factories import local, make_customer, make_order
from tests.tiers.conftest import NOW
from tiers import classes, history, timeline
from tiers.models import Assessment, ClassChange, TierPolicy, TierRun

LAST_YEAR = date(2025, 12, 31)


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def change(policy: dict[str, Any] | None = None, **values: Any) -> ClassChange:
    rules = TierPolicy(**{"loyal_wallet_share": Decimal("0.3"), **(policy or {})})
    given: dict[str, Any] = {
        "from_loyalty": "loyal", "to_loyalty": "switcher", "months_bought": 5,
        "early_launches": 0, "line": 70, "line_before": 70,
    }  # fmt: skip
    return ClassChange(run=TierRun(policy=rules), **{**given, **values})


@pytest.mark.parametrize(
    ("values", "title", "reason"),
    [
        (
            {"wallet_share": Decimal("0.21")},
            "Loyalty class: Loyal → Switcher",
            "bought in 5 of 12 months, 8 needed; wallet share 21\xa0%, 30\xa0% needed",
        ),
        (
            {"from_loyalty": "none", "to_loyalty": "loyal", "months_bought": 8,
             "wallet_share": Decimal("0.3001")},
            "Loyalty class: No brand loyalty → Loyal",
            "bought in 8 of 12 months; wallet share 30.01\xa0%",
        ),
        (
            {"from_loyalty": None, "to_loyalty": "loyal", "early_launches": 2},
            "Loyalty class: Loyal",
            "bought in 5 of 12 months, 8 needed; "
            "2 new products bought early, 2 are enough alone",
        ),
        (
            {"sightings": 4, "months_bought": 9},
            "Loyalty class: Loyal → Switcher",
            "bought in 9 of 12 months; competitors seen 4 times, at most 3",
        ),
        (
            {"to_loyalty": None, "months_bought": 0},
            "No loyalty class any more, before: Loyal",
            "bought in 0 of 12 months, 8 needed",
        ),
        (
            {"to_loyalty": None, "policy": {"loyal_months": None}},
            "No loyalty class any more, before: Loyal",
            "the policy classes nobody",
        ),
        (
            {"to_loyalty": "loyal", "score_before": 64, "score": 70},
            "Key-account score over the line",
            "key-account score 64 → 70; proposed from 70",
        ),
        (
            {"to_loyalty": "loyal", "score_before": 70, "score": None},
            "Key-account score under the line",
            "key-account score 70 → not scored; proposed from 70",
        ),
        (
            {"to_loyalty": "loyal", "score_before": 64, "score": 64, "line": 60},
            "Key-account score over the line",
            "key-account score 64 → 64; proposed from 60, before from 70",
        ),
        (
            {"from_loyalty": None, "to_loyalty": "loyal", "months_bought": 8, "score": 81,
             "line_before": None},
            "Loyalty class: Loyal · Key-account score over the line",
            "bought in 8 of 12 months; key-account score 81; proposed from 70",
        ),
    ],
)  # fmt: skip
def test_p9_p10_the_sentence_has_the_numbers(
    values: dict[str, Any], title: str, reason: str
) -> None:
    found = change(**values)
    assert (classes.title(found), classes.explain(found)) == (title, reason)


def buys(customer: Customer, months: int, *, last: date = date(2025, 12, 15)) -> None:
    """One order in each of so many months up to `last`."""
    for back in range(months):
        year, month = divmod(last.year * 12 + last.month - 1 - back, 12)
        make_order(customer, 10, ordered_at=local(year, month + 1, 15))


@pytest.fixture
def loyal(rep: User, policy: TierPolicy, run_as_of) -> Customer:
    """Bought in each month of 2025, and in none since; no score is asked for."""
    TierPolicy.objects.update(key_weights={"volume": 0})
    customer = make_customer(external_id="L", owner=rep)
    Customer.objects.filter(pk=customer.pk).update(created_at=local(2025, 1, 1))
    Profile.objects.create(customer=customer, yearly_purchase=200)
    buys(customer, 12)
    run_as_of(LAST_YEAR, now=local(2026, 1, 1, 3))
    return customer


def seen(customer: Customer) -> list[tuple[str | None, str | None, int]]:
    found = ClassChange.objects.filter(customer=customer).order_by("pk")
    return [(one.from_loyalty, one.to_loyalty, one.months_bought) for one in found]


@pytest.mark.django_db
class TestRuns:
    def test_a_class_that_becomes_another_is_kept_and_one_that_stays_is_not(
        self, loyal: Customer, run_as_of
    ) -> None:
        run_as_of(LAST_YEAR, now=local(2026, 1, 2, 3))
        assert seen(loyal) == [(None, "loyal", 12)]
        run_as_of(date(2026, 5, 31), now=local(2026, 6, 1, 3))
        run_as_of(date(2026, 10, 31), dry_run=True, now=local(2026, 11, 1, 2))
        last = run_as_of(date(2026, 10, 31), now=local(2026, 11, 1, 3))
        run_as_of(date(2026, 12, 31), now=local(2027, 1, 1, 3))
        assert seen(loyal) == [
            (None, "loyal", 12), ("loyal", "switcher", 7), ("switcher", "none", 2),
            ("none", None, 0),
        ]  # fmt: skip
        found = ClassChange.objects.get(run=last)
        assert found.wallet_share == Decimal("0.1000")
        assert (found.recorded_for, found.changed_at) == (loyal.pk, last.finished_at)

    def test_a_policy_that_classes_nobody_takes_the_class_once_and_the_next_gives_it_again(
        self, loyal: Customer, policy: TierPolicy, run_as_of
    ) -> None:
        """Between two policies without classes and scores nothing is looked for."""
        plain = TierPolicy.objects.create(
            name="Tiers alone", loyal_months=None, key_weights={}, potential_weights={},
            effective_from=date(2026, 1, 2),
        )  # fmt: skip
        for day in (2, 3, 4):
            run_as_of(LAST_YEAR, policy=plain, now=local(2026, 1, day, 3))
        run_as_of(LAST_YEAR, policy=policy, now=local(2026, 1, 5, 3))
        assert seen(loyal) == [(None, "loyal", 12), ("loyal", None, 0), (None, "loyal", 12)]

    def test_what_counts_for_the_first_time_has_a_class_or_no_row(
        self, loyal: Customer, run_as_of
    ) -> None:
        never = make_customer(external_id="never")
        run_as_of()
        assert not ClassChange.objects.filter(customer=never).exists()
        before = ClassChange.objects.count()
        run_as_of(now=NOW + timedelta(hours=1))
        assert ClassChange.objects.count() == before

    def test_p10_the_score_over_and_under_the_line(
        self, policy: TierPolicy, rep: User, run_as_of
    ) -> None:
        """Frequency alone is weighed: months bought of twelve; the classes are left out."""
        rules = TierPolicy.objects.create(
            name="keys", effective_from=date(2025, 1, 1), loyal_months=None,
            key_weights={"frequency": 10}, key_from=50,
        )  # fmt: skip
        shop = make_customer(external_id="K", owner=rep)
        buys(shop, 6, last=date(2025, 12, 15))
        run_as_of(LAST_YEAR, policy=rules, now=local(2026, 1, 1, 3))
        assert not ClassChange.objects.exists()  # no class to give
        run_as_of(date(2026, 7, 31), policy=rules, now=local(2026, 8, 1, 3))
        buys(shop, 7, last=date(2026, 8, 15))
        run_as_of(date(2026, 8, 31), policy=rules, now=local(2026, 9, 1, 3))
        strict = TierPolicy.objects.create(
            name="keys", revision=2, effective_from=date(2026, 9, 1), loyal_months=None,
            key_weights={"frequency": 10}, key_from=90,
        )  # fmt: skip
        Order.objects.filter(ordered_at__lt=local(2026, 1, 1)).update(ordered_at=local(2026, 1, 9))
        run_as_of(date(2026, 8, 31), policy=strict, now=local(2026, 9, 2, 3))
        rows = ClassChange.objects.order_by("pk")
        assert [(c.score_before, c.score, c.line_before, c.line, c.is_over) for c in rows] == [
            (50, 41, 50, 50, False),
            (41, 91, 50, 50, True),
            (91, 66, 50, 90, False),
        ]


@pytest.mark.django_db
class TestTelling:
    def test_the_class_of_any_day(self, loyal: Customer, run_as_of) -> None:
        run_as_of(date(2026, 5, 31), now=local(2026, 6, 1, 3))

        def on(day: date) -> Any:
            found: Any = history.class_on(day, Customer.objects.filter(pk=loyal.pk))
            return found.values_list("loyalty_then", flat=True).first()

        days = {date(2025, 12, 31): None, date(2026, 1, 1): "loyal", date(2026, 5, 31): "loyal"}
        days |= {date(2026, 6, 1): "switcher", date(2026, 12, 31): "switcher"}
        assert {day: on(day) for day in days} == days
        assert not history.class_on(date(2024, 12, 31), Customer.objects.all()).exists()

    def test_it_stands_on_the_page_the_timeline_and_by_api(
        self, as_, rep: User, stranger: User, erp, loyal: Customer, run_as_of
    ) -> None:
        run = run_as_of(date(2026, 5, 31), now=local(2026, 6, 1, 3))
        title = "Loyalty class: Loyal → Switcher"
        reason = "bought in 7 of 12 months, 8 needed; wallet share 35\xa0%"
        told = timeline.entries(loyal, before=None, limit=1)[0]
        assert (told.title, told.text, told.tone) == (title, reason, "warn")
        url = f"/tiers/of-customer/{loyal.pk}/"
        page = as_(rep).get(f"{url}?on=2026-01-01").content.decode()
        assert title in page
        assert " ".join(reason.split()) in " ".join(page.split())
        assert '<span class="flag">Loyal</span>' in page
        assert as_(stranger).get(url).status_code == 404
        answer = erp.get(f"/api/v1/tier-runs/{run.pk}/class-changes/")
        [row] = answer.json()["results"]
        assert (row["customer_external_id"], row["from_loyalty"], row["to_loyalty"]) == (
            "L", "loyal", "switcher"
        )  # fmt: skip
        assert (row["months_bought"], row["wallet_share"]) == (7, "0.3500")

    def test_its_history_is_turned_page_by_page(
        self, as_, rep: User, loyal: Customer, policy: TierPolicy
    ) -> None:
        for day in range(25):
            run = TierRun.objects.create(
                policy=policy, as_of=date(2026, 1, 1 + day), state="done", created_at=NOW
            )
            ClassChange.objects.create(
                run=run, customer=loyal, recorded_for=loyal.pk, changed_at=NOW,
                from_loyalty="loyal", to_loyalty="switcher", months_bought=1, early_launches=0,
                line=70,
            )  # fmt: skip
        answer = as_(rep).get(f"/tiers/of-customer/{loyal.pk}/")
        first = [line.change.pk for line in answer.context["class_history"]]
        answer = as_(rep).get(answer.context["classes_next"])
        rest = [line.change.pk for line in answer.context["class_history"]]
        assert (len(first), len(rest)) == (20, 6)
        assert [*first, *rest] == sorted({*first, *rest}, reverse=True)
        assert answer.context["classes_previous"]

    def test_a_merge_hands_it_over_and_says_nothing_of_the_survivor(
        self, loyal: Customer, rep: User, manager: User, run_as_of
    ) -> None:
        other = make_customer(external_id="O", owner=rep)
        Customer.objects.filter(pk=other.pk).update(created_at=local(2025, 1, 1))
        record = merge(gone_id=loyal.pk, into_id=other.pk, by=manager, now=local(2026, 2, 1))
        assert seen(other) == [(None, "loyal", 12)]
        then: Any = history.class_on(date(2026, 2, 1), Customer.objects.filter(pk=other.pk))
        assert then.get().loyalty_then is None
        undo(merge_id=record.pk, by=manager, now=local(2026, 2, 2))
        assert (seen(loyal), seen(other)) == ([(None, "loyal", 12)], [])

    def test_classes_that_stood_before_there_was_a_history_get_their_line(
        self, loyal: Customer, run_as_of
    ) -> None:
        run = run_as_of(date(2026, 5, 31), now=local(2026, 6, 1, 3))
        ClassChange.objects.all().delete()
        migration = import_module("tiers.migrations.0014_fill_words_and_classes")
        migration.fill_classes(apps, SimpleNamespace(connection=connection))
        found = ClassChange.objects.get()
        stored = Assessment.objects.get(customer=loyal)
        assert (found.run, found.changed_at) == (run, run.finished_at)
        assert (found.from_loyalty, found.to_loyalty, found.crossed) == (None, "switcher", False)
        assert (found.months_bought, found.wallet_share) == (7, stored.wallet_share)
