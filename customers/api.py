"""The customers resource of the REST API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from accounts.models import User
from crm.lib.api import RecordViewSet, fetch_related
from crm.lib.contributions import contributions
from crm.lib.fields import read_moment
from crm.lib.idempotency import once
from crm.lib.pagination import page_size
from customers import completeness, hierarchy, merging, reads, timeline
from customers.actions import change_customer, file_customer
from customers.filters import CustomerFilter
from customers.hierarchy import Tie
from customers.models import Customer
from customers.serializers import (
    CustomerSerializer,
    MergeSerializer,
    NetworkSerializer,
    StatsSerializer,
    TimelineSerializer,
)


class CustomerViewSet(RecordViewSet):
    """Customer files."""

    scope = "customers"
    queryset = Customer.objects.all()
    serializer_class = CustomerSerializer
    filterset_class = CustomerFilter
    ordering_fields: ClassVar[Sequence[str]] = (
        "id",
        "name",
        "external_id",
        "created_at",
        "updated_at",
    )

    def prepare(self, rows: Sequence[Any]) -> None:
        fetch_related(rows, "parent", "group_head", "owner")
        facts: dict[int, dict[str, Any]] = {}
        for explain_many in contributions("reasons", "explain_many"):
            facts |= explain_many(rows)
        filled = completeness.of([customer.pk for customer in rows])
        seen = hierarchy.above_in_sight(rows, cast(User, self.request.user))
        for customer in rows:
            customer.above_in_sight = seen
            customer.completeness = filled[customer.pk]
            customer.tier_facts = facts.get(customer.pk, {})

    def perform_create(self, serializer: Any) -> None:
        customer = Customer(**serializer.validated_data)
        by = cast(User, self.request.user)
        serializer.instance = file_customer(customer=customer, by=by)

    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        with transaction.atomic():
            if isinstance(request.data, Mapping) and request.data.keys() & set(Tie.values):
                hierarchy.lock()
            return super().update(request, *args, **kwargs)

    def perform_update(self, serializer: Any) -> None:
        if serializer.changes():
            change_customer(
                customer=serializer.instance,
                values=serializer.validated_data,
                now=timezone.now(),
            )

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        customer = self.get_object()
        self.opened(customer)
        return self.answer(customer)

    def opened(self, customer: Customer) -> None:
        """Note who read the file (P6)."""
        user = cast(User, self.request.user)
        reads.note(customer.pk, reader_id=user.pk, now=timezone.now())

    @extend_schema(
        responses=TimelineSerializer,
        filters=False,
        parameters=[
            OpenApiParameter("before", str, description="Only what happened before this time."),
            OpenApiParameter("kind", str, enum=[source.KIND for source in timeline.sources()]),
            OpenApiParameter("page_size", int),
        ],
    )
    @action(detail=True, pagination_class=None)
    def timeline(self, request: Request, pk: str) -> Response:
        """Everything that happened to the customer, newest first (P2)."""
        customer = self.get_object()
        self.opened(customer)
        before = None
        if text := request.query_params.get("before"):
            try:
                before = read_moment(text.replace(" ", "+"))
            except ValueError as bad:
                raise exceptions.ValidationError({"before": [str(bad)]}) from bad
        kind = request.query_params.get("kind", "")
        if kind and kind not in {source.KIND for source in timeline.sources()}:
            raise exceptions.ValidationError({"kind": [_("There is no such kind of entry.")]})
        page = timeline.collect(customer, before=before, limit=page_size(request), kind=kind)
        older = page.older and replace_query_param(
            request.build_absolute_uri(), "before", page.older.isoformat()
        )
        shown = {"next": older, "previous": None, "results": page.entries}
        return Response(TimelineSerializer(shown).data)

    @extend_schema(responses=NetworkSerializer, filters=False)
    @action(detail=True, pagination_class=None)
    def network(self, request: Request, pk: str) -> Response:
        """Who supplies the customer, whom it supplies, and what they come to; so for its group.

        The customers right below are in the list: `?parent=` and `?group_head=`. What the caller
        may not see, and what stands behind it, neither shows nor counts (P25).
        """
        customer, reader = self.get_object(), cast(User, request.user)
        shown = {
            name: {
                "above": hierarchy.path_to(customer, reader, tie),
                "below": hierarchy.totals(customer.pk, reader, tie),
            }
            for name, tie in (("supply", Tie.SUPPLY), ("group", Tie.GROUP))
        }
        return Response(NetworkSerializer(shown).data)

    @extend_schema(request=MergeSerializer, responses=CustomerSerializer, filters=False)
    @action(detail=True, methods=["post"], pagination_class=None)
    def merge(self, request: Request, pk: str) -> Response:
        """Let this file go into another: its values fill the empty ones there, all that hangs on
        it goes over, and its external_id stays good. Asked again, the answer is the same."""

        def answer() -> Response:
            by = cast(User, request.user)
            if merging.merged_into(int(pk), by) is None:
                get_object_or_404(self.get_queryset(), pk=pk)
            asked = MergeSerializer(data=request.data)
            asked.is_valid(raise_exception=True)
            into = asked.validated_data["into"]
            merging.merge_once(gone_id=int(pk), into_id=into, by=by, now=timezone.now())
            return self.answer(get_object_or_404(self.get_queryset(), pk=into))

        return once(request, answer, now=timezone.now())

    @extend_schema(responses=StatsSerializer, filters=False)
    @action(detail=True, pagination_class=None)
    def stats(self, request: Request, pk: str) -> Response:
        """What the customer's orders come to."""
        customer = self.get_object()
        today = timezone.localdate()
        figures: dict[str, Any] = {"as_of": today}
        for of_customer in contributions("stats", "of_customer"):
            figures |= of_customer(customer, today=today)
        return Response(StatsSerializer(figures).data)


routes: list[tuple[str, Any, str]] = [("customers", CustomerViewSet, "customer")]
