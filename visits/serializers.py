"""Visits, reminders and occasions as the API reads and writes them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError as Refusal
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import exceptions, serializers

from accounts.models import User
from accounts.roles import Role
from crm.lib.api import DayField, MomentField, RecordSerializer, ScopedRelatedField
from customers.models import Customer
from orders.models import Product
from orders.skus import no_product
from orders.stocktaking import MOST_LINES, Counted
from visits.actions import Seen
from visits.answers import MAX_NOTE, Answers, Care, Sales, cleaned
from visits.models import (
    LONGEST_NAME,
    MOST_SIGHTINGS,
    OccasionCode,
    Reminder,
    Sighting,
    Visit,
    key_of,
)

#: Half of the earth's girth, in metres.
MOST_M = 20_040_000
MICRO_DEGREE = Decimal("0.000001")


class DegreesField(serializers.DecimalField):
    """Latitude or longitude; what is finer than 0.1 m is rounded away."""

    def validate_precision(self, value: Decimal) -> Decimal:
        if abs(value) < 1000:
            value = value.quantize(MICRO_DEGREE)
        return super().validate_precision(value)


class CustomerField(ScopedRelatedField):
    """A customer in sight, by its id."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(slug_field="id", queryset=Customer.objects.all(), **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        text = str(data).strip()
        if isinstance(data, bool) or not (text.isascii() and text.isdigit() and len(text) < 19):
            raise exceptions.ValidationError(_("Give the id of a customer, a number."))
        return super().to_internal_value(int(text))

    def use_pk_only_optimization(self) -> bool:
        return True

    def to_representation(self, obj: Any) -> Any:
        return int(obj.pk)


_NOTE = {"type": "string", "maxLength": MAX_NOTE}


@extend_schema_field(
    {
        "type": "object",
        "description": "The four follow-up questions (P27); all must be answered to be done. "
        "[] says that no product was introduced, or that there was no greeting.",
        "properties": {
            "sales": {"type": "string", "enum": Sales.values},
            "sales_note": _NOTE,
            "new_need": {"type": "boolean"},
            "new_need_note": {**_NOTE, "description": "Needed where there is a new need."},
            "new_products": {
                "type": "array",
                "items": {"type": "string", "description": "SKU"},
            },
            "care": {"type": "array", "items": {"type": "string", "enum": Care.values}},
            "care_note": _NOTE,
        },
    }
)
class AnswersField(serializers.JSONField):
    def to_internal_value(self, data: Any) -> Answers:
        try:
            answers = cleaned(data)
        except Refusal as refused:
            raise exceptions.ValidationError(refused.messages) from refused
        skus = answers.get("new_products", [])
        known = set(
            Product.objects.filter(external_id__in=skus).values_list("external_id", flat=True)
        )
        if unknown := [sku for sku in skus if sku not in known]:
            raise exceptions.ValidationError(
                [_("There is no product %(sku)s.") % {"sku": sku[:100]} for sku in unknown]
            )
        return answers


class SightingSerializer(RecordSerializer[Sighting]):
    """A competitor's product that was seen in the visit; the names of one are one competitor."""

    competitor = serializers.CharField(
        source="competitor.name", max_length=LONGEST_NAME, help_text="Brand or maker."
    )

    class Meta:
        model = Sighting
        fields = ("competitor", "product", "size", "price", "note")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The line on its own, under the competitor's name."""
        name = attrs.pop("competitor")["name"]
        if not key_of(name):
            raise exceptions.ValidationError({"competitor": [_("Say which competitor.")]})
        return {"competitor": name, **super().validate(attrs)}


class CountedSerializer(serializers.Serializer[Any]):
    """How much of a batch of a product was there; 0 where it is gone."""

    product = serializers.CharField(max_length=100, help_text="SKU of the product.")
    batch = serializers.CharField(max_length=50, required=False, allow_blank=True)
    produced_on = DayField(required=False, allow_null=True)
    quantity = serializers.DecimalField(max_digits=14, decimal_places=3, min_value=Decimal(0))


