"""What people and integrations do with tiers: ask for a run, or call it off."""

from __future__ import annotations

import logging
from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError

from accounts.models import User
from tiers.models import Failure, RunState, TierPolicy, TierRun

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


@transaction.atomic
def cancel_run(*, run: TierRun, by: User, now: datetime) -> TierRun:
    """Call off a run that waits or is at work; once more changes nothing.

    A worker that is at it looks again before it writes. ValidationError where the run has ended.
    """
    stored = TierRun.objects.select_for_update(of=("self",)).get(pk=run.pk)
    if stored.is_open:
        stored.cancel(by=by, now=now)
    elif not stored.is_cancelled:
        raise ValidationError(_("The run has ended already."), code="ended")
    return stored


def _enqueue(run_id: int, now: datetime) -> None:
    from tiers.tasks import run_tiers  # tasks knows actions, so it cannot be known from above

    try:
        run_tiers.delay(run_id=run_id)
    except (OperationalError, OSError):
        log.exception("The tier run %s could not be queued", run_id)
        TierRun.objects.open().filter(pk=run_id).update(
            state=RunState.FAILED, error=Failure.QUEUE, finished_at=now
        )
