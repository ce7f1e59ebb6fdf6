"""Numbers and days as people write them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.utils import translation

from crm.lib.formats import day, money_short, month, price

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("language", "when", "words"),
    [
        ("en", date(2026, 6, 16), "16 Jun"),
        ("en", date(2025, 9, 1), "1 Sep 2025"),
        ("zh-hans", date(2026, 6, 16), "6月16日"),
        ("zh-hans", date(2025, 9, 1), "2025年9月1日"),
        ("en", None, "–"),
    ],
)
def test_a_day_is_short_in_this_year(language: str, when: date | None, words: str) -> None:
    with translation.override(language):
        assert day(when, TODAY) == words


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (None, "–"),
        (Decimal("1240000"), "¥1,240,000.00"),
        (Decimal("-12.5"), "−¥12.50"),
        (0, "¥0.00"),
    ],
)
def test_an_amount_alone_bears_sign_and_currency(amount: Decimal | None, words: str) -> None:
    assert price(amount) == words


@pytest.mark.parametrize(
    ("language", "amount", "words"),
    [
        ("zh-hans", Decimal(1_240_000), "¥124.0\u00a0万"),
        ("en", Decimal(1_240_000), "¥1.24M"),
        ("en", Decimal(-900), "−¥900"),
    ],
)
def test_a_tile_counts_in_the_units_of_its_language(
    language: str, amount: Decimal, words: str
) -> None:
    with translation.override(language):
        assert money_short(amount) == words


@pytest.mark.parametrize(("language", "words"), [("zh-hans", "11月"), ("en", "Nov")])
def test_a_month_fits_under_its_bar(language: str, words: str) -> None:
    with translation.override(language):
        assert month(TODAY) == words
