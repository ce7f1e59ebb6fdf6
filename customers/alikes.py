"""Files that look like one that is being made, or like the rows of a list (P5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from django.db.models import F, Window
from django.db.models.functions import RowNumber

from accounts.models import User
from customers.keys import address_key, name_key, phone_key, split_name_key
from customers.likeness import HINT, LISTED, Reason, Traits, Verdict, judge
from customers.models import Customer, IndexCard, NameCore

#: Files looked at for one key.
MOST_ALIKE = 50
#: Files to a statement.
CHUNK = 2000
#: A key that files share: its column, and what stands there.
Key: TypeAlias = tuple[str, str]

COLUMNS = ("pk", "card__name_key", "card__phone_key", "card__address_key", "tax_id", "division")
Row: TypeAlias = tuple[int, str, str, str, str, str]


def traits_of(row: Row) -> Traits:
    """What is compared of a stored file, from its COLUMNS."""
    pk, name, phone, address, tax_id, division = row
    return Traits(pk, split_name_key(name), phone, address, tax_id.strip().upper(), division)


def traits_written(
    *, name: str, phone: str = "", address: str = "", tax_id: str = "", division: str = ""
) -> Traits:
    """What is compared of a file that is not stored yet."""
    return Traits(
        0,
        split_name_key(name_key(name)),
        phone_key(phone),
        address_key(address),
        tax_id.strip().upper(),
        division,
    )


# --- for one file


class Alike(NamedTuple):
    """A file on record that looks like the one being made, and why."""

    customer: Customer
    score: int
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Warning:
    """What a person who makes a file is told.

    `alike` are files in her sight, the most alike first. `hidden` is the owner of the most alike
    one out of her sight: who it is and nothing of the file, nor how many there are.
    """

    alike: list[Alike]
    hidden: Hidden | None

    def __bool__(self) -> bool:
        return bool(self.alike or self.hidden)


@dataclass(frozen=True, slots=True)
class Hidden:
    """Whom to ask about a file out of sight; nobody where it has no owner."""

    owner: str
    team: str


def warn(traits: Traits, user: User, *, but: int = 0, limit: int = 5) -> Warning:
    """The files that `traits` look like, as far as `user` may know; `but` is left out."""
    found = alike(traits, but=but)
    ids = [one.customer.pk for one in found]
    seen = set(Customer.objects.filter(pk__in=ids).visible_to(user).values_list("pk", flat=True))
    hidden = next(
        (one for one in found if one.customer.pk not in seen and one.score >= LISTED), None
    )
    owner = hidden.customer.owner if hidden else None
    return Warning(
        alike=[one for one in found if one.customer.pk in seen][:limit],
        hidden=Hidden(
            owner.display_name if owner else "", owner.team.name if owner and owner.team else ""
        )
        if hidden
        else None,
    )


def alike(traits: Traits, *, but: int = 0) -> list[Alike]:
    """Files that look like the one with `traits`, whoever owns them, the most alike first."""
    [found] = alike_among([traits])
    verdicts = {pk: verdict for pk, verdict in found if pk != but}
    files = Customer.objects.select_related("owner__team").in_bulk(list(verdicts))
    return [Alike(files[pk], *verdict) for pk, verdict in verdicts.items() if pk in files]


# --- for many


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
