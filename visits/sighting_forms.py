"""The lines of a visit's form that take down which competitors were seen there (P27, P52).

A line is stored once it says how much stood there. Those seen at the last visits are offered with
their names, so that seeing them again is one tap; untouched, they say nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from visits.actions import Seen
from visits.models import LONGEST_NAME, LONGEST_NOTE, LONGEST_PRODUCT, MOST_SIGHTINGS, Size, key_of

#: Empty lines for what was not offered: more are there once these are saved.
EMPTY_LINES = 3


def _typed(label: Any, **attrs: Any) -> forms.TextInput:
    return forms.TextInput(attrs={"aria-label": label, "placeholder": label, **attrs})


class SightingForm(forms.Form):
    """One competitor's product.

    `offered` marks a line that the page filled in by itself, `stored` one that the visit has
    noted: without a size that one is taken out.
    """

    offered = forms.BooleanField(required=False, widget=forms.HiddenInput)
    stored = forms.BooleanField(required=False, widget=forms.HiddenInput)
    competitor = forms.CharField(
        max_length=LONGEST_NAME,
        required=False,
        widget=_typed(_("Competitor: brand or maker"), list="competitors", autocomplete="off"),
    )
    product = forms.CharField(
        max_length=LONGEST_PRODUCT, required=False, widget=_typed(_("Its product"))
    )
    size = forms.ChoiceField(
        choices=[("", pgettext_lazy("amount on the shelf", "None")), *Size.choices],
        widget=forms.RadioSelect,
        required=False,
    )
    price = forms.DecimalField(
        min_value=0,
        max_value=9_999_999,
        max_digits=10,
        decimal_places=2,
        required=False,
        widget=_typed(_("Price on the shelf"), inputmode="decimal", autocomplete="off"),
    )
    note = forms.CharField(
        max_length=LONGEST_NOTE, required=False, widget=_typed(_("What is good or bad about it"))
    )

    def clean(self) -> dict[str, Any] | None:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if not self._says_something(data):
            return data
        if "competitor" not in self.errors and not key_of(data.get("competitor", "")):
            self.add_error("competitor", ValidationError(_("Say which competitor."), "required"))
        if "size" not in self.errors and not data.get("size"):
            self.add_error(
                "size", ValidationError(_("Say how much of it stood there."), "required")
            )
        return data

    @property
    def is_offered(self) -> bool:
        """Whether the page filled in whose product it is; the person only says how much."""
        return bool(self["offered"].value()) and not self["competitor"].errors

    @property
    def has_more(self) -> bool:
        """Whether price or note have something to show."""
        return any(self[name].value() or self[name].errors for name in ("price", "note"))

    def seen(self) -> Seen | None:
        """The line; None where it says nothing."""
        data = self.cleaned_data
        if not self._says_something(data):
            return None
        return Seen(data["competitor"], data["size"], data["product"], data["price"], data["note"])

    @staticmethod
    def _says_something(data: Mapping[str, Any]) -> bool:
        if data.get("stored"):
            return bool(data.get("size"))
        names = ["size", "note"] + ([] if data.get("offered") else ["competitor", "product"])
        return any(data.get(name) for name in names) or data.get("price") is not None


class SightingLines:
    """All lines of one form: those noted already, those offered, and some empty ones.

    `offered` are competitors with their products. A form that was sent without lines (`said`)
    leaves what is stored alone.
    """

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        *,
        stored: Iterable[Seen] = (),
        offered: Iterable[tuple[str, str]] = (),
        names: Sequence[str] = (),
    ) -> None:
        self.names = names
        first: list[dict[str, Any]] = [
            {
                "competitor": one.competitor,
                "product": one.product,
                "size": one.size,
                "price": one.price,
                "note": one.note,
                "stored": True,
            }
            for one in stored
        ]
        noted = {(key_of(one["competitor"]), one["product"]) for one in first}
        first += [
            {"competitor": competitor, "product": product, "offered": True}
            for competitor, product in offered
            if (key_of(competitor), product) not in noted
        ]
        first += [{} for _empty in range(EMPTY_LINES)]
        shown = len(first)
        self.said = data is not None and f"{_prefix(0)}-competitor" in data
        if data is not None and self.said:
            sent = range(2 * MOST_SIGHTINGS)
            shown = sum(f"{_prefix(number)}-competitor" in data for number in sent)
            first += [{}] * (shown - len(first))
        self.forms = [
            SightingForm(data if self.said else None, prefix=_prefix(number), initial=first[number])
            for number in range(shown)
        ]

    @property
    def open_forms(self) -> list[SightingForm]:
        """The lines that are shown at once: all that say something, and the next empty one."""
        return self.forms[: self._open]

    @property
    def folded_forms(self) -> list[SightingForm]:
        return self.forms[self._open :]

    @cached_property
    def _open(self) -> int:
        filled = [
            number
            for number, form in enumerate(self.forms)
            if form.errors or any(form[name].value() for name in ("competitor", "product", "size"))
        ]
        return max(filled, default=-1) + 2

    def is_valid(self) -> bool:
        return not self.said or all(form.is_valid() for form in self.forms)

    def seen(self) -> list[Seen] | None:
        """What was seen; None where the form did not say."""
        if not self.said:
            return None
        return [line for form in self.forms if (line := form.seen()) is not None]


def _prefix(number: int) -> str:
    return f"seen-{number}"
