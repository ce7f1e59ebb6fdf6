"""Taking down which competitors were seen in a visit (P27, P52)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from visits.models import MOST_SIGHTINGS, Competitor, Sighting, Visit, key_of


@dataclass(frozen=True, slots=True)
class Seen:
    """One line of a visit's record: whose product, which one, how much of it, and its price."""

    competitor: str
    size: str
    product: str = ""
    price: Decimal | None = None
    note: str = ""


def seen_in(visit: Visit) -> list[Seen]:
    """What is stored for the visit, in the order it was noted."""
    rows = visit.sightings.select_related("competitor")
    return [_as_seen(row) for row in rows]


def same_seen(one: Sequence[Seen], other: Sequence[Seen]) -> bool:
    """Whether two records say the same; spelling and order of competitors do not matter."""
    return sorted(map(_sort_key, one)) == sorted(map(_sort_key, other))


def note_seen(visit: Visit, seen: Sequence[Seen]) -> None:
    """Let `seen` take the place of what the visit had noted; what is the same stays as it is.

    The caller saves the visit, whose audit entry tells of the change. ValidationError under
    `sightings` where a line is wrong or there are too many.
    """
    stored = list(visit.sightings.select_related("competitor"))
    if same_seen([_as_seen(row) for row in stored], seen):
        return
    if len(seen) > MOST_SIGHTINGS:
        raise ValidationError(
            {"sightings": _("At most %(n)d competitors in one visit.") % {"n": MOST_SIGHTINGS}},
            code="too_many",
        )
    before = [row.in_words for row in stored]
    known = _competitors([line.competitor for line in seen])
    unclaimed = {row.pk: _sort_key(_as_seen(row)) for row in stored}
    made = []
    for line in seen:
        same = next((pk for pk, key in unclaimed.items() if key == _sort_key(line)), None)
        if same is not None:
            del unclaimed[same]
            continue
        made.append(_row(visit, line, known[key_of(line.competitor)]))
    visit.sightings.filter(pk__in=list(unclaimed)).delete()
    Sighting.objects.bulk_create(made)
    after = [row.in_words for row in visit.sightings.select_related("competitor")]
    visit.tell_also("sightings", before, after)


def _row(visit: Visit, line: Seen, competitor: Competitor) -> Sighting:
    if visit.checked_in_at is None:
        raise ValidationError(_("Check in before you write."), code="not_checked_in")
    row = Sighting(
        visit=visit,
        competitor=competitor,
        product=line.product.strip(),
        size=line.size,
        price=line.price,
        note=line.note.strip(),
        seen_at=visit.checked_in_at,
        version=1,
    )
    row.full_clean(exclude={"visit", "competitor"})
    return row


def _competitors(names: Collection[str]) -> dict[str, Competitor]:
    """The competitors by key; who is new is put on the list as written."""
    by_key: dict[str, str] = {}
    for name in names:
        by_key.setdefault(key_of(name), " ".join(name.split()))
    if "" in by_key:
        raise ValidationError({"sightings": _("Say which competitor.")}, code="required")
    known = {one.key: one for one in Competitor.objects.filter(key__in=by_key)}
    for key in sorted(by_key.keys() - known.keys()):  # in one order, so that none waits for another
        fresh = Competitor(name=by_key[key], key=key)
        fresh.clean_fields()
        known[key], _is_new = Competitor.objects.get_or_create(
            key=key, defaults={"name": fresh.name}
        )
    return known


def _as_seen(row: Sighting) -> Seen:
    return Seen(row.competitor.name, row.size, row.product, row.price, row.note)


def _sort_key(line: Seen) -> tuple[str, str, str, Decimal, str]:
    price = Decimal(-1) if line.price is None else Decimal(line.price)
    return key_of(line.competitor), line.product.strip(), line.size, price, line.note.strip()
