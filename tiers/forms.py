"""What a person says to start a run."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class RunForm(forms.Form):
    """The day, and whether it is only a trial; the policy in force on the day decides."""

    as_of = forms.DateField(
        label=_("As of"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("The last day that counts."),
    )
    dry_run = forms.BooleanField(
        label=_("Trial: count and compare, change no customer"), required=False
    )
