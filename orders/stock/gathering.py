"""The histories of many dealers' stock from one statement, on PostgreSQL and on SQLite."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db import connection

from crm.lib.days import EARLIEST
from orders.stock.movements import Arrival, Count, History, Kind, Lot, Move

#: Beginning with the count at or before `start` (else the first), everything that moved the stock
#: of a product since; deliveries by the moment of the order, those of returned orders negative.
#: Kinds: 0 the product itself, 1 what is on the way, 2 arrivals, 3 lots of counts, 4–6 moves.
_GATHER = """
WITH since AS (
  SELECT r.customer_id, l.product_id, MIN(r.reported_at) AS first_at, MAX(r.reported_at) AS last_at,
    COALESCE(MAX(CASE WHEN r.reported_at <= %s THEN r.reported_at END), MIN(r.reported_at)) AS at
  FROM orders_stockreport r JOIN orders_stockline l ON l.report_id = r.id
  WHERE r.customer_id IN ({ids}){of_product} GROUP BY r.customer_id, l.product_id
), bought AS (
  SELECT o.customer_id, l.product_id, o.id, o.ordered_at, o.status, l.batch,
    s.at AS since_at, s.last_at,
    CASE WHEN o.status = 'returned' THEN -{units} ELSE {units} END AS quantity
  FROM orders_order o
  JOIN orders_orderline l ON l.order_id = o.id
  JOIN since s ON s.customer_id = o.customer_id AND s.product_id = l.product_id
  WHERE o.customer_id IN ({ids})
    AND o.status IN ('confirmed', 'shipped', 'completed', 'returned')
)
SELECT customer_id, product_id, 0 AS kind, first_at AS at, 0 AS pk, '' AS batch, 0 AS quantity,
  CAST(NULL AS date) AS on_day, '' AS cause, CAST(NULL AS timestamptz) AS until
FROM since
UNION ALL
SELECT customer_id, product_id, 1, MAX(ordered_at), 0, '', SUM(quantity), NULL, '', NULL
FROM bought WHERE status = 'confirmed' GROUP BY customer_id, product_id
UNION ALL
SELECT customer_id, product_id, 2, MIN(ordered_at), 0, batch, 0, NULL, '', MAX(ordered_at)
FROM bought WHERE status IN ('shipped', 'completed') AND ordered_at < last_at
GROUP BY customer_id, product_id, batch
UNION ALL
SELECT r.customer_id, l.product_id, 3, r.reported_at, r.id, l.batch, {units}, l.produced_on, '',
  NULL
FROM orders_stockreport r
JOIN orders_stockline l ON l.report_id = r.id
JOIN since s ON s.customer_id = r.customer_id AND s.product_id = l.product_id
WHERE r.customer_id IN ({ids}) AND r.reported_at >= s.at
UNION ALL
SELECT customer_id, product_id, 4, ordered_at, id, batch, quantity, NULL, '', NULL
FROM bought WHERE status <> 'confirmed' AND ordered_at >= since_at
UNION ALL
SELECT l.customer_id, l.product_id, 5, l.sold_at, l.id, '', {units}, NULL, '', NULL
FROM orders_sellout l
JOIN since s ON s.customer_id = l.customer_id AND s.product_id = l.product_id
WHERE l.customer_id IN ({ids}) AND l.sold_at >= s.at
UNION ALL
SELECT l.customer_id, l.product_id, 6, l.adjusted_at, l.id, l.batch, {units}, NULL, l.cause, NULL
FROM orders_stockadjustment l
JOIN since s ON s.customer_id = l.customer_id AND s.product_id = l.product_id
WHERE l.customer_id IN ({ids}) AND l.adjusted_at >= s.at
ORDER BY 1, 2, 4, 3, 5, 6
"""

_MOVES = {4: Kind.DELIVERY, 5: Kind.SALE, 6: Kind.ADJUSTMENT}


def histories(
    customer_ids: Collection[int], *, start: datetime = EARLIEST, product_id: int | None = None
) -> Iterator[History]:
    """The history of each product that these customers counted, from the count before `start` on.

    One statement, whatever their number. With EARLIEST they are whole.
    """
    if not customer_ids:
        return
    on_sqlite = connection.vendor == "sqlite"
    # SQLite's sums are in floating point: it counts thousandths.
    sql = _GATHER.format(
        ids=", ".join(str(int(pk)) for pk in sorted(customer_ids)),
        of_product="" if product_id is None else f" AND l.product_id = {int(product_id)}",
        units="CAST(ROUND(l.quantity * 1000) AS INTEGER)" if on_sqlite else "l.quantity",
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [connection.ops.adapt_datetimefield_value(start)])
        rows = iter(lambda: cursor.fetchmany(2000), [])
        flat = (row for some in rows for row in some)
        read = _read_sqlite if on_sqlite else _read
        for (customer, product), its in groupby(flat, key=itemgetter(0, 1)):
            yield _history(customer, product, (read(row) for row in its))


Row = tuple[int, datetime, int, str, Decimal, date | None, str, datetime | None]


def _read(row: Iterable[Any]) -> Row:
    _customer, _product, kind, at, pk, batch, quantity, on_day, cause, until = row
    return kind, at, pk, batch, quantity, on_day, cause, until


def _read_sqlite(row: Iterable[Any]) -> Row:
    """Values as raw SQL gives them there: thousandths, moments in UTC and days as text."""
    kind, at, pk, batch, thousandths, on_day, cause, until = _read(row)
    return (
        kind,
        _moment(at),
        pk,
        batch,
        Decimal(thousandths).scaleb(-3),
        date.fromisoformat(str(on_day)) if on_day else None,
        cause,
        _moment(until) if until else None,
    )


def _moment(at: datetime | str) -> datetime:
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _history(customer: int, product: int, rows: Iterable[Row]) -> History:
    found = History(customer, product)
    lots: dict[tuple[datetime, int], list[Lot]] = {}
    for kind, at, pk, batch, quantity, on_day, cause, until in rows:
        if kind in _MOVES:
            found.moves.append(Move(_MOVES[kind], pk, at, quantity, batch, cause))
        elif kind == 3:
            lots.setdefault((at, pk), []).append(Lot(batch, quantity, on_day))
        elif kind == 2:
            assert until is not None
            found.arrivals.append(Arrival(batch, at, until))
        elif kind == 1:
            found.on_the_way = quantity
        else:
            found.first_counted_at = at
    found.counts = [Count(pk, at, tuple(some)) for (at, pk), some in lots.items()]
    return found
