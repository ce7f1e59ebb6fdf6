"""Customers on file beside rows: how they stand, in the form that rows have, and what differs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from accounts.models import User
from customers.hierarchy import Tie
from customers.importing.fields import FIELDS, OWN
from customers.importing.values import SCORES, SUPPLIERS, Values, blank
from customers.models import Contact, Customer, CustomerQuerySet, Profile, Supplier

#: Columns of a customer that an import may write, apart from its own fields.
CUSTOMER = (
    "external_id", "name", "kind", "status", "phone", "email", "tax_id", "address", "division",
    "division_found", "latitude", "longitude", "founded_on", "buyout", "tags", "owner_id",
    "parent_id", "group_head_id",
)  # fmt: skip
PROFILE = tuple(
    name.removeprefix("profile.")
    for name in FIELDS
    if name.startswith("profile.") and name not in (SUPPLIERS, SCORES)
)
CONTACT = (
    "name", "title", "phone", "email", "wechat", "birthday_calendar", "birth_year",
    "birth_month", "birth_day", "birthday_leap",
)  # fmt: skip
#: Fields that hold a customer above as the cell names it, until it is known who that is.
TIES = frozenset(Tie.values)
TIE_COLUMNS = frozenset(f"{tie}_id" for tie in Tie.values)
#: Values that name a row of the file as the customer above; an id stands beside each in the end.
ROW_NUMBERS = frozenset(f"{tie}_row" for tie in Tie.values)


@dataclass(slots=True)
class Filed:
    """A customer in sight as it stands, in the form that rows have."""

    pk: int
    version: int
    values: Values
    custom: Values
    #: With `id` and `version`; None where nobody made one.
    profile: Values | None = None
    #: With `id` and `version`, in their order.
    suppliers: list[Values] = field(default_factory=list)
    contacts: list[Values] = field(default_factory=list)


def in_sight(by: User, uploader: User) -> CustomerQuerySet:
    """The customers that an import may touch: those that both who acts and who uploaded it see.

    Somebody who may not sign in any more sees nothing; whoever goes on with that import answers
    for it alone.
    """
    files: CustomerQuerySet = Customer.objects.visible_to(by)
    return files.visible_to(uploader) if uploader.is_active and uploader.pk != by.pk else files


def read(
    ids: Collection[int], files: CustomerQuerySet, *, locking: bool = False
) -> dict[int, Filed]:
    """The customers with these ids among `files`, with all that hangs on them; `locking` holds
    them until the transaction ends."""
    found: dict[int, Filed] = {}
    if not ids:
        return found
    files = files.filter(pk__in=ids)
    if locking:
        # In the order in which the bulk sync writes: two writers never wait crosswise.
        files = files.order_by("external_id", "pk").select_for_update(of=("self",), no_key=True)
    for pk, version, custom, *values in files.values_list("pk", "version", "custom", *CUSTOMER):
        stored = {n: in_form(v) for n, v in zip(CUSTOMER, values, strict=True)}
        found[pk] = Filed(pk, version, stored, custom)
    if not found:
        return found
    profiles = Profile.objects.filter(customer__in=found)
    for customer_id, *values in profiles.values_list("customer_id", "id", "version", *PROFILE):
        found[customer_id].profile = _as_dict(("id", "version", *PROFILE), values)
    line = ("id", "version", "name", "supplies", "satisfaction")
    suppliers = Supplier.objects.filter(customer__in=found).order_by("pk")
    for customer_id, *values in suppliers.values_list("customer_id", *line):
        found[customer_id].suppliers.append(_as_dict(line, values))
    people = Contact.objects.filter(customer__in=found, has_left=False).order_by("pk")
    for customer_id, *values in people.values_list("customer_id", "id", "version", *CONTACT):
        found[customer_id].contacts.append(_as_dict(("id", "version", *CONTACT), values))
    return found


def is_empty(value: Any) -> bool:
    return value in (None, "", [])


def same(one: Any, other: Any) -> bool:
    """Whether two values say the same: nothing is nothing, and 1 is not True."""
    if is_empty(one) or is_empty(other):
        return is_empty(one) and is_empty(other)
    return type(one) is type(other) and bool(one == other)


def difference(values: Values, filed: Filed) -> tuple[Values, int | None]:
    """What the row would replace of the file, by field, and the contact it speaks of.

    A contact that is not there yet shows as a name that was None.
    """
    before = {
        name: stored(filed, name)
        for name, value in values.items()
        if not name.startswith("contact.")
        and name not in TIES
        and not same(value, stored(filed, name))
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
    if name == SUPPLIERS:
        return [[one["name"], one["supplies"], one["satisfaction"]] for one in filed.suppliers]
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


def with_details(lines: Sequence[Sequence[Any]], filed: Filed | None) -> list[list[Any]]:
    """The row's suppliers; what it does not say of one that is on file stays as it is.

    Those on file come first, in their order, as they will stand once the row is written.
    """
    on_file = filed.suppliers if filed else []
    known = {one["name"]: one for one in reversed(on_file)}
    order = {one["name"]: at for at, one in enumerate(on_file)}
    told = []
    for name, supplies, satisfaction in lines:
        one = known.get(name, {"supplies": "", "satisfaction": None})
        told.append(
            [
                name,
                one["supplies"] if supplies is None else supplies,
                one["satisfaction"] if satisfaction is None else satisfaction,
            ]
        )
    return sorted(told, key=lambda line: order.get(line[0], len(order)))


def in_form(value: Any) -> Any:
    """A stored value in the form that rows have."""
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if isinstance(value, date) else value


def _as_dict(names: Sequence[str], values: Sequence[Any]) -> Values:
    return {name: in_form(value) for name, value in zip(names, values, strict=True)}
