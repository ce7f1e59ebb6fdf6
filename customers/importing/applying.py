"""Writing the rows of an import that a person has looked at: chunk by chunk, each all or nothing.

Every row remembers that it was written, in the same transaction, so that an import that was
interrupted goes on where it stood, and never writes a row twice. A row whose file has moved since
the preview is looked at once more; what somebody else changed meanwhile is not overwritten.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count

from accounts.models import User
from accounts.models.audit import Action
from crm.lib import bulk
from customers import cards, events, hierarchy
from customers.companions import follow
from customers.importing import attached, tying, writing
from customers.importing.fields import OWN
from customers.importing.filed import (
    CUSTOMER,
    ROW_NUMBERS,
    Filed,
    contact_of,
    difference,
    same,
    stored,
)
from customers.importing.matching import Files, Verdict, key_of
from customers.importing.reasons import Reasons
from customers.importing.values import Values
from customers.importing.writing import Change
from customers.models import (
    Customer,
    Import,
    ImportRow,
    Kind,
    Outcome,
    RowState,
    Status,
)

CHUNK = 1000
ATTEMPTS = 3
_ROW = (
    *("run", "number", "values", "before", "errors", "outcome", "customer_id", "contact_id"),
    *("version", "level", "choice"),
)
#: A new customer where the row says nothing.
FRESH: Mapping[str, Any] = {"kind": Kind.DEALER.value, "status": Status.PROSPECT.value}


def apply_chunk(run: Import, by: User, *, now: datetime) -> int:
    """Write the next rows of `run` in one transaction; how many were dealt with, 0 at the end.

    Another program that puts the same number on file at this very moment makes it begin anew.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with transaction.atomic():
                return _chunk(run, by, now=now)
        except IntegrityError:
            if attempt == ATTEMPTS:
                raise
    return 0


def _chunk(run: Import, by: User, *, now: datetime) -> int:
    # Whoever syncs or imports customers waits here for its turn.
    bulk.lock("sync customers")
    waiting = run.rows.filter(
        outcome__in=(Outcome.CREATE, Outcome.UPDATE), state=RowState.PLANNED
    ).order_by("level", "number")
    rows = list(waiting.only("id", *_ROW)[:CHUNK])
    # A row that names another new one waits until that one has an id.
    rows = [row for row in rows if row.level == rows[0].level]
    if not rows:
        return 0
    if any(map(tying.ties, rows)):
        hierarchy.lock()
    files = Files(by, run.by, key=run.key, mode=run.mode)
    files.look_up(
        [row.values for row in rows],
        ids=[row.customer_id for row in rows if row.customer_id],
        locking=True,
    )
    faults = tying.resolve(rows, files, run)
    looked = [(row, look_again(row, files, faults.get(row.number))) for row in rows]
    written = [(row, v) for row, v in looked if v.outcome in (Outcome.CREATE, Outcome.UPDATE)]
    write(written, files, now=now)
    _remember(looked)
    Import.objects.filter(pk=run.pk).update(done=run.done + len(rows), stepped_at=now)
    run.done += len(rows)
    return len(rows)


def look_again(row: ImportRow, files: Files, faults: Reasons | None = None) -> Verdict:
    """What becomes of the row now; it is refused where what was shown is no longer so, or for
    `faults`."""
    values = row.values
    filed = files.filed.get(row.customer_id or 0)
    if found := _hindered(row, filed, files) or faults:
        return Verdict(Outcome.REJECTED, values, found, customer_id=filed.pk if filed else None)
    if filed is None:
        return Verdict(Outcome.CREATE, values, row.errors)
    before, contact_id = difference(_columns_only(values), filed)
    outcome = Outcome.UPDATE if before else Outcome.UNCHANGED
    return Verdict(outcome, values, row.errors, before, filed.pk, filed.version, contact_id)


def _hindered(row: ImportRow, filed: Filed | None, files: Files) -> Reasons:
    """Why the row cannot be written as the preview showed it; nothing where it can."""
    taken = files.numbers.get(str(row.values.get("external_id") or ""))
    if row.outcome == Outcome.CREATE:
        if taken or files.hits.get(key_of(files.key, row.values)):
            return {files.key: [["now_on_file", {}]]}
        return {}
    if filed is None:
        return {"": [["not_there", {}]]}
    if taken and taken != filed.pk:
        return {"external_id": [["number_taken", {}]]}
    return _moved(row, filed)


def _moved(row: ImportRow, filed: Filed) -> Reasons:
    """Fields that somebody else changed to something else than the row wants.

    The customer's version tells of its own fields only, not of its profile and its people.
    """
    moved: Reasons = {}
    contact = _contact_then(row, filed)
    for name, value in _columns_only(row.values).items():
        if name.startswith("contact."):
            now = contact.get(name.removeprefix("contact.")) if contact else None
            seen = row.before.get(name, None if row.contact_id is None else value)
            if contact is None and row.contact_id is None:
                continue  # a new person, as the preview had it
        else:
            now, seen = stored(filed, name), row.before.get(name, value)
        if not same(now, seen) and not same(now, value):
            moved[name] = [["moved", {"before": _short(seen), "now": _short(now)}]]
    return moved


