"""Products and orders as the API reads and writes them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.utils.translation import gettext as _
from rest_framework import serializers

from accounts.access import may
from crm.lib.api import MomentField, RecordSerializer, ScopedRelatedField
from customers import divisions
from customers.models import Customer
from orders.amounts import check_amount, check_line
from orders.models import Order, OrderLine, OrderStatus, Price, Product
from orders.skus import no_product

MOST_LINES = 1000


class ProductSerializer(RecordSerializer[Product]):
    """One product. `external_id` is its SKU; `unit_cost` is null for who may not see costs."""

    source_updated_at = MomentField(required=False, allow_null=True)

    def to_representation(self, product: Product) -> dict[str, Any]:
        shown: dict[str, Any] = super().to_representation(product)
        if not may(self.context["request"].user, "costs:read"):
            shown["unit_cost"] = None
        return shown

    class Meta:
        model = Product
        fields = (
            "id",
            "external_id",
            "name",
            "category",
            "unit",
            "dealer_price",
            "retail_price",
            "unit_cost",
            "launched_on",
            "active",
            "source_updated_at",
            "created_at",
            "updated_at",
        )
        read_only_fields = ("created_at", "updated_at")


class PriceSerializer(RecordSerializer[Price]):
    """The uniform prices of a product from one day to another, both inclusive.

    No two prices of a product share a day. On days without one the product's own prices hold.
    """

    product = ScopedRelatedField(
        slug_field="external_id", queryset=Product.objects.all(), help_text="SKU of the product."
    )
    product_id = serializers.IntegerField(read_only=True)
    source_updated_at = MomentField(required=False, allow_null=True)

    class Meta:
        model = Price
        fields = (
            "id",
            "external_id",
            "product",
            "product_id",
            "dealer_price",
            "retail_price",
            "valid_from",
            "valid_to",
            "source_updated_at",
            "created_at",
            "updated_at",
        )
        read_only_fields = ("created_at", "updated_at")


class SkuField(serializers.CharField):
    """A product by its SKU; the order looks up the products of all its lines at once."""

    def to_representation(self, value: Any) -> str:
        return str(value.external_id)


class LineSerializer(serializers.ModelSerializer[OrderLine]):
    """One product on an order."""

    line_no = serializers.IntegerField(
        min_value=0,
        max_value=2_147_483_647,
        required=False,
        help_text="Its place in the list, counted from 1, where left out.",
    )
    product = SkuField(max_length=100, help_text="SKU of the product.")

    class Meta:
        model = OrderLine
        fields = ("line_no", "product", "quantity", "unit_price", "batch")


class OrderSerializer(RecordSerializer[Order]):
    """An order with its lines. Without lines the amount is required; with both they must agree."""

    customer = ScopedRelatedField(
        slug_field="external_id",
        also="aliases__external_id",
        queryset=Customer.objects.all(),
        help_text="external_id of the customer.",
    )
    customer_id = serializers.IntegerField(read_only=True)
    lines: serializers.ListSerializer[OrderLine] = serializers.ListSerializer(
        child=LineSerializer(), required=False, max_length=MOST_LINES
    )
    amount = serializers.DecimalField(
        max_digits=14,
        decimal_places=2,
        required=False,
        help_text="Stored and answered without a sign; a returned order may be sent with one.",
    )
    source_updated_at = MomentField(required=False, allow_null=True)
    findings = serializers.SerializerMethodField(help_text="Codes of the compliance findings.")

    class Meta:
        model = Order
        fields = (
            "id",
            "external_id",
            "customer",
            "customer_id",
            "ordered_at",
            "status",
            "delivery_address",
            "delivery_division",
            "payment_method",
            "promotion",
            "lines",
            "amount",
            "source_updated_at",
            "findings",
            "held",
            "created_at",
            "updated_at",
        )
        read_only_fields = ("held", "created_at", "updated_at")

    def get_findings(self, order: Order) -> list[str]:
        """Empty until contracts are checked against orders."""
        return []

    def validate_delivery_division(self, code: str) -> str:
        if code and not divisions.is_known(code):
            raise serializers.ValidationError(
                _("No division has the code “%(code)s”.") % {"code": code}
            )
        return code

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        order = self.instance
        status = attrs.get("status", order.status if order is not None else OrderStatus.CONFIRMED)
        if attrs.get("lines"):
            attrs["lines"] = self._checked(attrs["lines"], status)
        lines = attrs.get("lines")
        if order is None or lines is not None or "amount" in attrs:
            known = order.amount if order is not None and not lines else None
            try:
                attrs["amount"] = check_amount(
                    status=status,
                    amount=attrs.get("amount", known),
                    lines=self._priced(lines),
                )
            except DjangoValidationError as refused:
                raise serializers.ValidationError(refused.message_dict) from refused
        return super().validate(attrs)

    def _checked(self, lines: list[dict[str, Any]], status: str) -> list[OrderLine]:
        """The lines with their products, found in one query; numbers stand once each."""
        skus = sorted({line["product"] for line in lines})
        products = Product.objects.visible_to(self.context["request"].user).in_bulk(
            skus, field_name="external_id"
        )
        checked: list[OrderLine] = []
        errors: list[dict[str, list[str]]] = []
        seen: set[int] = set()
        negative = lines[0]["quantity"] < 0
        for place, line in enumerate(lines, start=1):
            wrong: dict[str, list[str]] = {}
            number = line.setdefault("line_no", place)
            if (line["quantity"] < 0) != negative and status == OrderStatus.RETURNED:
                wrong["quantity"] = [_("The lines of a return are all negative or all positive.")]
            try:
                line["quantity"] = check_line(
                    status=status, quantity=line["quantity"], unit_price=line["unit_price"]
                )
            except DjangoValidationError as refused:
                wrong |= refused.message_dict
            if line["product"] not in products:
                wrong["product"] = [no_product(line["product"])]
            if number in seen:
                wrong["line_no"] = [_("Line %(number)d stands twice.") % {"number": number}]
            seen.add(number)
            errors.append(wrong)
            checked.append(OrderLine(**{**line, "product": products.get(line["product"])}))
        if any(errors):
            raise serializers.ValidationError({"lines": errors})
        return checked

    def _priced(self, lines: list[OrderLine] | None) -> list[tuple[Decimal, Decimal]]:
        """(quantity, unit price) of the lines sent, or else of those the order has."""
        if lines is None:
            kept = OrderLine.objects.filter(order=self.instance) if self.instance else []
            lines = list(kept)
        return [(line.quantity, line.unit_price) for line in lines]
