"""The versions of the tier policy: which decides when, what changed, and how one comes or goes.

A version that a run has used keeps its values for good, so that every decision stays explainable.
A draft has no day; trials judge by it, and adopting gives it the day from which it decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.history import Change
from accounts.models import AuditEntry, User
from crm.lib import bulk
from tiers.actions import request_run
from tiers.described import told
from tiers.models import TierPolicy, TierRun

LOCK = "tier policies"


class Stage(models.TextChoices):
    """Where a version stands on a day."""

    DRAFT = "draft", gettext_lazy("Tried, not adopted")
    PLANNED = "planned", gettext_lazy("Still to come")
    IN_FORCE = "in_force", pgettext_lazy("policy", "In force")
    PAST = "past", pgettext_lazy("policy", "Past")
    #: Another version took its place before its day came.
    REPLACED = "replaced", gettext_lazy("Replaced before its day")


@dataclass(frozen=True, slots=True)
class Version:
    """A version in the history: until which day it decides (None: open), and what it changed."""

    policy: TierPolicy
    stage: Stage
    until: date | None
    before: TierPolicy | None
    changes: list[Change]


def differences(before: TierPolicy, after: TierPolicy) -> list[Change]:
    """What the later policy judges differently, as people read it."""
    old, new = told(before), told(after)
    return [
        Change(str(label), old.get(key, ("", "–"))[1], text)
        for key, (label, text) in new.items()
        if old.get(key, ("", "–"))[1] != text
    ]


def same_judgement(one: TierPolicy, other: TierPolicy) -> bool:
    """Whether the two judge every customer alike."""
    return not differences(one, other)


def history(policies: Iterable[TierPolicy], today: date) -> list[Version]:
    """All versions that have a day, the last to come first."""
    dated = sorted(
        (policy for policy in policies if policy.effective_from),
        key=lambda policy: (policy.effective_from, policy.revision, policy.pk),
        reverse=True,
    )
    found: list[Version] = []
    successor: date | None = None
    for place, policy in enumerate(dated):
        until = successor - timedelta(days=1) if successor else None
        previous = dated[place + 1] if place + 1 < len(dated) else None
        found.append(
            Version(
                policy,
                _stage(policy, until, today),
                until,
                previous,
                differences(previous, policy) if previous else [],
            )
        )
        successor = policy.effective_from
    return found


def _stage(policy: TierPolicy, until: date | None, today: date) -> Stage:
    first = policy.effective_from
    if first is None:
        return Stage.DRAFT
    if until and until < first:
        return Stage.REPLACED
    if first > today:
        return Stage.PLANNED
    return Stage.IN_FORCE if until is None or until >= today else Stage.PAST


def signatures(policies: Sequence[TierPolicy]) -> Mapping[int, AuditEntry]:
    """Who gave each version its day, and when; nobody did for what came with the product."""
    entries = AuditEntry.objects.filter(
        model=TierPolicy._meta.label_lower, object_id__in=[policy.pk for policy in policies]
    ).order_by("pk")
    return {entry.object_id: entry for entry in entries if entry.after.get("effective_from")}


def next_month(today: date) -> date:
    """The first of the next month: when a new policy usually begins."""
    return (today.replace(day=1) + timedelta(days=32)).replace(day=1)


# --- what people do


def _refuse_past(day: date, today: date) -> None:
    if day < today:
        message = _("A policy begins today at the earliest; past decisions stay as they are.")
        raise ValidationError({"effective_from": message}, code="past")


def _refuse_unchanged(policy: TierPolicy, day: date) -> None:
    standing = TierPolicy.objects.in_force(day).exclude(pk=policy.pk).first()
    if standing is not None and same_judgement(standing, policy):
        raise ValidationError(
            _("Nothing differs from %(policy)s, which is in force then.")
            % {"policy": str(standing)},
            code="unchanged",
        )


def _next_revision(name: str) -> int:
    found = TierPolicy.objects.filter(name=name).aggregate(last=models.Max("revision"))
    return int(found["last"] or 0) + 1


@transaction.atomic
def plan(policy: TierPolicy, *, day: date, today: date) -> TierPolicy:
    """Put a new version into force from `day` on: the next revision of its name.

    Raises ValidationError for a day that has passed, and where nothing would change.
    """
    bulk.lock(LOCK)
    _refuse_past(day, today)
    policy.effective_from = day
    policy.revision = _next_revision(policy.name)
    policy.full_clean()
    _refuse_unchanged(policy, day)
    policy.save()
    return policy


@transaction.atomic
def make_version(values: Mapping[str, Any], *, today: date) -> TierPolicy:
    """A new version from what is in force today with some values changed; a draft without a day."""
    standing = TierPolicy.objects.in_force(today).first() or TierPolicy(name=_("Standard"))
    made = copy_of(standing)
    for name, value in values.items():
        setattr(made, name, value)
    if day := values.get("effective_from"):
        return plan(made, day=day, today=today)
    made.clean()
    _refuse_unchanged(made, today)
    return _keep_draft(made)


def _keep_draft(draft: TierPolicy) -> TierPolicy:
    bulk.lock(LOCK)
    draft.effective_from = None
    draft.revision = _next_revision(draft.name)
    draft.full_clean()
    draft.save()
    return draft


@transaction.atomic
def change(policy: TierPolicy, *, today: date) -> TierPolicy:
    """Keep new values of a version that is still to come and that no run has used."""
    bulk.lock(LOCK)
    stored = _refuse_begun(policy, today)
    if stored.version != policy.version:
        raise ValidationError(
            _("Somebody else has changed this meanwhile; nothing was saved."), code="conflict"
        )
    if policy.runs.exists():
        raise ValidationError(_("A run has used this version; make a new one of it."), code="used")
    assert policy.effective_from is not None
    _refuse_past(policy.effective_from, today)
    policy.full_clean()
    policy.save()
    return policy


def _refuse_begun(policy: TierPolicy, today: date) -> TierPolicy:
    stored = TierPolicy.objects.get(pk=policy.pk)
    if stored.effective_from is None or stored.effective_from <= today:
        raise ValidationError(
            _("This version is in force or was; make a new one of it."), code="begun"
        )
    return stored


def is_still_to_come(policy: TierPolicy, today: date) -> bool:
    """Whether the version may be taken back: its day lies ahead."""
    return policy.effective_from is not None and policy.effective_from > today


@transaction.atomic
def take_back(policy: TierPolicy, *, today: date) -> None:
    """Take a version back before its day: it is a draft again where it was tried, else it goes."""
    bulk.lock(LOCK)
    _refuse_begun(policy, today)
    if policy.runs.filter(dry_run=False).exists():
        raise ValidationError(_("A run has decided by this version already."), code="used")
    if policy.runs.exists():
        policy.effective_from = None
        policy.save(update_fields=["effective_from"])
    else:
        policy.delete()


@transaction.atomic
def try_out(policy: TierPolicy, *, user: User, now: datetime, today: date) -> TierRun:
    """Have a worker judge all customers by a draft, and change none (P13).

    The trial stands beside the last run that decided, so it looks at the same day. A draft that
    judges alike is used again. Raises ValidationError where the draft changes nothing.
    """
    bulk.lock(LOCK)
    _refuse_unchanged(policy, today)
    last = TierRun.objects.decisive().first()
    as_of = last.as_of if last else today - timedelta(days=1)
    draft = next(
        (
            one
            for one in TierPolicy.objects.filter(effective_from=None, name=policy.name)
            if same_judgement(one, policy)
        ),
        None,
    )
    if draft is None:
        draft = _keep_draft(policy)
    return request_run(as_of=as_of, policy=draft, dry_run=True, user=user, now=now)


@transaction.atomic
def adopt(policy: TierPolicy, *, day: date, today: date) -> TierPolicy:
    """Let a draft decide from `day` on, as the newest revision of its name."""
    bulk.lock(LOCK)
    policy.refresh_from_db()
    if policy.effective_from is not None:
        raise ValidationError(
            _("This policy has been adopted already, from %(day)s.")
            % {"day": policy.effective_from.isoformat()},
            code="adopted",
        )
    _refuse_past(day, today)
    _refuse_unchanged(policy, day)
    named = TierPolicy.objects.filter(name=policy.name)
    if named.filter(effective_from__isnull=False, revision__gt=policy.revision).exists():
        policy.revision = _next_revision(policy.name)
    policy.effective_from = day
    policy.save()
    return policy


@transaction.atomic
def drop(policy: TierPolicy) -> None:
    """Forget a draft and its trials; one that is under way writes nothing any more."""
    bulk.lock(LOCK)
    policy.refresh_from_db()
    if policy.effective_from is not None:
        raise ValidationError(
            _("This policy has been adopted; take it back first."), code="adopted"
        )
    # A worker that writes now finishes first; one that has still to write finds no run.
    for run in policy.runs.select_for_update(of=("self",)).order_by("pk"):
        run.delete()
    policy.delete()


def copy_of(policy: TierPolicy) -> TierPolicy:
    """An unsaved policy with the same values, for somebody to change."""
    values: dict[str, Any] = {
        field.name: getattr(policy, field.name)
        for field in TierPolicy._meta.concrete_fields
        if not field.primary_key and field.name not in {"created_at", "updated_at", "version"}
    }
    return TierPolicy(**values)
