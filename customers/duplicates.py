"""Files that look like one company, found in the whole database.

The search goes by blocks of files that share a key, never by all pairs; a block that is too large
is split by a second key, and what is still too large is left out and counted (P5).
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations, groupby, islice
from typing import Any, NamedTuple
from zlib import crc32

from django.db import transaction

from accounts.jobs import Step
from crm.lib import bulk
from customers.alikes import COLUMNS, traits_of
from customers.likeness import (
    LISTED,
    TELLING,
    Traits,
    judge,
    own_weight,
    slips,
    sound,
    street,
)
from customers.models import Customer, DuplicatePair, IndexCard, PairState

#: Files that may be compared with each other, each with each.
MOST_IN_BLOCK = 40
CHUNK = 2000


class Block(NamedTuple):
    """One way to put files side by side: by any of `keys`, and by `finer` where those are many."""

    keys: Callable[[Traits], Collection[str]]
    finer: Callable[[Traits], str]


def _city(one: Traits) -> str:
    return one.name.place or one.division[:4]


def _slips(one: Traits) -> Collection[str]:
    """Keys of a name that is known even with a slip in it; none of others, which are most."""
    core = one.name.core
    own = own_weight(core)
    if own >= TELLING:
        return slips(core)
    return [core] if own >= TELLING - 1 else ()  # a character may be missing here


BLOCKS: tuple[Block, ...] = (
    Block(lambda t: [t.name.core], lambda t: f"{t.name.core}@{_city(t)}#{t.name.branch}"),
    Block(lambda t: [t.phone], lambda t: f"{t.phone}@{sound(t.name.core)[:6]}"),
    Block(lambda t: [t.tax_id], lambda t: f"{t.tax_id}@{t.name.core}"),
    Block(
        lambda t: [street(t.address) and f"{street(t.address)}@{t.division[:4]}"],
        lambda t: f"{t.address}@{t.division}@{sound(t.name.core)[:4]}",
    ),
    # Names that sound the same: slips of the keyboard.
    Block(
        lambda t: [sound(t.name.core) if len(t.name.core) > 2 else ""],
        lambda t: f"{sound(t.name.core)}@{_city(t)}#{t.name.branch}",
    ),
    # Long names with one slip, of firms that share nothing else.
    Block(_slips, lambda t: f"{_city(t)}#{t.name.branch}"),
)


@dataclass(slots=True)
class Findings:
    """What a search has found: pairs with their verdicts, and what it left out."""

    pairs: dict[tuple[int, int], tuple[int, list[str]]]
    files: int = 0
    compared: int = 0
    left_out: int = 0


def search(step: Step) -> Findings:
    """Compare the files of the whole database; writes nothing.

    Memory: 20 bytes a file for each of its keys, and the pairs. A file has one key in each block,
    and one more for each character of a long name.
    """
    findings = Findings(pairs={})
    total = IndexCard.objects.count()
    ids = array("q")
    hashed = [array("Q") for _block in BLOCKS]
    phones = array("I")
    for at, one in enumerate(_all_traits()):
        ids.append(one.pk)
        phones.append(crc32(one.phone.encode()) if one.phone else 0)
        for place, block in zip(hashed, BLOCKS, strict=True):
            for key in filter(None, block.keys(one)):
                # Two keys that fall on one number cost a comparison, no more.
                place.append(crc32(key.encode()) << 32 | at)
        if at % CHUNK == 0:
            step(at, 2 * total)
    findings.files = len(ids)
    sharing = _counted(phones)
    done = len(ids)
    for place, block in zip(hashed, BLOCKS, strict=True):
        for pairs in _batched(_candidates(sorted(place), ids, block, findings), CHUNK):
            _compare(pairs, sharing, findings)
            step(done, 2 * total)
        done += len(ids) // len(BLOCKS)
    return findings


def _all_traits() -> Iterator[Traits]:
    rows = Customer.objects.filter(card__isnull=False).order_by("pk").values_list(*COLUMNS)
    return (traits_of(row) for row in rows.iterator(chunk_size=CHUNK))


def _counted(phones: Iterable[int]) -> dict[int, int]:
    """How many files share a phone, for phones that more than two share."""
    return {
        phone: many
        for phone, some in groupby(sorted(phones))
        if phone and (many := sum(1 for _one in some)) > 2
    }


def _candidates(
    hashed: Sequence[int], ids: Sequence[int], block: Block, findings: Findings
) -> Iterator[tuple[int, int]]:
    """The pairs of files that share a key of `block`."""
    for _key, some in groupby(hashed, lambda one: one >> 32):
        members = list(dict.fromkeys(ids[one & 0xFFFFFFFF] for one in some))
        if len(members) <= MOST_IN_BLOCK:
            yield from combinations(members, 2)
            continue
        for finer in _split(members, block):
            if len(finer) <= MOST_IN_BLOCK:
                yield from combinations(finer, 2)
            else:
                findings.left_out += len(finer)


def _split(members: Sequence[int], block: Block) -> list[list[int]]:
    groups: dict[str, list[int]] = defaultdict(list)
    for some in _batched(members, CHUNK):
        for one in _traits_by_id(some).values():
            if any(block.keys(one)):
                groups[block.finer(one)].append(one.pk)
    return list(groups.values())


def _traits_by_id(ids: Iterable[int]) -> dict[int, Traits]:
    rows = Customer.objects.filter(pk__in=ids, card__isnull=False).values_list(*COLUMNS)
    return {row[0]: traits_of(row) for row in rows}


def _compare(pairs: Sequence[tuple[int, int]], sharing: dict[int, int], findings: Findings) -> None:
    pairs = [pair for pair in dict.fromkeys(pairs) if pair not in findings.pairs]
    traits: dict[int, Traits] = {}
    for some in _batched(sorted({pk for pair in pairs for pk in pair}), CHUNK):
        traits |= _traits_by_id(some)
    findings.compared += len(pairs)
    for first, second in pairs:
        one, other = traits.get(first), traits.get(second)
        if one is None or other is None:
            continue
        many = sharing.get(crc32(one.phone.encode()), 2) if one.phone else 2
        verdict = judge(one, other, sharing_phone=many)
        if verdict.score >= LISTED:
            key = (min(first, second), max(first, second))
            findings.pairs[key] = (verdict.score, [str(reason) for reason in verdict.reasons])


def _batched(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    items = iter(items)
    while some := list(islice(items, size)):
        yield some


def find(step: Step, *, now: datetime) -> dict[str, int]:
    """Search the whole database and keep what is found: the work of one job."""
    return keep(search(step), now=now)


@transaction.atomic
def keep(findings: Findings, *, now: datetime) -> dict[str, int]:
    """Write the pairs that are new or scored otherwise; those found no more go.

    What somebody has called not the same stays so. How many are new, gone, and there in all.
    """
    bulk.lock(GONE)
    stored = {
        (first, second): (pk, score, reasons, state)
        for pk, first, second, score, reasons, state in DuplicatePair.objects.values_list(
            "pk", "first_id", "second_id", "score", "reasons", "state"
        ).iterator(chunk_size=CHUNK)
    }
    on_file: set[int] = set()
    for some in _batched(sorted({pk for pair in findings.pairs for pk in pair}), CHUNK):
        on_file |= set(Customer.objects.filter(pk__in=some).values_list("pk", flat=True))
    new, changed = [], []
    for (first, second), (score, reasons) in findings.pairs.items():
        if first not in on_file or second not in on_file:
            continue  # merged meanwhile
        known = stored.pop((first, second), None)
        if known is None:
            values = {"score": score, "reasons": reasons, "state": PairState.OPEN.value}
            new.append({"first_id": first, "second_id": second, **values, "found_at": now})
        elif known[1:3] != (score, reasons):
            changed.append({"id": known[0], "score": score, "reasons": reasons})
    bulk.insert(DuplicatePair, new)
    bulk.update(DuplicatePair, changed)
    gone = [pk for pk, _score, _reasons, state in stored.values() if state == PairState.OPEN]
    for some in _batched(gone, CHUNK):
        bulk.delete(DuplicatePair, some)
    there = DuplicatePair.objects.filter(state=PairState.OPEN).count()
    return {
        "pairs": there,
        "new": len(new),
        "gone": len(gone),
        "files": findings.files,
        "left_out": findings.left_out,
    }


#: The lock under which customers disappear, by a merge, or pairs of them are written.
GONE = "customers gone"
