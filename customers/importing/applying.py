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
from customers import cards
from customers.companions import follow
from customers.importing import writing
from customers.importing.fields import OWN
from customers.importing.matching import (
    CUSTOMER,
    Filed,
    Files,
    Verdict,
    contact_of,
    difference,
    key_of,
    same,
    stored,
)
from customers.importing.reasons import Reasons
from customers.importing.values import Values
from customers.importing.writing import Change
from customers.models import (
    Contact,
    Customer,
    Import,
    ImportRow,
    Kind,
    Outcome,
    Profile,
    RowState,
    Status,
)

CHUNK = 1000
ATTEMPTS = 3
_ROW = ("number", "values", "before", "errors", "outcome", "customer_id", "version")
#: A new customer where the row says nothing.
FRESH: Mapping[str, Any] = {"kind": Kind.DEALER.value, "status": Status.PROSPECT.value}


def apply_chunk(run: Import, user: User, *, now: datetime) -> int:
    """Write the next rows of `run` in one transaction; how many were dealt with, 0 at the end.

    Another program that puts the same number on file at this very moment makes it begin anew.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with transaction.atomic():
                return _chunk(run, user, now=now)
        except IntegrityError:
            if attempt == ATTEMPTS:
                raise
    return 0


def _chunk(run: Import, user: User, *, now: datetime) -> int:
    # Whoever syncs or imports customers waits here for its turn.
    bulk.lock("sync customers")
    waiting = run.rows.filter(
        outcome__in=(Outcome.CREATE, Outcome.UPDATE), state=RowState.PLANNED
    ).order_by("number")
    rows = list(waiting.only("id", *_ROW)[:CHUNK])
    if not rows:
        return 0
    files = Files(user, key=run.key, mode=run.mode)
    files.look_up(
        [row.values for row in rows],
        ids=[row.customer_id for row in rows if row.customer_id],
        locking=True,
    )
    looked = [(row, look_again(row, files)) for row in rows]
    written = [(row, v) for row, v in looked if v.outcome in (Outcome.CREATE, Outcome.UPDATE)]
    write(written, files, now=now)
    _remember(looked)
    Import.objects.filter(pk=run.pk).update(done=run.done + len(rows), stepped_at=now)
    run.done += len(rows)
    return len(rows)


def look_again(row: ImportRow, files: Files) -> Verdict:
    """What becomes of the row now; it is refused where what was shown is no longer so."""
    values = row.values
    if row.outcome == Outcome.CREATE:
        key = key_of(files.key, values)
        taken = files.numbers.get(str(values.get("external_id") or ""))
        if files.hits.get(key) or taken:
            return Verdict(Outcome.REJECTED, values, {files.key: [["now_on_file", {}]]})
        return Verdict(Outcome.CREATE, values, row.errors)
    filed = files.filed.get(row.customer_id or 0)
    if filed is None:
        return Verdict(Outcome.REJECTED, values, {"": [["not_there", {}]]})
    taken = files.numbers.get(str(values.get("external_id") or ""))
    if taken and taken != filed.pk:
        return Verdict(Outcome.REJECTED, values, {"external_id": [["number_taken", {}]]})
    if filed.version != row.version and (moved := _moved(row, filed)):
        return Verdict(Outcome.REJECTED, values, moved, customer_id=filed.pk)
    before, contact_id = difference(values, filed)
    outcome = Outcome.UPDATE if before else Outcome.UNCHANGED
    return Verdict(outcome, values, row.errors, before, filed.pk, filed.version, contact_id)


def _moved(row: ImportRow, filed: Filed) -> Reasons:
    """Fields of the customer that somebody else changed to something else than the row wants."""
    moved: Reasons = {}
    for name, value in row.values.items():
        if name.startswith(("contact.", "profile.")):
            continue
        now, seen = stored(filed, name), row.before.get(name, value)
        if not same(now, seen) and not same(now, value):
            moved[name] = [["moved", {"before": _short(seen), "now": _short(now)}]]
    return moved


def _short(value: Any) -> str:
    text = "" if value is None else str(value)
    return text[:60] or "–"


def write(rows: Sequence[tuple[ImportRow, Verdict]], files: Files, *, now: datetime) -> None:
    """Write the customers of these rows with their profiles, contacts, log and cards."""
    new = [verdict for _row, verdict in rows if verdict.outcome == Outcome.CREATE]
    changed = [verdict for _row, verdict in rows if verdict.outcome == Outcome.UPDATE]
    _create(new, now=now)
    _change(changed, files, now=now)
    _profiles(rows, files, now=now)
    _contacts(rows, files, now=now)
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
    handed: dict[int, dict[int, int | None]] = defaultdict(dict)
    for change in changes:
        if change.before and change.after.get("owner_id"):
            handed[change.after["owner_id"]][change.pk] = change.before["owner_id"]
    for to, owners in handed.items():
        follow(owners, to=to, now=now)


def _part(values: Values, prefix: str) -> Values:
    """The values of the profile or of the contact, by column."""
    return {
        name.removeprefix(prefix): value
        for name, value in values.items()
        if name.startswith(prefix)
    }


def _profiles(rows: Sequence[tuple[ImportRow, Verdict]], files: Files, *, now: datetime) -> None:
    new: list[tuple[Verdict, Values]] = []
    changes = []
    for _row, verdict in rows:
        wanted = _part(verdict.values, "profile.")
        filed = files.filed.get(verdict.customer_id or 0)
        if filed and filed.profile:
            after = {n: v for n, v in wanted.items() if f"profile.{n}" in verdict.before}
            if after:
                before = {name: filed.profile[name] for name in after}
                version = filed.profile["version"] + 1
                name = filed.values["name"]
                changes.append(Change(filed.profile["id"], name, before, after, version))
        elif any(value not in (None, "", []) for value in wanted.values()):
            new.append((verdict, {"customer_id": verdict.customer_id, **wanted}))
    _insert(Profile, new, now=now)
    writing.overwrite(Profile, changes, now=now)
    writing.note(Profile, Action.UPDATE, changes, now=now)


def _contacts(rows: Sequence[tuple[ImportRow, Verdict]], files: Files, *, now: datetime) -> None:
    new: list[tuple[Verdict, Values]] = []
    changes = []
    for _row, verdict in rows:
        wanted = _part(verdict.values, "contact.")
        if not wanted.get("name"):
            continue
        filed = files.filed.get(verdict.customer_id or 0)
        contact = contact_of(verdict.values, filed) if filed else None
        if contact is None:
            filled = {name: value for name, value in wanted.items() if value is not None}
            new.append((verdict, {"customer_id": verdict.customer_id, **filled}))
            continue
        verdict.contact_id = contact["id"]
        after = {n: v for n, v in wanted.items() if f"contact.{n}" in verdict.before}
        if after:
            before = {name: contact[name] for name in after}
            version = contact["version"] + 1
            changes.append(Change(contact["id"], wanted["name"], before, after, version))
    for (verdict, _values), pk in zip(new, _insert(Contact, new, now=now), strict=True):
        verdict.contact_id = pk
    writing.overwrite(Contact, changes, now=now)
    writing.note(Contact, Action.UPDATE, changes, now=now)


def _insert(
    model: type[Profile | Contact], new: Sequence[tuple[Verdict, Values]], *, now: datetime
) -> list[int]:
    ids = writing.insert(model, [values for _verdict, values in new], now=now)
    changes = [
        Change(pk, str(values.get("name") or verdict.values.get("name", "")), None, values, 1)
        for pk, (verdict, values) in zip(ids, new, strict=True)
    ]
    writing.note(model, Action.CREATE, changes, now=now)
    return ids


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


def counts_of(run: Import) -> dict[str, int]:
    """Rows of the import by outcome; of rows left out only where there are some."""
    found = run.rows.order_by().values_list("outcome").annotate(n=Count("id"))
    always = dict.fromkeys((name for name in Outcome.values if name != Outcome.LEFT), 0)
    return {**always, **{outcome: n for outcome, n in found if outcome}}