class VisitSerializer(RecordSerializer[Visit]):
    """One visit. `client_id` is a UUID that the device made: sent twice, it is one visit.

    `sightings` (P52) and `stock` (P23), where sent, take the place of those noted before; a visit
    that is done has its stock filed as the stock report `stock_report`.
    """

    customer = CustomerField(help_text="Id of the customer.")
    rep = ScopedRelatedField(
        slug_field="username",
        queryset=User.objects.get_queryset().active(),
        required=False,
        help_text="Username of who visits; by default the caller, or for an integration the owner.",
    )
    client_id = serializers.UUIDField(required=False, allow_null=True)
    scheduled_for = MomentField(
        required=False, help_text="Needed unless `checked_in_at` says when it took place."
    )
    latitude = DegreesField(
        max_digits=9, decimal_places=6, min_value=-90, max_value=90, required=False, allow_null=True
    )
    longitude = DegreesField(
        max_digits=9,
        decimal_places=6,
        min_value=-180,
        max_value=180,
        required=False,
        allow_null=True,
    )
    accuracy_m = serializers.IntegerField(
        min_value=0, max_value=MOST_M, required=False, allow_null=True
    )
    answers = AnswersField(required=False)
    sightings = SightingSerializer(many=True, required=False)
    stock: serializers.ListSerializer[Any] = serializers.ListSerializer(
        source="counts", child=CountedSerializer(), required=False, max_length=MOST_LINES
    )
    stock_report = serializers.IntegerField(
        source="stock_report_id", read_only=True, allow_null=True
    )

    class Meta:
        model = Visit
        fields = (
            "id",
            "client_id",
            "customer",
            "rep",
            "scheduled_for",
            "purpose",
            "status",
            "checked_in_at",
            "closed_at",
            "latitude",
            "longitude",
            "accuracy_m",
            "distance_m",
            "answers",
            "words",
            "sightings",
            "stock",
            "stock_report",
            "created_at",
            "updated_at",
        )
        read_only_fields = ("id", "closed_at", "distance_m", "created_at", "updated_at")

    def validate_sightings(self, lines: list[dict[str, Any]]) -> list[Seen]:
        if len(lines) > MOST_SIGHTINGS:
            raise exceptions.ValidationError(
                _("At most %(n)d competitors in one visit.") % {"n": MOST_SIGHTINGS}
            )
        return [Seen(**line) for line in lines]

    def validate_stock(self, lines: list[dict[str, Any]]) -> list[Counted]:
        """The lines with their products, found in one query."""
        user = self.context["request"].user
        products = Product.objects.visible_to(user).in_bulk(
            sorted({line["product"] for line in lines}), field_name="external_id"
        )
        errors = [
            {} if line["product"] in products else {"product": [no_product(line["product"])]}
            for line in lines
        ]
        if any(errors):
            raise exceptions.ValidationError(errors)
        return [
            Counted(
                products[line["product"]],
                line["quantity"],
                line.get("batch", "").strip(),
                line.get("produced_on"),
            )
            for line in lines
        ]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Fill in when it was planned for and who went, then let the model look at it."""
        if self.instance is None:
            when = attrs.get("scheduled_for") or attrs.get("checked_in_at")
            if when is None:
                raise exceptions.ValidationError({"scheduled_for": [_("This field is required.")]})
            attrs["scheduled_for"] = when
            if "rep" not in attrs:
                user = self.context["request"].user
                owner = attrs["customer"].owner
                attrs["rep"] = owner if user.role == Role.INTEGRATION and owner else user
        given = [attrs.get(name) is not None for name in ("latitude", "longitude")]
        if any(given) and not all(given):
            raise exceptions.ValidationError(
                {"latitude": [_("Give latitude and longitude together.")]}
            )
        counted = {name: attrs.pop(name) for name in ("counts",) if name in attrs}
        return {**super().validate(attrs), **counted}


class ReminderSerializer(RecordSerializer[Reminder]):
    """A customer to greet on an occasion; `owner` is who does it."""

    customer = serializers.PrimaryKeyRelatedField[Customer](read_only=True)
    owner = serializers.CharField(
        source="customer.owner.username", read_only=True, allow_null=True, default=None
    )

    class Meta:
        model = Reminder
        fields = (
            "id",
            "occasion",
            "on",
            "customer",
            "owner",
            "done_at",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields


class OccasionSerializer(serializers.Serializer[Any]):
    """A holiday on which customers are greeted, and its day."""

    code = serializers.ChoiceField(choices=OccasionCode.choices)
    on = DayField()
