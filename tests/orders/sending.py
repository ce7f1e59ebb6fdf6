"""Products and orders as an ERP sends them in bulk, and what became of them."""

from __future__ import annotations

from typing import Any

from rest_framework.test import APIClient

from orders.models import OrderLine
from tests.syncing import Bulk

ORDERS = "/api/v1/orders/sync/"
PRODUCTS = "/api/v1/products/sync/"


def sync(client: APIClient, records: list[Any], url: str = ORDERS) -> dict[str, Any]:
    return Bulk(url).sync(client, *records)


def became(client: APIClient, *records: Any, url: str = ORDERS) -> dict[str, int]:
    return Bulk(url).became(client, *records)


def refused(client: APIClient, record: Any, url: str = ORDERS) -> dict[str, list[str]]:
    """The errors of the only record."""
    (errors,) = Bulk(url).refused(client, record).values()
    return errors


def order(number: str = "SO-1", **values: Any) -> dict[str, Any]:
    return {
        "external_id": number,
        "customer": "C-1",
        "ordered_at": "2026-06-01T10:00:00+08:00",
        "amount": "100.00",
        **values,
    }


def line(number: int = 1, product: str = "P-1", quantity: Any = "2", price: Any = "3.50", **v: Any):
    return {"line_no": number, "product": product, "quantity": quantity, "unit_price": price, **v}


def lines_of(number: str = "SO-1") -> list[tuple[Any, ...]]:
    found = OrderLine.objects.filter(order__external_id=number).order_by("line_no")
    return list(
        found.values_list("line_no", "product__external_id", "quantity", "unit_price", "batch")
    )
