"""How much memory the largest bodies take that the bulk sync allows: 10,000 records, 32 MiB.

    python -m benchmarks.memory

Runs on PostgreSQL: the server of DATABASE_URL, or a fresh one from the pip package. For each
resource a web process of its own gets its largest body new, twice changed, and once more; told is
the most memory that this process ever had.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks._measuring import database, measuring_server, peak_megabytes
from benchmarks._serving import served

MOST_MEGABYTES = 300
RECORDS = 10_000
DAY = "2026-06-%02dT09:30:00+08:00"
Body = list[dict[str, Any]]


def main() -> int:
    bodies = {"customers": customers, "orders": orders, "stock-reports": counts}
    kept = True
    for resource, made in bodies.items():
        with measuring_server() as server, database(server, "kehu_bench_memory") as url:
            most = measure(url, resource, made)
        kept = kept and most < MOST_MEGABYTES
        print(f"{resource}: at most {most:.0f} MB, goal: under {MOST_MEGABYTES}", flush=True)
    return 0 if kept else 1


def measure(url: str, resource: str, made: Callable[[int], Body]) -> float:
    """Send the body of the days 1, 2, 3 and 3; the most memory of the web process, in MB."""
    with served(url) as (client, key, worker):
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

        def send(name: str, records: Body) -> None:
            body = json.dumps(records, ensure_ascii=False).encode()
            client.close()
            client.connect()
            begun = time.perf_counter()
            client.request("POST", f"/api/v1/{name}/sync/", body, headers)
            answer = json.loads(client.getresponse().read())
            took = time.perf_counter() - begun
            assert answer["received"] == len(records), answer
            assert not answer["rejected"], answer["errors"][:3]
            done = ", ".join(f"{n:,} {w}" for w, n in answer.items() if n and w != "received")
            print(f"{name}: {len(body) / 2**20:.1f} MiB, {done}, {took:.1f} s", flush=True)

        if resource != "customers":
            send("customers", [{"external_id": f"C-{n}", "name": f"客户 {n}"} for n in range(500)])
            send("products", [{"external_id": f"P-{n}", "name": f"产品 {n}"} for n in range(500)])
        for day in (1, 2, 3, 3):
            send(resource, made(day))
        return peak_megabytes(worker)


def customers(day: int) -> Body:
    """Customers in a tree of ten a branch, with 20 own fields each."""
    return [
        {
            "external_id": f"C-{n}",
            "name": f"客户{n}有限公司 {day}",
            "parent": f"C-{n // 10}" if n else None,
            "address": f"浙江省绍兴市越城区解放南路 {n} 号",
            "tags": [f"标签{tag}" for tag in range(20)],
            "custom": {f"field_{at}": f"{'值' * 40} {day} {n}" for at in range(20)},
        }
        for n in range(RECORDS)
    ]


def orders(day: int) -> Body:
    """Orders with 35 lines each."""
    return [
        {
            "external_id": f"SO-{n}",
            "customer": f"C-{n % 500}",
            "ordered_at": DAY % 1,
            "source_updated_at": DAY % day,
            "lines": [
                {
                    "line_no": line,
                    "product": f"P-{(n + line) % 500}",
                    "quantity": f"{line + day}.000",
                    "unit_price": "12.34",
                }
                for line in range(1, 36)
            ],
        }
        for n in range(RECORDS)
    ]


def counts(day: int) -> Body:
    """Counts of 32 products each."""
    return [
        {
            "external_id": f"ST-{n}",
            "customer": f"C-{n % 500}",
            "reported_at": DAY % 1,
            "lines": [
                {
                    "product": f"P-{(n + line) % 500}",
                    "batch": f"L{line}",
                    "produced_on": "2026-05-01",
                    "quantity": f"{line + day}.000",
                }
                for line in range(32)
            ],
        }
        for n in range(RECORDS)
    ]


if __name__ == "__main__":
    sys.exit(main())
