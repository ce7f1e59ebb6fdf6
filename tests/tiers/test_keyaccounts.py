"""P10, P11: who is a key account is a manager's word; what is still open is told in money."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from accounts.models import AuditEntry, User
from customers.models import Customer
from tests.tiers.conftest import NOW
from tiers import keyaccounts
from tiers.keyaccounts import still_open
from tiers.models import Assessment, KeyAccount, Rating
from tiers.models.policies import KeyCriterion
from tiers.scores import parts


def is_key(customer: Customer) -> bool:
    return Customer.objects.values_list("key_account", flat=True).get(pk=customer.pk)


def confirm(customer: Customer, by: User) -> KeyAccount:
    return keyaccounts.confirm(customer=customer, reason=" Buys monthly ", by=by, now=NOW)


def test_a_manager_confirms_withdraws_and_takes_it_back(customer: Customer, manager: User) -> None:
    Assessment.objects.create(customer=customer, as_of=NOW.date(), key_score=86)
    word = confirm(customer, manager)
    assert (word.reason, word.score, word.by, word.confirmed_at) == (
        "Buys monthly",
        86,
        manager,
        NOW,
    )
    assert is_key(customer)
    with pytest.raises(ValidationError):
        confirm(customer, manager)
    keyaccounts.withdraw(word=word, reason="Left us", by=manager, now=NOW)
    assert not is_key(customer)
    word.refresh_from_db()
    assert (word.end_reason, word.ended_by) == ("Left us", manager)
    keyaccounts.withdraw(word=word, reason="again", by=manager, now=NOW)
    assert KeyAccount.objects.get().end_reason == "Left us"
    keyaccounts.reinstate(word=word)
    assert is_key(customer)
    assert KeyAccount.objects.open().count() == 1
    assert AuditEntry.objects.of(word).count() == 3


def test_withdrawing_needs_a_reason(customer: Customer, manager: User) -> None:
    word = confirm(customer, manager)
    with pytest.raises(ValidationError):
        keyaccounts.withdraw(word=word, reason="  ", by=manager, now=NOW)
    assert is_key(customer)


def test_a_confirmation_is_undone_on_the_same_day_by_who_gave_it(
    customer: Customer, manager: User, director: User
) -> None:
    word = confirm(customer, manager)
    for by, now in [(director, NOW), (manager, NOW + timedelta(days=1))]:
        with pytest.raises(ValidationError):
            keyaccounts.take_back(word=word, by=by, now=now)
    assert is_key(customer)
    keyaccounts.take_back(word=word, by=manager, now=NOW)
    assert not is_key(customer)
    assert not KeyAccount.objects.exists()


def test_one_confirmed_anew_meanwhile_stands(customer: Customer, manager: User) -> None:
    word = confirm(customer, manager)
    keyaccounts.withdraw(word=word, reason="x", by=manager, now=NOW)
    confirm(customer, manager)
    with pytest.raises(ValidationError):
        keyaccounts.reinstate(word=word)
    assert is_key(customer)


def test_without_a_score_it_still_stands_among_the_key_accounts(
    customer: Customer, manager: User, run_as_of
) -> None:
    word = confirm(customer, manager)
    assert word.score is None
    run_as_of()
    assert Assessment.objects.filter(customer__key_account=True).count() == 1


def test_a_rating_is_kept_with_who_gave_it(customer: Customer, rep: User, manager: User) -> None:
    rating = Rating(customer=customer, urgency=8)
    keyaccounts.rate(rating=rating, by=rep, now=NOW)
    again = Rating.objects.get()
    keyaccounts.rate(rating=again, by=manager, now=NOW + timedelta(days=1))
    assert Rating.objects.get().by == rep  # nothing has changed
    again.quality = 0
    keyaccounts.rate(rating=again, by=manager, now=NOW + timedelta(days=1))
    stored = Rating.objects.get()
    assert (stored.by, stored.urgency, stored.quality, stored.partnership) == (manager, 8, 0, None)


@pytest.mark.parametrize(
    ("purchase", "share", "left"),
    [
        ("2000000", "0.6200", "760000.00"),
        ("2000000", "0", "2000000.00"),
        ("100", "1.2500", "0.00"),
        ("0.01", "0.3333", "0.01"),
        (None, "0.5", None),
        ("100", None, None),
    ],
)
def test_p11_what_is_still_open_in_money(
    purchase: str | None, share: str | None, left: str | None
) -> None:
    found = still_open(
        None if purchase is None else Decimal(purchase), None if share is None else Decimal(share)
    )
    assert found == (None if left is None else Decimal(left))


def test_a_score_is_shown_in_its_parts() -> None:
    values = dict.fromkeys(KeyCriterion) | {KeyCriterion.VOLUME: 80, KeyCriterion.MARGIN: 0}
    found = parts(values, {"volume": 30, "margin": 10, "loyalty": 60}, KeyCriterion)
    assert [(one.value, one.weight, one.share) for one in found] == [
        (80, 30, 75),
        (0, 10, 25),
        (None, 60, None),
    ]
    assert (found[0].top, found[0].height) == ("20%", "80%")
