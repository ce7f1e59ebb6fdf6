"""The reports on purchases of the REST API: `reports/retention/` (P48), `reports/pareto/` (P14)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, cast

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
from tiers.models import Measure, Outlook
from tiers.questions import concentration
from tiers.questions.answers import Answers
from tiers.questions.asking import MOST_DAYS, Asked
from tiers.questions.cohorts import Cohort
from tiers.questions.concentration import Concentration
from tiers.questions.slices import SILENCE_DAYS, Slice

#: Customers that leave, most value at risk first, which the answer names; the page has all.
MOST_LEAVING = 1_000
SLICE = [
    OpenApiParameter("from", str, description="First day; without it, 12 months before the last."),
    OpenApiParameter("to", str, description="Last day; without it, today."),
    OpenApiParameter("team", int, description="The team and those below it."),
    OpenApiParameter("rep", str, description="Username of the owner."),
    OpenApiParameter("division", str, description="Digits that the division begins with."),
    OpenApiParameter(
        "category",
        str,
        description="Only orders with a line of this category; those without lines have none.",
    ),
    FORMAT,
]


def answers(serializer: type[serializers.Serializer[Any]]) -> dict[tuple[int, str], Any]:
    """What a report answers with in each of FORMATS, for the document."""
    return {
        (200, "application/json"): serializer,
        (200, "text/csv"): OpenApiTypes.STR,
        (200, XLSX): OpenApiTypes.BINARY,
    }


class PeriodSerializer(serializers.Serializer[Any]):
    """`from` and `to`, a name that Python keeps for itself."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        ends = {name: serializers.DateField() for name in ("from", "to")}
        return {**ends, **super().get_fields()}


class LeavingSerializer(serializers.Serializer[Any]):
    """A customer that is likely to have left silently, as of today."""

    customer = serializers.CharField(allow_null=True, help_text="Its number in the ERP.")
    customer_id = serializers.IntegerField()
    name = serializers.CharField()
    alive = serializers.FloatField(
        min_value=0, max_value=1, help_text="The chance that it ever buys again."
    )
    value_at_risk = serializers.DecimalField(
        max_digits=16,
        decimal_places=2,
        help_text="What its silence costs in the coming 90 days, by `leaving_measure`.",
    )


class CohortSerializer(serializers.Serializer[Any]):
    """Customers whose first order ever fell in a month of the period."""

    month = serializers.CharField(help_text="2026-06")
    customers = serializers.IntegerField()
    buying = serializers.ListField(
        child=serializers.IntegerField(),
        help_text="How many of them bought in that month and in each month since, up to `to`.",
    )
    shares = serializers.ListField(child=serializers.FloatField(min_value=0, max_value=1))


class RetentionSerializer(PeriodSerializer):
    """The eight questions; shares are of 0–1, null where there is nothing to take a share of."""

    silence_days = serializers.IntegerField()
    customers = serializers.IntegerField(help_text="All customers of the slice.")
    buyers = serializers.IntegerField()
    bought_once = serializers.IntegerField()
    bought_twice_or_more = serializers.IntegerField()
    one_and_silent = serializers.IntegerField()
    never_contacted = serializers.IntegerField()
    newcomers = serializers.IntegerField(help_text="Customers whose first order is in the period.")
    second_purchase_rate = serializers.FloatField(min_value=0, max_value=1, allow_null=True)
    median_days_to_second = serializers.FloatField(min_value=0, allow_null=True)
    bought_again_rate = serializers.FloatField(
        min_value=0,
        max_value=1,
        allow_null=True,
        help_text="Of the buyers of the period before, the share that bought in this one.",
    )
    leaving_count = serializers.IntegerField(help_text="All that leave; `leaving` names 1,000.")
    leaving_measure = serializers.ChoiceField(
        Measure.choices,
        allow_null=True,
        help_text="What is at risk, as the policy ranks; null before any estimate.",
    )
    leaving = LeavingSerializer(many=True)
    cohorts = CohortSerializer(many=True)
    orders_without_lines = serializers.IntegerField(
        help_text="Orders of the period that a slice by category leaves out; 0 without one."
    )


class CurveSerializer(serializers.Serializer[Any]):
    """Customers from the largest on; `curve` are pairs [share of customers, share of amount]."""

    customers = serializers.IntegerField(help_text="Those with a sum above zero.")
    amount = serializers.DecimalField(max_digits=20, decimal_places=2)
    top20_share = serializers.FloatField(
        allow_null=True, help_text="What the first ceil(0.2 × customers) bring."
    )
    curve = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField(), min_length=2, max_length=2)
    )


class MarginSerializer(CurveSerializer):
    known_share = serializers.FloatField(
        min_value=0, max_value=1, help_text="The share of the amount whose cost is on file."
    )


class ParetoSerializer(PeriodSerializer, CurveSerializer):
    """The curve by net amount, and by margin as far as costs are known."""

    margin = MarginSerializer()


