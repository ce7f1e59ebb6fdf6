"""The products and orders resources of the REST API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db import transaction
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response

from crm.lib.api import RecordViewSet, fetch_related
from orders import prices
from orders.actions import record_order
from orders.filters import OrderFilter, PriceFilter, ProductFilter
from orders.models import Order, Price, Product
from orders.prices import record_price
from orders.serializers import OrderSerializer, PriceSerializer, ProductSerializer


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


class PriceViewSet(RecordViewSet):
    """The uniform dealer and retail prices by day."""

    scope = "prices"
    queryset = Price.objects.all()
    serializer_class = PriceSerializer
    filterset_class = PriceFilter
    ordering_fields: ClassVar[Sequence[str]] = (
        "id",
        "valid_from",
        "external_id",
        "created_at",
        "updated_at",
    )

    def prepare(self, rows: Sequence[Any]) -> None:
        fetch_related(rows, "product")

    def perform_create(self, serializer: Any) -> None:
        price = Price(**serializer.validated_data)
        record_price(price=price)
        serializer.instance = price

    @transaction.atomic
    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        prices.lock()  # before the row, as the bulk sync does
        return super().update(request, *args, **kwargs)

    def perform_update(self, serializer: Any) -> None:
        if serializer.changes():
            for name, value in serializer.validated_data.items():
                setattr(serializer.instance, name, value)
            record_price(price=serializer.instance)


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
        """A key may change any order, a person only those that people keep."""
        if self.request.auth is None and not serializer.instance.by_hand:
            raise exceptions.PermissionDenied(
                _("This order came from the ERP and is changed there.")
            )
        values = dict(serializer.validated_data)
        lines = values.pop("lines", None)
        for name, value in values.items():
            setattr(serializer.instance, name, value)
        record_order(order=serializer.instance, lines=lines)


routes: list[tuple[str, Any, str]] = [
    ("products", ProductViewSet, "product"),
    ("prices", PriceViewSet, "price"),
    ("orders", OrderViewSet, "order"),
]
