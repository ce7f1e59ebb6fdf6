"""Giving files to an owner: set-based, within the sight and rights of who does it (P6, P15)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from accounts.models import AuditEntry, User
from accounts.models.audit import Action
from accounts.roles import Role
from crm.lib import bulk
from customers import events
from customers.companions import follow
from customers.models import Customer, CustomerQuerySet

#: Ids to a statement: SQLite takes no more parameters than 32,766.
BATCH = 10_000


def assign(customers: CustomerQuerySet, *, to: User | None, by: User, now: datetime) -> int:
    """Make `to` the owner (None: nobody) of those `customers` that `by` sees; how many changed.

    Open promises and planned visits of the former owners go along. Files that `to` owns already
    stay as they are. Raises PermissionDenied where `by` may not assign files, and ValidationError
    (code `successor`) where `by` cannot give them to `to`.
    """
    return len(pass_on(customers, to=to, by=by, now=now))


@transaction.atomic
def pass_on(
    customers: CustomerQuerySet, *, to: User | None, by: User, now: datetime
) -> dict[int, int | None]:
    """Like `assign`; answers who owned the changed files before, by the ids of the files."""
    owners = give(customers, to=to, by=by, now=now)
    follow(owners, to=to.pk if to else None, now=now)
    return owners


@transaction.atomic
def give(
    customers: CustomerQuerySet, *, to: User | None, by: User, now: datetime
) -> dict[int, int | None]:
    """Like `pass_on`, but the files alone: what waits for their owner stays with that person."""
    require_successor(to, by=by)
    lock()
    chosen = Customer.objects.visible_to(by).filter(pk__in=customers.values("pk"))
    owners = move_rows(chosen, "owner", to.pk if to else None, named="name", now=now)
    events.tell(changed=dict.fromkeys(owners, ("owner_id",)), at=now)
    return owners


def lock() -> None:
    """Let files change hands while no bulk sync writes them: it goes by other numbers, and two
    who lock the same rows in two orders wait for each other."""
    bulk.lock("sync customers")


def require_successor(to: User | None, *, by: User) -> None:
    """Raise unless `by` may give files to `to`; only who sees all may leave them to nobody."""
    if not (by.role == Role.INTEGRATION or by.may("customers:assign")):
        raise PermissionDenied
    if to is None:
        possible = by.sees_all
    else:
        possible = User.objects.get_queryset().visible_to(by).owners().filter(pk=to.pk).exists()
    if not possible:
        raise ValidationError(
            _("Choose somebody of your teams who works here and may own customers."),
            code="successor",
        )


@transaction.atomic
def move_rows(
    rows: QuerySet[Any], field: str, person: int | None, *, named: str, now: datetime
) -> dict[int, int | None]:
    """Put `person` into the foreign key `field` of `rows`; who stood there before, by their ids.

    One statement, an audit entry and a new version for each row that changes; `named` is the
    column that the entries call a row by. Rows are locked in the order of their ids, as everybody
    locks them, so that nobody waits crosswise.
    """
    column = f"{field}_id"
    moved = list(
        rows.exclude(**{column: person})
        .select_for_update(of=("self",))
        .order_by("pk")
        .values_list("pk", named, column)
    )
    for ids in _batches([pk for pk, _name, _before in moved]):
        rows.model._default_manager.filter(pk__in=ids).update(
            **{column: person}, version=F("version") + 1, updated_at=now
        )
    _write_entries(rows.model, column, moved, person, now)
    return {pk: before for pk, _name, before in moved}


def in_batches(rows: QuerySet[Any], ids: Sequence[int]) -> Iterator[QuerySet[Any]]:
    """`rows` with these ids, some thousand at a time, in their order."""
    for some in _batches(sorted(ids)):
        yield rows.filter(pk__in=some)


def _batches(ids: Sequence[int]) -> Iterator[list[int]]:
    rest = iter(ids)
    while some := list(islice(rest, BATCH)):
        yield some


def _write_entries(
    model: Any,
    column: str,
    rows: Sequence[tuple[int, str, int | None]],
    person: int | None,
    now: datetime,
) -> None:
    """One audit entry for each row, with one statement."""
    blank = AuditEntry.build(
        model=model, object_id=0, object_name="", action=Action.UPDATE, before={}, after={}
    )
    same = {
        "at": now,
        "actor_id": blank.actor_id,
        "actor_name": blank.actor_name,
        "key_id": blank.key_id,
        "through": blank.through,
        "action": Action.UPDATE.value,
        "model": blank.model,
        "after": {column: person},
    }
    bulk.append(
        AuditEntry,
        (
            {"object_id": pk, "object_name": name[:200], "before": {column: before}}
            for pk, name, before in rows
        ),
        same=same,
    )
