"""The bulk sync of every resource: what becomes of each record, written in one transaction.

A resource says what is particular to it in a `SyncResource`; this module decides which records are
created, updated, unchanged, stale or rejected, writes them set-based, and keeps the audit log.
Everything that can be judged without the stored rows is judged before the transaction begins.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar, cast

from django.db import IntegrityError, OperationalError, transaction
from django.utils.translation import gettext as _
from msgspec import UNSET

from accounts import audit, sync_audit, sync_parts
from accounts.access import ScopedQuerySet
from accounts.models import ApiKey, SyncCall, User
from accounts.sync_resource import Became, Change, Outcome, Rejected, SyncResource, Values
from crm.lib import bulk
from crm.lib.problems import Unavailable
from crm.lib.records import Errors, Reading, SyncRecord

R = TypeVar("R", bound=SyncRecord)

ATTEMPTS = 3
#: PostgreSQL's codes for a deadlock and for a transaction that must be run again.
_AGAIN = {"40001", "40P01"}


class _Moved(Exception):
    """A stored row changed between reading and writing it: read again."""


def run_sync(
    resource: SyncResource[R],
    body: Iterable[Reading[R]],
    *,
    key: ApiKey | None,
    atomic: bool,
    now: datetime,
    again_of: SyncCall | None = None,
    by: User | None = None,
) -> Outcome:
    """Take the records of one body, as the resource's reader read them.

    With `atomic`, one rejected record means that nothing is written. Rejected records are kept
    with the call, unless they are those of the call `again_of`, which `by` sends once more: in
    the sight of the resource's user, under the own name in the logs. Raises Unavailable (503)
    when other writers kept changing the same rows; nothing is written then.
    """
    resource.now = now
    readings = _checked(resource, body)
    with audit.acting(user=by or resource.user, key=key, through=audit.Through.SYNC):
        for attempt in range(1, ATTEMPTS + 1):
            # The first attempt locks no stored row: most calls change few of them, and a row that
            # is only looked at must not be written to. Whoever was overtaken locks them.
            call = _Call(resource, readings, atomic=atomic, locking=attempt > 1, now=now)
            try:
                with transaction.atomic():
                    call.run()
                    told = call.outcome
                    log = sync_audit.log_call(resource.name, told, atomic=atomic, again_of=again_of)
                    if again_of is None:
                        sync_audit.keep_rejected(log, told, readings)
            except _Moved:
                continue
            except (IntegrityError, OperationalError) as clash:
                # A row that a record refers to may have gone meanwhile: the next attempt says so.
                known = getattr(clash.__cause__, "pgcode", None) in _AGAIN
                if not known and (isinstance(clash, OperationalError) or attempt == ATTEMPTS):
                    raise
                continue
            return call.outcome
    raise Unavailable


def _checked(resource: SyncResource[R], body: Iterable[Reading[R]]) -> list[Reading[R]]:
    """The readings with what is wrong with each as it stands.

    Of a body that is taken in parts, records beyond the first part are forgotten again, for as
    long as their turn has not come.
    """
    readings: list[Reading[R]] = []
    size = 0
    for reading in body:
        if reading.record is not None:
            reading.errors = _emptied(resource, reading.record) or resource.check(reading.record)
        size += reading.size
        if resource.in_parts and reading.record is not None:
            reading.above = resource.above(reading.record)
            if size > sync_parts.PART_BYTES:
                reading.record = None
        readings.append(reading)
    return readings


def _emptied(resource: SyncResource[R], record: R) -> Errors:
    """A required field may be left out of a change, but not emptied."""
    return {
        name: [_("This field cannot be empty.")]
        for name in resource.required
        if (value := getattr(record, name)) is None or value == ""
    }


class _Call(Generic[R]):
    """One attempt at one call."""

    def __init__(
        self,
        resource: SyncResource[R],
        readings: Sequence[Reading[R]],
        *,
        atomic: bool,
        locking: bool,
        now: datetime,
    ) -> None:
        self.resource, self.readings = resource, readings
        self.atomic, self.locking, self.now = atomic, locking, now
        self.outcome = Outcome(received=len(readings))
        self.rejections: dict[int, tuple[str | None, Errors]] = {}

    def run(self) -> None:
        candidates = self.candidates()
        bulk.lock(f"sync {self.resource.name}")
        outcome = self.outcome
        if not self.atomic:
            self.take(candidates)
        else:
            with transaction.atomic():  # a savepoint: a refused call is logged all the same
                self.take(candidates)
                outcome.refused = bool(self.rejections)
                transaction.set_rollback(outcome.refused)
        outcome.errors = [
            {"index": index, "external_id": name, "errors": errors}
            for index, (name, errors) in sorted(self.rejections.items())
        ]
        if outcome.refused:
            outcome.created = outcome.updated = outcome.unchanged = outcome.stale = 0
            outcome.became.clear()

    def candidates(self) -> dict[str, list[Reading[R]]]:
        """The readable records by external_id."""
        found: dict[str, list[Reading[R]]] = {}
        for reading in self.readings:
            if reading.errors or reading.external_id is None:
                self.rejections[reading.index] = (reading.external_id, reading.errors)
            else:
                found.setdefault(reading.external_id, []).append(reading)
        return found

    def take(self, candidates: dict[str, list[Reading[R]]]) -> None:
        """Judge the candidates and write what they change."""
        for part in self.parts(candidates):
            self.bring(part)
            stored, hidden = self.stored(list(part))
            chosen = self.judge(self.resolved(part, stored, hidden), stored, hidden)
            self.withdraw(chosen)
            # Even of a call that is refused, those below must find them in the next part.
            if part is not candidates or not (self.atomic and self.rejections):
                for reading, change in chosen.values():
                    became: Became = "created" if change.before is None else "updated"
                    self.outcome.became[reading.index] = became
                self.write([change for _reading, change in chosen.values()])
            if self.resource.in_parts:
                for rivals in part.values():
                    for reading in rivals:
                        reading.record = None

    def parts(
        self, candidates: dict[str, list[Reading[R]]]
    ) -> Iterable[dict[str, list[Reading[R]]]]:
        """The candidates; those of a large body in parts, where the resource allows it."""
        size = sum(reading.size for rivals in candidates.values() for reading in rivals)
        if not self.resource.in_parts or size <= sync_parts.PART_BYTES:
            return [candidates]
        together = self.resource.together(
            {name: [reading.above for reading in rivals] for name, rivals in candidates.items()}
        )
        return sync_parts.in_parts(candidates, together=together)

    def bring(self, part: dict[str, list[Reading[R]]]) -> None:
        """Have the records of a part there, under the names they came with, the one to try first
        in front.

        The one with the newest source_updated_at goes first, then the later one; a record without
        a time counts as new as the newest before it.
        """
        for name, rivals in part.items():
            for reading in rivals:
                if reading.record is None:
                    reading.record = self.resource.reader.again(reading)
                    self.resource.check(reading.record)
                # As it was sent: an earlier attempt may have found another name for the row.
                reading.record.external_id = name
            if len(rivals) > 1:
                part[name] = _newest_first(rivals)

    def stored(self, names: Collection[str]) -> tuple[dict[str, Values], set[str]]:
        """The stored rows of the batch in sight of the caller, and the names of those that are not.

        The values also carry `id` and `version`.
        """
        model, user = self.resource.model, self.resource.user
        if not names:
            return {}, set()
        queryset = cast("ScopedQuerySet[Any]", model._default_manager.all())
        batch = queryset.filter(external_id__among=names)
        columns = ("external_id", "id", "version", *self.resource.columns)
        found = batch.order_by("external_id").values_list(*columns)
        if self.locking:
            found = found.select_for_update(no_key=True)
        rows = {row[0]: dict(zip(columns, row, strict=True)) for row in found}
        if user.sees_all or not rows:
            return rows, set()
        seen = set(batch.visible_to(user).values_list("external_id", flat=True))
        return {name: row for name, row in rows.items() if name in seen}, set(rows) - seen

    def resolved(
        self,
        candidates: dict[str, list[Reading[R]]],
        stored: dict[str, Values],
        hidden: set[str],
    ) -> dict[str, list[Reading[R]]]:
        """The candidates under the names of the rows they are for; reads those rows in addition.

        Records that call one row by two names are rivals like those that call it by one.
        """
        unknown = [name for name in candidates if name not in stored and name not in hidden]
        others = self.resource.resolve(unknown) if unknown else {}
        if not others:
            return candidates
        found: dict[str, list[Reading[R]]] = {}
        for name, rivals in candidates.items():
            own = others.get(name, name)
            if own is None:
                hidden.add(name)
            found.setdefault(own or name, []).extend(rivals)
        for name, rivals in found.items():
            for reading in rivals:
                cast(R, reading.record).external_id = name
            found[name] = _newest_first(sorted(rivals, key=lambda reading: reading.index))
        more, out_of_sight = self.stored([n for n in found if n not in stored])
        stored |= more
        hidden |= out_of_sight
        return found

    def judge(
        self,
        candidates: Mapping[str, list[Reading[R]]],
        stored: Mapping[str, Values],
        hidden: Collection[str],
    ) -> dict[str, tuple[Reading[R], Change]]:
        """Count what is stale or unchanged, note what is rejected; the rest is to be written."""
        resource, outcome = self.resource, self.outcome
        resource.gather([cast(R, r.record) for rs in candidates.values() for r in rs], stored)
        chosen: dict[str, tuple[Reading[R], Change]] = {}
        for name, rivals in candidates.items():
            taken = False
            for reading in rivals:
                record = cast(R, reading.record)
                before = stored.get(name)
                if taken or (before and _older(record, before["source_updated_at"])):
                    outcome.stale += 1
                    outcome.became[reading.index] = "stale"
                    continue
                try:
                    if name in hidden:
                        raise Rejected({"external_id": [_("This external_id cannot be used.")]})
                    change = self.change(record, before)
                except Rejected as no:
                    self.rejections[reading.index] = (reading.external_id, no.errors)
                    continue
                taken = True
                if change is None:
                    outcome.unchanged += 1
                    outcome.became[reading.index] = "unchanged"
                else:
                    chosen[name] = (reading, change)
        return chosen

    def change(self, record: R, stored: Values | None) -> Change | None:
        """The change that the record asks for; None where everything is as it says."""
        resource = self.resource
        if stored is None:
            missing = [name for name in resource.required if getattr(record, name) is UNSET]
            if missing:
                raise Rejected({name: [_("This field is required.")] for name in missing})
            after = resource.merge(record, None)
            if record.source_updated_at is not UNSET:
                after["source_updated_at"] = record.source_updated_at
            return Change(record.external_id, None, after)
        after = resource.merge(record, stored)
        if record.source_updated_at is not UNSET:
            after["source_updated_at"] = record.source_updated_at
        if after == stored:
            return None
        return Change(
            record.external_id, stored, after, pk=stored["id"], version=stored["version"] + 1
        )

    def withdraw(self, chosen: dict[str, tuple[Reading[R], Change]]) -> None:
        """Reject the changes that cannot stand beside each other, until the rest can."""
        while chosen:
            changes = {name: change for name, (_reading, change) in chosen.items()}
            no = self.resource.reconsider(changes)
            for name, errors in no.items():
                reading, _change = chosen.pop(name)
                self.rejections[reading.index] = (reading.external_id, errors)
            if not no:
                return

    def write(self, changes: Sequence[Change]) -> None:
        """Upsert the changed rows, then what belongs to them, then the audit log."""
        resource = self.resource
        new = sum(change.before is None for change in changes)
        self.outcome.created += new
        self.outcome.updated += len(changes) - new
        rows = []
        for change in changes:
            values = resource.row(change.after)
            rows.append(
                {
                    "external_id": change.external_id,
                    **{name: values[name] for name in resource.columns},
                    "version": change.version,
                }
            )
        ids = bulk.upsert(
            resource.model,
            rows,
            key="external_id",
            same={"created_at": self.now, "updated_at": self.now, **resource.fresh},
            keep=("created_at", *resource.fresh),
        )
        if len(ids) != len(changes):
            raise _Moved
        for change in changes:
            change.pk = ids[change.external_id]
        resource.settle(changes, now=self.now)
        sync_audit.write_entries(resource, changes, now=self.now)


def _newest_first(rivals: Sequence[Reading[R]]) -> list[Reading[R]]:
    newest = datetime.min.replace(tzinfo=UTC)
    ranked = []
    for reading in rivals:
        mine = cast(R, reading.record).source_updated_at
        moment = mine if isinstance(mine, datetime) else newest
        newest = max(newest, moment)
        ranked.append((moment, reading.index, reading))
    return [reading for _moment, _index, reading in sorted(ranked, reverse=True, key=_rank)]


def _rank(ranked: tuple[datetime, int, Any]) -> tuple[datetime, int]:
    return ranked[0], ranked[1]


def _older(record: SyncRecord, stored: datetime | None) -> bool:
    mine = record.source_updated_at
    return bool(stored and isinstance(mine, datetime) and mine < stored)
