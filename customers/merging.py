"""Two files of one company become one, field by field (P5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.apps import apps
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import require
from accounts.models import AuditEntry, User
from accounts.models.audit import RESOURCES, Action
from accounts.roles import Role
from crm.lib import bulk
from crm.lib.contributions import contributions
from crm.lib.problems import Conflict
from crm.lib.text import Text
from customers import cards, events, hierarchy, moving
from customers.duplicates import GONE
from customers.models import Alias, Customer, IndexCard, Merge, Profile


class Take(StrEnum):
    """Whose value of a field survives; `both` for lists, which are put together."""

    OURS = "ours"
    THEIRS = "theirs"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that is chosen as a whole: its name, label, and the columns it stands in."""

    name: str
    label: Text
    columns: tuple[str, ...]
    model: type[models.Model] = Customer


def _own(name: str, *more: str) -> Field:
    field = Customer._meta.get_field(name)
    assert isinstance(field, models.Field)
    return Field(name, field.verbose_name, (field.attname, *more))


#: What is chosen, in the order of the file. The number in the ERP is not: both go on to work.
FIELDS: tuple[Field, ...] = (
    *(_own(name) for name in ("name", "kind", "status", "owner", "parent", "group_head", "buyout")),
    *(_own(name) for name in ("phone", "email", "address")),
    Field("division", gettext_lazy("area"), ("division", "division_found")),
    Field("place", gettext_lazy("place on the map"), ("latitude", "longitude")),
    *(_own(name) for name in ("tax_id", "founded_on", "tags", "custom")),
)
PROFILE: tuple[Field, ...] = tuple(
    Field(f"profile.{field.name}", field.verbose_name, (field.attname,), Profile)
    for field in Profile._meta.concrete_fields
    if field.editable and field.name not in {"id", "customer", "created_at", "updated_at"}
)
#: Lists and own fields are put together unless somebody chooses.
JOINED = frozenset({"tags", "custom", "profile.purchase_months", "profile.past_categories"})


def is_empty(value: Any) -> bool:
    return value is None or value in ("", [], {})


def default_of(field: Field, ours: models.Model | None, theirs: models.Model | None) -> Take:
    """Whose value survives where nobody chooses: the survivor's unless it is empty."""
    values = values_of(field, ours), values_of(field, theirs)
    if all(is_empty(value) for value in values[0]):
        return Take.OURS if all(is_empty(value) for value in values[1]) else Take.THEIRS
    if field.name in JOINED and not all(is_empty(value) for value in values[1]):
        return Take.BOTH
    return Take.OURS


def values_of(field: Field, row: models.Model | None) -> tuple[Any, ...]:
    return tuple(getattr(row, column) if row else None for column in field.columns)


def joined(ours: Any, theirs: Any) -> Any:
    """Both lists without repetition, or both dicts, where the survivor's entries win."""
    if isinstance(ours, dict) or isinstance(theirs, dict):
        return {**(theirs or {}), **(ours or {})}
    return list(dict.fromkeys([*(ours or []), *(theirs or [])]))


# --- may this be done


def pair_in_sight(gone_id: int, into_id: int, by: User) -> tuple[Customer, Customer]:
    """Both files; Http404 where one is out of sight, ValidationError where they are the same.

    Whoever merges files of two owners hands one over: PermissionDenied without that right.
    """
    require(by, "customers:write")
    if gone_id == into_id:
        raise ValidationError(_("A file cannot be merged into itself."), code="same")
    rows = {
        row.pk: row for row in Customer.objects.visible_to(by).filter(pk__in=[gone_id, into_id])
    }
    if len(rows) != 2:
        raise Http404
    gone, into = rows[gone_id], rows[into_id]
    require_right(gone.owner_id, into.owner_id, by)
    return gone, into


def require_right(one_owner: int | None, other_owner: int | None, by: User) -> None:
    """Refuse who may not hand files over to merge, or part, files of two owners."""
    hands_over = None not in (one_owner, other_owner) and one_owner != other_owner
    if hands_over and not (by.role == Role.INTEGRATION or by.may("customers:assign")):
        raise PermissionDenied(_("Only a manager may merge files of different owners."))


