"""The forms of sell-outs and adjustments. Quantities are typed without a sign: phones lack one."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.models import User
from crm.lib.forms import MomentField
from customers import divisions
from customers.addresses import find
from orders.choosing import ProductField
from orders.counting_forms import QuantityField
from orders.models import AdjustmentCause, Product
from orders.payment_forms import MoneyField

SOLD, BACK = "sold", "back"
WENT, CAME = "went", "came"
_LEAST = Decimal("0.001")


class _EntryForm(forms.Form):
    """What both have: a product, and an id that makes a second press harmless."""

    product = ProductField(label=gettext_lazy("Product"))
    client_id = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, user: User, now: datetime, at: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["product"]
        assert isinstance(field, ProductField)
        field.products = Product.objects.visible_to(user)
        self.initial = {"client_id": uuid4(), at: now, **self.initial}

    def entry(self) -> dict[str, Any]:
        """What the form says, with the sign of its direction."""
        values = dict(self.cleaned_data)
        if values.pop("direction") in (BACK, WENT):
            values["quantity"] = -values["quantity"]
        return values


class SellOutForm(_EntryForm):
    """What the dealer sold of one product, or what came back to it."""

    direction = forms.ChoiceField(
        label=gettext_lazy("What happened"),
        choices=[
            (SOLD, pgettext_lazy("sell-out", "Sold")),
            (BACK, pgettext_lazy("sell-out", "Came back")),
        ],
        widget=forms.RadioSelect,
        initial=SOLD,
    )
    quantity = QuantityField(label=gettext_lazy("Quantity"), min_value=_LEAST)
    unit_price = MoneyField(
        label=gettext_lazy("Unit price"),
        max_digits=12,
        decimal_places=2,
        min_value=Decimal(0),
        required=False,
    )
    sold_at = MomentField(label=pgettext_lazy("day and time of a sale", "Sold"))
    buyer_division = forms.CharField(
        label=gettext_lazy("Area of the buyer"),
        max_length=100,
        required=False,
        help_text=gettext_lazy("Its name or 6-digit code."),
    )
    field_order = ("product", "direction", "quantity", "unit_price", "sold_at", "buyer_division")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, at="sold_at", **kwargs)

    def clean_buyer_division(self) -> str:
        words = str(self.cleaned_data["buyer_division"]).strip()
        if not words or divisions.is_known(words):
            return words
        found = find(words).code
        if not found:
            raise ValidationError(_("No single area has this name."), code="unknown")
        return found


class AdjustmentForm(_EntryForm):
    """Goods that came or went without a delivery or a sale."""

    direction = forms.ChoiceField(
        label=gettext_lazy("What happened"),
        choices=[
            (WENT, pgettext_lazy("adjustment", "Goods went")),
            (CAME, pgettext_lazy("adjustment", "Goods came")),
        ],
        widget=forms.RadioSelect,
        initial=WENT,
    )
    quantity = QuantityField(label=gettext_lazy("Quantity"), min_value=_LEAST)
    cause = forms.ChoiceField(label=gettext_lazy("Cause"), choices=AdjustmentCause.choices)
    batch = forms.CharField(label=gettext_lazy("Batch"), max_length=50, required=False)
    adjusted_at = MomentField(label=gettext_lazy("When"))
    note = forms.CharField(label=gettext_lazy("Note"), max_length=300, required=False)
    field_order = ("product", "direction", "quantity", "cause", "batch", "adjusted_at", "note")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, at="adjusted_at", **kwargs)