class ReportView(APIView):
    """A report over one slice: reads the parameters, answers as JSON, CSV or Excel."""

    scope: ClassVar[str] = "reports"
    name: ClassVar[str]
    parameters: ClassVar[tuple[str, ...]] = ("from", "to", "team", "rep", "division", "category")

    def answer(self, request: Request) -> HttpResponseBase:
        kind = format_asked(request, self.parameters)
        given = request.query_params
        request._request.user = request.user  # the choices of the filters are scoped by it
        asked = Asked.by(given, request._request, today=timezone.localdate())
        if asked.errors:
            raise exceptions.ValidationError(asked.errors)
        if kind == "json":
            return Response(self.told(asked.slice))
        return stream_table(self.name, *self.table(asked.slice), kind)

    def told(self, of: Slice) -> dict[str, Any]:
        """The report in the words of the contract."""
        raise NotImplementedError

    def table(self, of: Slice) -> tuple[Sequence[str], Iterable[Sequence[object]]]:
        """The same as a table: its head and rows."""
        raise NotImplementedError


class RetentionView(ReportView):
    """Who buys, who comes back, who stopped, and who was never contacted."""

    name = "retention"
    parameters = (*ReportView.parameters, "silence_days")

    @extend_schema(
        operation_id="reports_retention",
        responses=answers(RetentionSerializer),
        parameters=[
            *SLICE,
            OpenApiParameter(
                "silence_days",
                int,
                description=f"Days without an order that count as silence, {SILENCE_DAYS} unless"
                f" given, at most {MOST_DAYS}.",
            ),
        ],
    )
    def get(self, request: Request) -> HttpResponseBase:
        return self.answer(request)

    def told(self, of: Slice) -> dict[str, Any]:
        return cast(dict[str, Any], RetentionSerializer(retention(of)).data)

    def table(self, of: Slice) -> tuple[Sequence[str], Iterable[Sequence[object]]]:
        return retention_table(retention(of, most=None))


class ParetoView(ReportView):
    """What share of amount and margin the top 20 % of the customers bring."""

    name = "pareto"

    @extend_schema(
        operation_id="reports_pareto", responses=answers(ParetoSerializer), parameters=SLICE
    )
    def get(self, request: Request) -> HttpResponseBase:
        return self.answer(request)

    def told(self, of: Slice) -> dict[str, Any]:
        amount, margin = concentration.read(of), concentration.read(of, "margin")
        known = float(concentration.known_share(amount, margin))
        found = {
            "from": of.period.first,
            "to": of.period.last,
            **curve_told(amount),
            "margin": {**curve_told(margin), "known_share": known},
        }
        return cast(dict[str, Any], ParetoSerializer(found).data)

    def table(self, of: Slice) -> tuple[Sequence[str], Iterable[Sequence[object]]]:
        from tiers.views.pareto import ranking_head, ranking_rows

        return ranking_head("amount"), ranking_rows(of, "amount")


def retention(of: Slice, *, most: int | None = MOST_LEAVING) -> dict[str, Any]:
    """The figures of a slice by their names in the contract, `most` of those that leave named."""
    answers = Answers(of)
    now = answers.now
    leaving = answers.outlooks.select_related("customer")[:most]
    return {
        "from": of.period.first,
        "to": of.period.last,
        "silence_days": of.silence_days,
        "customers": answers.customers,
        "buyers": now.buyers,
        "bought_once": now.once,
        "bought_twice_or_more": now.repeat,
        "one_and_silent": now.silent,
        "never_contacted": answers.untouched,
        "newcomers": now.newcomers,
        "second_purchase_rate": now.second_purchase_rate,
        "median_days_to_second": answers.median_days,
        "bought_again_rate": now.staying_rate,
        "leaving_count": answers.leaving,
        "leaving_measure": answers.churn_run.measure if answers.churn_run else None,
        "leaving": [leaving_told(one) for one in leaving],
        "cohorts": [cohort_told(one) for one in answers.cohorts],
        "orders_without_lines": answers.without_lines,
    }


def leaving_told(outlook: Outlook) -> dict[str, Any]:
    return {
        "customer": outlook.customer.external_id,
        "customer_id": outlook.customer_id,
        "name": outlook.customer.name,
        "alive": float(outlook.alive),
        "value_at_risk": outlook.value_at_risk,
    }


def cohort_told(cohort: Cohort) -> dict[str, Any]:
    return {
        "month": f"{cohort.month:%Y-%m}",
        "customers": cohort.customers,
        "buying": cohort.buying,
        "shares": cohort.shares,
    }


def curve_told(found: Concentration) -> dict[str, Any]:
    curve = found.curve
    return {
        "customers": found.customers,
        "amount": curve.amount if curve else 0,
        "top20_share": float(curve.top20) if curve else None,
        "curve": [[float(x), float(y)] for x, y in curve.points] if curve else [],
    }


def retention_table(told: dict[str, Any]) -> tuple[Sequence[str], Iterable[Sequence[object]]]:
    """One line for each figure, each customer that leaves, and each month of each cohort.

    The names are those of the contract, in every language, so that a program finds them.
    """
    lists = ("leaving", "cohorts")
    rows: list[Sequence[object]] = [
        (name, "", value) for name, value in told.items() if name not in lists
    ]
    for one in told["leaving"]:
        number = one["customer"] or one["customer_id"]
        rows.append(("leaving.alive", number, one["alive"]))
        rows.append(("leaving.value_at_risk", number, one["value_at_risk"]))
    for one in told["cohorts"]:
        for since, number in enumerate(one["buying"]):
            rows.append(("cohorts.buying", f"{one['month']} +{since}", number))
    return ["figure", "of", "value"], rows


urls = [
    path("reports/retention/", RetentionView.as_view(), name="report-retention"),
    path("reports/pareto/", ParetoView.as_view(), name="report-pareto"),
]
