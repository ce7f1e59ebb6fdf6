"""Sending the rejected records of a bulk sync once more, after their cause is put right.

They go through the same sync as the key's own calls, in the sight of the account that the key acts
for; the logs name the person who sends them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts import jobs
from accounts.access import may
from accounts.audit import Through, acting
from accounts.models import JobRun, RejectedRecord, RejectedState, SyncCall, User
from accounts.models.keys import KeyState
from accounts.sync import run_sync
from accounts.sync_api import ENDPOINTS, SyncView
from accounts.sync_audit import LONGEST_RECORD, as_sent
from accounts.sync_resource import Outcome
from crm.lib import bulk
from crm.lib.records import Reading
from crm.lib.text import Text

#: More records than this are sent by a worker, so many to a transaction.
CHUNK = 500


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of the records that were sent again, in numbers."""

    taken: int
    stale: int
    rejected: int


@transaction.atomic
def send_again(*, call: SyncCall, by: User, now: datetime) -> Sent:
    """Send all records of `call` that still wait, as they were sent or last corrected."""
    endpoint = _endpoint(call, by=by, now=now)
    records = list(call.records.sendable().select_for_update().order_by("index"))
    return _send(endpoint, call, records, by=by, now=now)


def send_all(*, call: SyncCall, by: User, since: datetime, now: datetime, step: jobs.Step) -> Sent:
    """The same in a worker, CHUNK records to a transaction; begun again, it sends what still waits.

    What became of the records is counted from them, since `since`: a run that was broken off
    loses nothing of the count either.
    """
    waiting = call.records.sendable().order_by("index")
    total, done, last = waiting.count(), 0, -1
    step(0, total)
    with acting(user=by, through=Through.JOB):
        while some := list(waiting.filter(index__gt=last).values_list("index", flat=True)[:CHUNK]):
            _send_some(call, some, by=by, now=now)
            last, done = some[-1], done + len(some)
            step(done, max(total, done))
    mine = call.records.filter(settled_by=by, settled_at__gte=since)
    stale = mine.filter(state=RejectedState.STALE).count()
    return Sent(mine.count() - stale, stale, call.records.sendable().count())


@transaction.atomic
def _send_some(call: SyncCall, places: Sequence[int], *, by: User, now: datetime) -> None:
    endpoint = _endpoint(call, by=by, now=now)
    records = call.records.sendable().filter(index__in=places)
    _send(endpoint, call, list(records.select_for_update().order_by("index")), by=by, now=now)


def resend(job: JobRun, step: jobs.Step) -> jobs.Result:
    """Do a job of the kind RESEND; JobFailed where its records cannot be sent any more."""
    call = SyncCall.objects.select_related("key__user", "actor").get(pk=job.parameters["call"])
    if job.owner is None or job.started_at is None:
        raise jobs.JobFailed("right")
    try:
        sent = send_all(
            call=call, by=job.owner, since=job.created_at, now=job.started_at, step=step
        )
    except ValidationError as refused:
        raise jobs.JobFailed("right") from refused
    return asdict(sent)


def in_words(sent: Sent) -> str:
    """What became of records that were sent again, in the reader's language."""
    told = []
    if sent.taken:
        told.append(
            ngettext("%(n)d record is taken.", "%(n)d records are taken.", sent.taken)
            % {"n": sent.taken}
        )
    if sent.stale:
        told.append(
            ngettext(
                "%(n)d record is stale: a newer one is stored.",
                "%(n)d records are stale: newer ones are stored.",
                sent.stale,
            )
            % {"n": sent.stale}
        )
    if sent.rejected:
        told.append(
            ngettext(
                "%(n)d record was rejected again.",
                "%(n)d records were rejected again.",
                sent.rejected,
            )
            % {"n": sent.rejected}
        )
    return " ".join(told) or gettext("No record waits any more.")


RESEND = jobs.JobKind(
    name="resend",
    label=_("Send rejected records again"),
    task="accounts.tasks.resend_rejected",
    page=lambda job: reverse("accounts:sync", args=[job.parameters["call"]]),
    tell=lambda job: in_words(Sent(**job.result)),
    failures={"right": _("The records cannot be sent again any more; the call says why.")},
)


