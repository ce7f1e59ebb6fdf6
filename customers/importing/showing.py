"""The rows of an import in the reader's words: what would change, and why one was refused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.models import User
from crm.lib.formats import DASH, money
from customers import birthdays, divisions, phones
from customers.birthdays import Birthday
from customers.importing import fields
from customers.importing.fields import FIELDS
from customers.importing.reasons import explained
from customers.models import Customer, Import, ImportRow, Outcome

BIRTHDAY = "contact.birth_month"
AMOUNTS = tuple(name for name, field in FIELDS.items() if field.kind == "money")
#: The parts of a birthday, which are shown as one.
_BIRTHDAY = (
    BIRTHDAY, "contact.birth_day", "contact.birth_year", "contact.birthday_calendar",
    "contact.birthday_leap",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shown:
    """One row: its name, the customer's page ("" out of sight), changes and reasons in words."""

    row: ImportRow
    name: str
    customer_id: int | None
    #: (field, before, after); before is "" in a new customer.
    changes: list[tuple[str, str, str]]
    reasons: list[str]


def shown(rows: Sequence[ImportRow], run: Import, reader: User) -> list[Shown]:
    """The rows for the page, with two queries for any number of them."""
    wanted = {row.customer_id for row in rows if row.customer_id}
    in_sight = dict(
        Customer.objects.visible_to(reader).filter(pk__in=wanted).values_list("pk", "name")
    )
    people = _people(rows)
    own = [str(column["head"]) for column in run.columns]
    labels = {**fields.labels(own), BIRTHDAY: fields.FIELDS["contact.birthday"].label}
    return [
        Shown(
            row,
            _name_of(row, run, in_sight),
            row.customer_id if row.customer_id in in_sight else None,
            [] if row.before and row.customer_id not in in_sight else _changes(row, labels, people),
            explained(row.errors, labels),
        )
        for row in rows
    ]


def _people(rows: Iterable[ImportRow]) -> dict[int, str]:
    ids = {side.get("owner_id") for row in rows for side in (row.values, row.before)} - {None}
    if not ids:
        return {}
    return {user.pk: user.display_name for user in User.objects.filter(pk__in=ids)}


def _name_of(row: ImportRow, run: Import, in_sight: dict[int, str]) -> str:
    stored = in_sight.get(row.customer_id or 0)
    if stored and row.outcome != Outcome.CREATE:
        return stored
    column = next((int(at) for at, name in run.mapping.items() if name == "name"), None)
    cell = row.cells[column] if column is not None and column < len(row.cells) else ""
    return str(row.values.get("name") or cell or next((one for one in row.cells if one), DASH))


def _changes(
    row: ImportRow, labels: dict[str, str], people: dict[int, str]
) -> list[tuple[str, str, str]]:
    if row.outcome == Outcome.REJECTED:
        return []
    is_new = row.outcome == Outcome.CREATE
    changes = []
    for name in row.values if is_new else row.before:
        if name == "division_found" or (is_new and name == "name"):
            continue
        after = _said(name, row.values.get(name), row.values, people)
        if is_new and after == DASH:
            continue
        was = row.values | row.before
        before = "" if is_new else _said(name, row.before.get(name), was, people)
        label = BIRTHDAY if name in _BIRTHDAY else name
        changes.append((labels.get(label, label), before, after))
    return list(dict.fromkeys(changes))


def _said(name: str, value: Any, side: dict[str, Any], people: dict[int, str]) -> str:
    """A value as people read it."""
    if name in _BIRTHDAY:
        return _birthday(side) if value is not None else DASH
    if value in (None, "", []):
        return DASH
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return pgettext("between the items of a list", ", ").join(map(str, value))
    said: dict[str, Any] = {
        "owner_id": people.get,
        "phone": phones.display,
        "contact.phone": phones.display,
        "division": lambda code: divisions.name(code) or code,
        **dict.fromkeys(AMOUNTS, lambda text: money(Decimal(text))),
    }
    if name in said:
        return str(said[name](value) or DASH)
    choices = FIELDS[name].column.flatchoices if name in FIELDS else ()
    return str(dict(choices).get(value, value))


def _birthday(side: dict[str, Any]) -> str:
    """The birthday whose parts are in `side`; a dash where some are missing."""
    month, day = side.get(BIRTHDAY), side.get("contact.birth_day")
    if not month or not day:
        return DASH
    calendar = str(side.get("contact.birthday_calendar") or "solar")
    leap, year = bool(side.get("contact.birthday_leap")), side.get("contact.birth_year")
    return birthdays.in_words(Birthday(calendar, int(month), int(day), leap, year))


def rejected_table(run: Import) -> tuple[list[str], Iterable[list[object]]]:
    """Heads and rows of the refused rows: their own cells, then where they stood and why."""
    heads = [str(column["head"]) for column in run.columns]
    ours = [at for at, head in enumerate(heads) if fields.is_ours(head)]
    labels = {**fields.labels(heads), BIRTHDAY: fields.FIELDS["contact.birthday"].label}
    keep = [at for at in range(len(heads)) if at not in ours]

    def rows() -> Iterable[list[object]]:
        refused = run.rows.filter(outcome=Outcome.REJECTED).order_by("number")
        for row in refused.iterator(chunk_size=2000):
            cells = [row.cells[at] if at < len(row.cells) else "" for at in keep]
            yield [*cells, row.number, " ".join(explained(row.errors, labels))]

    return [*(heads[at] for at in keep), str(fields.ROW_HEAD), str(fields.REASON_HEAD)], rows()