def _contact_then(row: ImportRow, filed: Filed) -> Values | None:
    """The person whom the preview showed; where that was nobody, whom the row would meet now."""
    if row.contact_id is None:
        return contact_of(row.values, filed) if row.values.get("contact.name") else None
    return next((one for one in filed.contacts if one["id"] == row.contact_id), None)


def _columns_only(values: Values) -> Values:
    """The values without the numbers of rows, in whose place ids stand beside them."""
    return {name: value for name, value in values.items() if name not in ROW_NUMBERS}


def _short(value: Any) -> str:
    text = "" if value is None else str(value)
    return text[:60] or "–"


def write(rows: Sequence[tuple[ImportRow, Verdict]], files: Files, *, now: datetime) -> None:
    """Write the customers of these rows with their profiles, contacts, log and cards."""
    new = [verdict for _row, verdict in rows if verdict.outcome == Outcome.CREATE]
    changed = [verdict for _row, verdict in rows if verdict.outcome == Outcome.UPDATE]
    _create(new, now=now)
    _change(changed, files, now=now)
    attached.write([verdict for _row, verdict in rows], files, now=now)
    cards.refresh([verdict.customer_id for _row, verdict in rows if verdict.customer_id])


def _create(verdicts: Sequence[Verdict], *, now: datetime) -> None:
    rows = [
        {**FRESH, **_columns(verdict.values), "custom": _own(verdict.values, {})}
        for verdict in verdicts
    ]
    ids = writing.insert(Customer, rows, now=now)
    changes = []
    for verdict, row, pk in zip(verdicts, rows, ids, strict=True):
        verdict.customer_id, verdict.version = pk, 1
        changes.append(Change(pk, str(row["name"]), None, row, 1))
    writing.note(Customer, Action.CREATE, changes, now=now)
    events.tell(created=ids, at=now)


def _columns(values: Values) -> Values:
    found = {name: values[name] for name in CUSTOMER if name in values}
    if "external_id" in found:
        found["external_id"] = found["external_id"] or None
    return found


def _own(values: Values, before: Values) -> Values:
    """The own fields as the row wants them; None takes one away."""
    own = dict(before)
    for name, value in values.items():
        if name.startswith(f"{OWN}."):
            own[name.removeprefix(f"{OWN}.")] = value
    return {name: value for name, value in own.items() if value is not None}


def _change(verdicts: Sequence[Verdict], files: Files, *, now: datetime) -> None:
    changes = []
    for verdict in verdicts:
        filed = files.filed[verdict.customer_id or 0]
        after = {n: v for n, v in _columns(verdict.values).items() if n in verdict.before}
        before = {name: verdict.before[name] for name in after}
        if any(name.startswith(f"{OWN}.") for name in verdict.before):
            after["custom"] = _own(verdict.values, filed.custom)
            before["custom"] = filed.custom
        if after:
            verdict.version = filed.version + 1
            changes.append(Change(filed.pk, filed.values["name"], before, after, filed.version + 1))
    writing.overwrite(Customer, changes, now=now)
    writing.note(Customer, Action.UPDATE, changes, now=now)
    events.tell(changed={change.pk: change.after for change in changes}, at=now)
    handed: dict[int, dict[int, int | None]] = defaultdict(dict)
    for change in changes:
        if change.before and change.after.get("owner_id"):
            handed[change.after["owner_id"]][change.pk] = change.before["owner_id"]
    for to, owners in handed.items():
        follow(owners, to=to, now=now)


def _remember(looked: Sequence[tuple[ImportRow, Verdict]]) -> None:
    bulk.update(
        ImportRow,
        [
            {
                "id": row.pk,
                "outcome": str(verdict.outcome),
                "state": RowState.WRITTEN.value,
                "before": verdict.before,
                "errors": verdict.errors,
                "customer_id": verdict.customer_id,
                "version": verdict.version,
                "contact_id": verdict.contact_id,
            }
            for row, verdict in looked
        ],
    )
    # In the place of row numbers ids stand now; what takes the import back compares them.
    tied = [row for row, _verdict in looked if ROW_NUMBERS & row.values.keys()]
    bulk.update(ImportRow, [{"id": row.pk, "values": row.values} for row in tied])


def counts_of(run: Import) -> dict[str, int]:
    """Rows of the import by outcome; of rows that were left out, and of those that look like a
    customer on file (`alike`), only where there are some."""
    counts = dict.fromkeys((name for name in Outcome.values if name != Outcome.LEFT), 0)
    alike = 0
    found = run.rows.order_by().values_list("outcome", "choice").annotate(n=Count("id"))
    for outcome, choice, number in found:
        if outcome:
            counts[outcome] = counts.get(outcome, 0) + number
        alike += number if choice else 0
    return {**counts, **({"alike": alike} if alike else {})}
