"""What people and integrations do with tiers: ask for a run, override, rate, name key accounts."""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError

from accounts.models import User
from crm.lib.bulk import lock
from customers.models import Customer
from tiers.models import (
    Assessment,
    Cause,
    Failure,
    KeyAccount,
    Rating,
    RunState,
    TierChange,
    TierOverride,
    TierPolicy,
    TierRun,
)
from tiers.tiering import LOCK

log = logging.getLogger(__name__)

#: No policy can look further back than this and stay within the calendar.
FIRST_DAY = date(1970, 1, 1)


def open_run(
    *,
    as_of: date,
    policy: TierPolicy | None = None,
    dry_run: bool = False,
    user: User | None,
    now: datetime,
) -> tuple[TierRun, bool]:
    """A run of all tiers as of a day, and whether it is new.

    The same question that is still waiting or being worked on is answered once: its run comes
    back. Without `policy`, the one in force on the day decides. Raises ValidationError for a day
    to come, for a day without a policy, and for a draft that is to decide.
    """
    if as_of > timezone.localdate(now, timezone.get_default_timezone()):
        raise ValidationError({"as_of": _("This day has not come yet.")}, code="future")
    policy = policy or TierPolicy.objects.in_force(as_of).first()
    if policy is None or as_of < FIRST_DAY:
        message = _("No tier policy is in force on %(day)s.") % {"day": as_of.isoformat()}
        raise ValidationError({"as_of": message}, code="no_policy")
    if policy.is_draft and not dry_run:
        raise ValidationError(
            {"policy": _("A draft can only be tried; adopt it first.")}, code="draft"
        )
    TierRun.objects.abandoned(now).update(
        state=RunState.FAILED, error=Failure.ABANDONED, finished_at=now
    )
    question = {"as_of": as_of, "policy": policy, "dry_run": dry_run}
    while True:
        asked = TierRun.objects.open().filter(**question).first()
        if asked is not None:
            return asked, False
        try:
            with transaction.atomic():
                return TierRun.objects.create(**question, requested_by=user, created_at=now), True
        except IntegrityError:
            continue  # somebody asked the same at this very moment: theirs is the run


@transaction.atomic
def request_run(
    *,
    as_of: date,
    policy: TierPolicy | None = None,
    dry_run: bool = False,
    user: User | None,
    now: datetime,
) -> TierRun:
    """Have a worker do a run; like `open_run`, and returns at once."""
    job, is_new = open_run(as_of=as_of, policy=policy, dry_run=dry_run, user=user, now=now)
    if is_new:
        transaction.on_commit(lambda: _enqueue(job.pk, now))
    return job


def _enqueue(run_id: int, now: datetime) -> None:
    from tiers.tasks import run_tiers  # tasks knows actions, so it cannot be known from above

    try:
        run_tiers.delay(run_id=run_id)
    except (OperationalError, OSError):
        log.exception("The tier run %s could not be queued", run_id)
        TierRun.objects.open().filter(pk=run_id).update(
            state=RunState.FAILED, error=Failure.QUEUE, finished_at=now
        )


# --- overrides


@transaction.atomic
def set_override(
    *,
    customer: Customer,
    tier: str,
    reason: str,
    first_on: date,
    until: date,
    by: User,
    now: datetime,
) -> TierOverride:
    """Set a customer's tier by hand from `first_on` to `until`, both inclusive (P12).

    An override that is open already ends. One that begins today decides at once, a later one from
    the first run of its first day. Raises ValidationError by field: days that have passed or are
    the wrong way round, no reason, no such tier.
    """
    lock(LOCK)
    today = timezone.localdate(now, timezone.get_default_timezone())
    if first_on < today:
        raise ValidationError({"first_on": _("An override begins today at the earliest.")})
    if until < first_on:
        raise ValidationError({"until": _("The last day is not before the first.")})
    customer, found = _locked(customer, today)
    for earlier in customer.tier_overrides.open():
        earlier.end(by=by, now=now)
    override = TierOverride(
        customer=customer, tier=tier, reason=reason.strip(), first_on=first_on, until=until, by=by
    )
    override.full_clean()
    override.save()
    if override.is_in_force(today):
        _decide(customer, found, override, tier, Cause.OVERRIDE, by=by, now=now)
    elif found.override is not None:
        _let_go(customer, found, by=by, now=now)
    return override


