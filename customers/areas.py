"""Reading the areas of stored files from their addresses, some thousand at a time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from accounts.models import AuditEntry
from accounts.models.audit import Action
from crm.lib import bulk
from customers import events
from customers.addresses import find
from customers.models import Customer, DivisionFound

CHUNK = 1000


def chunks(*, again: bool = False) -> Iterator[list[int]]:
    """Ids of the files without an area whose address was never read, or (`again`) not clearly."""
    wanted = Q(division="", division_found="")
    if again:
        wanted = Q(division="") | Q(division_found=DivisionFound.ADDRESS)
    last = 0
    while True:
        rows = Customer.objects.filter(wanted, pk__gt=last).exclude(address="").order_by("pk")
        ids = list(rows.values_list("pk", flat=True)[:CHUNK])
        if not ids:
            return
        yield ids
        last = ids[-1]


@transaction.atomic
def read(ids: list[int], *, now: datetime) -> dict[str, int]:
    """Read the areas of these files from their addresses; how many were found, by state.

    Areas that people or the ERP gave are left alone; only what differs is written.
    """
    counts: dict[str, int] = {}
    rows, entries = [], []
    given = Q(division_found="") & ~Q(division="")
    stored = Customer.objects.filter(pk__in=ids).exclude(given).exclude(address="")
    columns = ("pk", "name", "address", "division", "division_found", "version")
    for pk, name, address, code, state, version in (
        stored.select_for_update(of=("self",)).order_by("pk").values_list(*columns)
    ):
        found = find(address)
        counts[found.state] = counts.get(found.state, 0) + 1
        if (found.code, found.state) == (code, state):
            continue
        rows.append(
            {
                "id": pk,
                "division": found.code,
                "division_found": found.state,
                "version": version + 1,
                "updated_at": now,
            }
        )
        entries.append(
            AuditEntry.build(
                model=Customer,
                object_id=pk,
                object_name=name,
                action=Action.UPDATE,
                before={"division": code},
                after={"division": found.code},
            )
        )
    bulk.update(Customer, rows)
    moved = [entry.object_id for entry in entries if entry.before != entry.after]
    events.tell(changed=dict.fromkeys(moved, ("division",)), at=now)
    AuditEntry.write_many(entry for entry in entries if entry.before != entry.after)
    return counts
