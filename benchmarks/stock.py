"""How long working out dealers' stock takes, against one hand-written statement of its movements.

The statement knows the intervals alone: opening, sell-in, adjustments, closing, what was sold and
reported (P23). The job reads the same rows, judges them (demand, safety stock, cover, deadlines,
what cannot be) and keeps the figures.

    python -m benchmarks.stock [--dealers N] [--products N] [--rounds N]

Runs on PostgreSQL: the server of DATABASE_URL, or a fresh one from the pip package. A database of
its own is made there and dropped at the end. The two ways take turns on the same data; the job is
measured where every figure is new, and where nothing changed since.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date
from typing import Any

import django

from benchmarks._measuring import database, measuring_server, peak_megabytes

AS_OF = date(2026, 6, 16)
NAME = "kehu_bench_stock"

#: Each dealer counts every 28 days, orders every product every 20, and reports what it sold.
SEED_DATA = """
    SELECT setseed(0.42);
    INSERT INTO orders_product (created_at, updated_at, version, external_id, name, category, unit,
        active)
    SELECT now(), now(), 1, 'P-' || n, 'Product ' || n, '', '', true
    FROM generate_series(1, {products}) AS n;
    INSERT INTO customers_customer (created_at, updated_at, version, external_id, name, kind,
        status, division, address, phone, email, tax_id, buyout, tags, custom, key_account,
        order_count)
    SELECT now(), now(), 1, 'C-' || n, 'Dealer ' || n, 'dealer', 'active', '330602', '', '', '',
        '', false, '[]', '{{}}', false, 0
    FROM generate_series(1, {dealers}) AS n;
    INSERT INTO orders_stockreport (created_at, updated_at, version, customer_id, reported_at,
        source, note)
    SELECT now(), now(), 1, c.id,
        timestamptz '2026-06-12 10:00+08' - n * interval '28 days' - (c.id % 9) * interval '1 hour',
        'dealer', ''
    FROM customers_customer c, generate_series(0, 5) AS n;
    INSERT INTO orders_stockline (report_id, product_id, batch, quantity)
    SELECT r.id, p.id, '', 40 + floor(random() * 30)
    FROM orders_stockreport r, orders_product p;
    INSERT INTO orders_order (created_at, updated_at, version, customer_id, ordered_at, status,
        delivery_address, delivery_division, payment_method, promotion, amount, held)
    SELECT now(), now(), 1, c.id, timestamptz '2026-06-15 15:00+08' - n * interval '20 days',
        CASE WHEN n = 0 THEN 'confirmed' ELSE 'completed' END, '', '', '', '', 100, false
    FROM customers_customer c, generate_series(0, 8) AS n;
    INSERT INTO orders_orderline (order_id, line_no, product_id, quantity, unit_price, batch)
    SELECT o.id, p.id, p.id, 20 + floor(random() * 20), 1, '' FROM orders_order o, orders_product p;
    INSERT INTO orders_sellout (created_at, updated_at, version, customer_id, product_id, sold_at,
        quantity, buyer_division)
    SELECT now(), now(), 1, c.id, p.id, timestamptz '2026-06-01 15:00+08' - n * interval '30 days',
        15, ''
    FROM customers_customer c, orders_product p, generate_series(0, 3) AS n;
"""

BY_HAND = """
    CREATE TEMPORARY TABLE by_hand ON COMMIT DROP AS
    WITH counted AS (
        SELECT r.customer_id, l.product_id, r.reported_at AS at, sum(l.quantity) AS quantity
        FROM orders_stockreport r JOIN orders_stockline l ON l.report_id = r.id
        GROUP BY r.customer_id, l.product_id, r.reported_at
    ), spans AS (
        SELECT counted.*, lead(at) OVER w AS until, lead(quantity) OVER w AS closing
        FROM counted WINDOW w AS (PARTITION BY customer_id, product_id ORDER BY at)
    ), moved AS (
        SELECT o.customer_id, l.product_id, o.ordered_at AS at,
            CASE WHEN o.status = 'returned' THEN -l.quantity ELSE l.quantity END AS came,
            0 AS adjusted, 0 AS reported
        FROM orders_order o JOIN orders_orderline l ON l.order_id = o.id
        WHERE o.status IN ('shipped', 'completed', 'returned')
        UNION ALL
        SELECT customer_id, product_id, sold_at, 0, 0, quantity FROM orders_sellout
        UNION ALL
        SELECT customer_id, product_id, adjusted_at, 0, quantity, 0 FROM orders_stockadjustment
    )
    SELECT s.customer_id, s.product_id, s.at, s.until, s.quantity AS opening, s.closing,
        coalesce(sum(came), 0) AS sell_in, coalesce(sum(adjusted), 0) AS adjusted,
        coalesce(sum(reported), 0) AS reported,
        s.quantity + coalesce(sum(came), 0) + coalesce(sum(adjusted), 0) - s.closing AS derived
    FROM spans s
    LEFT JOIN moved m ON m.customer_id = s.customer_id AND m.product_id = s.product_id
        AND m.at >= s.at AND (s.until IS NULL OR m.at < s.until)
    GROUP BY s.customer_id, s.product_id, s.at, s.until, s.quantity, s.closing
"""


def seconds(way: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    way()
    return time.perf_counter() - begun


def measure(dealers: int, products: int, rounds: int) -> int:
    """Fill a database, let the ways take turns, and print the medians."""
    from django.core.management import call_command
    from django.db import connection, transaction

    from orders.models import StockPosition
    from orders.stock.positions import restock_all

    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute(SEED_DATA.format(dealers=dealers, products=products))
        cursor.execute("VACUUM ANALYZE")

        def by_hand() -> None:
            with transaction.atomic():
                cursor.execute(BY_HAND)

        def job() -> None:
            restock_all(today=AS_OF)

        def anew() -> float:
            cursor.execute("TRUNCATE orders_stockposition")
            return seconds(job)

        times = [(seconds(by_hand), anew(), seconds(job)) for _round in range(rounds)]
    hand, new, again = (statistics.median(column) for column in zip(*times, strict=True))
    print(f"{dealers:,} dealers × {products} products, {StockPosition.objects.count():,} positions")
    print(f"the statement          {hand:6.2f} s")
    print(f"the job, all new       {new:6.2f} s ({new / hand:.2f} ×)")
    print(f"the job, nothing new   {again:6.2f} s ({again / hand:.2f} ×)")
    print(f"most memory of this process: {peak_megabytes():.0f} MB")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dealers", type=int, default=5_000)
    parser.add_argument("--products", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    size = parser.parse_args()
    with measuring_server() as server, database(server, NAME) as address:
        os.environ["DATABASE_URL"] = address
        django.setup()
        return measure(size.dealers, size.products, size.rounds)


if __name__ == "__main__":
    sys.exit(main())