def lock() -> None:
    """Nobody else merges, syncs or moves customers about until this transaction ends."""
    bulk.lock(GONE)
    for resource in sorted({*RESOURCES, "contacts"}):
        bulk.lock(f"sync {resource}")
    hierarchy.lock()


# --- merging


@transaction.atomic
def merge(
    *,
    gone_id: int,
    into_id: int,
    by: User,
    now: datetime,
    takes: Mapping[str, str] | None = None,
) -> Merge:
    """Let the file `gone_id` go into `into_id`; all that hangs on it goes over.

    `takes` says by the name of a field whose value survives; what it does not name is decided by
    `default_of`. The file that goes is kept with the merge, column by column, and its number in
    the ERP stays good: as the survivor's own where it has none, else as an alias. Tiers are the
    next run's business. Raises as `pair_in_sight` does, and ValidationError for values that do
    not go together.
    """
    lock()
    pair_in_sight(gone_id, into_id, by)
    locked = Customer.objects.filter(pk__in=[gone_id, into_id]).order_by("pk")
    rows = {row.pk: row for row in locked.select_for_update(of=("self",))}
    if len(rows) != 2:
        raise Http404
    gone, into = rows[gone_id], rows[into_id]
    require_right(gone.owner_id, into.owner_id, by)
    kept = moving.row_as_json(gone)
    record = Merge.objects.create(
        survivor=into, gone_id=gone.pk, gone_name=gone.name, gone=kept, by=by, at=now
    )
    takes = takes or {}
    values = _values(FIELDS, into, gone, takes)
    values["source_updated_at"] = into.source_updated_at or gone.source_updated_at
    _untie(values, gone=gone, into=into)
    _take_over_number(values, record, gone=gone, into=into)
    values["key_account"] = into.key_account or gone.key_account
    values["last_visited_on"] = max(
        (day for day in (into.last_visited_on, gone.last_visited_on) if day), default=None
    )
    changed = {name: value for name, value in values.items() if getattr(into, name) != value}
    record.before = moving.copied({name: getattr(into, name) for name in changed})
    record.after = moving.copied(changed)
    profile = _merge_profiles(into, gone, takes)

    moved: moving.Moved = {}
    for move in contributions("merge", "move"):
        moved |= move(gone=gone.pk, into=into.pk, now=now)
    record.moved = {**moved, **profile}

    IndexCard.objects.filter(pk=gone.pk).delete()
    _delete(gone)
    for name, value in changed.items():
        setattr(into, name, value)
    into.tell_also("merged", "", _named(gone))
    into.clean_fields(exclude=[f.name for f in Customer._meta.fields if f.attname not in changed])
    into.clean()
    into.save()
    record.save()
    cards.refresh([into.pk])
    events.tell_merged(gone, into, at=now)
    events.tell(changed={into.pk: changed}, at=now)
    return record


def merge_once(*, gone_id: int, into_id: int, by: User, now: datetime) -> None:
    """`merge` by the defaults; nothing where the file went into the same one already.

    Raises Conflict where one of the two has gone into another file meanwhile.
    """
    try:
        merge(gone_id=gone_id, into_id=into_id, by=by, now=now)
    except Http404:
        earlier = merged_into(gone_id, by)
        if earlier is not None and earlier.survivor_id == into_id:
            return
        if earlier is not None or merged_into(into_id, by) is not None:
            raise Conflict(_("This file went into another one already.")) from None
        raise


def _values(
    fields: tuple[Field, ...],
    ours: models.Model,
    theirs: models.Model,
    takes: Mapping[str, str],
) -> dict[str, Any]:
    """Column → surviving value."""
    values: dict[str, Any] = {}
    for field in fields:
        take = takes.get(field.name) or default_of(field, ours, theirs)
        for column in field.columns:
            own, other = getattr(ours, column), getattr(theirs, column)
            values[column] = (
                joined(own, other) if take == Take.BOTH else other if take == Take.THEIRS else own
            )
    return values


