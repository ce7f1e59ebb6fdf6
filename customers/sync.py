"""What customers add to the bulk sync."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, TypeAlias

import msgspec
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _
from msgspec import UNSET, Meta, UnsetType

from accounts.models import User
from accounts.roles import Role
from accounts.sync_resource import Change, Rejected, SyncResource, Values
from crm.lib import bulk
from crm.lib.records import (
    Errors,
    Key,
    Reader,
    SyncRecord,
    fixed,
    number_fault,
    value_fault,
)
from customers import cards, divisions, events, phones
from customers.addresses import NOWHERE, Area, settled
from customers.aliases import ids_by_number, no_customer, own_numbers
from customers.companions import follow
from customers.hierarchy import BELOW_ITSELF, Tie, ancestors, lock, nodes_in_loops
from customers.models import Customer, Kind, Status
from customers.serializers import MOST_CUSTOM

Text: TypeAlias = Annotated[str, Meta(max_length=32)]
Tag: TypeAlias = Annotated[str, Meta(min_length=1, max_length=50)]


class CustomerRecord(SyncRecord):
    """A customer as the ERP sends it."""

    name: Annotated[str, Meta(max_length=200)] | UnsetType | None = UNSET
    kind: Text | UnsetType | None = UNSET
    status: Text | UnsetType | None = UNSET
    parent: Key | UnsetType | None = UNSET
    group_head: Key | UnsetType | None = UNSET
    owner: Annotated[str, Meta(max_length=150)] | UnsetType | None = UNSET
    division: Annotated[str, Meta(max_length=6)] | UnsetType | None = UNSET
    address: Annotated[str, Meta(max_length=300)] | UnsetType | None = UNSET
    latitude: Decimal | UnsetType | None = UNSET
    longitude: Decimal | UnsetType | None = UNSET
    phone: Text | UnsetType | None = UNSET
    email: Annotated[str, Meta(max_length=254)] | UnsetType | None = UNSET
    tax_id: Text | UnsetType | None = UNSET
    founded_on: date | UnsetType | None = UNSET
    buyout: bool | UnsetType | None = UNSET
    tags: Annotated[list[Tag], Meta(max_length=50)] | UnsetType | None = UNSET
    custom: dict[str, Any] | UnsetType | None = UNSET


class Own(dict[str, Any]):
    """The own fields of a customer: equal only if they read the same (to Python, 1 is true)."""

    __hash__ = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, dict) and _canonical(self) == _canonical(other)

    def __ne__(self, other: object) -> bool:
        return not self == other


def _canonical(value: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode(dict(value), order="sorted")


#: The columns that lead to the customers above.
TIES = tuple(f"{tie}_id" for tie in Tie.values)
_CHOICES = {"kind": Kind.values, "status": Status.values}
_DEGREES = {"latitude": 90, "longitude": 180}
_PLAIN = (
    "name",
    "kind",
    "status",
    "division",
    "address",
    "latitude",
    "longitude",
    "phone",
    "email",
    "tax_id",
    "founded_on",
    "buyout",
    "tags",
)


class CustomerSync(SyncResource[CustomerRecord]):
    """Customers refer to their owner, and to a parent that may come in the same body."""

    name = "customers"
    model = Customer
    reader = Reader(CustomerRecord)
    columns = (
        *(*_PLAIN, "division_found", "custom"),
        *("parent_id", "group_head_id", "owner_id", "source_updated_at"),
    )
    required = ("name",)
    in_parts = True
    fresh: ClassVar[Mapping[str, Any]] = {
        "abc": None,
        "loyalty": None,
        "key_account": False,
        "net_amount": None,
        "order_count": 0,
        "last_ordered_on": None,
        "last_visited_on": None,
    }
    blank: ClassVar[Mapping[str, Any]] = {
        "name": "",
        "kind": Kind.DEALER.value,
        "status": Status.PROSPECT.value,
        "division": "",
        "division_found": "",
        "address": "",
        "latitude": None,
        "longitude": None,
        "phone": "",
        "email": "",
        "tax_id": "",
        "founded_on": None,
        "buyout": False,
        "tags": [],
        "custom": Own(),
        "parent_id": None,
        "group_head_id": None,
        "owner_id": None,
        "source_updated_at": None,
    }

    def __init__(self, user: User) -> None:
        super().__init__(user)
        self.assigns = user.role == Role.INTEGRATION or user.may("customers:assign")
        #: Username → id, and whether customers can be given to this user (a former one keeps his).
        self.owners: dict[str, tuple[int, bool]] = {}
        #: Parents that are stored, by external_id.
        self.parents: dict[str, int] = {}
        #: Customers of this part of the body that are not stored yet.
        self.coming: set[str] = set()
        #: By tie: child → the one above, where that is one of those.
        self.later: dict[str, dict[str, str]] = {}

    # --- before the transaction

    def check(self, record: CustomerRecord) -> Errors:
        errors = _choice_faults(record)
        if record.division and not divisions.is_known(record.division):
            errors["division"] = [
                _("No division has the code “%(code)s”.") % {"code": record.division}
            ]
        for name, most in _DEGREES.items():
            value = getattr(record, name)
            if isinstance(value, Decimal):
                try:
                    setattr(record, name, _degrees(value, most))
                except ValueError as bad:
                    errors[name] = [str(bad)]
        if record.email:
            try:
                validate_email(record.email)
            except ValidationError as bad:
                errors["email"] = bad.messages
        if record.phone:
            record.phone = phones.stored(record.phone)  # what nobody can read stays as it came
        for tie, refusal in BELOW_ITSELF.items():
            if getattr(record, tie) and getattr(record, tie) == record.external_id:
                errors[tie] = [str(refusal)]
        if isinstance(record.tags, list):
            record.tags = [tag.strip() for tag in record.tags]
        if isinstance(record.custom, dict) and (fault := _custom_fault(record.custom)):
            errors["custom"] = [fault]
        return errors

    # --- against what is stored

    def above(self, record: CustomerRecord) -> Mapping[str, str | None]:
        named = {tie: getattr(record, tie) for tie in Tie.values}
        return {tie: name or None for tie, name in named.items() if name is not UNSET}

    def together(self, above: Mapping[str, Sequence[Mapping[str, str | None]]]) -> set[str]:
        """Also stored customers that move: two of them may change places, or come to stand
        below each other."""
        named = [name for name, rivals in above.items() if any(rivals)]
        rows = Customer.objects.filter(external_id__among=named).values_list(
            "external_id", *(f"{tie}__external_id" for tie in Tie.values)
        )
        moving = {
            str(name)
            for name, *ups in rows
            for rival in above[str(name)]
            if any(rival.get(tie, up) != up for tie, up in zip(Tie.values, ups, strict=True))
        }
        return super().together(above) | moving

    def resolve(self, names: Collection[str]) -> Mapping[str, str | None]:
        """Numbers of merged files are those of the files they went into."""
        return own_numbers(names)

    def gather(self, records: Sequence[CustomerRecord], stored: Mapping[str, Values]) -> None:
        owners = {record.owner for record in records if record.owner}
        if owners:
            may_own = User.objects.owners().filter(pk=OuterRef("pk"))
            rows = (
                User.objects.all()
                .visible_to(self.user)
                .filter(username__in=owners)
                .annotate(may_own=Exists(may_own))
                .values_list("username", "pk", "may_own")
            )
            self.owners = {name: (pk, free) for name, pk, free in rows}
        self.coming = {record.external_id for record in records} - stored.keys()
        self.later = {tie: {} for tie in Tie.values}
        named = (getattr(record, tie) for record in records for tie in Tie.values)
        parents = {name.strip() for name in named if name}
        if parents:
            self.parents = ids_by_number(parents, self.user)

    def merge(self, record: CustomerRecord, stored: Values | None) -> Values:
        values = dict(self.blank if stored is None else stored)
        errors: Errors = {}
        for name in _PLAIN:
            value = getattr(record, name)
            if value is not UNSET:
                values[name] = self.blank[name] if value is None else value
        if record.custom is not UNSET:
            values["custom"] = Own(record.custom or {})
        if record.owner is not UNSET or stored is None:
            self._merge_owner(record, stored, values, errors)
        self._merge_place(record, stored, values)
        for tie in Tie.values:
            self.later[tie].pop(record.external_id, None)
            if getattr(record, tie) is not UNSET:
                self._merge_tie(tie, record, values, errors)
        if errors:
            raise Rejected(errors)
        return values

    def _merge_owner(
        self, record: CustomerRecord, stored: Values | None, values: Values, errors: Errors
    ) -> None:
        """A rep's new customer is her own; only who assigns customers hands one over."""
        before = stored["owner_id"] if stored else None
        owner, may_own = self.owners.get(record.owner or "", (None, False))
        if record.owner and not (may_own or (owner and owner == before)):
            errors["owner"] = [
                _("No user who may own customers is called '%(value)s'.") % {"value": record.owner}
            ]
        elif stored is None and not record.owner and not self.user.sees_all:
            owner = self.user.pk
        if stored is not None and owner != before and not self.assigns:
            errors["owner"] = [_("Only a manager may hand over a customer.")]
        values["owner_id"] = owner

    def _merge_place(self, record: CustomerRecord, stored: Values | None, values: Values) -> None:
        """The division that is given, or the one that the address names; an empty one says
        nothing, so that what people chose outlives the next call."""
        before = (
            Area(stored["division"], stored["division_found"], stored["address"])
            if stored
            else NOWHERE
        )
        place = settled(before, division=record.division or None, address=values["address"])
        values["division"], values["division_found"] = place.division, place.found

    def _merge_tie(self, tie: str, record: CustomerRecord, values: Values, errors: Errors) -> None:
        name = getattr(record, tie)
        if not name:
            values[f"{tie}_id"] = None
        elif name in self.parents:
            values[f"{tie}_id"] = self.parents[name]
        elif name in self.coming:
            # Stored or not, nothing is equal to a customer that has no id yet.
            values[f"{tie}_id"] = _Coming(name)
            self.later[tie][record.external_id] = name
        else:
            errors[tie] = [no_customer(name)]

    def reconsider(self, changes: Mapping[str, Change]) -> dict[str, Errors]:
        """Refuse children of refused parents, then whoever would come to stand below itself."""
        orphans: dict[str, Errors] = {}
        for tie, later in self.later.items():
            for child, above in later.items():
                if child in changes and above not in changes:
                    orphans.setdefault(child, {})[tie] = [no_customer(above)]
        if orphans:
            return orphans
        rings: dict[str, Errors] = {}
        for tie, refusal in BELOW_ITSELF.items():
            for name in _in_rings(tie, changes):
                rings.setdefault(name, {})[tie] = [str(refusal)]
        return rings

    # --- after the customers are written

    def settle(self, changes: Sequence[Change], *, now: datetime) -> None:
        """Give the children of new customers their parents, whose ids are known now, and write
        what customers are found by."""
        ids = {change.external_id: change.pk for change in changes}
        for column in TIES:
            rows = []
            for change in changes:
                above = change.after[column]
                if isinstance(above, _Coming):
                    change.after[column] = ids[above.name]
                    rows.append({"id": change.pk, column: ids[above.name]})
            bulk.update(Customer, rows)
        cards.refresh([change.pk for change in changes if _moves_its_card(change)])
        handed: dict[int, dict[int, int | None]] = defaultdict(dict)
        for change in changes:
            if change.before and change.before["owner_id"] != change.after["owner_id"]:
                handed[change.after["owner_id"]][change.pk] = change.before["owner_id"]
        for to, owners in handed.items():
            follow(owners, to=to, now=now)
        events.tell(
            created=[change.pk for change in changes if change.before is None],
            changed={change.pk: change.moved() for change in changes if change.before is not None},
            at=now,
        )

    def row(self, after: Values) -> Values:
        coming = {column: None for column in TIES if isinstance(after[column], _Coming)}
        return {**after, **coming} if coming else after


