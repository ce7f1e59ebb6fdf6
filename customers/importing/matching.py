"""What rows come to beside what is on file: many rows, a fixed number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from accounts.models import User
from accounts.roles import Role
from customers.addresses import NOWHERE, Area, settled
from customers.alikes import alike_among, traits_written
from customers.importing.filed import Filed, difference, in_sight, read, same, with_details
from customers.importing.reasons import Reasons, is_warning
from customers.importing.values import SUPPLIERS, Values
from customers.keys import name_key, phone_key
from customers.likeness import LISTED, Traits
from customers.models import (
    Alias,
    Customer,
    DivisionFound,
    ImportMode,
    IndexCard,
    Outcome,
)

_AREA = {
    DivisionFound.UNKNOWN: "area_unknown",
    DivisionFound.AMBIGUOUS: "area_ambiguous",
}
#: Files in sight that are shown of those that a row looks like.
MOST_SHOWN = 3
#: Files, in sight or not, that are looked at for one row.
MOST_TOLD = 10


@dataclass(slots=True)
class Verdict:
    """What a row comes to, with what it would replace."""

    outcome: str
    values: Values
    errors: Reasons
    before: Values = field(default_factory=dict)
    customer_id: int | None = None
    version: int | None = None
    contact_id: int | None = None


def key_of(key: str, values: Values) -> str:
    """What two rows of one customer share, where files are found by the field `key`."""
    text = str(values.get(key) or "")
    if key == "name":
        return name_key(text) or text
    return (phone_key(text) or text) if key == "phone" else text


class Files:
    """What is on file about some rows, as far as `by`, who acts, and the uploader may know.

    `look_up` reads it.
    """

    def __init__(self, by: User, uploader: User, *, key: str, mode: str) -> None:
        self.by, self.uploader, self.key, self.mode = by, uploader, key, mode
        self.in_sight = in_sight(by, uploader)
        self.assigns = _assigns(by) and _assigns(uploader)
        self.hits: dict[str, set[int]] = {}
        self.names: dict[int, str] = {}
        self.filed: dict[int, Filed] = {}
        self.numbers: dict[str, int] = {}
        self.owners: dict[str, set[int]] = {}

    # --- reading

    def look_up(
        self, rows: Sequence[Values], *, ids: Collection[int] = (), locking: bool = False
    ) -> None:
        """Read the files that the rows' keys hit, and those with `ids`. `locking` holds the
        customers until the transaction ends."""
        keys = {key_of(self.key, values) for values in rows} - {""}
        self.hits, self.names = defaultdict(set), {}
        for value, pk, name in self._hits(keys):
            self.hits[value].add(pk)
            self.names[pk] = name
        self._narrow_to_exact_names(rows)
        self.numbers = self._by_number(
            {values["external_id"] for values in rows if values.get("external_id")}
        )
        wanted = {*ids, *(pk for pks in self.hits.values() for pk in pks)}
        self.filed = read(wanted, self.in_sight, locking=locking)
        self._read_owners(rows)

    def look_also(self, ids: Collection[int]) -> None:
        """Read these files beside those that the keys hit."""
        self.filed |= read(set(ids) - self.filed.keys(), self.in_sight)

    def _hits(self, keys: Collection[str]) -> Iterable[tuple[str, int, str]]:
        if not keys:
            return
        if self.key in ("name", "phone"):
            column = f"{self.key}_key"
            cards = IndexCard.objects.filter(**{f"{column}__in": keys})
            yield from cards.values_list(column, "customer_id", "customer__name")
            return
        found = Customer.objects.filter(**{f"{self.key}__in": keys})
        yield from found.values_list(self.key, "pk", "name")
        if self.key == "external_id":
            old = Alias.objects.filter(external_id__in=keys)
            yield from old.values_list("external_id", "customer_id", "customer__name")

    def _narrow_to_exact_names(self, rows: Sequence[Values]) -> None:
        """Of several files of one key, the one of exactly this name is meant."""
        if self.key != "name":
            return
        for values in rows:
            key = key_of("name", values)
            hits = self.hits.get(key, set())
            if len(hits) > 1:
                exact = {pk for pk in hits if self.names[pk] == values.get("name")}
                if len(exact) == 1:
                    self.hits[key] = exact

    def _by_number(self, numbers: Collection[str]) -> dict[str, int]:
        if not numbers:
            return {}
        taken = dict(
            Alias.objects.filter(external_id__in=numbers).values_list("external_id", "customer_id")
        )
        stored = Customer.objects.filter(external_id__in=numbers)
        return taken | {str(number): pk for number, pk in stored.values_list("external_id", "pk")}

    def _read_owners(self, rows: Sequence[Values]) -> None:
        wanted = {str(values["owner"]) for values in rows if values.get("owner")}
        self.owners = defaultdict(set)
        if not wanted:
            return
        people = User.objects.get_queryset().visible_to(self.uploader).owners()
        if self.by.pk != self.uploader.pk:
            people = people.visible_to(self.by)
        lower = {name.lower() for name in wanted}
        for pk, username, name in people.values_list("pk", "username", "name"):
            for word in {username.lower(), name.lower()} & lower:
                self.owners[word].add(pk)

    # --- judging

    def judge(self, values: Values, errors: Reasons, *, same_as: int | None = None) -> Verdict:
        """What becomes of a row; `errors` are those of its cells. `same_as` is the customer that
        a person took it for, whatever its key says; that one keeps the number it has."""
        values, errors = dict(values), {name: list(faults) for name, faults in errors.items()}
        found = self._by_key(values, errors) if same_as is None else same_as
        filed = self.filed.get(found) if found else None
        if same_as is not None and filed is None:
            errors[""] = [["not_there", {}]]
        if same_as is not None and filed and filed.values["external_id"]:
            values.pop("external_id", None)
        if not filed and not values.get("name"):
            errors.setdefault("name", [["required", {}]])
        taken = self.numbers.get(str(values.get("external_id") or ""))
        if taken and taken != found:
            errors.setdefault("external_id", [["number_taken", {}]])
        self._owner(values, filed, errors)
        self._area(values, filed, errors)
        if SUPPLIERS in values:
            values[SUPPLIERS] = with_details(values[SUPPLIERS] or [], filed)
        if refuses(errors):
            return Verdict(Outcome.REJECTED, values, only_faults(errors), customer_id=found)
        if filed is None:
            return Verdict(Outcome.CREATE, values, errors)
        before, contact_id = difference(values, filed)
        outcome = Outcome.UPDATE if before else Outcome.UNCHANGED
        return Verdict(outcome, values, errors, before, filed.pk, filed.version, contact_id)

    def _by_key(self, values: Values, errors: Reasons) -> int | None:
        """The file that the key of the row hits, if the mode takes that."""
        key = key_of(self.key, values)
        hits = self.hits.get(key, set()) if key else set()
        found = self._found(key, hits, errors)
        if not hits and key and self.mode == ImportMode.UPDATE:
            errors[self.key] = [["not_on_file", {}]]
        if found and self.mode == ImportMode.CREATE:
            errors[self.key] = [["on_file", {}]]
        return found

    def _found(self, key: str, hits: set[int], errors: Reasons) -> int | None:
        """The one file in sight that the key hits; notes why there is none where it hits any."""
        if not key:
            errors.setdefault(self.key, [["no_key", {}]])
        elif hits - self.filed.keys():
            errors[self.key] = [["hidden", {}]]
        elif len(hits) > 1:
            errors[self.key] = [["several", {"number": len(hits)}]]
        elif hits:
            return next(iter(hits))
        return None

    def _owner(self, values: Values, filed: Filed | None, errors: Reasons) -> None:
        """Name the owner by id. A new one of nobody is its uploader's, if that one owns any."""
        word = values.pop("owner", None)
        if word:
            found = self.owners.get(str(word).lower(), set())
            if len(found) != 1:
                code = "owner_twice" if found else "owner_unknown"
                errors["owner"] = [[code, {"text": str(word)[:60]}]]
                return
            values["owner_id"] = next(iter(found))
        elif filed is None and self.uploader.role in (Role.REP, Role.MANAGER):
            values["owner_id"] = self.uploader.pk
        owner = values.get("owner_id")
        before = filed.values["owner_id"] if filed else self.uploader.pk
        if owner and owner != before and not self.assigns:
            errors["owner"] = [["owner_rights", {}]]

    def _area(self, values: Values, filed: Filed | None, errors: Reasons) -> None:
        """Look for the area in the address where nobody gave one."""
        address, given = values.get("address"), values.get("division")
        if not given and (not address or (filed and same(address, filed.values["address"]))):
            return
        stored = filed.values if filed else None
        before = (
            Area(stored["division"], stored["division_found"], stored["address"])
            if stored
            else NOWHERE
        )
        area = settled(before, division=given, address=str(address or before.address))
        values["division"], values["division_found"] = area.division, area.found
        if area.found in _AREA:
            errors.setdefault("address", []).append([_AREA[DivisionFound(area.found)], {}])

    # --- what looks like a customer on file

    def warn_of_alike(self, verdicts: Sequence[Verdict]) -> None:
        """Put beside each new customer which files it looks like, the most alike first; of one
        out of sight only whose it is."""
        traits = [_traits(verdict.values) for verdict in verdicts]
        found = [some[:MOST_TOLD] for some in alike_among(traits)]
        ids = {pk for some in found for pk, _verdict in some}
        seen = set(self.in_sight.filter(pk__in=ids).values_list("pk", flat=True)) if ids else set()
        hidden = {
            pk for some in found for pk, one in some if pk not in seen and one.score >= LISTED
        }
        owners = Customer.objects.filter(pk__in=hidden).select_related("owner__team")
        whose = {one.pk: one.owner for one in owners} if hidden else {}
        for verdict, some in zip(verdicts, found, strict=True):
            told: list[list[Any]] = [
                ["alike", {"customer": pk, "score": one.score, "reasons": list(one.reasons)}]
                for pk, one in some
                if pk in seen
            ][:MOST_SHOWN]
            out_of_sight = next((pk for pk, _one in some if pk in hidden), None)
            if out_of_sight is not None:
                told.append(["alike_hidden", _whom_to_ask(whose.get(out_of_sight))])
            if told:
                verdict.errors.setdefault("", []).extend(told)


