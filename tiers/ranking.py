"""The ranking of the customers of a scope: as it stands, or as a past run left it (P8, P12).

Places and shares are those of the whole group that the policy ranks in, whatever the scope.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from django.core.exceptions import EmptyResultSet
from django.db import connection

from customers.models import Customer, CustomerQuerySet
from tiers import sql
from tiers.models import Measure, RankedWithin, TierRun, TierRunQuerySet
from tiers.report import standing_at
from tiers.sql.gathering import earned
from tiers.sql.ranking import GROUPS
from tiers.tiering import window_of

CENT = Decimal("0.01")


class Row(NamedTuple):
    """One customer: `group` as in TierChange, `value` what it is ranked by; shares are of 0–1."""

    group: str
    place: int
    number: str | None
    name: str
    owner: str | None
    tier: str | None
    value: Decimal
    share: Decimal | float
    running: Decimal | float


def run_on(day: date, runs: TierRunQuerySet) -> TierRun | None:
    """The run whose tiers counted on `day`: the last one of the last day up to it that was looked
    at; None before the first."""
    found = runs.decisive().filter(as_of__lte=day).order_by("-as_of", "-finished_at", "-id")
    return found.select_related("policy").first()


def as_it_stands(customers: CustomerQuerySet, last: TierRun) -> Iterator[Row]:
    """By the stored facts, which the run `last` wrote, with the tiers as they are."""
    scope, values = _scope(customers)
    if scope:
        yield from _read(sql.ranking(scope, last.policy), values)


def as_left_by(run: TierRun, customers: CustomerQuerySet) -> Iterator[Row]:
    """With the tiers as `run` left them, by what the orders of its window come to (see
    `tiers.report.tier_at`). Groups are those that the customers belong to today."""
    scope, values = _scope(customers)
    if not scope:
        return
    standing, parameters = standing_at(run, Customer.objects.all())
    d, within = sql.dialect(), RankedWithin(run.policy.ranked_within)
    before, join, value = "", "", d.unit.format("s.amount")
    if run.policy.measure == Measure.MARGIN:
        margins, bounds = earned(window_of(run.as_of, run.policy.window_months))
        before, parameters = f"WITH {margins}", (*bounds, *parameters)
        join, value = "JOIN earned ON earned.customer_id = s.id", "earned.margin"
    group = GROUPS.get(within, "''")
    apart = f"PARTITION BY {group}" if within in GROUPS else ""
    statement = f"""{before}
        SELECT placed.grp, placed.place, c.external_id, c.name, u.name, placed.tier, placed.value,
            {d.share.format(before="placed.value", total="placed.total")},
            {d.share.format(before="placed.running", total="placed.total")}
        FROM (
            SELECT s.id, s.tier, {group} AS grp, {value} AS value,
                ROW_NUMBER() OVER line AS place,
                SUM({value}) OVER line AS running, SUM({value}) OVER whole AS total
            FROM ({standing}) s JOIN customers_customer c ON c.id = s.id {join}
            WHERE {value} > 0
            WINDOW line AS ({apart} {sql.in_order(value, "c.")} ROWS UNBOUNDED PRECEDING),
                whole AS ({apart})
        ) placed
        JOIN customers_customer c ON c.id = placed.id
        LEFT JOIN accounts_user u ON u.id = c.owner_id
        WHERE placed.id IN ({scope})
        ORDER BY placed.grp, placed.place
    """  # noqa: S608  # made of this app's own pieces and the ORM's; values are parameters
    yield from _read(statement, (*parameters, *values))


def _scope(customers: CustomerQuerySet) -> tuple[str, tuple[Any, ...]]:
    """The statement that gives the ids of `customers`; "" where there can be none."""
    try:
        query = customers.order_by().values("pk").query
        scope, values = query.get_compiler(connection=connection).as_sql()
    except EmptyResultSet:
        return "", ()
    return scope, values


def _read(statement: str, values: tuple[Any, ...]) -> Iterator[Row]:
    per_one = sql.dialect().per_one
    with connection.chunked_cursor() as cursor:
        cursor.execute(statement, values)
        while rows := cursor.fetchmany(2000):
            for row in map(Row._make, rows):
                yield row._replace(value=(Decimal(row.value) / per_one).quantize(CENT))
