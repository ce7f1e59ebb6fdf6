"""What a bulk sync leaves in the logs: an audit entry for each change, a row for each call, and
the records that it rejected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from accounts import audit
from accounts.models import AuditEntry, RejectedRecord, RejectedState, SyncCall
from accounts.models.audit import Action
from accounts.sync_resource import Change, Outcome, SyncResource, Values
from crm.lib import bulk
from crm.lib.records import Reading

#: How many of a call's errors are kept in its log row; the caller gets all of them.
KEPT_ERRORS = 500
#: Longer records are not kept, nor what goes beyond this much of a call.
LONGEST_RECORD = 64 * 1024
MOST_OF_CALL = 8 * 1024 * 1024
#: Left out of the entry of a new record.
_EMPTY: tuple[Any, ...] = (None, "", (), [], {})


def write_entries(resource: SyncResource[Any], changes: Sequence[Change], *, now: datetime) -> None:
    """One audit entry for each change, with one statement."""
    blank = AuditEntry.build(
        model=resource.model, object_id=0, object_name="", action="", before={}, after={}
    )
    same = {
        "at": now,
        "actor_id": blank.actor_id,
        "actor_name": blank.actor_name,
        "key_id": blank.key_id,
        "through": blank.through,
        "model": blank.model,
    }
    bulk.append(AuditEntry, (_entry(resource, change) for change in changes), same=same)


def _entry(resource: SyncResource[Any], change: Change) -> Values:
    after, before = change.after, change.before
    seen: Values = {}
    was: Values = {}
    if before is None:
        seen = {
            name: resource.shown(name, value)
            for name, value in after.items()
            if value not in _EMPTY
        }
        seen["external_id"] = change.external_id
    else:
        for name in change.moved():
            was[name], seen[name] = resource.shown_change(name, before[name], after[name])
    return {
        "action": Action.CREATE.value if before is None else Action.UPDATE.value,
        "object_id": change.pk,
        "object_name": str(after.get("name") or change.external_id)[:200],
        "before": was,
        "after": seen,
    }


def log_call(
    name: str, outcome: Outcome, *, atomic: bool, again_of: SyncCall | None = None
) -> SyncCall:
    """One row for the call as a whole; `again_of` is the call that rejected its records."""
    who = audit.current()
    return SyncCall.objects.create(
        resource=name,
        actor=who.user,
        key=who.key,
        actor_name=who.key.name if who.key else who.user.display_name if who.user else "",
        again_of=again_of,
        atomic=atomic,
        received=outcome.received,
        created=outcome.created,
        updated=outcome.updated,
        unchanged=outcome.unchanged,
        stale=outcome.stale,
        rejected=outcome.rejected,
        errors=outcome.errors[:KEPT_ERRORS],
    )


def keep_rejected(call: SyncCall, outcome: Outcome, readings: Sequence[Reading[Any]]) -> None:
    """Keep the rejected records of a call as they were sent; nothing to do where there are none.

    Of a record that is rejected time and again, as an ERP does that sends it every minute, only
    the last one is kept.
    """
    if not outcome.errors:
        return
    names = {error["external_id"] for error in outcome.errors if error["external_id"]}
    RejectedRecord.objects.open().filter(
        resource=call.resource, key=call.key_id, external_id__in=names
    ).update(state=RejectedState.REPEATED, body="", settled_at=call.at)
    same = {
        "call_id": call.pk,
        "resource": call.resource,
        "key_id": call.key_id,
        "state": RejectedState.OPEN.value,
    }
    bulk.append(RejectedRecord, _kept(outcome, readings), same=same)


def _kept(outcome: Outcome, readings: Sequence[Reading[Any]]) -> Iterator[Values]:
    """The rows of the rejected records, made as they are written."""
    room = MOST_OF_CALL
    for error in outcome.errors:
        body = as_sent(readings[error["index"]].raw)
        if len(body) > min(room, LONGEST_RECORD):
            body = b""
        room -= len(body)
        yield {
            "index": error["index"],
            "external_id": error["external_id"] or "",
            "errors": error["errors"],
            "body": body.decode(errors="replace"),
        }


def as_sent(raw: Any) -> bytes:
    """A raw record as text that every database holds: a bare NUL, which is no JSON, goes."""
    return bytes(raw).strip().replace(b"\x00", b"")
