"""How fast orders come in over HTTP, against raw upserts of the same rows on one connection.

    python -m benchmarks.sync [--rounds N] [--orders N] [--lines N] [--stored N] [--stored-lines N]

Runs on PostgreSQL: the server of DATABASE_URL, or a fresh one from the pip package. A database of
its own is made there and dropped at the end. One client, on one connection at a time, posts
--orders (500) a call to gunicorn, with everything a real call has: key, validation, lock, log and
audit entries; only the limit of calls a minute is lifted. The yardstick writes the same rows with
psycopg2's `execute_values`, as many orders with their lines to a transaction. The two take turns in
three situations: new orders, changed orders, and the same orders once more. The most memory that
the web process ever had is told at the end.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import statistics
import sys
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg2
from psycopg2.extras import execute_values

from benchmarks._measuring import database, measuring_server, peak_megabytes
from benchmarks._serving import served

#: The least share of the raw rate, with lines and without; how much faster an unchanged call is.
GOAL, GOAL_WITHOUT_LINES = 0.7, 0.5
GOAL_AGAIN = 1.3
MOST_MEGABYTES = 300
CUSTOMERS, PRODUCTS = 2000, 500
NAME = "kehu_bench_sync"
BEGIN = datetime(2026, 6, 1, tzinfo=UTC)

ORDER_COLUMNS = (
    "created_at, updated_at, version, external_id, customer_id, ordered_at, status, "
    "delivery_address, delivery_division, payment_method, promotion, amount, held, "
    "source_updated_at"
)
LINE_COLUMNS = "order_id, line_no, product_id, quantity, unit_price, batch"

STORED = """
    INSERT INTO customers_customer (created_at, updated_at, version, external_id, name, kind,
        status, division, address, phone, email, tax_id, buyout, tags, custom, key_account,
        order_count)
    SELECT now(), now(), 1, 'C-' || n, 'Customer ' || n, 'dealer', 'active', '330602', '', '', '',
        '', false, '[]', '{{}}', false, 0 FROM generate_series(1, {customers}) AS n;
    INSERT INTO orders_product (created_at, updated_at, version, external_id, name, category,
        unit, dealer_price, retail_price, active)
    SELECT now(), now(), 1, 'P-' || n, 'Product ' || n, '', '', 50, 68, true
    FROM generate_series(1, {products}) AS n;
    INSERT INTO orders_order (created_at, updated_at, version, external_id, customer_id,
        ordered_at, status, delivery_address, delivery_division, payment_method, promotion,
        amount, held)
    SELECT now(), now(), 1, 'OLD-' || n, (SELECT min(id) FROM customers_customer)
        + n % {customers}, now() - random() * interval '730 days', 'completed', '', '', '', '',
        100, false FROM generate_series(1, {stored}) AS n;
    INSERT INTO orders_orderline (order_id, line_no, product_id, quantity, unit_price, batch)
    SELECT o.id, l, (SELECT min(id) FROM orders_product) + (o.id + l) % {products}, 1, 10, ''
    FROM orders_order o, generate_series(1, {lines}) AS l;
"""

Order = dict[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--orders", type=int, default=500, help="to a call")
    parser.add_argument("--lines", type=int, default=3, help="of each order")
    parser.add_argument("--stored", type=int, default=100_000, help="orders before")
    parser.add_argument("--stored-lines", type=int, default=3, help="of each of those")
    size = parser.parse_args()
    with (
        measuring_server() as server,
        database(server, NAME) as url,
        served(url) as (client, key, worker),
    ):
        kept = measure(url, client, key, size)
        most = peak_megabytes(worker)
        print(f"most memory of the web process: {most:.0f} MB, goal: under {MOST_MEGABYTES}")
        return 0 if kept and most < MOST_MEGABYTES else 1


def measure(
    url: str, client: http.client.HTTPConnection, key: str, size: argparse.Namespace
) -> bool:
    """Let the two ways take turns, print the medians; False where a goal is missed."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    connection = psycopg2.connect(url)
    cursor = connection.cursor()
    cursor.execute(
        STORED.format(
            customers=CUSTOMERS, products=PRODUCTS, stored=size.stored, lines=size.stored_lines
        )
    )
    connection.commit()
    connection.autocommit = True
    cursor.execute("VACUUM ANALYZE")
    connection.autocommit = False
    cursor.execute("SELECT external_id, id FROM customers_customer")
    customers = dict(cursor.fetchall())
    cursor.execute("SELECT external_id, id FROM orders_product")
    products = dict(cursor.fetchall())
    connection.commit()

    def over_http(orders: list[Order], expected: str) -> float:
        body = json.dumps(orders).encode()
        client.close()  # idle for seconds, it may be closed from the other side
        client.connect()
        begun = time.perf_counter()
        client.request("POST", "/api/v1/orders/sync/", body, headers)
        answer = json.loads(client.getresponse().read())
        took = time.perf_counter() - begun
        assert answer.get(expected) == len(orders), answer
        return took

    def raw(orders: list[Order]) -> float:
        rows, lines = _rows(orders, customers, products)
        begun = time.perf_counter()
        _write(cursor, rows, lines)
        connection.commit()
        return time.perf_counter() - begun

    random.seed(42)
    times: dict[str, list[tuple[float, float]]] = {"new": [], "changed": [], "again": []}
    for number in range(size.rounds + 2):
        sent = _orders(f"H{number}", size.orders, size.lines)
        written = _orders(f"R{number}", size.orders, size.lines)
        results = {
            "new": (over_http(sent, "created"), raw(written)),
            "changed": (over_http(_changed(sent), "updated"), raw(_changed(written))),
            "again": (over_http(_changed(sent), "unchanged"), raw(_changed(written))),
        }
        if number >= 2:  # the first calls fill caches and compile
            for situation, pair in results.items():
                times[situation].append(pair)
    cursor.execute("SHOW server_version")
    (version,) = cursor.fetchone()
    print(f"PostgreSQL {version}, {os.cpu_count()} cores, {size.stored:,} orders stored before")
    print(f"{size.orders:,} orders × {size.lines} lines a call, median of {size.rounds} rounds")
    shares = {}
    for situation, pairs in times.items():
        ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
        shares[situation] = theirs / ours
        rate = size.orders / ours
        print(
            f"{situation:8} over HTTP {ours * 1000:6.1f} ms ({rate:6,.0f} orders/s)   "
            f"raw {theirs * 1000:6.1f} ms   ratio {theirs / ours:.2f}"
        )
    changed, again = (statistics.median(pair[0] for pair in times[s]) for s in ("changed", "again"))
    goal = GOAL if size.lines else GOAL_WITHOUT_LINES
    kept = min(shares["new"], shares["changed"]) >= goal
    print(f"goal: at least {goal} × the raw rate:", "kept" if kept else "MISSED")
    faster = changed / again >= GOAL_AGAIN
    print(
        f"the same orders once more ÷ changed: {changed / again:.2f} × the rate, "
        f"goal: at least {GOAL_AGAIN}:",
        "kept" if faster else "MISSED",
    )
    return kept and faster


