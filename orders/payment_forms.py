"""The forms of payments and credit."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.versions import VersionedForm
from crm.lib.forms import DayInput, MomentField
from customers.models import Customer
from orders.models import Credit, CreditRules, Order

_MONEY = {"inputmode": "decimal", "autocomplete": "off"}


class MoneyField(forms.DecimalField):
    """An amount as people write it: 1,250.50 too."""

    widget = forms.TextInput(attrs=_MONEY)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            value = value.replace(",", "").replace("，", "").strip()
        return super().to_python(value)


class PaymentForm(forms.Form):
    """What a customer paid; `client_id` makes a second press harmless."""

    amount = MoneyField(
        label=_("Amount"), max_digits=14, decimal_places=2, min_value=Decimal("0.01")
    )
    paid_at = MomentField(label=_("Paid"))
    order = forms.CharField(
        label=_("Order number"),
        max_length=100,
        required=False,
        help_text=_("Empty: it pays the oldest open orders."),
        widget=forms.TextInput(attrs={"list": "open-orders", "autocomplete": "off"}),
    )
    method = forms.CharField(label=_("Method"), max_length=50, required=False)
    note = forms.CharField(label=_("Note"), max_length=300, required=False)
    client_id = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, customer: Customer, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.customer = customer
        self.initial = {"client_id": uuid4(), "paid_at": now, **self.initial}

    def clean_order(self) -> Order | None:
        number = self.cleaned_data["order"].strip()
        if not number:
            return None
        order = Order.objects.filter(customer=self.customer, external_id=number).first()
        if order is None:
            raise ValidationError(
                _("This customer has no order %(number)s."),
                code="order",
                params={"number": number},
            )
        return order


class CreditForm(VersionedForm[Credit]):
    """What a customer may owe, and why it is that much."""

    class Meta:
        model = Credit
        fields = ("limit", "terms_days", "hold_at", "hold_overdue_days", "reason")
        field_classes = {"limit": MoneyField}
        widgets = {
            "limit": forms.TextInput(attrs=_MONEY),
            "reason": forms.TextInput(attrs={"autocomplete": "off"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["reason"] = ""  # each change has its own


class CreditRulesForm(VersionedForm[CreditRules]):
    """How credit is reviewed from a day on."""

    class Meta:
        model = CreditRules
        fields = (
            "valid_from", "spread_days", "factor_a", "factor_b", "factor_c", "slow_days",
            "late_days", "overdue_share", "stop_days", "most_releases", "cap", "band", "step",
        )  # fmt: skip
        widgets = {"valid_from": DayInput()}

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or {}
        slow, late = cleaned.get("slow_days"), cleaned.get("late_days")
        if slow is not None and late is not None and slow > late:
            self.add_error("late_days", ValidationError(_("Late begins after slow."), "turned"))
        return cleaned


class AcceptForm(forms.Form):
    """The limit that is granted, with a reason where it says more than the review."""

    amount = MoneyField(label=_("New limit"), max_digits=14, decimal_places=2, min_value=Decimal(0))
    reason = forms.CharField(
        label=_("Reason"),
        max_length=300,
        required=False,
        help_text=_("Empty: the credit review."),
    )
    version = forms.IntegerField(widget=forms.HiddenInput)


class DeclineForm(forms.Form):
    """Why a proposal is declined."""

    reason = forms.CharField(label=_("Why not"), max_length=300)
    version = forms.IntegerField(widget=forms.HiddenInput)
