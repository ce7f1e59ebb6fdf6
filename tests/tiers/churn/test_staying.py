"""Saying that a customer is not leaving (P48)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from accounts.models import AuditEntry
from tests.factories import local
from tiers.churn.staying import say_staying, take_back
from tiers.models import Staying

pytestmark = pytest.mark.django_db
NOW = local(2026, 6, 16, 12)


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


def test_it_holds_to_its_last_day_and_is_in_the_log(customer, rep) -> None:
    say_staying(customer=customer, reason="moves", until=date(2026, 6, 20), by=rep, now=NOW)
    assert Staying.objects.holding(date(2026, 6, 20)).exists()
    assert not Staying.objects.holding(date(2026, 6, 21)).exists()
    entry = AuditEntry.objects.of(Staying.objects.get()).get()
    assert entry.after["reason"] == "moves"


def test_nobody_overwrites_what_a_colleague_has_said(customer, rep, manager) -> None:
    say_staying(customer=customer, reason="moves", until=date(2026, 6, 20), by=rep, now=NOW)
    with pytest.raises(ValidationError) as refused:
        say_staying(customer=customer, reason="?", until=date(2026, 7, 1), by=manager, now=NOW)
    assert refused.value.code == "said"
    assert refused.value.messages == ["Rep has said so already, until 20 Jun: moves"]
    assert Staying.objects.get().by == rep


def test_what_is_over_may_be_said_again(customer, rep, manager) -> None:
    say_staying(customer=customer, reason="moves", until=date(2026, 6, 20), by=rep, now=NOW)
    later = local(2026, 6, 21, 9)
    say_staying(customer=customer, reason="moved", until=date(2026, 8, 1), by=manager, now=later)
    word = Staying.objects.get()
    assert (word.reason, word.until, word.by) == ("moved", date(2026, 8, 1), manager)


def test_a_day_that_is_over_is_refused(customer, rep) -> None:
    with pytest.raises(ValidationError, match="This day is over"):
        say_staying(customer=customer, reason="x", until=date(2026, 6, 15), by=rep, now=NOW)


def test_taken_back_twice_is_taken_back(customer, rep) -> None:
    say_staying(customer=customer, reason="moves", until=date(2026, 6, 20), by=rep, now=NOW)
    take_back(customer=customer)
    take_back(customer=customer)
    assert not Staying.objects.exists()
