"""The customer share of the REST API: `reports/customer-share/` (P49)."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any, ClassVar

from django.core.exceptions import ValidationError as Refused
from django.http import HttpResponseBase
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from crm.lib.export import stream_table
from crm.lib.reports import FORMAT, format_asked
from tiers import share
from tiers.views.share import Shown, figures_head, figures_row

#: What every report takes; a calculation from given figures has no period and no customers.
WITHOUT_EFFECT = ("from", "to", "team", "rep", "division", "category")


@extend_schema_field(OpenApiTypes.STR)
class ShareField(serializers.Field[Fraction, str, Any, Any]):
    """A share from 0 to 1, or a fraction such as 2/3."""

    def to_internal_value(self, data: Any) -> Fraction:
        try:
            return share.read_share(str(data)[:60], per_cent=False)
        except Refused as bad:
            raise serializers.ValidationError(bad.messages) from bad


class InputsSerializer(serializers.Serializer[Any]):
    """What the calculation starts from."""

    population = serializers.IntegerField(min_value=1, max_value=share.MOST_PEOPLE)
    age_share = ShareField()
    reachable_share = ShareField()
    valid_share = ShareField()
    spender_share = ShareField()
    yearly_spend = serializers.DecimalField(
        max_digits=12, decimal_places=2, min_value=Decimal(0), max_value=share.MOST_SPENT
    )


class CustomerShareSerializer(serializers.Serializer[Any]):
    """The results; people are whole ones, half a person up, each figure rounded by itself."""

    group = serializers.IntegerField(help_text="population × age share")
    reachable = serializers.IntegerField(help_text="group × reachable share: the target group")
    won = serializers.IntegerField(help_text="reachable × valid share")
    share = serializers.FloatField(
        min_value=0,
        max_value=1,
        allow_null=True,
        help_text="won ÷ reachable, six places; null where nobody can be reached",
    )
    revenue = serializers.DecimalField(
        max_digits=30, decimal_places=2, help_text="won × spender share × yearly spend"
    )


def _share(name: str, words: str) -> OpenApiParameter:
    text = f"{words}: a share from 0 to 1, or a fraction such as 2/3."
    return OpenApiParameter(name, str, required=True, description=text)


class CustomerShareView(APIView):
    """From a population to a target group, won customers and revenue."""

    scope: ClassVar[str] = "reports"

    @extend_schema(
        operation_id="reports_customer_share",
        responses=CustomerShareSerializer,
        parameters=[
            OpenApiParameter("population", int, required=True, description="People in the area."),
            _share("age_share", "Those of the right age"),
            _share("reachable_share", "Those of the group who can be reached"),
            _share("valid_share", "Those of the target group who are won"),
            _share("spender_share", "Those won who buy every year"),
            OpenApiParameter(
                "yearly_spend", OpenApiTypes.DECIMAL, required=True, description="Of each of them."
            ),
            FORMAT,
            *(
                OpenApiParameter(name, str, description="As in every report; has no effect here.")
                for name in WITHOUT_EFFECT
            ),
        ],
    )
    def get(self, request: Request) -> HttpResponseBase:
        kind = format_asked(request, {*share.Inputs.__dataclass_fields__, *WITHOUT_EFFECT})
        asked = request.query_params
        given = InputsSerializer(data=asked)
        given.is_valid(raise_exception=True)
        shown = Shown.of(share.Inputs(**given.validated_data))
        if kind != "json":
            return stream_table("customer-share", figures_head(), [figures_row(shown)], kind)
        told = {
            "group": shown.group,
            "reachable": shown.reachable,
            "won": shown.won,
            "share": None if shown.share is None else round(shown.share, 6),
            "revenue": shown.revenue,
        }
        return Response(CustomerShareSerializer(told).data)


urls = [path("reports/customer-share/", CustomerShareView.as_view(), name="report-customer-share")]
