"""Tiers that a person sets by hand: set, changed, ended early, expired (P12).

Each takes effect at once on the customer, and stands in the history of its tiers with who did it
and why. A run that is being written and a person's word wait for each other (`tiering.LOCK`).
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from customers.models import Customer
from tiers import events
from tiers.models import Assessment, Cause, TierChange, TierOverride
from tiers.tiering import LOCK

#: A tier is not set by hand for longer than this: by then somebody looks again.
LONGEST = timedelta(days=731)


def presets(today: date) -> dict[str, date]:
    """The days that one mostly means: the ends of this month, quarter and year."""
    quarter = today.month + -today.month % 3
    return {
        "month": date(today.year, today.month, monthrange(today.year, today.month)[1]),
        "quarter": date(today.year, quarter, monthrange(today.year, quarter)[1]),
        "year": date(today.year, 12, 31),
    }


def computed_tier(customer: Customer) -> str | None:
    """What the computation gives, whatever a person says; as of the last run."""
    found = Assessment.objects.filter(customer=customer).values_list("computed_tier", flat=True)
    return next(iter(found), customer.abc)


@transaction.atomic
def set_tier(
    *, customer: Customer, tier: str, reason: str, until: date, by: User, now: datetime, today: date
) -> TierOverride:
    """Have `tier` count for the customer up to and with the day `until`.

    ValidationError where another one is in force, or the day does not fit.
    """
    customer = _locked(customer.pk)
    _check_day(until, today)
    for open_one in TierOverride.objects.open().filter(customer=customer):
        if open_one.until >= today:
            raise ValidationError(_("This customer has an override already."), code="exists")
        _end(open_one, customer, Cause.OVERRIDE_EXPIRED, by=None, now=now)
    override = TierOverride(
        customer=customer, tier=tier, reason=reason.strip(), first_on=today, until=until, by=by
    )
    override.full_clean()
    override.save()
    _assess(customer, override, now=today)
    _move(customer, tier, Cause.OVERRIDE, override, by=by, now=now)
    return override


@transaction.atomic
def change(*, override: TierOverride, by: User, now: datetime, today: date) -> TierOverride:
    """Store another tier, reason or last day of an override that is in force: `by` says it now.

    What was said before stays in the history.
    """
    customer = _locked(override.customer_id)
    stored = TierOverride.objects.get(pk=override.pk)
    if not stored.is_in_force(today):
        raise ValidationError(_("This override is not in force any more."), code="ended")
    _check_day(override.until, today)
    override.reason = override.reason.strip()
    override.full_clean()
    words = ("tier", "reason", "until")
    if all(getattr(override, name) == getattr(stored, name) for name in words):
        return override
    override.by = by
    override.save()
    if customer.abc == override.tier:
        _keep(
            customer,
            override.tier,
            Cause.OVERRIDE_CHANGED,
            override,
            by=by,
            now=now,
            until_before=None if override.until == stored.until else stored.until,
            reason_before="" if override.reason == stored.reason else stored.reason,
        )
    _move(customer, override.tier, Cause.OVERRIDE, override, by=by, now=now)
    return override


@transaction.atomic
def end(*, override: TierOverride, by: User, now: datetime) -> None:
    """End it before its day: the computed tier counts again. One that has ended stays as it is."""
    customer = _locked(override.customer_id)
    override.refresh_from_db()
    if override.ended_at is None:
        _end(override, customer, Cause.OVERRIDE_ENDED, by=by, now=now)


@transaction.atomic
def reopen(*, override: TierOverride, by: User, now: datetime, today: date) -> None:
    """Take back that it was ended early. ValidationError where its day has passed, or another
    one is in force."""
    customer = _locked(override.customer_id)
    override.refresh_from_db()
    if override.ended_at is None:
        return
    if override.until < today or override.ended_by_id is None:
        raise ValidationError(_("The last day of this override has passed."), code="past")
    if TierOverride.objects.open().filter(customer=customer).exists():
        raise ValidationError(_("This customer has an override already."), code="exists")
    override.ended_at = override.ended_by = None
    override.save(update_fields=["ended_at", "ended_by"])
    _assess(customer, override, now=today)
    _move(customer, override.tier, Cause.OVERRIDE, override, by=by, now=now)


def expire(*, today: date, now: datetime) -> int:
    """End all whose last day lies before `today`, each by itself; how many that were."""
    ended = 0
    for pk in list(TierOverride.objects.expired(today).values_list("pk", flat=True)):
        with transaction.atomic():
            override = TierOverride.objects.get(pk=pk)
            customer = _locked(override.customer_id)
            override.refresh_from_db()
            if override.ended_at is None and override.until < today:
                _end(override, customer, Cause.OVERRIDE_EXPIRED, by=None, now=now)
                ended += 1
    return ended


def _locked(pk: int) -> Customer:
    """The customer, that no run and nobody else gives a tier until the transaction ends."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    return Customer.objects.select_for_update(of=("self",)).get(pk=pk)


def _check_day(until: date, today: date) -> None:
    if until < today:
        raise ValidationError({"until": _("This day is over.")}, code="past")
    if until > today + LONGEST:
        raise ValidationError({"until": _("At most two years from now.")}, code="far")


def _end(
    override: TierOverride, customer: Customer, cause: Cause, *, by: User | None, now: datetime
) -> None:
    override.end(by=by, now=now)
    tier = computed_tier(customer)
    Assessment.objects.filter(customer=customer, override=override).update(override=None)
    _move(customer, tier, cause, override, by=by, now=now)


def _assess(customer: Customer, override: TierOverride, *, now: date) -> None:
    """Note which override decides; what was computed before it is kept beside it."""
    row, _made = Assessment.objects.get_or_create(
        customer=customer, defaults={"as_of": now, "computed_tier": customer.abc}
    )
    row.override = override
    row.save(update_fields=["override"])


def _move(
    customer: Customer,
    tier: str | None,
    cause: Cause,
    override: TierOverride,
    *,
    by: User | None,
    now: datetime,
) -> None:
    """Give the customer its tier, and keep the move where there is one."""
    if customer.abc == tier:
        return
    _keep(customer, tier, cause, override, by=by, now=now)
    customer.abc = tier
    customer.save(update_fields=["abc"])


def _keep(
    customer: Customer,
    tier: str | None,
    cause: Cause,
    override: TierOverride,
    *,
    by: User | None,
    now: datetime,
    **before: Any,
) -> None:
    """A line of the history, with the words of the override as they are now."""
    change = TierChange.objects.create(
        override=override,
        cause=cause,
        by=by,
        changed_at=now,
        customer=customer,
        recorded_for=customer.pk,
        from_tier=customer.abc,
        to_tier=tier,
        net_amount=customer.net_amount or 0,
        ranked=0,
        said_tier=override.tier,
        said_until=override.until,
        said_reason=override.reason,
        said_by=override.by,
        **before,
    )
    events.tell_move(change)
