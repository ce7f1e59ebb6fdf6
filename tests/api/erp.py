"""An ERP with public order data: what it sends, and how."""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests

from tests.factories import make_key

BATCH = 500
Record = dict[str, Any]


class Erp:
    """Sends everything in batches over HTTP and adds up the answers."""

    def __init__(self, url: str) -> None:
        _key, secret = make_key()
        self.url = url
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {secret}"

    def send(self, resource: str, records: list[Record], *, by_line: bool = False) -> Counter[str]:
        """What became of the records, none of which may be rejected."""
        counts, rejected = self.try_to_send(resource, records, by_line=by_line)
        assert rejected == {}
        return counts

    def try_to_send(
        self, resource: str, records: list[Record], *, by_line: bool = False
    ) -> tuple[Counter[str], dict[int, dict[str, list[str]]]]:
        """What became of the records, and the errors of the rejected ones by their place."""
        counts: Counter[str] = Counter()
        rejected: dict[int, dict[str, list[str]]] = {}
        for start in range(0, len(records), BATCH):
            batch = records[start : start + BATCH]
            body = "\n".join(map(json.dumps, batch)) if by_line else json.dumps(batch)
            answer = self.session.post(
                f"{self.url}/api/v1/{resource}/sync/",
                data=body,
                headers={"Content-Type": "application/x-ndjson" if by_line else "application/json"},
                timeout=120,
            )
            assert answer.status_code == 200, answer.text
            told = answer.json()
            rejected |= {start + one["index"]: one["errors"] for one in told.pop("errors")}
            counts.update(told)
        return +counts, rejected

    def get(self, address: str, **parameters: str) -> Any:
        """The JSON answer of an address below /api/v1/."""
        answer = self.session.get(f"{self.url}/api/v1/{address}", params=parameters, timeout=120)
        assert answer.status_code == 200, answer.text
        return answer.json()


def rows(folder: Path, name: str) -> Iterator[dict[str, str]]:
    with (folder / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def dealers(folder: Path) -> dict[str, list[Record]]:
    """Products, customers and completed orders with lines, by resource, in the order to send."""
    products: list[Record] = [
        {"external_id": r["external_id"], "name": r["name"], "category": r["category"]}
        for r in rows(folder, "products.csv")
    ]
    customers: list[Record] = [
        {
            "external_id": r["external_id"],
            "name": r["name"],
            "custom": {"type": r["type"], "city": r["city"], "country": r["country"]},
        }
        for r in rows(folder, "customers.csv")
    ]
    lines: dict[str, list[Record]] = defaultdict(list)
    for r in rows(folder, "order_lines.csv"):
        lines[r["order_external_id"]].append(
            {
                "line_no": len(lines[r["order_external_id"]]) + 1,
                "product": r["product_external_id"],
                "quantity": r["quantity"],
                "unit_price": r["unit_price"],
            }
        )
    orders: list[Record] = [
        {
            "external_id": r["external_id"],
            "customer": r["customer_external_id"],
            "ordered_at": f"{r['ordered_at']}T00:00:00+08:00",
            "status": "completed",
            "lines": lines[r["external_id"]],
            "amount": r["amount"],
        }
        for r in rows(folder, "orders.csv")
    ]
    return {"products": products, "customers": customers, "orders": orders}


def wholesaler(folder: Path) -> dict[str, list[Record]]:
    """Customers and invoices without lines, a sixth of them returns, in the order to send."""
    customers: list[Record] = [
        {"external_id": r["external_id"], "name": r["name"]} for r in rows(folder, "customers.csv")
    ]
    orders: list[Record] = [
        {
            "external_id": r["external_id"],
            "customer": r["customer_external_id"],
            "ordered_at": f"{r['ordered_at']}+08:00",
            "status": "returned" if r["kind"] == "return" else "completed",
            "amount": r["amount"],
        }
        for r in rows(folder, "orders.csv")
    ]
    return {"customers": customers, "orders": orders}
