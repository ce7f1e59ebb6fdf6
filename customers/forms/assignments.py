"""The form that hands a gap of the files out: to whom, and by when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.lib.forms import DayInput
from customers.assigning_gaps import Share

#: How long people usually get.
USUALLY = timedelta(days=14)


class AssignForm(forms.Form):
    """Everybody who has such files is asked, unless taken out."""

    owners = forms.TypedMultipleChoiceField(
        label=_("Who fills it"),
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one person.")},
    )
    due_on = forms.DateField(label=pgettext_lazy("day", "By"), widget=DayInput)

    def __init__(self, *args: Any, shares: Sequence[Share], today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owners: Any = self.fields["owners"]
        owners.choices = [(one.owner.pk, one.owner.display_name) for one in shares]
        owners.initial = [one.owner.pk for one in shares]
        due: Any = self.fields["due_on"]
        due.initial, due.widget.attrs["min"] = today + USUALLY, today.isoformat()
        self.shares = {one.owner.pk: one for one in shares}

    @property
    def rows(self) -> list[tuple[Any, Share]]:
        """Each box with what its person would be asked for."""
        return [(box, self.shares[int(str(box.data["value"]))]) for box in self["owners"]]
