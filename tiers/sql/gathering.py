"""What a run gathers over the orders and the files: one common table for each kind of fact.

Each function gives the text of a `WITH` entry and its parameters, or None where nobody asks for
the fact. All sums are those of the window.
"""

# Statements are made of this package's own pieces; values are parameters:
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeAlias

from django.conf import settings
from django.db import connection

from orders.models import COUNTED, NETTED, OrderStatus
from tiers.sql import margins
from tiers.sql.dialect import dialect

Part: TypeAlias = tuple[str, list[Any]]
RETURNED = f"'{OrderStatus.RETURNED.value}'"
_COUNTED = ", ".join(f"'{status.value}'" for status in COUNTED)
_NETTED = ", ".join(f"'{status.value}'" for status in NETTED)


@dataclass(frozen=True, slots=True)
class Window:
    """The days that count, as moments: `start` ≤ ordered < `end`; `months` are the moments at
    which the second and further calendar months of the window begin."""

    first: date
    last: date
    start: datetime
    end: datetime
    months: Sequence[datetime]

    @property
    def bounds(self) -> list[Any]:
        return [_moment(self.start), _moment(self.end)]


def _moment(at: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(at)


def bought(window: Window, *, months: bool) -> Part:
    """Net amount, orders, last order and, if asked for, months with a purchase, by customer."""
    net = margins.signed(dialect().unit.format("amount"), "status")
    span, values = _months(window) if months else ("0", [])
    return (
        f"""bought AS MATERIALIZED (
            SELECT customer_id,
                SUM({net}) AS net,
                SUM(CASE WHEN status = {RETURNED} THEN 0 ELSE 1 END) AS orders,
                COUNT(*) AS papers,
                MAX(CASE WHEN status <> {RETURNED} THEN ordered_at END) AS last_at,
                {span} AS months
            FROM orders_order
            WHERE ordered_at >= %s AND ordered_at < %s AND status IN ({_NETTED})
            GROUP BY customer_id
        )""",
        [*values, *window.bounds],
    )


def _months(window: Window) -> Part:
    """In how many calendar months of the window a purchase lies."""
    when = f"CASE WHEN status <> {RETURNED} THEN ordered_at END"
    d = dialect()
    if d.spans is not None:
        return f"COALESCE({d.spans.format(when=when)}, 0)", [list(window.months)]
    cases = " ".join(f"WHEN ordered_at < %s THEN {n}" for n in range(len(window.months)))
    inner = f"CASE {cases} ELSE {len(window.months)} END" if cases else "0"
    return (
        f"COUNT(DISTINCT CASE WHEN status <> {RETURNED} THEN {inner} END)",
        [_moment(at) for at in window.months],
    )


def earned(window: Window) -> Part:
    """Margin by customer, as far as costs are known, and how many orders are wholly known.

    `papers` counts those; the margin is empty where no line of the customer has a cost.
    """
    return (
        f"""costed AS (
            SELECT o.customer_id, o.status, SUM({margins.line_margin()}) AS margin,
                {margins.wholly_known()} AS known
            FROM orders_order o
            JOIN orders_orderline l ON l.order_id = o.id
            JOIN orders_product p ON p.id = l.product_id
            WHERE o.ordered_at >= %s AND o.ordered_at < %s AND o.status IN ({_NETTED})
            GROUP BY o.id, o.customer_id, o.status
        ), earned AS (
            SELECT customer_id, SUM(known) AS papers,
                SUM({margins.signed("margin", "status")}) AS margin
            FROM costed GROUP BY customer_id
        )""",
        window.bounds,
    )


def launched(window: Window, days: int) -> Part:
    """How many products each customer bought within `days` days of their launch."""
    d = dialect()
    day = d.day.format("o.ordered_at")
    return (
        f"""launched AS (
            SELECT o.customer_id, COUNT(DISTINCT l.product_id) AS launches
            FROM orders_product p
            JOIN orders_orderline l ON l.product_id = p.id
            JOIN orders_order o ON o.id = l.order_id
            WHERE p.launched_on >= %s AND p.launched_on <= %s
                AND o.ordered_at >= %s AND o.ordered_at < %s AND o.status IN ({_COUNTED})
                AND {day} >= p.launched_on
                AND {day} <= {d.later.format("p.launched_on", int(days))}
            GROUP BY o.customer_id
        )""",
        [
            _day(window.first - timedelta(days=days)),
            _day(window.last),
            *window.bounds,
            settings.TIME_ZONE,
            settings.TIME_ZONE,
        ],
    )


def _day(day: date) -> Any:
    return connection.ops.adapt_datefield_value(day)


def seen(statements: Sequence[Part]) -> Part | None:
    """How often competitors were seen at each customer: (customer, number) rows of each app."""
    if not statements:
        return None
    united = " UNION ALL ".join(f"SELECT * FROM ({text}) one" for text, _values in statements)
    return (
        f"""every_sighting (customer_id, number) AS ({united}), seen AS (
            SELECT customer_id, SUM(number) AS sightings FROM every_sighting GROUP BY customer_id
        )""",
        [value for _text, values in statements for value in values],
    )
