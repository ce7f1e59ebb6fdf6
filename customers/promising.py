"""Making promises, who can keep them, and how many are kept in time (P42)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Count, F, Q
from django.utils.translation import gettext as _

from accounts.models import Team, User
from accounts.roles import SEES_ALL, Role
from crm.lib.formats import local_day
from customers.models import Customer, Promise, PromiseState
from customers.models.promises import PromiseQuerySet, refuse_past

#: Over how many days the share kept in time is worked out.
WINDOW = timedelta(days=90)
#: Who may have promises to keep: all who may write in a file.
KEEPERS = (Role.REP, Role.MANAGER, Role.SERVICE, Role.ADMINISTRATOR)


@transaction.atomic
def make(
    *,
    customer: Customer,
    content: str,
    owner: User,
    due_on: date,
    by: User,
    now: datetime,
    client_id: UUID | None = None,
    source: str = "",
) -> Promise:
    """Promise a customer something that `owner` does by the end of `due_on`.

    `source` names the record it is made in ("visits.visit:7"). The same `client_id` again leads
    to the same promise, as it is. ValidationError where the day has passed (`past`), nothing is
    promised, or `owner` cannot see the customer (`owner`).
    """
    if client_id is not None and (there := _made_as(client_id, customer)):
        return there
    refuse_past(due_on, local_day(now))
    if not keepers(customer).filter(pk=owner.pk).exists():
        raise ValidationError(
            {"owner": ValidationError(_("Choose somebody who sees this customer."), code="owner")}
        )
    promise = Promise(
        client_id=client_id,
        customer=customer,
        content=content.strip(),
        owner=owner,
        due_on=due_on,
        made_at=now,
        made_by=by,
        source=source,
    )
    promise.clean_fields()
    try:
        with transaction.atomic():
            promise.save()
    except IntegrityError:  # the other press of the button came first
        there = _made_as(client_id, customer) if client_id else None
        if there is None:
            raise
        return there
    return promise


def _made_as(client_id: UUID, customer: Customer) -> Promise | None:
    return Promise.objects.filter(client_id=client_id, customer=customer).first()


def keeper(customer: Customer, person: User) -> User:
    """Who keeps what `person` promises `customer`: that person, else the customer's owner."""
    if customer.owner is None or keepers(customer).filter(pk=person.pk).exists():
        return person
    return customer.owner


def keepers(customer: Customer) -> Any:
    """Who may be given a promise to `customer`: those who see its file and may write in it."""
    people = User.objects.get_queryset().active().filter(role__in=KEEPERS)
    fits = Q(role__in=[role for role in KEEPERS if role in SEES_ALL])
    if customer.owner_id is not None:
        fits |= Q(pk=customer.owner_id)
        fits |= Q(role=Role.MANAGER, pk__in=_managers_above(customer))
    return people.filter(fits).order_by("name", "pk")


def _managers_above(customer: Customer) -> set[int]:
    """The managers of the owner's team and of every team above it."""
    owner = customer.owner
    teams = {
        pk: (parent, who)
        for pk, parent, who in Team.objects.values_list("pk", "parent_id", "manager_id")
    }
    found: set[int] = set()
    at, passed = owner.team_id if owner else None, set()
    while at in teams and at not in passed:
        passed.add(at)
        at, manager = teams[at]
        if manager is not None:
            found.add(manager)
    return found


@dataclass(frozen=True, slots=True)
class Kept:
    """How many of one person's promises fell due in a span, and how many were kept in time."""

    username: str
    name: str
    due: int
    in_time: int

    @property
    def share(self) -> float | None:
        return self.in_time / self.due if self.due else None


def window(today: date) -> tuple[date, date]:
    """The days whose promises count: the WINDOW before today; those of today may still be kept."""
    return today - WINDOW, today - timedelta(days=1)


def keeping_rates(promises: PromiseQuerySet, *, today: date) -> list[Kept]:
    """For each person, of the promises that fell due lately those kept in time; most due first."""
    rows = (
        promises.filter(due_on__range=window(today))
        .with_settled_on()
        .order_by()
        .values("owner__username", "owner__name")
        .annotate(
            due=Count("pk"),
            in_time=Count("pk", filter=Q(state=PromiseState.KEPT, settled_on__lte=F("due_on"))),
        )
        .order_by("-due", "owner__name", "owner__username")
    )
    return [
        Kept(row["owner__username"], row["owner__name"], row["due"], row["in_time"]) for row in rows
    ]
