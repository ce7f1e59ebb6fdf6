"""What the two databases write differently.

Amounts are worked out exactly. PostgreSQL adds `numeric`; SQLite keeps decimals as floating point,
so there everything is counted in whole cents, and shares of them are taken by integer division.
Amounts in the ranking are in this unit: currency on PostgreSQL, cents on SQLite.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection


@dataclass(frozen=True, slots=True)
class Dialect:
    """The pieces that differ; `{}` stand for expressions, `%s` for parameters."""

    #: A stored amount in the unit of the ranking, the way back, and how many make one.
    unit: str
    money: str
    per_one: int
    #: What a line of {quantity} at {price} comes to, half a cent rounded up.
    times: str
    #: Whether `before` is below a share of `total`; `below_takes` parameters in ten-thousandths.
    below: str
    below_takes: int
    #: What share of `total` is `before`, cut after six places.
    share: str
    #: The whole part of a division of two amounts, both above zero.
    whole: str
    #: The day of a moment in a time zone, and a day some days later.
    day: str
    later: str
    #: In how many of some spans of time {when} lies at least once; None where spans are compared
    #: one by one. The parameter is a list of the moments at which a new one begins.
    spans: str | None
    #: Between two values: they differ, and empty is a value like any other.
    differs: str
    #: Orders text by plain code points.
    plain: str


POSTGRESQL = Dialect(
    unit="{}",
    money="{}",
    per_one=1,
    times="round({quantity} * {price}, 2)",
    below="{before} * 10000 < %s * {total}",
    below_takes=1,
    share="trunc({before} / {total}, 6)",
    whole="div({}, {})::int",
    day="({} AT TIME ZONE %s)::date",
    later="({} + {})",
    spans="bit_count(bit_or(1::bigint << width_bucket({when}, %s))::bit(64))::int",
    differs="IS DISTINCT FROM",
    plain='COLLATE "C"',
)
SQLITE = Dialect(
    unit="CAST(ROUND({} * 100) AS INTEGER)",
    money="({} / 100.0)",
    per_one=100,
    times=(
        "((CAST(ROUND({quantity} * 1000) AS INTEGER) * CAST(ROUND({price} * 100) AS INTEGER)"
        " + 500) / 1000)"
    ),
    # before * 10000 < share * total, rounded up, split so that the product cannot overflow
    below="{before} < {total} / 10000 * %s + ({total} %% 10000 * %s + 9999) / 10000",
    below_takes=2,
    share=(
        "({before} * 1000 / {total} * 1000"
        " + {before} * 1000 %% {total} * 1000 / {total}) / 1000000.0"
    ),
    whole="(({}) / ({}))",
    day="django_datetime_cast_date({}, %s, 'UTC')",
    later="date({}, '+{} days')",
    spans=None,
    differs="IS NOT",
    plain="",
)


def dialect() -> Dialect:
    return POSTGRESQL if connection.vendor == "postgresql" else SQLITE


def in_order(amount: str, table: str = "") -> str:
    """The order of the ranks: largest first, ties by the number in the ERP, those without last.

    `table` is the name before the columns, with its dot, where a statement needs one.
    """
    plain = dialect().plain
    return f"ORDER BY {amount} DESC, {table}external_id {plain} NULLS LAST, {table}id"
