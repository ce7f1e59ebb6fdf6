"""The forms of what people decide: a tier by hand, a rating, and why a key account is one."""

from __future__ import annotations

from datetime import date
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from accounts.versions import VersionedForm
from crm.lib.formats import day
from crm.lib.forms import DayInput
from crm.lib.text import Text
from customers.models import Tier
from tiers.keyaccounts import RATED
from tiers.models import Rating, TierOverride
from tiers.overrides import presets

#: What the ends of these are called, with their day.
ENDS: dict[str, Text] = {
    "month": _("End of the month (%(day)s)"),
    "quarter": _("End of the quarter (%(day)s)"),
    "year": _("End of the year (%(day)s)"),
}


class OverrideForm(VersionedForm[TierOverride]):
    """A tier by hand: which, why, and up to when; the usual last days by one tap."""

    tier = forms.ChoiceField(label=_("Tier"), choices=Tier.choices, widget=forms.RadioSelect)
    span = forms.ChoiceField(label=_("Until"), widget=forms.RadioSelect)
    until = forms.DateField(
        label=_("Last day"), required=False, widget=DayInput(), help_text=_("The day counts too.")
    )

    class Meta:
        model = TierOverride
        fields = ("tier", "reason", "until")
        labels = {"reason": _("Reason")}
        widgets = {"reason": forms.Textarea(attrs={"rows": 2})}

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.days: dict[str, date] = {}
        for name, last in presets(today).items():
            if last not in self.days.values():
                self.days[name] = last
        span = cast(forms.ChoiceField, self.fields["span"])
        span.choices = [
            *(
                (name, str(ENDS[name]) % {"day": day(last, today)})
                for name, last in self.days.items()
            ),
            ("day", _now("Another day")),
        ]
        known = {last: name for name, last in self.days.items()}
        start = known.get(self.instance.until, "day") if self.instance.pk else next(iter(self.days))
        self.initial = {"span": start, **self.initial}
        self.fields["until"].widget.attrs["min"] = today.isoformat()

    def clean(self) -> dict[str, Any] | None:
        """The last day is that of the picked span; only another day has to be given."""
        given = self.cleaned_data
        span = given.get("span")
        if span in self.days:
            given["until"] = self.days[span]
            self.errors.pop("until", None)
        elif "until" not in self.errors and not given.get("until"):
            self.add_error("until", ValidationError(_now("Give the last day."), code="required"))
        return super().clean()


class RatingForm(VersionedForm[Rating]):
    """What people know of a customer, 0–10 each; unknown is an answer too."""

    class Meta:
        model = Rating
        fields = RATED

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", _now("unknown")), *((str(n), str(n)) for n in range(11))]
        for name in RATED:
            label = self.fields[name].label
            self.fields[name] = forms.TypedChoiceField(
                label=label,
                choices=choices,
                coerce=int,
                empty_value=None,
                required=False,
                widget=forms.RadioSelect,
            )


class ReasonForm(forms.Form):
    """Why a customer becomes a key account, or is one no longer."""

    reason = forms.CharField(
        label=_("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 2})
    )
