"""The forms of suggestions: making one, changing it, saying what came of it (P26)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.versions import VersionedForm
from crm.lib.forms import DayInput
from orders.choosing import ProductField
from orders.models import Product
from visits.models import LONGEST_WORDS, Suggestion, SuggestionState

#: Where nobody says when it is followed up: in two weeks.
USUAL = timedelta(days=14)


class SuggestionForm(VersionedForm[Suggestion]):
    """What is suggested; `client_id` makes a second press harmless."""

    product = ProductField(
        label=_("Product"),
        required=False,
        help_text=_("SKU, or a part of the name."),
    )
    client_id = forms.UUIDField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = Suggestion
        fields = ("text", "product", "expected", "made_on", "follow_up_on")
        widgets = {
            "text": forms.Textarea(attrs={"rows": 3, "maxlength": 500}),
            "expected": forms.TextInput(
                attrs={"placeholder": _("What the customer gains by it"), "autocomplete": "off"}
            ),
            "made_on": DayInput(),
            "follow_up_on": DayInput(),
        }

    def __init__(self, *args: Any, user: User, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        product = self.fields["product"]
        assert isinstance(product, ProductField)
        product.products = Product.objects.visible_to(user)
        self.fields["made_on"].widget.attrs["max"] = today.isoformat()
        if self.instance.pk:
            self.initial["product"] = self.instance.product
        else:
            first = {"client_id": uuid4(), "made_on": today, "follow_up_on": today + USUAL}
            self.initial = {**self.initial, **first}

    def clean_made_on(self) -> date:
        day: date = self.cleaned_data["made_on"]
        if day > self.today:
            raise ValidationError(_("This day has not come yet."), code="future")
        return day


class SettleForm(forms.Form):
    """Whether it was taken up, and what came of it."""

    state = forms.ChoiceField(
        label=_("Taken up or not"),
        choices=[one for one in SuggestionState.choices if one[0] != SuggestionState.OPEN],
        widget=forms.RadioSelect,
    )
    words = forms.CharField(
        label=_("In words"),
        max_length=LONGEST_WORDS,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
