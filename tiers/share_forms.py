"""The forms of the customer share: what the calculation starts from, and keeping it (P49)."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.versions import VersionedForm
from crm.lib.formats import money
from crm.lib.text import Text
from customers.forms.customer import DivisionField
from tiers import share
from tiers.models import Scenario

SEPARATORS = re.compile(r"[\s,，_']")
#: Chinese counts in ten thousands: 500万, 1.2亿.
UNITS = {"万": 10**4, "亿": 10**8}


class NumberField(forms.CharField):
    """A number from `least` to `most`, as people write it: 5,000,000, 500万; cleaned: Decimal."""

    def __init__(self, *, least: int, most: int | Decimal, places: int = 0, **kwargs: Any) -> None:
        self.least, self.most, self.places = least, Decimal(most), places
        mode = "decimal" if places else "numeric"
        widget = forms.TextInput(attrs={"inputmode": mode, "autocomplete": "off"})
        super().__init__(max_length=30, widget=widget, **kwargs)

    def clean(self, value: Any) -> Any:
        words = SEPARATORS.sub("", super().clean(value))
        unit = UNITS.get(words[-1:], 1)
        bare = words[:-1] if unit > 1 else words
        if not share.NUMBER.fullmatch(bare):
            raise ValidationError(_("Give a number such as 5,000,000."), code="invalid")
        number = Decimal(bare) * unit
        if not self.least <= number <= self.most:
            raise ValidationError(
                _("The number lies between %(least)s and %(most)s."),
                code="range",
                params={"least": money(self.least, 0), "most": money(self.most, 0)},
            )
        if number != round(number, self.places):
            raise ValidationError(
                _("Give at most 2 decimal places.") if self.places else _("Give a whole number."),
                code="places",
            )
        return round(number, self.places) if self.places else int(number)


class ShareField(forms.CharField):
    """A share typed as a percentage or a fraction; cleaned: as a scenario keeps it."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TextInput(attrs={"inputmode": "text", "autocomplete": "off", "size": 8})
        super().__init__(max_length=20, widget=widget, **kwargs)

    def clean(self, value: Any) -> str:
        return share.stored(share.read_share(super().clean(value), per_cent=True))


class InputsForm(forms.Form):
    """The inputs of P49; shares in per cent, or as fractions."""

    population = NumberField(
        least=1, most=share.MOST_PEOPLE, label=_("Population"), help_text=_("People in the area.")
    )
    age_share = ShareField(
        label=_("Of the right age, %"), help_text=_("Together they are the group.")
    )
    reachable_share = ShareField(
        label=_("Can be reached, %"),
        help_text=_("Of the group; they are the target group."),
    )
    valid_share = ShareField(
        label=_("Are won, %"), help_text=_("Of the target group; 2/3 is a share too.")
    )
    spender_share = ShareField(label=_("Buy every year, %"), help_text=_("Of those won."))
    yearly_spend = NumberField(
        least=0, most=share.MOST_SPENT, places=2, label=_("Each of them spends a year")
    )

    @property
    def inputs(self) -> share.Inputs:
        """What was typed, of a valid form."""
        given = self.cleaned_data
        return share.Inputs(
            population=given["population"],
            yearly_spend=given["yearly_spend"],
            **{name: share.read_stored(given[name]) for name in share.SHARES},
        )

    def faults(self) -> list[tuple[Text, str]]:
        """What is wrong, beside the names of the fields; for where the fields are not redrawn."""
        return [
            (self.fields[name].label or name, str(text))
            for name, texts in self.errors.items()
            if name in self.fields
            for text in texts
        ]


def typed(inputs: share.Inputs) -> dict[str, str]:
    """The inputs as one would type them."""
    spend = inputs.yearly_spend
    return {
        "population": money(inputs.population, 0),
        "yearly_spend": money(spend, 2 if spend % 1 else 0),
        **{name: share.typed(getattr(inputs, name)) for name in share.SHARES},
    }


class ScenarioForm(VersionedForm[Scenario], InputsForm):
    """The inputs, and the name that they are kept under."""

    division = DivisionField(
        label=_("Area"), required=False, max_length=60, help_text=_("A name or a code.")
    )

    class Meta:
        model = Scenario
        fields = (
            "name",
            "division",
            "population",
            *share.SHARES,
            "yearly_spend",
            "notes",
            "shared",
        )
        labels = {
            "name": _("Name"),
            "notes": _("Notes"),
            "shared": _("Share with everybody who reads reports"),
        }
        widgets = {"notes": forms.Textarea(attrs={"rows": 2})}

    def __init__(self, *args: Any, instance: Scenario, **kwargs: Any) -> None:
        kept = typed(instance.inputs) if instance.pk else {}
        initial = {**kept, **(kwargs.pop("initial", None) or {})}
        super().__init__(*args, instance=instance, initial=initial, **kwargs)
        field = self.fields["division"]
        assert isinstance(field, DivisionField)
        field.stored = self.instance.division

    def _get_validation_exclusions(self) -> set[str]:
        """Nobody types the owner, and yet the name must be new among the owner's."""
        return set(super()._get_validation_exclusions()) - {"owner"}  # type: ignore[misc]  # not in the stubs
