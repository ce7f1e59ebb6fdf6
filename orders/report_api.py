"""The report that an ERP compares itself with: `reports/reconciliation/`."""

from __future__ import annotations

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
from orders.models import OrderStatus
from orders.reconciliation import PARAMETERS, Asked, sums


class DaySumSerializer(serializers.Serializer[Any]):
    """The orders of one status placed on one day of the company; drafts and cancelled too."""

    day = serializers.DateField()
    status = serializers.ChoiceField(choices=OrderStatus.choices)
    orders = serializers.IntegerField(min_value=0)
    amount = serializers.DecimalField(
        max_digits=20, decimal_places=2, help_text="That of returned orders is negative."
    )


class ReconciliationView(APIView):
    """How many orders there are by day and status, and what they come to."""

    scope: ClassVar[str] = "reports"

    @extend_schema(
        operation_id="reports_reconciliation",
        responses={
            (200, "application/json"): DaySumSerializer(many=True),
            (200, "text/csv"): OpenApiTypes.STR,
            (200, XLSX): OpenApiTypes.BINARY,
        },
        parameters=[
            OpenApiParameter(
                "from", str, description="First day; without it, 12 months before the last."
            ),
            OpenApiParameter("to", str, description="Last day; without it, today."),
            OpenApiParameter("team", int, description="The team and those below it."),
            OpenApiParameter("rep", str, description="Username of the customer's owner."),
            OpenApiParameter(
                "division", str, description="Digits that the customer's division begins with."
            ),
            OpenApiParameter(
                "category",
                str,
                description="Only orders with a line of this category, with their whole amount.",
            ),
            FORMAT,
        ],
    )
    def get(self, request: Request) -> HttpResponseBase:
        kind = format_asked(request, PARAMETERS)
        request._request.user = request.user  # the choices of the filters are scoped by it
        given = {inner: request.query_params.get(name, "") for name, inner in PARAMETERS.items()}
        asked = Asked(given, request._request, today=timezone.localdate())
        if asked.errors:
            raise exceptions.ValidationError(asked.errors)
        found = sums(asked.orders)
        if kind == "json":
            return Response(DaySumSerializer(found, many=True).data)
        head = ["day", "status", "orders", "amount"]
        rows = ((one.day, one.status, one.orders, one.amount) for one in found)
        return stream_table("reconciliation", head, rows, kind)


urls = [path("reports/reconciliation/", ReconciliationView.as_view(), name="report-reconciliation")]
