"""The completeness report of the REST API: `reports/completeness/` (P4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.http import HttpResponseBase
from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from crm.lib.export import stream_table
from crm.lib.reports import FORMAT, format_asked
from customers import gaps
from customers.filters import CustomerFilter, teams_in_sight
from customers.gaps import Report, Tally
from customers.models import Customer
from customers.views.completeness import head, rows

#: The parameters of the contract, and the filters of the customers they stand for.
PARAMETERS: Mapping[str, str] = {
    "from": "filed_from",
    "to": "filed_to",
    "team": "team",
    "rep": "owner",
    "division": "division",
}


class GapSerializer(serializers.Serializer[Any]):
    """How many files lack one field; `share` from 0 to 1, `weight` its part in completeness."""

    field = serializers.CharField()
    label = serializers.CharField(  # type: ignore[assignment]  # a name of Field itself
        help_text="In the language of Accept-Language."
    )
    weight = serializers.IntegerField()
    empty = serializers.IntegerField()
    share = serializers.FloatField(min_value=0, max_value=1)


class TallySerializer(serializers.Serializer[Any]):
    customers = serializers.IntegerField()
    completeness = serializers.IntegerField(min_value=0, max_value=100)
    fields_ = GapSerializer(many=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`fields` is a name that serializers keep for themselves."""
        found = dict(super().get_fields())
        found["fields"] = found.pop("fields_")
        return found


class TeamTallySerializer(TallySerializer):
    team = serializers.IntegerField()
    name = serializers.CharField()


class RepTallySerializer(TallySerializer):
    rep = serializers.CharField(allow_null=True, help_text="Username; null without an owner.")
    name = serializers.CharField()


class CompletenessSerializer(TallySerializer):
    """Fields empty most often, and teams (with those below) and reps least complete, first."""

    teams = TeamTallySerializer(many=True)
    reps = RepTallySerializer(many=True)


class CompletenessView(APIView):
    """What we never collect: the fields of customer files that are empty most often."""

    scope: ClassVar[str] = "reports"

    @extend_schema(
        operation_id="reports_completeness",
        responses=CompletenessSerializer,
        parameters=[
            OpenApiParameter("from", str, description="Files made on or after this day."),
            OpenApiParameter("to", str, description="Files made on or before this day."),
            OpenApiParameter("team", int, description="The team and those below it."),
            OpenApiParameter("rep", str, description="Username of the owner."),
            OpenApiParameter("division", str, description="Digits that the division begins with."),
            FORMAT,
        ],
    )
    def get(self, request: Request) -> HttpResponseBase:
        kind = format_asked(request, PARAMETERS)
        report = gaps.report(self.customers(request), teams_in_sight(request._request))
        if kind != "json":
            return stream_table("completeness", head(), rows(report), kind)
        return Response(CompletenessSerializer(told(report)).data)

    def customers(self, request: Request) -> Any:
        """The customers in sight that the parameters leave."""
        picked = {inner: request.query_params.get(name, "") for name, inner in PARAMETERS.items()}
        request._request.user = request.user  # the choices of the filters are scoped by it
        seen = Customer.objects.visible_to(request.user)
        filters = CustomerFilter(picked, queryset=seen, request=request._request)
        if not filters.is_valid():
            outer = {inner: name for name, inner in PARAMETERS.items()}
            raise exceptions.ValidationError(
                {outer[name]: list(texts) for name, texts in filters.errors.items()}
            )
        return filters.qs


def told(report: Report) -> dict[str, Any]:
    """The report in the words of the contract."""
    return {
        **figures(report.total),
        "teams": [
            {"team": one.team.pk, "name": one.name, **figures(one.tally)} for one in report.teams
        ],
        "reps": [
            {
                "rep": one.owner.username if one.owner else None,
                "name": one.name,
                **figures(one.tally),
            }
            for one in report.reps
        ],
    }


def figures(tally: Tally) -> dict[str, Any]:
    return {
        "customers": tally.customers,
        "completeness": tally.percent,
        "fields": [
            {
                "field": gap.wanted.name,
                "label": gap.wanted.label,
                "weight": gap.wanted.weight,
                "empty": gap.empty,
                "share": round(float(gap.share), 4),
            }
            for gap in tally.gaps
        ],
    }


urls = [path("reports/completeness/", CompletenessView.as_view(), name="report-completeness")]
