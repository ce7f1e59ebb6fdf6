"""The market information and suggestions resources of the REST API (P26)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, ClassVar, cast

from django.utils import timezone
from rest_framework import serializers

from accounts.models import User
from crm.lib.api import RecordSerializer, RecordViewSet, ScopedRelatedField, fetch_related
from customers.models import Kind, Tier
from orders.models import Product
from visits.actions import make_suggestion, write_information
from visits.information_filters import MarketInformationFilter
from visits.models import UNRANKED, MarketInformation, Suggestion
from visits.models.information import MOST_OF_A_RULE
from visits.serializers import CustomerField
from visits.suggestion_filters import SuggestionFilter
from visits.suggestion_forms import USUAL


def _texts(**kwargs: Any) -> serializers.ListField:
    return serializers.ListField(
        child=serializers.CharField(max_length=100),
        required=False,
        max_length=MOST_OF_A_RULE,
        **kwargs,
    )


class MarketInformationSerializer(RecordSerializer[MarketInformation]):
    """What was read, heard or seen of the market, and whom it helps; a rule left out fits all."""

    kinds = serializers.ListField(
        child=serializers.ChoiceField(choices=Kind.choices),
        required=False,
        max_length=len(Kind.values),
    )
    tiers = serializers.ListField(
        child=serializers.ChoiceField(choices=[*Tier.choices, (UNRANKED, UNRANKED)]),
        required=False,
        max_length=len(Tier.values) + 1,
        help_text="`none` is a customer without a tier.",
    )
    categories = _texts(help_text="Bought within the last 12 months.")
    areas = serializers.ListField(
        child=serializers.RegexField(r"^[0-9]{2,6}$"),
        required=False,
        max_length=MOST_OF_A_RULE,
        help_text="Beginnings of division codes: 33 is a province, 3306 a city.",
    )
    tags = _texts()
    by = serializers.CharField(
        source="by.username", read_only=True, help_text="Username of who wrote it."
    )

    class Meta:
        model = MarketInformation
        fields = (
            "id",
            "title",
            "text",
            "source",
            "where",
            "learned_on",
            "valid_until",
            "kinds",
            "tiers",
            "categories",
            "areas",
            "tags",
            "by",
            "created_at",
            "updated_at",
        )
        read_only_fields = ("id", "by", "created_at", "updated_at")


class MarketInformationViewSet(RecordViewSet):
    """Market information: read and written down; whom it was sent to is noted on the pages."""

    scope = "visits"
    queryset = MarketInformation.objects.all()
    serializer_class = MarketInformationSerializer
    filterset_class = MarketInformationFilter
    http_method_names: Sequence[str] = ("get", "head", "post")
    ordering_fields: ClassVar[Sequence[str]] = ("id", "learned_on", "created_at", "updated_at")

    def prepare(self, rows: Sequence[Any]) -> None:
        fetch_related(rows, "by")

    def perform_create(self, serializer: Any) -> None:
        serializer.instance = write_information(
            information=MarketInformation(**serializer.validated_data),
            by=cast(User, self.request.user),
        )


class SuggestionSerializer(RecordSerializer[Suggestion]):
    """What was suggested to a customer; its outcome is said on the pages."""

    customer = CustomerField(help_text="Id of the customer.")
    product = ScopedRelatedField(
        slug_field="external_id",
        queryset=Product.objects.all(),
        required=False,
        allow_null=True,
        help_text="SKU of the product, if one is suggested.",
    )
    by = ScopedRelatedField(
        slug_field="username",
        queryset=User.objects.get_queryset().active(),
        required=False,
        help_text="Username of who made it; by default the caller.",
    )

    class Meta:
        model = Suggestion
        fields = (
            "id",
            "customer",
            "text",
            "product",
            "expected",
            "made_on",
            "by",
            "follow_up_on",
            "state",
            "outcome_words",
            "outcome_on",
            "created_at",
            "updated_at",
        )
        read_only_fields = (
            "id",
            "state",
            "outcome_words",
            "outcome_on",
            "created_at",
            "updated_at",
        )
        extra_kwargs: ClassVar[dict[str, Any]] = {
            "made_on": {"required": False, "help_text": "Today where left out."},
            "follow_up_on": {
                "required": False,
                "help_text": "Two weeks after it was made where left out.",
            },
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Fill in who made it and when, then let the model look at it."""
        made_on: date = attrs.setdefault("made_on", timezone.localdate())
        attrs.setdefault("follow_up_on", made_on + USUAL)
        attrs.setdefault("by", self.context["request"].user)
        return super().validate(attrs)


class SuggestionViewSet(RecordViewSet):
    """Suggestions made to customers: read and made."""

    scope = "visits"
    queryset = Suggestion.objects.all()
    serializer_class = SuggestionSerializer
    filterset_class = SuggestionFilter
    http_method_names: Sequence[str] = ("get", "head", "post")
    ordering_fields: ClassVar[Sequence[str]] = (
        "id",
        "made_on",
        "follow_up_on",
        "created_at",
        "updated_at",
    )

    def prepare(self, rows: Sequence[Any]) -> None:
        fetch_related(rows, "product", "by")

    def perform_create(self, serializer: Any) -> None:
        serializer.instance = make_suggestion(suggestion=Suggestion(**serializer.validated_data))


routes: list[tuple[str, Any, str]] = [
    ("market-information", MarketInformationViewSet, "market-information"),
    ("suggestions", SuggestionViewSet, "suggestion"),
]