def _orders(prefix: str, count: int, lines: int) -> list[Order]:
    """So many orders as an ERP sends them."""
    orders = []
    for number in range(count):
        wares: list[dict[str, Any]] = [
            {
                "line_no": line,
                "product": f"P-{random.randint(1, PRODUCTS)}",
                "quantity": f"{random.randint(1, 40)}",
                "unit_price": f"{random.randint(500, 9900) / 100:.2f}",
            }
            for line in range(1, lines + 1)
        ]
        total = sum((Decimal(w["quantity"]) * Decimal(w["unit_price"]) for w in wares), Decimal(0))
        orders.append(
            {
                "external_id": f"{prefix}-{random.randint(0, 999):03}-{number}",
                "customer": f"C-{random.randint(1, CUSTOMERS)}",
                "ordered_at": (BEGIN + timedelta(seconds=random.randint(0, 10**7))).isoformat(),
                "status": "confirmed",
                "delivery_address": "浙江省绍兴市越城区解放南路 1 号",
                "delivery_division": "330602",
                "payment_method": "bank",
                "lines": wares,
                "amount": f"{total or Decimal('99.00'):.2f}",
                "source_updated_at": BEGIN.isoformat(),
            }
        )
    return orders


def _changed(orders: list[Order]) -> list[Order]:
    """The same orders a day later: shipped, and one more of everything."""
    later = (BEGIN + timedelta(days=1)).isoformat()
    changed = []
    for order in orders:
        wares = [{**w, "quantity": str(int(w["quantity"]) + 1)} for w in order["lines"]]
        total = sum((Decimal(w["quantity"]) * Decimal(w["unit_price"]) for w in wares), Decimal(0))
        changed.append(
            {
                **order,
                "status": "shipped",
                "source_updated_at": later,
                "lines": wares,
                "amount": f"{total or Decimal('98.00'):.2f}",
            }
        )
    return changed


Rows = list[tuple[Any, ...]]


def _rows(
    orders: list[Order], customers: dict[str, int], products: dict[str, int]
) -> tuple[Rows, dict[str, Rows]]:
    now = datetime.now(UTC)
    rows = [
        (
            now, now, 1, o["external_id"], customers[o["customer"]],
            datetime.fromisoformat(o["ordered_at"]), o["status"], o["delivery_address"],
            o["delivery_division"], o["payment_method"], "", Decimal(o["amount"]), False,
            datetime.fromisoformat(o["source_updated_at"]),
        )
        for o in orders
    ]  # fmt: skip
    lines = {
        o["external_id"]: [
            (
                w["line_no"], products[w["product"]], Decimal(w["quantity"]),
                Decimal(w["unit_price"]), "",
            )
            for w in o["lines"]
        ]
        for o in orders
    }  # fmt: skip
    return rows, lines


def _write(cursor: Any, rows: Rows, lines: dict[str, Rows]) -> None:
    """The yardstick: one upsert of the orders, one of their lines."""
    ids = execute_values(
        cursor,
        f"INSERT INTO orders_order ({ORDER_COLUMNS}) VALUES %s ON CONFLICT (external_id) "
        f"DO UPDATE SET {_overwrite(ORDER_COLUMNS, ('created_at', 'external_id'))} "
        "RETURNING external_id, id",
        rows,
        page_size=len(rows),
        fetch=True,
    )
    wares = [(pk, *line) for name, pk in ids for line in lines[name]]
    if wares:
        execute_values(
            cursor,
            f"INSERT INTO orders_orderline ({LINE_COLUMNS}) VALUES %s ON CONFLICT "
            f"(order_id, line_no) DO UPDATE SET "
            f"{_overwrite(LINE_COLUMNS, ('order_id', 'line_no'))}",
            wares,
            page_size=len(wares),
        )


def _overwrite(columns: str, keep: tuple[str, ...]) -> str:
    names = [name.strip() for name in columns.split(",")]
    return ", ".join(f"{name} = excluded.{name}" for name in names if name not in keep)


if __name__ == "__main__":
    sys.exit(main())
