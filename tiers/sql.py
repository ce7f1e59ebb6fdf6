"""The statements of a tier run, once for both databases: what they write differently is `Dialect`.

Amounts are worked out exactly. PostgreSQL adds `numeric`; SQLite keeps decimals as floating point,
so there everything is counted in whole cents, and shares of them are taken by integer division.
`net` in the ranking is in this unit: currency on PostgreSQL, cents on SQLite.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connection

from orders.models import NETTED, OrderStatus


@dataclass(frozen=True, slots=True)
class Dialect:
    """The pieces that differ; `{}` stand for expressions, `%s` for parameters."""

    #: A stored amount in the unit of the ranking, the way back, and how many make one.
    unit: str
    money: str
    per_one: int
    #: Whether `before` is below a share of `total`; `times` parameters in ten-thousandths.
    below: str
    times: int
    #: What share of `total` is `before`, cut after six places.
    share: str
    #: The day of a moment in a time zone.
    day: str
    #: Between two values: they differ, and empty is a value like any other.
    differs: str
    #: Orders text by plain code points.
    plain: str


POSTGRESQL = Dialect(
    unit="{}",
    money="{}",
    per_one=1,
    below="{before} * 10000 < %s * {total}",
    times=1,
    share="trunc({before} / {total}, 6)",
    day="({} AT TIME ZONE %s)::date",
    differs="IS DISTINCT FROM",
    plain='COLLATE "C"',
)
SQLITE = Dialect(
    unit="CAST(ROUND({} * 100) AS INTEGER)",
    money="({} / 100.0)",
    per_one=100,
    # before * 10000 < share * total, rounded up, split so that the product cannot overflow
    below="{before} < {total} / 10000 * %s + ({total} %% 10000 * %s + 9999) / 10000",
    times=2,
    share=(
        "({before} * 1000 / {total} * 1000"
        " + {before} * 1000 %% {total} * 1000 / {total}) / 1000000.0"
    ),
    day="django_datetime_cast_date({}, %s, 'UTC')",
    differs="IS NOT",
    plain="",
)


def dialect() -> Dialect:
    return POSTGRESQL if connection.vendor == "postgresql" else SQLITE


def in_order(net: str) -> str:
    """The order of the ranks: largest first, ties by the number in the ERP, those without last."""
    return f"ORDER BY {net} DESC, external_id {dialect().plain} NULLS LAST, id"


def rank(
    *, start: datetime, end: datetime, a_share: Decimal, b_share: Decimal
) -> tuple[str, list[Any]]:
    """Every customer's net amount between two moments, its rank and tier (P8), in a new table.

    A customer whose net amount is not above zero has no place, share or tier.
    """
    d = dialect()
    amount = d.unit.format("amount")
    below = d.below.format(before="before", total="total")
    adapt = connection.ops.adapt_datetimefield_value
    returned = OrderStatus.RETURNED.value
    netted = ", ".join(f"'{status.value}'" for status in NETTED)
    statement = f"""
        CREATE TEMPORARY TABLE tier_ranking AS
        WITH bought AS (
            SELECT customer_id,
                SUM(CASE WHEN status = '{returned}' THEN -{amount} ELSE {amount} END) AS net,
                SUM(CASE WHEN status = '{returned}' THEN 0 ELSE 1 END) AS orders,
                MAX(CASE WHEN status <> '{returned}' THEN ordered_at END) AS last_at
            FROM orders_order
            WHERE ordered_at >= %s AND ordered_at < %s AND status IN ({netted})
            GROUP BY customer_id
        ), placed AS (
            SELECT id, COALESCE(net, 0) AS net, COALESCE(orders, 0) AS orders, last_at,
                ROW_NUMBER() OVER line AS place,
                SUM(CASE WHEN net > 0 THEN net END) OVER line - net AS before,
                SUM(CASE WHEN net > 0 THEN net END) OVER () AS total
            FROM customers_customer LEFT JOIN bought ON customer_id = id
            WINDOW line AS ({in_order("COALESCE(net, 0)")} ROWS UNBOUNDED PRECEDING)
        )
        SELECT id, net, orders, {d.day.format("last_at")} AS last_on,
            CASE WHEN net > 0 THEN place END AS place,
            CASE WHEN net > 0 THEN {d.share.format(before="before", total="total")} END AS share,
            CASE WHEN net > 0 THEN
                CASE WHEN {below} THEN 'A' WHEN {below} THEN 'B' ELSE 'C' END
            END AS tier
        FROM placed
    """  # noqa: S608  # made of this module's own pieces; values are parameters
    lines = [int(share * 10000) for share in (a_share, b_share) for _again in range(d.times)]
    return statement, [adapt(start), adapt(end), settings.TIME_ZONE, *lines]


#: How many customers each tier has, and what they bought together, in the unit of the ranking.
COUNT = "SELECT tier, COUNT(*), SUM(net) FROM tier_ranking GROUP BY tier"


def keep_changes(*, run_id: int, ranked: int, now: datetime) -> tuple[str, list[Any]]:
    """One history row for each customer whose tier differs from the ranking's (P12)."""
    d = dialect()
    statement = f"""
        INSERT INTO tiers_tierchange (run_id, changed_at, customer_id, recorded_for, from_tier,
            to_tier, net_amount, net_before, rank, rank_before, ranked, share_before)
        SELECT %s, %s, c.id, c.id, c.abc, r.tier, {d.money.format("r.net")},
            c.net_amount, r.place, before.place, %s, r.share
        FROM tier_ranking r
        JOIN customers_customer c ON c.id = r.id
        LEFT JOIN (
            SELECT id, ROW_NUMBER() OVER ({in_order("net_amount")}) AS place
            FROM customers_customer WHERE net_amount > 0
        ) before ON before.id = r.id
        WHERE c.abc {d.differs} r.tier
        ORDER BY r.place NULLS LAST, c.id
    """  # noqa: S608  # made of this module's own pieces; values are parameters
    return statement, [run_id, connection.ops.adapt_datetimefield_value(now), ranked]


