"""The products and orders resources of the REST API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from crm.lib.api import RecordViewSet, fetch_related
from orders.actions import record_order
from orders.filters import OrderFilter, ProductFilter
from orders.models import Order, Product
from orders.serializers import OrderSerializer, ProductSerializer


class ProductViewSet(RecordViewSet):
    """What is sold; `external_id` is the SKU."""

    scope = "products"
    queryset = Product.objects.all()
    serializer_class = ProductSerializer
    filterset_class = ProductFilter
    ordering_fields: ClassVar[Sequence[str]] = (
        "id",
        "name",
        "external_id",
        "created_at",
        "updated_at",
    )


class OrderViewSet(RecordViewSet):
    """Orders with their lines."""

    scope = "orders"
    queryset = Order.objects.all()
    serializer_class = OrderSerializer
    filterset_class = OrderFilter
    ordering_fields: ClassVar[Sequence[str]] = (
        "id",
        "ordered_at",
        "external_id",
        "created_at",
        "updated_at",
    )

    def prepare(self, rows: Sequence[Any]) -> None:
        fetch_related(rows, "customer", "lines__product")

    def perform_create(self, serializer: Any) -> None:
        values = dict(serializer.validated_data)
        lines = values.pop("lines", [])
        serializer.instance = record_order(order=Order(**values), lines=lines)

    def perform_update(self, serializer: Any) -> None:
        values = dict(serializer.validated_data)
        lines = values.pop("lines", None)
        for name, value in values.items():
            setattr(serializer.instance, name, value)
        record_order(order=serializer.instance, lines=lines)


routes: list[tuple[str, Any, str]] = [
    ("products", ProductViewSet, "product"),
    ("orders", OrderViewSet, "order"),
]
