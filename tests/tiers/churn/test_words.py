"""Why a customer is thought to be leaving, in words (P48)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.utils import translation

from tiers.churn import words
from tiers.churn.bgnbd import Unfit
from tiers.models import Outlook

AS_OF = date(2026, 6, 16)


@pytest.mark.parametrize(
    ("intervals", "shorter", "reason"),
    [
        (15, 14, "orders every 31 days, silent for 84: longer than 14 of its 15 intervals"),
        (15, 15, "orders every 31 days, silent for 84: longer than all its 15 intervals"),
        (15, 0, "orders every 31 days, silent for 84: no longer than usual"),
        (1, 1, "ordered on two days, 31 days apart, silent for 84"),
        (0, 0, "ordered on one day only, silent for 84 days; its peers order every 31 days"),
    ],
)
def test_the_silence_beside_the_intervals(intervals: int, shorter: int, reason: str) -> None:
    outlook = Outlook(
        last_on=date(2026, 3, 24), usual_days=31, intervals=intervals, shorter=shorter
    )
    with translation.override("en"):
        assert words.reason(outlook, AS_OF) == reason


def test_how_the_value_at_risk_comes_about() -> None:
    outlook = Outlook(
        pace=Decimal("2.900"),
        per_purchase=Decimal("12000.00"),
        alive=Decimal("0.280"),
        value_at_risk=Decimal("25056.00"),
    )
    with translation.override("en"):
        assert words.risk(outlook, 90) == (
            "2.9 purchases in 90 days × ¥12,000.00 × 72.0\u00a0% likely to have left = ¥25,056.00"
        )
    assert outlook.pace * outlook.per_purchase * outlook.left == outlook.value_at_risk


def test_every_reason_against_the_model_has_words() -> None:
    assert set(words.WHY_NOT) == set(Unfit)
