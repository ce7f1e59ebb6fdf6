"""A merge taken back: two files stand apart again, as they were or have become since (P5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404
from django.utils.translation import gettext as _

from accounts.access import require
from accounts.models import AuditEntry, User
from accounts.models.audit import Action
from crm.lib.contributions import contributions
from crm.lib.text import Text
from customers import cards, events, hierarchy, moving
from customers.merging import lock, merges_in_sight, require_right
from customers.models import Alias, Customer, Merge


@dataclass(frozen=True, slots=True)
class Undone:
    """The file that is there again, and the labels of what was changed since and stays."""

    customer: Customer
    kept: list[Text]


def why_not(record: Merge) -> str:
    """Why the merge cannot be taken back, in words; "" where it can."""
    if record.undone_at is not None:
        return _("This merge was taken back already.")
    for later in Merge.objects.filter(
        survivor=record.survivor_id, undone_at=None, pk__gt=record.pk
    ).order_by("-pk"):
        went = later.moved.get("customers.merge", {}).get("moved", {}).get("survivor_id", [])
        if record.pk in went:
            return _(
                "The file it went into, %(name)s, was merged itself: undo that merge first."
            ) % {"name": later.gone_name}
    return ""


@transaction.atomic
def undo(*, merge_id: int, by: User, now: datetime) -> Undone:
    """Take a merge back: the file is there again with its id, its number and what came with it.

    Values that the merge changed go back unless they were changed since; rows that were moved go
    back where they still stand at the survivor; what came later stays with the survivor. Raises
    Http404 out of sight, PermissionDenied, and ValidationError (code `refused`) with the reason.
    """
    require(by, "customers:write")
    lock()
    record = merges_in_sight(by).select_for_update(of=("self",)).filter(pk=merge_id).first()
    if record is None:
        raise Http404
    if reason := why_not(record):
        raise ValidationError(reason, code="refused")
    into = Customer.objects.select_for_update(of=("self",)).get(pk=record.survivor_id)
    values = moving.from_json(Customer, record.gone)
    require_right(values["owner_id"], into.owner_id, by)

    back, kept = _still_as_merged(record, into)
    into.tell_also("merged", record.gone_name, "")
    for name, value in back.items():
        setattr(into, name, value)
    into.save()
    Alias.objects.filter(merge=record).delete()
    gone = _stand_up_again(values)
    moving.put_back(record.moved, gone=gone.pk, into=into.pk, now=now)
    for part in contributions("merge", "part"):
        part(gone.pk, into.pk)
    record.undone_by, record.undone_at = by, now
    record.save(update_fields=["undone_by", "undone_at"])
    cards.refresh([into.pk, gone.pk])
    events.tell(created=[gone.pk], changed={into.pk: back}, at=now)
    return Undone(gone, kept)


def _still_as_merged(record: Merge, into: Customer) -> tuple[dict[str, Any], list[Text]]:
    """The survivor's old values, and the labels of those that somebody changed since the merge."""
    before = moving.from_json(Customer, record.before)
    for tie in hierarchy.Tie.values:
        above = before.get(f"{tie}_id")
        # The gone file is there again in a moment; anything else may have gone meanwhile.
        if above not in (None, record.gone_id) and not Customer.objects.filter(pk=above).exists():
            before[f"{tie}_id"] = None
    back, kept = {}, []
    for name, after in record.after.items():
        if moving.as_json(getattr(into, name)) == after or name == "last_visited_on":
            back[name] = before[name]
        else:
            field = next(f for f in Customer._meta.concrete_fields if f.attname == name)
            kept.append(field.verbose_name)
    return back, kept


def _stand_up_again(values: dict[str, Any]) -> Customer:
    """The gone row as it was. Who stood above it may have gone; its number may be taken."""
    above = {values[f"{tie}_id"] for tie in hierarchy.Tie.values} - {None}
    there = set(Customer.objects.filter(pk__in=above).values_list("pk", flat=True))
    for tie in hierarchy.Tie.values:
        if values[f"{tie}_id"] not in there:
            values[f"{tie}_id"] = None
    number = values["external_id"]
    if number and (
        Customer.objects.filter(external_id=number).exists()
        or Alias.objects.filter(external_id=number).exists()
    ):
        values["external_id"] = None
    moving.insert_silently(Customer(**values))
    # Nobody made this file just now: it tells that it was merged, and is not any more.
    AuditEntry.build(
        model=Customer,
        object_id=values["id"],
        object_name=values["name"],
        action=Action.UPDATE,
        before={"merged": True},
        after={"merged": False},
    ).save()
    return Customer.objects.get(pk=values["id"])
