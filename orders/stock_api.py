"""The resources of dealers' stock in the REST API: counts, sell-outs, and their bulk sync."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.urls import path
from rest_framework import serializers

from accounts.sync_api import SyncSchema, SyncView, described
from crm.lib.api import ReadViewSet, RecordSerializer, fetch_related
from orders.models import SellOut, StockLine, StockReport
from orders.sell_out_sync import SellOutSync
from orders.stock_filters import SellOutFilter, StockReportFilter
from orders.stock_sync import StockReportSync


def _customer() -> serializers.CharField:
    return serializers.CharField(
        source="customer.external_id",
        read_only=True,
        allow_null=True,
        help_text="external_id of the customer.",
    )


def _product() -> serializers.CharField:
    return serializers.CharField(
        source="product.external_id", read_only=True, help_text="SKU of the product."
    )


class StockLineSerializer(RecordSerializer[StockLine]):
    """How much there was of a batch of a product."""

    product = _product()

    class Meta:
        model = StockLine
        fields = ("product", "batch", "produced_on", "quantity")
        read_only_fields = fields


class StockReportSerializer(RecordSerializer[StockReport]):
    """A count. A product is counted whole: what stands on no line of it is gone."""

    customer = _customer()
    customer_id = serializers.IntegerField(read_only=True)
    lines = StockLineSerializer(many=True, read_only=True)

    class Meta:
        model = StockReport
        fields = (
            "id",
            "external_id",
            "customer",
            "customer_id",
            "reported_at",
            "source",
            "note",
            "lines",
            "source_updated_at",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields


class SellOutSerializer(RecordSerializer[SellOut]):
    """What a dealer sold of one product; below zero where goods came back."""

    customer = _customer()
    customer_id = serializers.IntegerField(read_only=True)
    product = _product()

    class Meta:
        model = SellOut
        fields = (
            "id",
            "external_id",
            "customer",
            "customer_id",
            "product",
            "sold_at",
            "quantity",
            "unit_price",
            "buyer_division",
            "source_updated_at",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields


class StockReportViewSet(ReadViewSet):
    """What dealers have in stock. Counts are written by the bulk sync and by people."""

    scope = "stock"
    queryset = StockReport.objects.all()
    serializer_class = StockReportSerializer
    filterset_class = StockReportFilter
    ordering_fields: ClassVar[Sequence[str]] = (
        "id",
        "reported_at",
        "external_id",
        "created_at",
        "updated_at",
    )

    def prepare(self, rows: Sequence[Any]) -> None:
        fetch_related(rows, "customer", "lines__product")


class SellOutViewSet(ReadViewSet):
    """What dealers sold on. Sell-outs are written by the bulk sync and by people."""

    scope = "stock"
    queryset = SellOut.objects.all()
    serializer_class = SellOutSerializer
    filterset_class = SellOutFilter
    ordering_fields: ClassVar[Sequence[str]] = (
        "id",
        "sold_at",
        "external_id",
        "created_at",
        "updated_at",
    )

    def prepare(self, rows: Sequence[Any]) -> None:
        fetch_related(rows, "customer", "product")


@described
class StockReportSyncView(SyncView):
    """Creates and changes counts with their lines by their number."""

    scope = "stock"
    resource = StockReportSync
    schema = SyncSchema()


@described
class SellOutSyncView(SyncView):
    """Creates and changes sell-outs by their number."""

    scope = "stock"
    resource = SellOutSync
    schema = SyncSchema()


routes: list[tuple[str, Any, str]] = [
    ("stock-reports", StockReportViewSet, "stock-report"),
    ("sell-outs", SellOutViewSet, "sell-out"),
]
urls = [
    path("stock-reports/sync/", StockReportSyncView.as_view(), name="stock-report-sync"),
    path("sell-outs/sync/", SellOutSyncView.as_view(), name="sell-out-sync"),
]