def _untie(values: dict[str, Any], *, gone: Customer, into: Customer) -> None:
    """No customer is its own supplier: what stood above or below the gone file is put right."""
    for tie in hierarchy.Tie.values:
        column = f"{tie}_id"
        gone_above, above = getattr(gone, column), getattr(into, column)
        up = hierarchy.ancestors([above], tie) if above else {}
        if gone.pk in up:  # the survivor stood below the gone file: it takes its place
            values[column] = gone_above
        elif values[column] == gone_above and gone_above != above and gone_above is not None:
            over = hierarchy.ancestors([gone_above], tie)
            if into.pk in over:
                values[column] = above
        if values[column] in (into.pk, gone.pk):
            values[column] = None


def _take_over_number(
    values: dict[str, Any], record: Merge, *, gone: Customer, into: Customer
) -> None:
    if not gone.external_id:
        return
    if into.external_id:
        Alias.objects.create(external_id=gone.external_id, customer=into, merge=record)
        return
    values["external_id"] = gone.external_id
    values["source_updated_at"] = gone.source_updated_at


def _merge_profiles(into: Customer, gone: Customer, takes: Mapping[str, str]) -> moving.Moved:
    """Choose between the profiles, or hand over the only one."""
    profiles = {
        p.customer_id: p
        for p in Profile.objects.filter(customer__in=[into.pk, gone.pk]).order_by("pk")
    }
    ours, theirs = profiles.get(into.pk), profiles.get(gone.pk)
    label = Profile._meta.label_lower
    if theirs is None:
        return {}
    if ours is None:
        if chosen := [name for name, take in takes.items() if _is_profile(name, take, Take.OURS)]:
            blank = {c: f for c, f in _blank(chosen).items() if getattr(theirs, c) != f}
            changed = [moving.change(theirs, blank)] if blank else []
            return {label: {**_over(theirs, into), "changed": changed}}
        return {label: _over(theirs, into)}
    values = _values(PROFILE, ours, theirs, takes)
    news = {name: value for name, value in values.items() if getattr(ours, name) != value}
    changed = [moving.change(ours, news)] if news else []
    return {label: {"dropped": moving.drop(Profile, [theirs.pk]), "changed": changed}}


def _is_profile(name: str, take: str, wanted: str) -> bool:
    return name.startswith("profile.") and take == wanted


def _blank(names: list[str]) -> dict[str, Any]:
    empty = Profile()
    return {
        column: getattr(empty, column)
        for field in PROFILE
        if field.name in names
        for column in field.columns
    }


def _over(profile: Profile, into: Customer) -> moving.Part:
    gone_id = profile.customer_id
    profile.customer = into
    profile.save(update_fields=["customer"])
    assert gone_id != into.pk
    return {"moved": {"customer_id": [profile.pk]}}


def _delete(gone: Customer) -> None:
    """Delete the row alone: the database refuses if anything still hangs on it."""
    AuditEntry.build(
        model=Customer,
        object_id=gone.pk,
        object_name=gone.name,
        action=Action.DELETE,
        before={f.attname: getattr(gone, f.attname) for f in Customer._audited_fields()},
        after={},
    ).save()
    bulk.delete(Customer, [gone.pk])


def _named(customer: Customer) -> str:
    return f"{customer.name} ({customer.external_id})" if customer.external_id else customer.name


def merges_in_sight(user: User) -> models.QuerySet[Merge]:
    """The merges whose survivors `user` may see."""
    return Merge.objects.filter(survivor__in=Customer.objects.visible_to(user))


def merged_into(gone_id: int, user: User) -> Merge | None:
    """The merge by which the file `gone_id` went, if its survivor is in sight of `user`."""
    return merges_in_sight(user).filter(gone_id=gone_id, undone_at=None).order_by("-pk").first()


#: Rows that a reader of the merge cares for; the rest is bookkeeping.
_TOLD = (
    "orders.order",
    "visits.visit",
    "visits.reminder",
    "customers.contact",
    "customers.promise",
    "customers.interaction",
    "customers.supplier",
    "customers.customer",
)


def went_over(record: Merge) -> list[tuple[Text, int]]:
    """What kind of rows went over to the survivor, and how many of each."""
    counted = []
    for label in _TOLD:
        part = record.moved.get(label, {})
        number = sum(len(ids) for ids in part.get("moved", {}).values())
        if number:
            counted.append((apps.get_model(label)._meta.verbose_name_plural or label, number))
    return counted
