"""Files that look like the rows of a list: as many queries for a thousand as for one (P5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from django.db.models import F, Window
from django.db.models.functions import RowNumber

from customers.duplicates import COLUMNS, MOST_ALIKE, traits_of
from customers.likeness import HINT, Traits, Verdict, judge
from customers.models import Customer, IndexCard, NameCore

#: Files to a statement.
CHUNK = 2000
#: A key that files share: its column, and what stands there.
Key: TypeAlias = tuple[str, str]


def alike_among(many: Sequence[Traits]) -> list[list[tuple[int, Verdict]]]:
    """For each of `many` the files that it looks like, whoever owns them, the most alike first.

    As many queries for a thousand as for one.
    """
    hits = _sharing_a_key(many)
    ids = sorted({pk for some in hits.values() for pk in some})
    stored: dict[int, Traits] = {}
    for some in (ids[at : at + CHUNK] for at in range(0, len(ids), CHUNK)):
        rows = Customer.objects.filter(pk__in=some, card__isnull=False).values_list(*COLUMNS)
        stored |= {row[0]: traits_of(row) for row in rows}
    return [_judged(one, hits, stored) for one in many]


def _keys(one: Traits) -> list[Key]:
    core, place, _branch = one.name
    keys = [("phone_key", one.phone), ("tax_id", one.tax_id)]
    if len(core) > 1:
        keys += [("core", core), ("name_key", core), ("name_key", f"{core}@{place}")]
    if "|" in one.address:
        keys.append(("address_key", one.address))
    return [key for key in keys if key[1]]


def _sharing_a_key(many: Sequence[Traits]) -> dict[Key, list[int]]:
    """The files on record by each key of `many`, at most MOST_ALIKE for one key."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for one in many:
        for column, value in _keys(one):
            wanted[column].add(value)
    hits: dict[Key, list[int]] = defaultdict(list)
    for column, values in wanted.items():
        files: Any = Customer if column == "tax_id" else IndexCard
        found = files.objects.all()
        if column == "core":
            found = found.annotate(core=NameCore("name_key"))
        found = found.filter(**{f"{column}__in": values})
        rank = Window(RowNumber(), partition_by=F(column), order_by="pk")
        found = found.annotate(rank=rank).filter(rank__lte=MOST_ALIKE)
        for value, pk in found.order_by().values_list(column, "pk"):
            hits[column, value].append(pk)
    return hits


def _judged(
    one: Traits, hits: Mapping[Key, list[int]], stored: Mapping[int, Traits]
) -> list[tuple[int, Verdict]]:
    """The files that `one` looks like, with what speaks for it."""
    ids = {pk for key in _keys(one) for pk in hits.get(key, ())} & stored.keys()
    sharing = sum(stored[pk].phone == one.phone for pk in ids) + 1
    verdicts = ((pk, judge(one, stored[pk], sharing_phone=sharing)) for pk in ids)
    told = [(pk, verdict) for pk, verdict in verdicts if verdict.score >= HINT]
    return sorted(told, key=lambda found: (-found[1].score, found[0]))
