"""The trade terms resource of the REST API: serializer and viewset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from accounts.access import may
from crm.lib.api import RecordSerializer, RecordViewSet
from orders.crediting import set_terms
from orders.filters import TradeTermsFilter
from orders.models import TradeTerms


class TradeTermsSerializer(RecordSerializer[TradeTerms]):
    """What is asked of every order from a day on, until the next terms begin.

    `least_own_margin` is null for who may not see costs, and not changed by them.
    """

    def to_representation(self, terms: TradeTerms) -> dict[str, Any]:
        shown: dict[str, Any] = super().to_representation(terms)
        if not self._sees_costs():
            shown["least_own_margin"] = None
        return shown

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not self._sees_costs():
            attrs.pop("least_own_margin", None)
        return super().validate(attrs)

    def _sees_costs(self) -> bool:
        return may(self.context["request"].user, "costs:read")

    class Meta:
        model = TradeTerms
        fields = (
            "id",
            "valid_from",
            "minimum_order",
            "least_dealer_margin",
            "least_own_margin",
            "keeps_payments",
            "created_at",
            "updated_at",
        )
        read_only_fields = ("created_at", "updated_at")


class TradeTermsViewSet(RecordViewSet):
    """The minimum order, the least margins, and whether payments are kept, by their first day."""

    scope = "prices"
    queryset = TradeTerms.objects.all()
    serializer_class = TradeTermsSerializer
    filterset_class = TradeTermsFilter
    ordering_fields: ClassVar[Sequence[str]] = ("id", "valid_from", "created_at", "updated_at")

    def perform_create(self, serializer: Any) -> None:
        serializer.instance = set_terms(terms=TradeTerms(**serializer.validated_data))

    def perform_update(self, serializer: Any) -> None:
        if serializer.changes():
            for name, value in serializer.validated_data.items():
                setattr(serializer.instance, name, value)
            set_terms(terms=serializer.instance)


routes: list[tuple[str, Any, str]] = [("trade-terms", TradeTermsViewSet, "trade-terms")]
