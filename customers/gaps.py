"""What we never collect: which fields of the files are empty most often, by team and rep (P4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeAlias

from django.db.models import Count
from django.utils.translation import gettext

from accounts.models import Team, User
from accounts.models.users import team_ids_below
from customers.completeness import TOTAL, WANTED, Wanted
from customers.models import CustomerQuerySet


@dataclass(frozen=True, slots=True)
class Gap:
    """A field and how many files of a group lack it."""

    wanted: Wanted
    empty: int
    share: Decimal


@dataclass(slots=True)
class Tally:
    """The files of a group: how many, and how many of them lack each field."""

    customers: int = 0
    empty: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        self.customers += other.customers
        self.empty.update(other.empty)

    @property
    def percent(self) -> int:
        """How complete the files are together, 0–100, rounded down."""
        if not self.customers:
            return 0
        whole = TOTAL * self.customers
        missing = sum(wanted.weight * self.empty[wanted.name] for wanted in WANTED)
        return 100 * (whole - missing) // whole

    def share(self, name: str) -> Decimal:
        """The share (0–1) of files that lack the field."""
        return Decimal(self.empty[name]) / self.customers if self.customers else Decimal(0)

    @property
    def gaps(self) -> list[Gap]:
        """Every field, the one that is empty most often first."""
        found = [Gap(wanted, self.empty[wanted.name], self.share(wanted.name)) for wanted in WANTED]
        return sorted(found, key=lambda gap: -gap.empty)


@dataclass(frozen=True, slots=True)
class TeamTally:
    """The files of a team and of the teams below it."""

    team: Team
    tally: Tally

    @property
    def name(self) -> str:
        return self.team.name

    @property
    def narrowed(self) -> dict[str, str]:
        """The filters of the list of customers that show just these files."""
        return {"team": str(self.team.pk), "owner": ""}


@dataclass(frozen=True, slots=True)
class RepTally:
    """The files of one owner; None are the files without one."""

    owner: User | None
    tally: Tally

    @property
    def name(self) -> str:
        return self.owner.display_name if self.owner else gettext("no owner")

    @property
    def narrowed(self) -> dict[str, str]:
        """The filters of the list of customers that show just these files."""
        if self.owner:
            return {"owner": self.owner.username}
        return {"owner": "", "no_owner": "true"}


Group: TypeAlias = TeamTally | RepTally


@dataclass(frozen=True, slots=True)
class Spread:
    """A field over all groups: where it is empty most often and least often."""

    gap: Gap
    worst: Group | None
    best: Group | None


@dataclass(frozen=True, slots=True)
class Report:
    """All files in question, and the same by team and by rep, the least complete first."""

    total: Tally
    teams: list[TeamTally]
    reps: list[RepTally]

    def spreads(self) -> Iterator[Spread]:
        """Every field with those who ask least and most, the worst field first.

        Teams are compared where there are several, not counting those that hold other teams;
        else the owners in the one team.
        """
        above = {one.team.parent_id for one in self.teams}
        leaves = [one for one in self.teams if one.team.pk not in above]
        groups: list[Group] = [*leaves] if len(leaves) > 1 else [*self.reps]
        for gap in self.total.gaps:
            name = gap.wanted.name
            ranked = sorted(groups, key=lambda one: one.tally.share(name))
            apart = len(ranked) > 1 and ranked[0].tally.share(name) < ranked[-1].tally.share(name)
            yield Spread(gap, ranked[-1] if apart else None, ranked[0] if apart else None)


def report(customers: CustomerQuerySet, teams: Iterable[Team]) -> Report:
    """The report over `customers`, by those of `teams` that have any.

    One statement counts the files, one the contacts and one the suppliers, whatever their
    number (to look for the rows of each file takes ten times as long); two more fetch the names.
    """
    by_owner = _empty_columns(customers)
    kinds = {id(wanted.rows): wanted.rows for wanted in WANTED if wanted.rows is not None}
    for rows in kinds.values():
        _add_without_rows(by_owner, customers, rows)
    owners = User.objects.in_bulk([owner for owner in by_owner if owner])
    total = Tally()
    for tally in by_owner.values():
        total.add(tally)
    reps = [RepTally(owners.get(owner or 0), tally) for owner, tally in by_owner.items()]
    return Report(total, _by_team(reps, {team.pk: team for team in teams}), _worst_first(reps))


def _empty_columns(customers: CustomerQuerySet) -> dict[int | None, Tally]:
    """By owner: how many files there are, and how many have each column empty."""
    columns = [wanted for wanted in WANTED if wanted.rows is None]
    counted: dict[str, Any] = {
        f"no_{wanted.name}": Count("pk", filter=wanted.empty) for wanted in columns
    }
    rows = customers.order_by().values_list("owner_id").annotate(n=Count("pk"), **counted)
    return {
        owner: Tally(n, Counter({w.name: k for w, k in zip(columns, empty, strict=True) if k}))
        for owner, n, *empty in rows
    }


def _add_without_rows(
    by_owner: Mapping[int | None, Tally], customers: CustomerQuerySet, rows: Any
) -> None:
    """Add how many files have none of `rows` that will do: all files less those that have one."""
    wished = [wanted for wanted in WANTED if wanted.rows is rows]
    counted: dict[str, Any] = {
        f"has_{wanted.name}": Count("customer_id", distinct=True, filter=wanted.that)
        for wanted in wished
    }
    of_files = rows.filter(customer__in=customers.order_by().values("pk")).order_by()
    found = {
        owner: having
        for owner, *having in of_files.values_list("customer__owner_id").annotate(**counted)
    }
    for owner, tally in by_owner.items():
        having = found.get(owner, [0] * len(wished))
        for wanted, number in zip(wished, having, strict=True):
            tally.empty[wanted.name] = tally.customers - number


def _by_team(reps: Iterable[RepTally], teams: Mapping[int, Team]) -> list[TeamTally]:
    parents = {team.pk: team.parent_id for team in teams.values()}
    own: dict[int, Tally] = {}
    for rep in reps:
        if rep.owner is not None and rep.owner.team_id is not None:
            own.setdefault(rep.owner.team_id, Tally()).add(rep.tally)
    found = []
    for pk, team in teams.items():
        tally = Tally()
        for below in team_ids_below({pk}, parents):
            if below in own:
                tally.add(own[below])
        if tally.customers:
            found.append(TeamTally(team, tally))
    return _worst_first(found)


def _worst_first(groups: list[Any]) -> list[Any]:
    return sorted(groups, key=lambda group: (group.tally.percent, -group.tally.customers))
