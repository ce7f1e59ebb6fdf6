"""The rows of an import in the reader's words: what would change, and why one was refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.models import User
from crm.lib.formats import DASH, money
from crm.lib.text import Text
from customers import birthdays, divisions, phones
from customers.birthdays import Birthday
from customers.hierarchy import Tie
from customers.importing import fields
from customers.importing.attached import line_in_words
from customers.importing.fields import FIELDS
from customers.importing.filed import ROW_NUMBERS, TIE_COLUMNS, TIES
from customers.importing.matching import alike_faults
from customers.importing.reasons import Reasons, explained
from customers.importing.values import SUPPLIERS
from customers.models import Alike, Customer, Import, ImportRow, Outcome

BIRTHDAY = "contact.birth_month"
AMOUNTS = tuple(name for name, field in FIELDS.items() if field.kind == "money")
#: Values that say nothing to a reader beside another one.
UNTOLD = ROW_NUMBERS | TIES | {"division_found"}
#: The parts of a birthday, which are shown as one.
_BIRTHDAY = (
    BIRTHDAY, "contact.birth_day", "contact.birth_year", "contact.birthday_calendar",
    "contact.birthday_leap",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Like:
    """A customer in sight that a row looks like, and what speaks for it."""

    pk: int
    name: str
    reasons: list[str]
    chosen: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """One row: its name, the customer's page ("" out of sight), changes and reasons in words."""

    row: ImportRow
    name: str
    customer_id: int | None
    #: (field, before, after); before is "" in a new customer.
    changes: list[tuple[str, str, str]]
    reasons: list[str]
    alike: list[Like]
    #: Whom to ask about one out of sight that it looks like; None where there is none.
    ask: str | None

    @property
    def brief(self) -> str:
        """The row in one line: why it was refused, or which fields it fills."""
        between = pgettext("between the items of a list", ", ")
        return self.reasons[0] if self.reasons else between.join(one[0] for one in self.changes)


class Names:
    """What the reader may know by name of those whom rows speak of, with a query for each kind."""

    def __init__(self, rows: Sequence[ImportRow], run: Import, reader: User) -> None:
        sides = [side for row in rows for side in (row.values, row.before)]
        above = {side.get(f"{tie}_id") for side in sides for tie in Tie.values}
        like = {fault[1].get("customer") for row in rows for fault in alike_faults(row.errors)}
        wanted = {pk for pk in {row.customer_id for row in rows} | above | like if pk}
        files = Customer.objects.visible_to(reader).filter(pk__in=wanted)
        self.customers = dict(files.values_list("pk", "name"))
        owners = {side.get("owner_id") for side in sides} - {None}
        users = User.objects.filter(pk__in=owners) if owners else ()
        self.people = {user.pk: user.display_name for user in users}
        numbers = {side.get(f"{tie}_row") for side in sides for tie in Tie.values} - {None}
        named = (
            run.rows.filter(number__in=numbers).only("run", "number", "values") if numbers else ()
        )
        self.rows = {row.number: str(row.values.get("name", "")) for row in named}

    def above(self, side: dict[str, Any], name: str) -> str:
        """The customer above, by its tie's column: on file, or a row of the same file."""
        tie = name.removesuffix("_id")
        if row := side.get(f"{tie}_row"):
            words = _("row %(row)d: %(name)s")
            return words % {"row": row, "name": self.rows.get(row, "")}
        return self.customers.get(side.get(name) or 0, DASH)


def shown(
    rows: Sequence[ImportRow],
    run: Import,
    reader: User,
    say: Callable[[list[str]], Iterable[Text]],
) -> list[Shown]:
    """The rows for the page, with a fixed number of queries; `say` puts into words why two files
    look alike."""
    names = Names(rows, run, reader)
    own = [str(column["head"]) for column in run.columns]
    labels = {**fields.labels(own), BIRTHDAY: fields.FIELDS["contact.birthday"].label}
    return [
        Shown(
            row,
            _name_of(row, run, names.customers),
            row.customer_id if row.customer_id in names.customers else None,
            []
            if row.before and row.customer_id not in names.customers
            else _changes(row, labels, names),
            explained(_without_alike(row.errors), labels),
            _alike(row, names, say),
            _whom_to_ask(row),
        )
        for row in rows
    ]


def _without_alike(errors: Reasons) -> Reasons:
    alike = alike_faults(errors)
    return {name: [one for one in some if one not in alike] for name, some in errors.items()}


def _alike(row: ImportRow, names: Names, say: Callable[[list[str]], Iterable[Text]]) -> list[Like]:
    told = [fault[1] for fault in alike_faults(row.errors) if fault[0] == "alike"]
    return [
        Like(
            one["customer"],
            names.customers[one["customer"]],
            [str(words) for words in say(one["reasons"])],
            row.choice == Alike.SAME and row.customer_id == one["customer"],
        )
        for one in told
        if one.get("customer") in names.customers
    ]


def _whom_to_ask(row: ImportRow) -> str | None:
    """Who owns the file out of sight, as far as the reader may know."""
    hidden = [fault[1] for fault in alike_faults(row.errors) if fault[0] == "alike_hidden"]
    if not hidden:
        return None
    owner, team = hidden[0].get("owner"), hidden[0].get("team")
    if owner and team:
        words = _("It looks like a customer of %(owner)s (%(team)s); ask there.")
    elif owner:
        words = _("It looks like a customer of %(owner)s; ask there.")
    else:
        words = _("It looks like a customer that has no owner; ask your manager.")
    return words % {"owner": owner, "team": team}


def _name_of(row: ImportRow, run: Import, in_sight: dict[int, str]) -> str:
    stored = in_sight.get(row.customer_id or 0)
    if stored and row.outcome != Outcome.CREATE:
        return stored
    column = next((int(at) for at, name in run.mapping.items() if name == "name"), None)
    cell = row.cells[column] if column is not None and column < len(row.cells) else ""
    return str(row.values.get("name") or cell or next((one for one in row.cells if one), DASH))


def _changes(row: ImportRow, labels: dict[str, str], names: Names) -> list[tuple[str, str, str]]:
    if row.outcome == Outcome.REJECTED:
        return []
    is_new = row.outcome == Outcome.CREATE
    changes = []
    for name in row.values if is_new else row.before:
        if name in UNTOLD or (is_new and name == "name"):
            continue
        after = _said(name, row.values.get(name), row.values, names)
        if is_new and after == DASH:
            continue
        was = {**row.values, **dict.fromkeys(ROW_NUMBERS), **row.before}
        before = "" if is_new else _said(name, row.before.get(name), was, names)
        label = BIRTHDAY if name in _BIRTHDAY else name
        changes.append((labels.get(label, label), before, after))
    return list(dict.fromkeys(changes))


def _said(name: str, value: Any, side: dict[str, Any], names: Names) -> str:
    """A value as people read it."""
    if name in _WHOLE:
        return _WHOLE[name](name, side, names)
    if value in (None, "", []):
        return DASH
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if name == SUPPLIERS:
        value = [line_in_words(line) for line in value]
    if isinstance(value, list):
        return pgettext("between the items of a list", ", ").join(map(str, value))
    said: dict[str, Any] = {
        "owner_id": names.people.get,
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


#: Fields that only several values of a side tell: they, the name of the field, and names → words.
_WHOLE: dict[str, Callable[[str, dict[str, Any], Names], str]] = {
    **dict.fromkeys(_BIRTHDAY, lambda _name, side, _names: _birthday(side)),
    **dict.fromkeys(TIE_COLUMNS, lambda name, side, names: names.above(side, name)),
}


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
