"""The forms of promises: making one, agreeing on another day, handing it over, breaking it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.versions import VersionedForm
from crm.lib.forms import DayInput
from customers.models import Customer, Promise
from customers.promising import keeper, keepers

#: Where nobody says when: in a week.
USUAL = timedelta(days=7)


class PromiseForm(forms.Form):
    """What is promised, by when, and who does it; `client_id` makes a second press harmless."""

    content = forms.CharField(
        label=_("Promise"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": _("What we do for the customer")}),
    )
    due_on = forms.DateField(label=_("Due"), widget=DayInput())
    owner = forms.ModelChoiceField(User.objects.none(), label=_("Who keeps it"), empty_label=None)
    client_id = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, customer: Customer, user: User, today: date, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        people = keepers(customer)
        field = self.fields["owner"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = people
        self.initial = {
            "client_id": uuid4(),
            "due_on": today + USUAL,
            "owner": keeper(customer, user).pk,
            **self.initial,
        }
        self.fields["due_on"].widget.attrs["min"] = today.isoformat()


class RenegotiateForm(VersionedForm[Promise]):
    """Another day, and why."""

    new_day = forms.DateField(label=_("New day"), widget=DayInput())
    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        widget=forms.TextInput(attrs={"placeholder": _("What was agreed with the customer")}),
    )

    class Meta:
        model = Promise
        fields: list[str] = []

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["new_day"].widget.attrs["min"] = today.isoformat()


class HandOverForm(VersionedForm[Promise]):
    """Who keeps it from now on."""

    to = forms.ModelChoiceField(User.objects.none(), label=_("Who keeps it"), empty_label=None)

    class Meta:
        model = Promise
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["to"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = keepers(self.instance.customer).exclude(pk=self.instance.owner_id)


class BreakForm(forms.Form):
    """What came of a promise that was not kept."""

    outcome = forms.CharField(
        label=_("What came of it"),
        max_length=500,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": _("Why, and what the customer said")}),
    )
