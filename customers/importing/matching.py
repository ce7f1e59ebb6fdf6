"""What rows come to beside what is on file: many rows, a fixed number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from accounts.models import User
from accounts.roles import Role
from customers.addresses import NOWHERE, Area, settled
from customers.importing.fields import FIELDS, OWN
from customers.importing.reasons import Reasons, is_warning
from customers.importing.values import Values, blank
from customers.keys import name_key, phone_key
from customers.models import (
    Alias,
    Contact,
    Customer,
    DivisionFound,
    ImportMode,
    IndexCard,
    Outcome,
    Profile,
)

#: Columns of a customer that an import may write, apart from its own fields.
CUSTOMER = (
    "external_id", "name", "kind", "status", "phone", "email", "tax_id", "address", "division",
    "division_found", "latitude", "longitude", "founded_on", "buyout", "tags", "owner_id",
)  # fmt: skip
PROFILE = tuple(name.removeprefix("profile.") for name in FIELDS if name.startswith("profile."))
CONTACT = (
    "name", "title", "phone", "email", "wechat", "birthday_calendar", "birth_year",
    "birth_month", "birth_day", "birthday_leap",
)  # fmt: skip
_AREA = {
    DivisionFound.UNKNOWN: "area_unknown",
    DivisionFound.AMBIGUOUS: "area_ambiguous",
}


@dataclass(slots=True)
class Filed:
    """A customer in sight as it stands, in the form that rows have."""

    pk: int
    version: int
    values: Values
    custom: Values
    #: With `id` and `version`; None where nobody made one.
    profile: Values | None = None
    contacts: list[Values] = field(default_factory=list)


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


def is_empty(value: Any) -> bool:
    return value in (None, "", [])


def same(one: Any, other: Any) -> bool:
    """Whether two values say the same: nothing is nothing, and 1 is not True."""
    if is_empty(one) or is_empty(other):
        return is_empty(one) and is_empty(other)
    return type(one) is type(other) and bool(one == other)


class Files:
    """What is on file about some rows, as far as `user` may know; `look_up` reads it."""

    def __init__(self, user: User, *, key: str, mode: str) -> None:
        self.user, self.key, self.mode = user, key, mode
        self.assigns = user.role == Role.INTEGRATION or user.may("customers:assign")
        self.hits: dict[str, set[int]] = {}
        self.names: dict[int, str] = {}
        self.seen: set[int] = set()
        self.filed: dict[int, Filed] = {}
        self.numbers: dict[str, int] = {}
        self.owners: dict[str, set[int]] = {}
        self.alike: dict[tuple[str, str], set[int]] = {}

    # --- reading

    def look_up(
        self,
        rows: Sequence[Values],
        *,
        ids: Collection[int] = (),
        locking: bool = False,
        alike: bool = False,
    ) -> None:
        """Read the files that the rows' keys hit, and those with `ids`; with `alike`, also what
        looks like a new customer. `locking` holds the customers until the transaction ends."""
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
        others = self._alike(rows) if alike else set()
        self._read(wanted, locking=locking)
        if others:
            files = Customer.objects.visible_to(self.user).filter(pk__in=others)
            in_sight = dict(files.values_list("pk", "name"))
            self.names |= in_sight
            self.seen |= in_sight.keys()
        self._read_owners(rows)

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

    def _alike(self, rows: Sequence[Values]) -> set[int]:
        """Files that share the name's key, the phone or the tax number with a row."""
        self.alike = defaultdict(set)
        names = {name_key(str(v["name"])) for v in rows if v.get("name")} - {""}
        numbers = {phone_key(str(v["phone"])) for v in rows if v.get("phone")} - {""}
        taxes = {v["tax_id"] for v in rows if v.get("tax_id")}
        for column, wanted in (("name_key", names), ("phone_key", numbers)):
            cards = IndexCard.objects.filter(**{f"{column}__in": wanted}) if wanted else ()
            for value, pk in cards.values_list(column, "customer_id") if cards else ():
                self.alike[column, value].add(pk)
        if taxes:
            found = Customer.objects.filter(tax_id__in=taxes).values_list("tax_id", "pk")
            for value, pk in found:
                self.alike["tax_id", value].add(pk)
        return {pk for pks in self.alike.values() for pk in pks}

    def _read(self, ids: Collection[int], *, locking: bool) -> None:
        self.filed, self.seen = {}, set()
        if not ids:
            return
        files = Customer.objects.visible_to(self.user).filter(pk__in=ids)
        if locking:
            # In the order in which the bulk sync writes: two writers never wait crosswise.
            files = files.order_by("external_id", "pk").select_for_update(of=("self",), no_key=True)
        for pk, version, custom, *values in files.values_list("pk", "version", "custom", *CUSTOMER):
            stored = {n: in_form(v) for n, v in zip(CUSTOMER, values, strict=True)}
            self.filed[pk] = Filed(pk, version, stored, custom)
        self.seen = set(self.filed)
        profiles = Profile.objects.filter(customer__in=self.filed)
        for customer_id, *values in profiles.values_list("customer_id", "id", "version", *PROFILE):
            self.filed[customer_id].profile = _as_dict(("id", "version", *PROFILE), values)
        people = Contact.objects.filter(customer__in=self.filed, has_left=False).order_by("pk")
        for customer_id, *values in people.values_list("customer_id", "id", "version", *CONTACT):
            self.filed[customer_id].contacts.append(_as_dict(("id", "version", *CONTACT), values))

    def _read_owners(self, rows: Sequence[Values]) -> None:
        wanted = {str(values["owner"]) for values in rows if values.get("owner")}
        self.owners = defaultdict(set)
        if not wanted:
            return
        people = User.objects.get_queryset().visible_to(self.user).owners()
        lower = {name.lower() for name in wanted}
        for pk, username, name in people.values_list("pk", "username", "name"):
            for word in {username.lower(), name.lower()} & lower:
                self.owners[word].add(pk)

    # --- judging

    def judge(self, values: Values, errors: Reasons) -> Verdict:
        """What becomes of a row; `errors` are those of its cells."""
        values, errors = dict(values), {name: list(faults) for name, faults in errors.items()}
        key = key_of(self.key, values)
        hits = self.hits.get(key, set()) if key else set()
        found = self._found(key, hits, errors)
        filed = self.filed.get(found) if found else None
        if not hits and key and self.mode == ImportMode.UPDATE:
            errors[self.key] = [["not_on_file", {}]]
        if filed and self.mode == ImportMode.CREATE:
            errors[self.key] = [["on_file", {}]]
        if not filed and not values.get("name"):
            errors.setdefault("name", [["required", {}]])
        taken = self.numbers.get(str(values.get("external_id") or ""))
        if taken and taken != found:
            errors.setdefault("external_id", [["number_taken", {}]])
        self._owner(values, filed, errors)
        self._area(values, filed, errors)
        if refuses(errors):
            return Verdict(Outcome.REJECTED, values, only_faults(errors), customer_id=found)
        if filed is None:
            self._warn_of_alike(values, errors)
            return Verdict(Outcome.CREATE, values, errors)
        before, contact_id = difference(values, filed)
        outcome = Outcome.UPDATE if before else Outcome.UNCHANGED
        return Verdict(outcome, values, errors, before, filed.pk, filed.version, contact_id)

    def _found(self, key: str, hits: set[int], errors: Reasons) -> int | None:
        """The one file in sight that the key hits; notes why there is none where it hits any."""
        if not key:
            errors.setdefault(self.key, [["no_key", {}]])
        elif hits - self.seen:
            errors[self.key] = [["hidden", {}]]
        elif len(hits) > 1:
            errors[self.key] = [["several", {"number": len(hits)}]]
        elif hits:
            return next(iter(hits))
        return None

    def _owner(self, values: Values, filed: Filed | None, errors: Reasons) -> None:
        """Name the owner by id. A new customer of nobody is its importer's, if he owns any."""
        word = values.pop("owner", None)
        if word:
            found = self.owners.get(str(word).lower(), set())
            if len(found) != 1:
                code = "owner_twice" if found else "owner_unknown"
                errors["owner"] = [[code, {"text": str(word)[:60]}]]
                return
            values["owner_id"] = next(iter(found))
        elif filed is None and self.user.role in (Role.REP, Role.MANAGER):
            values["owner_id"] = self.user.pk
        owner = values.get("owner_id")
        before = filed.values["owner_id"] if filed else self.user.pk
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

    def _warn_of_alike(self, values: Values, errors: Reasons) -> None:
        keys = (
            ("name_key", name_key(str(values["name"]))),
            ("phone_key", phone_key(str(values.get("phone") or ""))),
            ("tax_id", str(values.get("tax_id") or "")),
        )
        found = {pk for key in keys if key[1] for pk in self.alike.get(key, ())}
        if found & self.seen:
            name = self.names[min(found & self.seen)]
            errors.setdefault("", []).append(["alike", {"name": name}])
        elif found:
            errors.setdefault("", []).append(["alike_hidden", {}])


