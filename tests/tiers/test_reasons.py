"""P12: why a customer has its tier, in words."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.utils import translation

from customers.models import Customer
from tests.factories import local, make_customer, make_order
from tiers.models import TierChange
from tiers.reasons import Lines, Standing, explain, explain_many, sentence, standings, title, why

LINES = Lines(12, Decimal("0.8000"), Decimal("0.9500"))


@pytest.mark.parametrize(
    ("standing", "text"),
    [
        (
            Standing(Decimal(1_240_000), 14, 2357, Decimal("0.409"), Decimal("0.413")),
            "12-month net 1,240,000; rank 14 of 2,357; cumulative share 41.3 %; "
            "40.9 % before it, below the 80 % line",
        ),
        (
            Standing(Decimal("99.50"), 2, 3, Decimal("0.799999"), Decimal("0.9")),
            "12-month net 99.50; rank 2 of 3; cumulative share 90.0 %; "
            "79.9 % before it, below the 80 % line",
        ),
        (
            Standing(Decimal(10), 2, 3, Decimal("0.8"), Decimal("0.9")),
            "12-month net 10; rank 2 of 3; cumulative share 90.0 %; "
            "80.0 % before it, from 80 % to below 95 %",
        ),
        (
            Standing(Decimal(10), 3, 3, Decimal("0.95"), Decimal(1)),
            "12-month net 10; rank 3 of 3; cumulative share 100.0 %; "
            "95.0 % before it, not below the 95 % line",
        ),
        (
            Standing(Decimal("-1260"), None, 3, None, None),
            "12-month net −1,260: the net amount is not above zero",
        ),
    ],
)
def test_p12_a_reason_is_a_sentence_with_its_numbers(standing: Standing, text: str) -> None:
    with translation.override("en"):
        assert sentence(standing, LINES).replace("\u00a0", " ") == text


def test_a_share_is_cut_finer_where_the_lines_are_finer() -> None:
    lines = Lines(12, Decimal("0.8055"), Decimal("0.9500"))
    with translation.override("en"):
        text = sentence(Standing(Decimal(1), 2, 2, Decimal("0.805499"), Decimal(1)), lines)
    assert "80.54\u00a0% before it, below the 80.55\u00a0% line" in text


@pytest.mark.django_db
class TestExplaining:
    def test_a_change_explains_itself(self, run_as_of) -> None:
        for number, amount in [("1", 80), ("2", 15), ("3", 5)]:
            make_order(make_customer(external_id=number), amount)
        run_as_of()
        with translation.override("en"):
            change = TierChange.objects.select_related("run__policy").get(rank=2)
            assert explain(change).replace("\u00a0", " ") == (
                "12-month net 15; rank 2 of 3; cumulative share 95.0 %; "
                "80.0 % before it, from 80 % to below 95 %"
            )
            assert why(change).startswith("80.0")
            assert title(change) == "First tier: B"

    def test_many_are_explained_with_one_look_at_the_ranking(
        self, run_as_of, django_assert_num_queries
    ) -> None:
        for number, amount in [("1", 80), ("2", 15), ("3", 5)]:
            make_order(make_customer(external_id=number), amount)
        make_customer(external_id="4")
        run_as_of(date(2026, 6, 16))
        make_customer(external_id="5")
        customers = list(Customer.objects.order_by("external_id"))
        with translation.override("en"), django_assert_num_queries(3):
            found = explain_many(customers)
        assert set(found) == {customer.pk for customer in customers[:4]}
        assert {facts["as_of"] for facts in found.values()} == {date(2026, 6, 16)}
        assert found[customers[0].pk]["reason"].startswith("12-month net 80; rank 1 of 3")
        assert found[customers[3].pk]["reason"].startswith("12-month net 0: ")

    def test_standings_are_the_companys(self, run_as_of) -> None:
        first, tied = make_customer(external_id="b"), make_customer(external_id="a")
        for customer in (first, tied):
            make_order(customer, 50, ordered_at=local(2026, 6, 1))
        job = run_as_of()
        assert standings([first.pk], job.policy) == {
            first.pk: Standing(Decimal(50), 2, 2, Decimal("0.5"), Decimal(1))
        }

    def test_before_the_first_run_there_is_nothing_to_explain(self) -> None:
        assert explain_many([make_customer()]) == {}
