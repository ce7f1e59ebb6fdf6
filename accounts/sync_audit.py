"""What a bulk sync leaves in the logs: an audit entry for each change, a row for each call."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from accounts import audit
from accounts.models import AuditEntry, SyncCall
from accounts.models.audit import Action
from accounts.sync_resource import Change, Outcome, SyncResource, Values
from crm.lib import bulk

#: How many of a call's errors are kept in its log row; the caller gets all of them.
KEPT_ERRORS = 500
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
    after, before, shown = change.after, change.before, resource.shown
    if before is None:
        seen = {name: shown(name, value) for name, value in after.items() if value not in _EMPTY}
        seen["external_id"], was = change.external_id, {}
    else:
        moved = [name for name, value in after.items() if before[name] != value]
        seen = {name: shown(name, after[name]) for name in moved}
        was = {name: shown(name, before[name]) for name in moved}
    return {
        "action": Action.CREATE.value if before is None else Action.UPDATE.value,
        "object_id": change.pk,
        "object_name": str(after.get("name") or change.external_id)[:200],
        "before": was,
        "after": seen,
    }


def log_call(name: str, outcome: Outcome, *, atomic: bool) -> None:
    """One row for the call as a whole."""
    who = audit.current()
    SyncCall.objects.create(
        resource=name,
        actor=who.user,
        key=who.key,
        actor_name=who.key.name if who.key else who.user.display_name if who.user else "",
        atomic=atomic,
        received=outcome.received,
        created=outcome.created,
        updated=outcome.updated,
        unchanged=outcome.unchanged,
        stale=outcome.stale,
        rejected=outcome.rejected,
        errors=outcome.errors[:KEPT_ERRORS],
    )
