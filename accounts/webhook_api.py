"""The webhooks and webhook-deliveries resources of the REST API."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, cast

from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import delivering
from accounts.models import Delivery, Pause, User, Webhook
from accounts.webhook_filters import DeliveryFilter
from accounts.webhooks import kinds, send_later
from crm.lib.api import MomentField, ReadViewSet, RecordSerializer, RecordViewSet, fetch_related
from crm.lib.idempotency import once


class WebhookSerializer(RecordSerializer[Webhook]):
    """An address that hears of events. `active` is false while it is paused; `paused` says why.

    `failing_since` is the first failure after the last delivery.
    """

    events: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=serializers.ChoiceField(choices=[]), max_length=100
    )
    active = serializers.BooleanField(source="is_listening", required=False)
    paused = serializers.ChoiceField(
        source="pause",
        choices=Pause.choices,
        allow_blank=True,
        read_only=True,
        help_text="Why nothing is sent; empty while it is active.",
    )

    class Meta:
        model = Webhook
        fields = (
            "id",
            "name",
            "url",
            "events",
            "active",
            "paused",
            "failing_since",
            "last_delivered_at",
            "created_at",
            "updated_at",
        )
        read_only_fields = ("failing_since", "last_delivered_at", "created_at", "updated_at")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        child = cast(Any, fields["events"]).child
        child.choices = [(name, kind.label) for name, kind in kinds().items()]
        return fields


class WebhookWithSecretSerializer(WebhookSerializer):
    """A webhook with the secret that its deliveries are signed with; it is answered here alone."""

    secret = serializers.CharField(read_only=True)

    class Meta(WebhookSerializer.Meta):
        fields = (*WebhookSerializer.Meta.fields, "secret")  # type: ignore[assignment]  # one more


class SecretSerializer(serializers.Serializer[Webhook]):
    """The new secret. Deliveries are signed with the old one too until `old_secret_until`."""

    secret = serializers.CharField(read_only=True)
    old_secret_until = MomentField(source="old_seed_until", read_only=True)


class SentAgainSerializer(serializers.Serializer[Any]):
    """How many deliveries are sent again."""

    number = serializers.IntegerField(min_value=0)


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    """One event on its way to one webhook. `event_id` and `data` are what the receiver gets;
    `error` is the code of what went wrong at the last attempt."""

    webhook = serializers.IntegerField(source="webhook_id", read_only=True)
    event = serializers.CharField(source="event.name", read_only=True)
    event_id = serializers.UUIDField(read_only=True)
    occurred_at = MomentField(source="event.occurred_at", read_only=True)
    data = serializers.SerializerMethodField()  # type: ignore[assignment]  # what the receiver calls it
    next_attempt_at = serializers.SerializerMethodField(
        help_text="When it is tried next, at the earliest; null where it is not."
    )
    tried_at = MomentField(read_only=True, allow_null=True)
    delivered_at = MomentField(read_only=True, allow_null=True)

    class Meta:
        model = Delivery
        fields = (
            "id",
            "webhook",
            "event",
            "event_id",
            "occurred_at",
            "data",
            "state",
            "attempts",
            "next_attempt_at",
            "tried_at",
            "delivered_at",
            "status_code",
            "error",
            "duration_ms",
        )
        read_only_fields = fields

    @extend_schema_field({"type": "object", "additionalProperties": True})
    def get_data(self, delivery: Delivery) -> Any:
        return delivery.event.data

    @extend_schema_field({"type": ["string", "null"], "format": "date-time"})
    def get_next_attempt_at(self, delivery: Delivery) -> Any:
        if delivery.state != "waiting":
            return None
        return MomentField().to_representation(delivery.next_attempt_at)


class WebhookViewSet(RecordViewSet):
    """Who hears of events."""

    scope = "webhooks"
    queryset = Webhook.objects.kept()
    serializer_class = WebhookSerializer
    http_method_names = ("get", "head", "post", "put", "patch", "delete")
    ordering_fields: ClassVar[Sequence[str]] = ("id", "name", "created_at", "updated_at")

    @extend_schema(request=WebhookSerializer, responses={201: WebhookWithSecretSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Subscribe. The answer alone holds the secret."""
        response = super().create(request, *args, **kwargs)
        return _with_secret(response, lambda: Webhook.objects.get(pk=response.data["id"]).secret)

    def perform_create(self, serializer: Any) -> None:
        values = dict(serializer.validated_data)
        active = values.pop("is_listening", True)
        webhook = Webhook(**values)
        webhook.save()
        if not active:
            webhook.stop(Pause.BY_HAND, timezone.now())
        serializer.instance = webhook

    def perform_update(self, serializer: Any) -> None:
        values = dict(serializer.validated_data)
        active = values.pop("is_listening", None)
        webhook: Webhook = serializer.instance
        if any(getattr(webhook, name) != value for name, value in values.items()):
            for name, value in values.items():
                setattr(webhook, name, value)
            webhook.store()
        if active is True:
            webhook.resume()
            send_later([webhook.pk])
        elif active is False:
            webhook.stop(Pause.BY_HAND, timezone.now())

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Unsubscribe. What was delivered stays to be seen."""
        self.get_object().remove(timezone.now())
        return Response(status=204)

    @extend_schema(request=None, responses={202: DeliverySerializer}, filters=False)
    @action(detail=True, methods=["post"], pagination_class=None)
    def ping(self, request: Request, pk: str) -> Response:
        """Send a test event; `webhook-deliveries/{id}/` tells what came of it."""
        now = timezone.now()

        def answer() -> Response:
            delivery = delivering.ping(webhook=self.get_object(), now=now)
            return Response(DeliverySerializer(delivery).data, status=202)

        return once(request, answer, now=now)

    @extend_schema(request=None, responses=SecretSerializer, filters=False)
    @action(detail=True, methods=["post"], url_path="rotate-secret", pagination_class=None)
    def rotate_secret(self, request: Request, pk: str) -> Response:
        """Sign with a new secret from now on; the old one signs too for 24 hours."""
        now = timezone.now()

        def answer() -> Response:
            locked = self.get_queryset().select_for_update(of=("self",))
            webhook = get_object_or_404(locked, pk=pk)
            webhook.rotate(now)
            return Response(
                {"old_secret_until": SecretSerializer(webhook).data["old_secret_until"]}
            )

        return _with_secret(once(request, answer, now=now), lambda: self.get_object().secret)

    @extend_schema(request=None, responses={202: SentAgainSerializer}, filters=False)
    @action(detail=True, methods=["post"], pagination_class=None)
    def replay(self, request: Request, pk: str) -> Response:
        """Send all again that was given up."""
        now, by = timezone.now(), cast(User, request.user)

        def answer() -> Response:
            webhook = self.get_object()
            number, _job = delivering.replay_dead(webhook=webhook, by=by, now=now)
            return Response({"number": number}, status=202)

        return once(request, answer, now=now)


def _with_secret(response: Response, secret: Callable[[], str]) -> Response:
    """The answer with the secret, which is not among the answers that are kept for retries."""
    response.data = {**response.data, "secret": secret()}
    return response


class DeliveryViewSet(ReadViewSet):
    """What became of sending events."""

    scope = "webhooks"
    queryset = Delivery.objects.all()
    serializer_class = DeliverySerializer
    filterset_class: ClassVar[Any] = DeliveryFilter
    http_method_names = ("get", "head", "post")
    ordering_fields: ClassVar[Sequence[str]] = ("id",)
    ordering: ClassVar[str] = "-id"

    def prepare(self, rows: Sequence[Any]) -> None:
        fetch_related(rows, "event")

    @extend_schema(request=None, responses={202: DeliverySerializer}, filters=False)
    @action(detail=True, methods=["post"], pagination_class=None)
    def replay(self, request: Request, pk: str) -> Response:
        """Send it again, whatever became of it; the receiver knows it by `event_id`."""
        with transaction.atomic():
            delivery = delivering.replay(delivery=self.get_object(), now=timezone.now())
        return Response(self.get_serializer(delivery).data, status=202)


routes: list[tuple[str, Any, str]] = [
    ("webhooks", WebhookViewSet, "webhook"),
    ("webhook-deliveries", DeliveryViewSet, "webhook-delivery"),
]
