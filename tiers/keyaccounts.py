"""Key accounts: proposed by their score, confirmed and withdrawn by a manager (P10)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from crm.lib.formats import local_day
from customers import events
from customers.models import Customer
from tiers.models import Assessment, KeyAccount, Rating

#: What people judge from 0 to 10, in the order of the form.
RATED = ("service_level", "price_sensitivity", "partnership", "urgency", "quality")


@transaction.atomic
def confirm(*, customer: Customer, reason: str, by: User, now: datetime) -> KeyAccount:
    """Give a manager's word that the customer is a key account. ValidationError if it is one."""
    customer = _locked(customer.pk)
    if KeyAccount.objects.open().filter(customer=customer).exists():
        raise ValidationError(_("This customer is a key account already."), code="exists")
    # without a row it would be missing from the list of key accounts
    found, _made = Assessment.objects.get_or_create(
        customer=customer, defaults={"as_of": local_day(now), "computed_tier": customer.abc}
    )
    word = KeyAccount(
        customer=customer,
        reason=reason.strip(),
        score=found.key_score,
        by=by,
        confirmed_at=now,
    )
    word.full_clean()
    word.save()
    _mark(customer, key_account=True)
    return word


@transaction.atomic
def withdraw(*, word: KeyAccount, reason: str, by: User, now: datetime) -> None:
    """Take the word back for good, with a reason; one that was withdrawn stays as it is."""
    customer = _locked(word.customer_id)
    word.refresh_from_db()
    if word.ended_at is None:
        word.end(reason=reason, by=by, now=now)
        _mark(customer, key_account=False)


@transaction.atomic
def reinstate(*, word: KeyAccount) -> None:
    """Take back that it was withdrawn. ValidationError where it was confirmed anew meanwhile."""
    customer = _locked(word.customer_id)
    word.refresh_from_db()
    if word.ended_at is None:
        return
    if KeyAccount.objects.open().filter(customer=customer).exists():
        raise ValidationError(_("This customer is a key account already."), code="exists")
    word.ended_at, word.ended_by, word.end_reason = None, None, ""
    word.save(update_fields=["ended_at", "ended_by", "end_reason"])
    _mark(customer, key_account=True)


@transaction.atomic
def take_back(*, word: KeyAccount, by: User, now: datetime) -> None:
    """Undo a confirmation of today by who gave it: it never was. ValidationError afterwards."""
    customer = _locked(word.customer_id)
    word.refresh_from_db()
    if word.by_id != by.pk or local_day(word.confirmed_at) != local_day(now) or word.ended_at:
        raise ValidationError(_("Withdraw it, and say why."), code="late")
    word.delete()
    _mark(customer, key_account=False)


def _locked(pk: int) -> Customer:
    return Customer.objects.select_for_update(of=("self",)).get(pk=pk)


def _mark(customer: Customer, *, key_account: bool) -> None:
    if customer.key_account != key_account:
        customer.key_account = key_account
        customer.save(update_fields=["key_account"])
        events.tell(changed={customer.pk: ["key_account"]}, at=customer.updated_at)


@transaction.atomic
def rate(*, rating: Rating, by: User, now: datetime) -> Rating:
    """Store what a person judges; the next run scores by it. What changes nothing is not stored."""
    if rating.pk and all(getattr(rating, name) == rating.was(name) for name in RATED):
        return rating
    rating.by, rating.rated_at = by, now
    rating.save()
    return rating


def still_open(yearly_purchase: Decimal | None, wallet_share: Decimal | None) -> Decimal | None:
    """What the customer buys a year in our category from others, in money; None where unknown."""
    if yearly_purchase is None or wallet_share is None:
        return None
    return max(yearly_purchase * (1 - wallet_share), Decimal(0)).quantize(Decimal("0.01"))
