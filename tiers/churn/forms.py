"""The form that says a customer is not leaving."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from crm.lib.forms import DayInput

#: Where nobody says until when: for a quarter.
USUAL = timedelta(days=90)
#: Beyond two years nobody knows.
LONGEST = timedelta(days=730)


class StayingForm(forms.Form):
    """Why it is not leaving, and until when that is to be believed."""

    reason = forms.CharField(
        label=_("Why it is not leaving"),
        max_length=300,
        widget=forms.TextInput(attrs={"placeholder": _("What the customer said, what you know")}),
    )
    until = forms.DateField(
        label=_("Hidden until"),
        widget=DayInput(),
        help_text=_("After that day it is on the list again, if it still has not bought."),
    )

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        self.initial = {"until": today + USUAL, **self.initial}
        attrs = self.fields["until"].widget.attrs
        attrs["min"], attrs["max"] = today.isoformat(), (today + LONGEST).isoformat()

    def clean_until(self) -> date:
        until: date = self.cleaned_data["until"]
        if until < self.today:
            raise forms.ValidationError(_("This day is over."), code="past")
        if until > self.today + LONGEST:
            raise forms.ValidationError(_("Choose a day within two years."), code="far")
        return until