def _choice_faults(record: CustomerRecord) -> Errors:
    errors: Errors = {}
    for name, choices in _CHOICES.items():
        value = getattr(record, name)
        if isinstance(value, str) and value not in choices:
            errors[name] = [
                _("“%(value)s” is not one of: %(choices)s.")
                % {"value": value, "choices": ", ".join(choices)}
            ]
    return errors


def _moves_its_card(change: Change) -> bool:
    """Whether the customer is found by something else than before."""
    before = change.before
    return before is None or any(
        before[name] != change.after[name] for name in cards.SOURCE if name in before
    )


class _Coming:
    """The parent of a customer while it has no id: it stands in the same body."""

    def __init__(self, name: str) -> None:
        self.name = name


def _degrees(value: Decimal, most: int) -> Decimal:
    """Degrees as stored: six decimals, about 11 cm; what is finer is rounded."""
    if not value.is_finite() or abs(value) > most:
        raise ValueError(_("Give degrees between −%(most)d and %(most)d.") % {"most": most})
    return fixed(round(value, 6), digits=9, places=6)


def _custom_fault(value: Mapping[str, Any]) -> str:
    if fault := value_fault(value) or number_fault(value):
        return fault
    if len(json.dumps(value)) > MOST_CUSTOM:
        return _("Own fields hold at most 20,000 characters.")
    return ""


def _in_rings(tie: str, changes: Mapping[str, Change]) -> set[str]:
    """The names of the changed customers that would come to stand below themselves."""
    column = f"{tie}_id"
    above: dict[int | str, int | str | None] = {}
    names: dict[int | str, str] = {}
    for name, change in changes.items():
        up = change.after[column]
        moved = change.before is None or up != change.before[column]
        if moved and up is not None:
            node = change.pk or name
            names[node] = name
            above[node] = up.name if isinstance(up, _Coming) else up
    if not above:
        return set()
    lock()
    stored = ancestors({node for node in above.values() if isinstance(node, int)}, tie)
    cleared = {c.pk: None for c in changes.values() if c.pk and c.after[column] is None}
    return {names[node] for node in nodes_in_loops({**stored, **cleared, **above}) if node in names}
