"""The payments resource of the REST API: serializer, viewset, bulk sync."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.urls import path
from rest_framework import serializers

from accounts.sync_api import SyncSchema, SyncView, described
from crm.lib.api import ReadViewSet, RecordSerializer, fetch_related
from orders.models import Payment
from orders.payment_filters import PaymentFilter
from orders.payment_sync import PaymentSync


class PaymentSerializer(RecordSerializer[Payment]):
    """Money that a customer paid; below zero where money went back to it."""

    customer = serializers.CharField(
        source="customer.external_id",
        read_only=True,
        allow_null=True,
        help_text="external_id of the customer.",
    )
    customer_id = serializers.IntegerField(read_only=True)
    order = serializers.CharField(
        source="order.external_id",
        read_only=True,
        allow_null=True,
        default=None,
        help_text="external_id of the order that the payment names, if it names one.",
    )
    order_id = serializers.IntegerField(read_only=True, allow_null=True)
    reverses = serializers.IntegerField(
        source="reverses_id",
        read_only=True,
        allow_null=True,
        help_text="id of the payment that this one takes back.",
    )

    class Meta:
        model = Payment
        fields = (
            "id",
            "external_id",
            "customer",
            "customer_id",
            "order",
            "order_id",
            "paid_at",
            "amount",
            "method",
            "note",
            "reverses",
            "source_updated_at",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields


class PaymentViewSet(ReadViewSet):
    """What customers paid. Payments are written by the bulk sync and by people."""

    scope = "payments"
    queryset = Payment.objects.all()
    serializer_class = PaymentSerializer
    filterset_class = PaymentFilter
    ordering_fields: ClassVar[Sequence[str]] = (
        "id",
        "paid_at",
        "external_id",
        "created_at",
        "updated_at",
    )

    def prepare(self, rows: Sequence[Any]) -> None:
        fetch_related(rows, "customer", "order")


@described
class PaymentSyncView(SyncView):
    """Creates and changes payments by their number; an amount below zero takes money back."""

    scope = "payments"
    resource = PaymentSync
    schema = SyncSchema()


routes: list[tuple[str, Any, str]] = [("payments", PaymentViewSet, "payment")]
urls = [path("payments/sync/", PaymentSyncView.as_view(), name="payment-sync")]
