"""The tier-policies and tier-runs resources of the REST API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, cast

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from crm.lib.api import ReadViewSet
from crm.lib.idempotency import once
from tiers.actions import request_run
from tiers.filters import ChangeFilter, RunFilter
from tiers.models import ClassChange, TierChange, TierPolicy, TierRun
from tiers.policies import make_version
from tiers.serializers import (
    ClassChangeSerializer,
    NewPolicySerializer,
    RunRequestSerializer,
    TierChangeSerializer,
    TierPolicySerializer,
    TierRunSerializer,
)


class TierPolicyViewSet(ReadViewSet):
    """How customers are ranked."""

    scope = "tiers"
    queryset = TierPolicy.objects.all()
    serializer_class = TierPolicySerializer
    http_method_names = ("get", "head", "post")

    @extend_schema(request=NewPolicySerializer, responses={201: TierPolicySerializer})
    def create(self, request: Request) -> Response:
        """Make a version that decides from a day on, or a draft that trial runs judge by."""
        now = timezone.now()

        def answer() -> Response:
            asked = NewPolicySerializer(data=request.data, context={"request": request})
            asked.is_valid(raise_exception=True)
            made = make_version(asked.validated_data, today=timezone.localdate(now))
            return Response(self.get_serializer(made).data, status=201)

        return once(request, answer, now=now)


class TierRunViewSet(ReadViewSet):
    """Computations of all tiers."""

    scope = "tiers"
    queryset = TierRun.objects.all()
    serializer_class = TierRunSerializer
    filterset_class: ClassVar[Any] = RunFilter
    http_method_names = ("get", "head", "post")
    ordering_fields: ClassVar[Sequence[str]] = ("id", "as_of", "created_at")
    ordering: ClassVar[str] = "-id"

    @extend_schema(request=RunRequestSerializer, responses={202: TierRunSerializer})
    def create(self, request: Request) -> Response:
        """Ask for a run. The same question that is still open is answered by its run."""
        now = timezone.now()

        def answer() -> Response:
            asked = RunRequestSerializer(data=request.data, context={"request": request})
            asked.is_valid(raise_exception=True)
            user = cast(User, request.user)
            run = request_run(**asked.validated_data, user=user, now=now)
            return self.accepted(run)

        return once(request, answer, now=now)

    def accepted(self, run: TierRun) -> Response:
        """202, and where the run's progress can be followed."""
        address = self.reverse_action("detail", args=[run.pk])
        headers = {"Location": self.request.build_absolute_uri(address)}
        return Response(self.get_serializer(run).data, status=202, headers=headers)

    @extend_schema(responses=TierChangeSerializer(many=True))
    @action(
        detail=True,
        serializer_class=TierChangeSerializer,
        filterset_class=ChangeFilter,
        ordering_fields=("id",),
        ordering="id",
    )
    def changes(self, request: Request, pk: str) -> Response:
        """The customers in sight that the run moved, by rank, with the reason (P12)."""
        run = self.get_object()
        changes = TierChange.objects.visible_to(request.user).filter(run=run)
        known = changes.with_words().select_related("customer")
        rows = self.paginate_queryset(self.filter_queryset(known))
        return self.get_paginated_response(self.get_serializer(rows, many=True).data)

    @extend_schema(responses=ClassChangeSerializer(many=True))
    @action(
        detail=True,
        url_path="class-changes",
        serializer_class=ClassChangeSerializer,
        filterset_class=None,
        ordering_fields=("id",),
        ordering="id",
    )
    def class_changes(self, request: Request, pk: str) -> Response:
        """The customers in sight whose loyalty class the run changed, or whose key-account score
        it carried over or under the line, with the reason (P9, P10)."""
        run = self.get_object()
        changes = ClassChange.objects.visible_to(request.user).filter(run=run)
        known = changes.select_related("run__policy", "customer")
        rows = self.paginate_queryset(self.filter_queryset(known))
        return self.get_paginated_response(self.get_serializer(rows, many=True).data)


routes: list[tuple[str, Any, str]] = [
    ("tier-policies", TierPolicyViewSet, "tier-policy"),
    ("tier-runs", TierRunViewSet, "tier-run"),
]
