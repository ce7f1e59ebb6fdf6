"""Handing out the gaps of the files: who is asked for what by when, and how much is left (P4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, F, Q
from django.utils.translation import gettext as _

from accounts.models import User
from crm.lib import bulk
from crm.lib.formats import local_day
from customers import completeness
from customers.completeness import BY_NAME
from customers.models import AssignedFile, Assignment, Customer, CustomerQuerySet

#: What one person is asked for at once; more is no task but a project.
MOST = 2_000


@dataclass(frozen=True, slots=True)
class Share:
    """How many files of one owner lack the field and are not asked for yet."""

    owner: User
    count: int


def may_be_assigned(wanted: str) -> bool:
    """Whether an owner can fill it; the owner of a file is given by a manager."""
    return wanted in BY_NAME and wanted != "owner"


def waiting(customers: CustomerQuerySet, wanted: str) -> CustomerQuerySet:
    """Those of `customers` that lack `wanted`, have an owner, and are not asked for yet."""
    open_ = Assignment.objects.open().filter(wanted=wanted)
    asked = AssignedFile.objects.filter(
        assignment__in=open_, assignment__owner=F("customer__owner")
    )
    lacking = completeness.without(customers, wanted)
    return lacking.filter(owner__is_active=True).exclude(pk__in=asked.values("customer"))


def shares(customers: CustomerQuerySet, wanted: str) -> list[Share]:
    """The owners of files that lack `wanted`, the one with the most first."""
    counted: Any = waiting(customers, wanted).order_by().values_list("owner").annotate(Count("pk"))
    counts: dict[int, int] = dict(counted)
    people = User.objects.in_bulk(list(counts))
    found = [Share(people[pk], count) for pk, count in counts.items()]
    return sorted(found, key=lambda one: (-one.count, one.owner.display_name))


@transaction.atomic
def assign(
    customers: CustomerQuerySet,
    wanted: str,
    *,
    owners: Collection[int],
    due_on: date,
    by: User,
    now: datetime,
) -> list[Assignment]:
    """Ask `owners` to fill `wanted` in those of `customers` that they have, by `due_on`.

    One record for each of them; at most MOST files. Raises ValidationError for a day that has
    passed, and where nothing is left to ask for.
    """
    if due_on < local_day(now):
        raise ValidationError(
            {"due_on": ValidationError(_("This day has passed; it is today at best."), code="past")}
        )
    bulk.lock("assign gaps")  # of two managers the second sees what the first has asked for
    files = waiting(customers, wanted).filter(owner__in=owners).order_by("-net_amount", "pk")
    by_owner: dict[int, list[int]] = {}
    for pk, owner in files.values_list("pk", "owner_id"):
        by_owner.setdefault(owner, []).append(pk)
    made = []
    for owner, ids in sorted(by_owner.items()):
        asked = ids[:MOST]
        made.append(
            Assignment.objects.create(
                owner_id=owner, wanted=wanted, due_on=due_on, total=len(asked), by=by, made_at=now
            )
        )
        bulk.insert(
            AssignedFile, ({"assignment_id": made[-1].pk, "customer_id": pk} for pk in asked)
        )
    if not made:
        raise ValidationError(_("Nothing is left to ask for."), code="nothing")
    return made


def left(assignments: Iterable[Assignment]) -> Counter[int]:
    """How many files of each assignment still lack what is wanted, by its id; one statement.

    Files that have passed to another owner since are no longer this one's to fill.
    """
    ids: dict[str, list[int]] = {}
    for one in assignments:
        if may_be_assigned(one.wanted):
            ids.setdefault(one.wanted, []).append(one.pk)
    if not ids:
        return Counter()
    lacking = Q()
    for wanted, some in ids.items():
        lacking |= Q(assigned__assignment__in=some) & BY_NAME[wanted].empty
    rows: Any = (
        Customer.objects.filter(lacking, owner=F("assigned__assignment__owner"))
        .order_by()
        .values_list("assigned__assignment")
        .annotate(Count("pk", distinct=True))
    )
    return Counter(dict(rows))


def settle(*, now: datetime) -> int:
    """Call those done in which nothing is left; how many."""
    open_ = list(Assignment.objects.open())
    still = left(open_)
    done = [one.pk for one in open_ if not still[one.pk]]
    return Assignment.objects.filter(pk__in=done).update(settled_at=now)