def _assigns(user: User) -> bool:
    return user.role == Role.INTEGRATION or user.may("customers:assign")


def _traits(values: Values) -> Traits:
    return traits_written(
        name=str(values["name"]),
        phone=str(values.get("phone") or ""),
        address=str(values.get("address") or ""),
        tax_id=str(values.get("tax_id") or ""),
        division=str(values.get("division") or ""),
    )


def _whom_to_ask(owner: User | None) -> dict[str, str]:
    team = owner.team.name if owner and owner.team else ""
    return {"owner": owner.display_name if owner else "", "team": team}


def alike_faults(errors: Reasons) -> list[list[Any]]:
    """Of the reasons beside a row, which files it looks like."""
    return [fault for fault in errors.get("", ()) if fault[0] in ("alike", "alike_hidden")]


def likeliest(errors: Reasons) -> int | None:
    """The customer in sight that a row looks most like."""
    seen = (fault[1]["customer"] for fault in alike_faults(errors) if fault[0] == "alike")
    return next(seen, None)


def refuses(errors: Mapping[str, Sequence[Sequence[Any]]]) -> bool:
    """Whether there is more among the reasons than warnings."""
    return any(not is_warning(fault[0]) for faults in errors.values() for fault in faults)


def only_faults(errors: Reasons) -> Reasons:
    """The reasons without the warnings."""
    faults = {n: [one for one in some if not is_warning(one[0])] for n, some in errors.items()}
    return {name: some for name, some in faults.items() if some}