@transaction.atomic
def end_override(*, override: TierOverride, by: User, now: datetime) -> None:
    """End an override before its last day: the tier is again what the computation gives.

    Raises ValidationError where it has ended already.
    """
    lock(LOCK)
    today = timezone.localdate(now, timezone.get_default_timezone())
    customer, found = _locked(override.customer, today)
    override.refresh_from_db()
    if override.ended_at is not None:
        raise ValidationError(_("This override has ended already."), code="ended")
    override.end(by=by, now=now)
    if found.override_id == override.pk:
        _let_go(customer, found, by=by, now=now)


def _locked(customer: Customer, today: date) -> tuple[Customer, Assessment]:
    """The customer's row, for this transaction alone, and what was found of it."""
    own = Customer.objects.select_for_update(of=("self",)).get(pk=customer.pk)
    found, _is_new = Assessment.objects.get_or_create(
        customer=own, defaults={"as_of": today, "computed_tier": own.abc}
    )
    return own, found


def _let_go(customer: Customer, found: Assessment, *, by: User, now: datetime) -> None:
    _decide(customer, found, None, found.computed_tier, Cause.OVERRIDE_ENDED, by=by, now=now)


def _decide(
    customer: Customer,
    found: Assessment,
    override: TierOverride | None,
    tier: str | None,
    cause: Cause,
    *,
    by: User,
    now: datetime,
) -> None:
    """Write the tier that `override`, or without one the computation, decides, and its history."""
    if found.override_id is None:
        found.computed_tier = customer.abc
    before = found.override
    found.override = override
    found.save(update_fields=["override", "computed_tier"])
    if customer.abc == tier:
        return
    last = TierChange.objects.order_by("-pk").values_list("changed_at", flat=True).first()
    if last is not None and last >= now:  # of two clocks, the order of writing decides
        now = last + timedelta(microseconds=1)
    TierChange.objects.create(
        override=override or before,
        cause=cause,
        by=by,
        changed_at=now,
        customer=customer,
        recorded_for=customer.pk,
        from_tier=customer.abc,
        to_tier=tier,
        net_amount=customer.net_amount or 0,
        net_before=customer.net_amount,
        ranked=0,
    )
    customer.abc = tier
    customer.save(update_fields=["abc"])


# --- what people judge


@transaction.atomic
def rate(*, rating: Rating, by: User, now: datetime) -> Rating:
    """Keep what somebody knows of a customer, 0–10 each; the next run counts with it (P10, P11).

    Raises ValidationError by field.
    """
    rating.by, rating.rated_at = by, now
    rating.full_clean()
    rating.save()
    return rating


@transaction.atomic
def confirm_key_account(*, customer: Customer, reason: str, by: User, now: datetime) -> KeyAccount:
    """Make a customer a key account, on a manager's word (P10); no run ever does.

    Raises ValidationError without a reason, and where it is one already.
    """
    own = Customer.objects.select_for_update(of=("self",)).get(pk=customer.pk)
    score = Assessment.objects.filter(customer=own).values_list("key_score", flat=True).first()
    word = KeyAccount(customer=own, reason=reason.strip(), score=score, by=by, confirmed_at=now)
    word.full_clean()
    word.save()
    if not own.key_account:
        own.key_account = True
        own.save(update_fields=["key_account"])
    return word


@transaction.atomic
def withdraw_key_account(*, customer: Customer, reason: str, by: User, now: datetime) -> None:
    """Take the word back. Raises ValidationError without a reason, and where there is none."""
    own = Customer.objects.select_for_update(of=("self",)).get(pk=customer.pk)
    word = KeyAccount.objects.open().filter(customer=own).first()
    if word is None:
        raise ValidationError(_("This customer is no key account."), code="none")
    word.end(reason=reason, by=by, now=now)
    own.key_account = False
    own.save(update_fields=["key_account"])
