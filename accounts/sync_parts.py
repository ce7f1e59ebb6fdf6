"""A large body in parts: which of its records are worked on at a time, and in which order."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from graphlib import CycleError, TopologicalSorter
from typing import TypeVar

from crm.lib.records import Reading, SyncRecord

R = TypeVar("R", bound=SyncRecord)

#: So much of a body is worked on at a time: its rows, before and after, take many times its room.
PART_BYTES = 2 * 1024 * 1024


def in_parts(
    candidates: Mapping[str, list[Reading[R]]], *, together: Collection[str]
) -> Iterator[dict[str, list[Reading[R]]]]:
    """The records by name in parts of about PART_BYTES, each after those above it.

    Those called `together` with all above them, those that stand above each other, and whatever
    is below these come last and in one part, however large.
    """
    above = {
        name: {
            up
            for reading in rivals
            for up in reading.above.values()
            if up and up in candidates and up != name
        }
        for name, rivals in candidates.items()
    }
    part: dict[str, list[Reading[R]]] = {}
    size = 0
    for group in _in_order(above, _with_all_above(together, above)):
        for name in group:
            part[name] = candidates[name]
            size += sum(reading.size for reading in part[name])
        if size >= PART_BYTES:
            yield part
            part, size = {}, 0
    if part:
        yield part


def _with_all_above(names: Collection[str], above: Mapping[str, Collection[str]]) -> set[str]:
    found: set[str] = set()
    ahead = [name for name in names if name in above]
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead.extend(above[name])
    return found


def _in_order(
    above: Mapping[str, Collection[str]], together: Collection[str]
) -> Iterator[list[str]]:
    """The names one by one, each after those above it; then those that cannot be parted.

    By name among those that may come at the same time: whoever else writes their rows takes them
    in the same order.
    """
    order = TopologicalSorter(above)
    with suppress(CycleError):  # what is in no cycle, nor below one, is given all the same
        order.prepare()
    left = set(above)
    while ready := sorted({*order.get_ready()} - {*together}):
        for name in ready:
            yield [name]
        order.done(*ready)
        left.difference_update(ready)
    if left:
        yield sorted(left)
