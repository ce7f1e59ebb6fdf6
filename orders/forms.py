"""The forms of products, prices, trade terms, exceptions to them, and stock rules."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.versions import VersionedForm
from crm.lib.forms import DayInput
from customers.filters import DAYS
from orders.choosing import ProductField
from orders.models import Price, Product, StockRules, TradeTerms


class ProductForm(VersionedForm[Product]):
    """What we sell and at which prices."""

    class Meta:
        model = Product
        fields = (
            "name", "external_id", "category", "unit", "dealer_price", "retail_price",
            "unit_cost", "launched_on", "active",
        )  # fmt: skip
        error_messages = {"external_id": {"unique": _("Another product has this SKU already.")}}
        widgets = {
            "launched_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "dealer_price": forms.TextInput(attrs={"inputmode": "decimal"}),
            "retail_price": forms.TextInput(attrs={"inputmode": "decimal"}),
            "unit_cost": forms.TextInput(attrs={"inputmode": "decimal"}),
        }


def _money() -> forms.TextInput:
    return forms.TextInput(attrs={"inputmode": "decimal"})


class PriceForm(VersionedForm[Price]):
    """The prices of a product from one day to another; its product never changes."""

    product = ProductField(label=_("Product"), help_text=_("SKU, or a part of the name."))

    class Meta:
        model = Price
        fields = ("product", "dealer_price", "retail_price", "valid_from", "valid_to")
        widgets = {
            "dealer_price": _money(),
            "retail_price": _money(),
            "valid_from": DayInput(),
            "valid_to": DayInput(),
        }

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            del self.fields["product"]
        else:
            field = self.fields["product"]
            assert isinstance(field, ProductField)
            field.products = Product.objects.visible_to(user)


class TradeTermsForm(VersionedForm[TradeTerms]):
    """What the company asks of every order from a day on."""

    class Meta:
        model = TradeTerms
        fields = (
            "valid_from", "minimum_order", "least_dealer_margin", "least_own_margin",
            "keeps_payments",
        )  # fmt: skip
        widgets = {
            "valid_from": DayInput(),
            "minimum_order": _money(),
            "least_dealer_margin": _money(),
            "least_own_margin": _money(),
        }


class StockRulesForm(VersionedForm[StockRules]):
    """How dealers' stock is judged from a day on."""

    class Meta:
        model = StockRules
        fields = (
            "valid_from", "service_level", "demand_days", "lead_days", "lead_spread_days",
            "review_days", "slow_cover_days", "old_days", "exchange_days",
        )  # fmt: skip
        widgets = {"valid_from": DayInput(), "service_level": _money()}


class ExceptionForm(forms.Form):
    """A lower minimum for one customer; `client_id` makes a second press harmless."""

    minimum = forms.DecimalField(
        label=_("Minimum for this customer"),
        max_digits=14,
        decimal_places=2,
        min_value=Decimal(0),
        widget=_money(),
    )
    valid_from = forms.DateField(label=_("Valid from"), widget=DayInput(), validators=DAYS)
    valid_to = forms.DateField(
        label=_("Valid to"), widget=DayInput(), validators=DAYS, help_text=_("The last day.")
    )
    reason = forms.CharField(label=_("Reason"), max_length=300)
    client_id = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {"client_id": uuid4(), **self.initial}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        minimum, first = cleaned.get("minimum"), cleaned.get("valid_from")
        if minimum is not None and first is not None:
            usual = TradeTerms.objects.on(first).minimum_order
            if usual is None or minimum >= usual:
                no = _("Orders of this size pass without an exception.")
                self.add_error("minimum", ValidationError(no, code="not_lower"))
        return cleaned