def write_customers(*, now: datetime) -> tuple[str, list[Any]]:
    """The new tiers and facts, onto the customers that differ and no others.

    The facts alone are nobody's edit: only a new tier makes the record a newer version.
    """
    d = dialect()
    moved = f"c.abc {d.differs} r.tier"
    stored = d.unit.format("c.net_amount")
    statement = f"""
        UPDATE customers_customer AS c
        SET abc = r.tier, net_amount = {d.money.format("r.net")}, order_count = r.orders,
            last_ordered_on = r.last_on,
            version = c.version + CASE WHEN {moved} THEN 1 ELSE 0 END,
            updated_at = CASE WHEN {moved} THEN %s ELSE c.updated_at END
        FROM tier_ranking r
        WHERE r.id = c.id AND ({moved} OR {stored} {d.differs} r.net
            OR c.order_count <> r.orders OR c.last_ordered_on {d.differs} r.last_on)
    """  # noqa: S608  # made of this module's own pieces; values are parameters
    return statement, [connection.ops.adapt_datetimefield_value(now)]


def standings(ids: list[int]) -> tuple[str, list[Any]]:
    """Net, rank, number of ranked customers, share before and share with it, by the stored facts.

    Ranks are the whole company's, whoever asks.
    """
    d = dialect()
    unit = d.unit.format("net_amount")
    marks = ", ".join(["%s"] * len(ids))
    statement = f"""
        SELECT id, net, place, ranked,
            {d.share.format(before="(running - net)", total="total")},
            {d.share.format(before="running", total="total")}
        FROM ({company(unit)}) placed WHERE id IN ({marks})
    """  # noqa: S608  # made of this module's own pieces; values are parameters
    return statement, ids


def company(unit: str) -> str:
    """Every ranked customer with its place, by the stored facts."""
    return f"""
        SELECT id, {unit} AS net, ROW_NUMBER() OVER line AS place, COUNT(*) OVER () AS ranked,
            SUM({unit}) OVER line AS running, SUM({unit}) OVER () AS total
        FROM customers_customer WHERE net_amount > 0
        WINDOW line AS ({in_order("net_amount")} ROWS UNBOUNDED PRECEDING)
    """  # noqa: S608  # made of this module's own pieces


def ranking(scope: str) -> str:
    """The ranked customers among `scope` (a statement that gives ids), by rank, with their shares.

    Columns: rank, number, name, owner, tier, net, share, share with all before it.
    """
    d = dialect()
    unit = d.unit.format("net_amount")
    return f"""
        SELECT placed.place, c.external_id, c.name, u.name, c.abc, placed.net,
            {d.share.format(before="placed.net", total="placed.total")},
            {d.share.format(before="placed.running", total="placed.total")}
        FROM ({company(unit)}) placed
        JOIN customers_customer c ON c.id = placed.id
        LEFT JOIN accounts_user u ON u.id = c.owner_id
        WHERE placed.id IN ({scope})
        ORDER BY placed.place
    """  # noqa: S608  # made of this module's own pieces and the ORM's; values are parameters


def tally(standing: str) -> str:
    """Customers, those with a net amount above zero, and their sum, by tier.

    `standing` is a statement that gives id, external_id, tier and amount.
    """
    unit = dialect().unit.format("amount")
    return f"""
        SELECT tier, COUNT(*), SUM(CASE WHEN amount > 0 THEN 1 ELSE 0 END),
            SUM(CASE WHEN amount > 0 THEN {unit} ELSE 0 END)
        FROM ({standing}) standing GROUP BY tier
    """  # noqa: S608  # made of this module's own pieces and the ORM's; values are parameters


def running(standing: str, places: list[int]) -> str:
    """What the first 1, 2, … customers of `standing` bought together, at the given places."""
    unit = dialect().unit.format("amount")
    return f"""
        SELECT place, running FROM (
            SELECT ROW_NUMBER() OVER line AS place, SUM({unit}) OVER line AS running
            FROM ({standing}) standing WHERE amount > 0
            WINDOW line AS ({in_order("amount")} ROWS UNBOUNDED PRECEDING)
        ) placed WHERE place IN ({", ".join(map(str, places))}) ORDER BY place
    """  # noqa: S608  # made of this module's own pieces and the ORM's; values are parameters
