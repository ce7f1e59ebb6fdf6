"""What goes over with a customer's file when it is merged into another: the rows of this app."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from customers import moving
from customers.models import (
    Alias,
    AssignedFile,
    Contact,
    Customer,
    DuplicatePair,
    FileRead,
    Interaction,
    Merge,
    Promise,
    Supplier,
)

#: Moved as they are.
PLAIN = (Contact, Supplier, Promise, Interaction, Alias)


def move(*, gone: int, into: int, now: datetime) -> moving.Moved:
    """Hand the rows of `gone` over to `into`; the profile goes with the values (merging.py)."""
    moved: moving.Moved = {
        model._meta.label_lower: moving.hand_over(model, gone=gone, into=into, now=now)
        for model in PLAIN
    }
    moved["customers.merge"] = moving.hand_over(
        Merge, gone=gone, into=into, now=now, column="survivor_id"
    )
    below = moving.hand_over(
        Customer, gone=gone, into=into, now=now, column="parent_id", but=[into]
    )
    heads = moving.hand_over(
        Customer, gone=gone, into=into, now=now, column="group_head_id", but=[into]
    )
    moved["customers.customer"] = {"moved": {**below["moved"], **heads["moved"]}}
    moved["customers.fileread"] = _reads(gone, into, now)
    moved["customers.assignedfile"] = _assigned(gone, into, now)
    moved["customers.duplicatepair"] = _pairs(gone, into)
    return moved


def _reads(gone: int, into: int, now: datetime) -> moving.Part:
    """One line for each reader and day: two of the same day are added up."""
    own = {(read.reader_id, read.on): read for read in FileRead.objects.filter(customer=into)}
    clashing, changed = [], []
    for read in FileRead.objects.filter(customer=gone):
        if (same := own.get((read.reader_id, read.on))) is None:
            continue
        clashing.append(read.pk)
        added = {
            "first_at": min(same.first_at, read.first_at),
            "last_at": max(same.last_at, read.last_at),
            "times": same.times + read.times,
        }
        changed.append(moving.change(same, added))
    dropped = moving.drop(FileRead, clashing)
    part = moving.hand_over(FileRead, gone=gone, into=into, now=now)
    return {**part, "dropped": dropped, "changed": changed}


def _assigned(gone: int, into: int, now: datetime) -> moving.Part:
    """What was asked for of both is asked for once."""
    own = AssignedFile.objects.filter(customer=into).values("assignment")
    both = AssignedFile.objects.filter(customer=gone, assignment__in=own)
    dropped = moving.drop(AssignedFile, list(both.values_list("pk", flat=True)))
    return {**moving.hand_over(AssignedFile, gone=gone, into=into, now=now), "dropped": dropped}


def _pairs(gone: int, into: int) -> moving.Part:
    """Who looked like the gone file looks like the survivor now; who was said not to, too."""
    known = set()
    for first, second in DuplicatePair.objects.filter(first=into).values_list("first", "second"):
        known.add(second if first == into else first)
    for first, second in DuplicatePair.objects.filter(second=into).values_list("first", "second"):
        known.add(first if second == into else second)
    of_gone = [
        *DuplicatePair.objects.filter(first=gone),
        *DuplicatePair.objects.filter(second=gone),
    ]
    dropped = moving.drop(DuplicatePair, [pair.pk for pair in of_gone])
    made: list[Any] = []
    for pair in of_gone:
        other = pair.second_id if pair.first_id == gone else pair.first_id
        if other == into or other in known:
            continue
        pair.pk = None
        pair._state.adding = True
        pair.first_id, pair.second_id = sorted((other, into))
        pair.save(force_insert=True)
        made.append(pair.pk)
    return {"dropped": dropped, "made": made}