def difference(values: Values, filed: Filed) -> tuple[Values, int | None]:
    """What the row would replace of the file, by field, and the contact it speaks of.

    A contact that is not there yet shows as a name that was None.
    """
    before = {
        name: stored(filed, name)
        for name, value in values.items()
        if not name.startswith("contact.") and not same(value, stored(filed, name))
    }
    if not values.get("contact.name"):
        return before, None
    contact = contact_of(values, filed)
    if contact is None:
        return before | {"contact.name": None}, None
    for name, value in values.items():
        column = name.removeprefix("contact.")
        if column != name and not same(value, contact[column]):
            before[name] = contact[column]
    return before, int(contact["id"])


def stored(filed: Filed, name: str) -> Any:
    """What the file holds in a field of the customer, its profile, or its own fields."""
    if name.startswith(f"{OWN}."):
        value = filed.custom.get(name.removeprefix(f"{OWN}."))
        return value if value is None or isinstance(value, str) else str(value)
    if name.startswith("profile."):
        column = name.removeprefix("profile.")
        return filed.profile[column] if filed.profile else blank(name)
    return filed.values[name]


def contact_of(values: Values, filed: Filed) -> Values | None:
    """The contact on file that the row speaks of: of the same name, else of the same phone."""
    for name in ("name", "phone"):
        wanted = values.get(f"contact.{name}")
        found = [one for one in filed.contacts if wanted and one[name] == wanted]
        if found:
            return found[0]
    return None


def refuses(errors: Mapping[str, Sequence[Sequence[Any]]]) -> bool:
    """Whether there is more among the reasons than warnings."""
    return any(not is_warning(fault[0]) for faults in errors.values() for fault in faults)


def only_faults(errors: Reasons) -> Reasons:
    """The reasons without the warnings."""
    faults = {n: [one for one in some if not is_warning(one[0])] for n, some in errors.items()}
    return {name: some for name, some in faults.items() if some}


def in_form(value: Any) -> Any:
    """A stored value in the form that rows have."""
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if isinstance(value, date) else value


def _as_dict(names: Sequence[str], values: Sequence[Any]) -> Values:
    return {name: in_form(value) for name, value in zip(names, values, strict=True)}
