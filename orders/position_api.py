"""The report on dealers' stock of the REST API: `reports/dealer-stock/` (P24)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.http import HttpResponseBase
from django.urls import path
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from crm.lib.export import XLSX, stream_table
from crm.lib.reports import FORMAT, format_asked
from orders.models import StockPosition
from orders.position_filters import VIEWS, PositionFilter

#: The parameters, and the filters they stand for.
PARAMETERS: Mapping[str, str] = {
    "customer": "customer",
    "product": "product",
    "category": "category",
    "team": "team",
    "rep": "owner",
    "division": "division",
    "view": "view",
    "not_counted_days": "not_counted",
}
#: What is told of a position, and where it stands.
FIELDS: Mapping[str, str] = {
    "customer": "customer__external_id",
    "customer_id": "customer_id",
    "customer_name": "customer__name",
    "product": "product__external_id",
    "product_name": "product__name",
    "unit": "product__unit",
    "counted_at": "counted_at",
    "quantity": "quantity",
    "expected": "expected",
    "is_estimated": "is_estimated",
    "on_the_way": "on_the_way",
    "per_day": "per_day",
    "cover_days": "cover_days",
    "safety_stock": "safety_stock",
    "reorder_point": "reorder_point",
    "suggestion": "suggestion",
    "is_slow": "is_slow",
    "exchange_by": "exchange_by",
    "oldest_on": "oldest_on",
    "is_impossible": "is_impossible",
}


class DealerStockSerializer(serializers.ModelSerializer[StockPosition]):
    """A product that a dealer counted; quantities in units. Null is what is not known yet."""

    customer = serializers.CharField(allow_null=True, help_text="Its number in the ERP.")
    customer_id = serializers.IntegerField()
    customer_name = serializers.CharField()
    product = serializers.CharField(help_text="Its SKU.")
    product_name = serializers.CharField()
    unit = serializers.CharField()

    class Meta:
        model = StockPosition
        fields = tuple(FIELDS)
        extra_kwargs: ClassVar[dict[str, dict[str, str]]] = {
            "quantity": {"help_text": "Of the last count."},
            "expected": {
                "help_text": "Last count, and what came, went and was reported sold since; where "
                "nothing is reported, less the demand (`is_estimated`)."
            },
            "on_the_way": {"help_text": "Ordered, confirmed and not shipped."},
            "suggestion": {"help_text": "To order now, in whole units; 0: nothing yet."},
            "exchange_by": {"help_text": "Until when it can be exchanged (P37)."},
            "is_impossible": {"help_text": "Counts, orders and sell-outs contradict each other."},
        }


class DealerStockView(APIView):
    """What dealers have in stock, how long it lasts, what to order, what moves slowly."""

    scope: ClassVar[str] = "reports"

    @extend_schema(
        operation_id="reports_dealer_stock",
        responses={
            (200, "application/json"): DealerStockSerializer(many=True),
            (200, "text/csv"): OpenApiTypes.STR,
            (200, XLSX): OpenApiTypes.BINARY,
        },
        parameters=[
            OpenApiParameter("customer", str, description="Number of the customer."),
            OpenApiParameter("product", str, description="SKU."),
            OpenApiParameter("category", str, description="Category of the product."),
            OpenApiParameter("team", int, description="The team and those below it."),
            OpenApiParameter("rep", str, description="Username of the customer's owner."),
            OpenApiParameter(
                "division", str, description="Digits that the customer's division begins with."
            ),
            OpenApiParameter("view", str, enum=list(VIEWS), description="Only such positions."),
            OpenApiParameter("not_counted_days", int, description="Not counted for so many days."),
            FORMAT,
        ],
    )
    def get(self, request: Request) -> HttpResponseBase:
        kind = format_asked(request, PARAMETERS)
        rows = self.positions(request).order_by("customer_id", "product_id")
        values = rows.values_list(*FIELDS.values()).iterator(chunk_size=2000)
        if kind != "json":
            return stream_table("dealer-stock", list(FIELDS), values, kind)
        told: Any = [dict(zip(FIELDS, row, strict=True)) for row in values]
        return Response(DealerStockSerializer(told, many=True).data)

    def positions(self, request: Request) -> Any:
        """The positions in sight that the parameters leave."""
        given = {inner: request.query_params.get(name, "") for name, inner in PARAMETERS.items()}
        request._request.user = request.user  # the choices of the filters are scoped by it
        filters = PositionFilter(
            given,
            queryset=StockPosition.objects.visible_to(request.user),
            request=request._request,
            today=timezone.localdate(),
        )
        if not filters.is_valid():
            outer = {inner: name for name, inner in PARAMETERS.items()}
            raise exceptions.ValidationError(
                {outer[name]: list(texts) for name, texts in filters.errors.items()}
            )
        return filters.qs


urls = [path("reports/dealer-stock/", DealerStockView.as_view(), name="report-dealer-stock")]