@transaction.atomic
def correct_and_send(*, record: RejectedRecord, body: str, by: User, now: datetime) -> Sent:
    """Send one record as `body` now says. What is still wrong with it stands on the record.

    Refuses a record that somebody has dealt with meanwhile.
    """
    if len(body.encode(errors="replace")) > LONGEST_RECORD:
        raise _refused(_("The record is longer than 64 KiB."), "too_long")
    endpoint = _endpoint(record.call, by=by, now=now)
    locked = RejectedRecord.objects.open().select_for_update().filter(pk=record.pk)
    mine = locked.select_related(None).first()
    if mine is None:
        raise _refused(_("Somebody has dealt with this record meanwhile."), "settled")
    mine.body = as_sent(body.encode(errors="replace")).decode()
    sent = _send(endpoint, record.call, [mine], by=by, now=now)
    record.refresh_from_db()
    return sent


def obstacle(call: SyncCall, *, by: User, now: datetime) -> Text:
    """Why the records of a call cannot be sent again by this person; "" where they can."""
    endpoint = ENDPOINTS.get(call.resource)
    user = call.key.user if call.key else call.actor
    if call.atomic:
        return _("The call asked for all or nothing: the ERP has to send all of it again.")
    if endpoint is None or user is None:
        return _("Nobody knows any more for whom it was sent.")
    if call.key and call.key.state(now) != KeyState.WORKS:
        return _("The key does not work any more.")
    scope = f"{endpoint.scope}:write"
    if not may(user, scope) or (call.key and not call.key.allows(scope)):
        return _("The key may not write these records any more.")
    if not may(by, scope):
        return _("You may not write these records.")
    return ""


def clear(*, now: datetime, days: int) -> None:
    """Delete what was rejected more than `days` ago; the counts of the calls stay."""
    RejectedRecord.objects.of_calls_before(now - timedelta(days=days)).delete()


def _endpoint(call: SyncCall, *, by: User, now: datetime) -> type[SyncView]:
    """Where the records of `call` go, with its lock held, as every call takes it first."""
    if reason := obstacle(call, by=by, now=now):
        raise _refused(reason, "not_sendable")
    bulk.lock(f"sync {call.resource}")
    return ENDPOINTS[call.resource]


def _send(
    endpoint: type[SyncView],
    call: SyncCall,
    records: Sequence[RejectedRecord],
    *,
    by: User,
    now: datetime,
) -> Sent:
    if not records:
        return Sent(0, 0, 0)
    user = call.key.user if call.key else call.actor
    assert user is not None  # an obstacle otherwise
    resource = endpoint.resource(user)
    readings = list(resource.reader.read(record.body.encode() for record in records))
    overtaken = _overtaken(resource.model, readings, call.at)
    going = [r for r in readings if r.external_id not in overtaken or _timed(r)]
    places = [reading.index for reading in going]
    for place, reading in enumerate(going):
        reading.index = place
    outcome = Outcome()
    if going:
        outcome = run_sync(resource, going, key=None, atomic=False, now=now, again_of=call, by=by)
    became = dict.fromkeys(range(len(records)), RejectedState.STALE)
    became |= {places[at]: RejectedState(state) for at, state in outcome.became.items()}
    wrong = {places[error["index"]]: error for error in outcome.errors}
    for place, record in enumerate(records):
        if error := wrong.get(place):
            record.errors, record.external_id = error["errors"], error["external_id"] or ""
        else:
            record.state, record.settled_at, record.settled_by = became[place], now, by
    bulk.update(
        RejectedRecord,
        (
            {
                "id": record.pk,
                "errors": record.errors,
                "external_id": record.external_id,
                "body": record.body,
                "state": str(record.state),
                "settled_at": record.settled_at,
                "settled_by_id": record.settled_by_id,
            }
            for record in records
        ),
    )
    stale = sum(record.state == RejectedState.STALE for record in records)
    return Sent(len(records) - stale - len(wrong), stale, len(wrong))


def _timed(reading: Reading[Any]) -> bool:
    """Whether the record says itself how new it is: then the sync finds it stale or not."""
    return reading.record is not None and isinstance(reading.record.source_updated_at, datetime)


def _overtaken(model: Any, readings: Iterable[Reading[Any]], sent_at: datetime) -> set[str]:
    """The records, of those without a time of their own, whose row was changed since."""
    names = {r.external_id for r in readings if r.external_id and not _timed(r)}
    rows = model._default_manager.filter(external_id__in=names, updated_at__gt=sent_at)
    return set(rows.values_list("external_id", flat=True)) if names else set()


def _refused(message: Text, code: str) -> ValidationError:
    return ValidationError(message, code=code)
