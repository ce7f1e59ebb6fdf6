"""The visits, reminders and occasions resources of the REST API."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from datetime import date, timedelta
from typing import Any, ClassVar
from uuid import UUID

from django.core.exceptions import ValidationError as Refusal
from django.urls import URLPattern, URLResolver, path
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from crm.lib.api import ReadViewSet, RecordViewSet, fetch_related
from crm.lib.calendar import FIRST_YEAR, LAST_YEAR, occasions
from crm.lib.idempotency import once
from visits.actions import change_visit, take_visit
from visits.answers import QUESTIONS
from visits.filters import ReminderFilter, VisitFilter
from visits.models import Reminder, Visit
from visits.serializers import OccasionSerializer, ReminderSerializer, VisitSerializer

LONGEST = timedelta(days=3660)


class VisitViewSet(RecordViewSet):
    """Visits, from plan to close."""

    scope = "visits"
    queryset = Visit.objects.all()
    serializer_class = VisitSerializer
    filterset_class = VisitFilter
    ordering_fields: ClassVar[Sequence[str]] = ("id", "scheduled_for", "created_at", "updated_at")

    def prepare(self, rows: Sequence[Any]) -> None:
        fetch_related(rows, "rep", "sightings__competitor")

    @extend_schema(responses={200: VisitSerializer, 201: VisitSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Store a visit; one whose `client_id` is known already is answered with 200."""

        def answer() -> Response:
            known = self._known(request.data)
            if known is not None:
                return self.answer(known)
            serializer = self.get_serializer(data=request.data)
            serializer.is_valid(raise_exception=True)
            values = dict(serializer.validated_data)
            seen, counted = values.pop("sightings", None), values.pop("counts", None)
            wanted = Visit(**values)
            with _about_answers():
                visit, is_new = take_visit(
                    visit=_plan_of(wanted),
                    wanted=wanted,
                    now=timezone.now(),
                    seen=seen,
                    counted=counted,
                )
            return self.answer(visit, status=201 if is_new else 200)

        return once(request, answer, now=timezone.now())

    def _known(self, data: Any) -> Visit | None:
        """The visit in sight that the device has sent before."""
        try:
            client_id = UUID(str(data.get("client_id", "")))
        except (AttributeError, ValueError):
            return None
        found: Visit | None = self.get_queryset().filter(client_id=client_id).first()
        return found

    def perform_update(self, serializer: Any) -> None:
        wanted = copy(serializer.instance)
        values = dict(serializer.validated_data)
        seen, counted = values.pop("sightings", None), values.pop("counts", None)
        for name, value in values.items():
            setattr(wanted, name, value)
        with _about_answers():
            serializer.instance = change_visit(
                visit=serializer.instance,
                wanted=wanted,
                now=timezone.now(),
                seen=seen,
                counted=counted,
            )


def _plan_of(wanted: Visit) -> Visit:
    return Visit(
        client_id=wanted.client_id,
        customer=wanted.customer,
        rep=wanted.rep,
        scheduled_for=wanted.scheduled_for,
        purpose=wanted.purpose,
    )


@contextmanager
def _about_answers() -> Iterator[None]:
    """What is wrong with single questions is told under `answers`, the field that callers know."""
    try:
        yield
    except Refusal as refused:
        named = getattr(refused, "error_dict", {})
        if not set(named) & set(QUESTIONS):
            raise
        raise Refusal({"answers": refused.messages}) from refused


class ReminderViewSet(ReadViewSet):
    """Whom to greet on which occasion."""

    scope = "reminders"
    queryset = Reminder.objects.all()
    serializer_class = ReminderSerializer
    filterset_class = ReminderFilter
    http_method_names = ("get", "head", "post")
    ordering_fields: ClassVar[Sequence[str]] = ("id", "on", "created_at", "updated_at")

    def prepare(self, rows: Sequence[Any]) -> None:
        fetch_related(rows, "customer__owner")

    @extend_schema(request=None, responses=ReminderSerializer)
    @action(detail=True, methods=["post"])
    def done(self, request: Request, pk: str) -> Response:
        """The customer has been greeted; said again, nothing changes."""
        reminder = self.get_object()
        reminder.done(timezone.now())
        return self.answer(reminder)


class OccasionsView(APIView):
    """The Chinese holidays on which customers are greeted (P30)."""

    scope = "reminders"
    http_method_names = ("get", "head")

    @extend_schema(
        operation_id="occasions_list",
        parameters=[
            OpenApiParameter("from", date, description="First day; today where left out."),
            OpenApiParameter("to", date, description="Last day; a year after the first."),
        ],
        responses=OccasionSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """The occasions of at most ten years, in order of their days."""
        first = _day(request, "from") or timezone.localdate()
        last = _day(request, "to") or min(first + timedelta(days=365), date(LAST_YEAR, 12, 31))
        if last < first:
            raise exceptions.ValidationError({"to": [_("This lies before the first day.")]})
        if last - first > LONGEST:
            raise exceptions.ValidationError({"to": [_("Ask for at most ten years.")]})
        try:
            found = occasions(first, last)
        except ValueError as bad:
            raise exceptions.ValidationError(
                {"from": [_between_years()], "to": [_between_years()]}
            ) from bad
        return Response(OccasionSerializer(found, many=True).data)


def _between_years() -> str:
    return _("The year lies between %(first)d and %(last)d.") % {
        "first": FIRST_YEAR,
        "last": LAST_YEAR,
    }


def _day(request: Request, name: str) -> date | None:
    text = request.query_params.get(name, "").strip()
    if not text:
        return None
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None:
        raise exceptions.ValidationError({name: [_("This is not a day, like 2026-06-30.")]})
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise exceptions.ValidationError({name: [_between_years()]})
    return day


routes: list[tuple[str, Any, str]] = [
    ("visits", VisitViewSet, "visit"),
    ("reminders", ReminderViewSet, "reminder"),
]
urls: list[URLPattern | URLResolver] = [
    path("occasions/", OccasionsView.as_view(), name="occasions"),
]
