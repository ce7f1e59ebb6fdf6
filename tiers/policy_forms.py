"""What a person says to make a version of the policy, or to change one that is still to come."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.history import Line, kind_name
from accounts.models import AuditEntry
from accounts.versions import VersionedForm
from crm.lib.forms import DayInput
from crm.lib.text import Text
from tiers import policies as versions
from tiers.described import CRITERIA, GROUPS, HELP, is_share, judged
from tiers.models import TierPolicy


class PercentField(forms.DecimalField):
    """A share of 0–1 that is typed and shown in per cent: 80, 82.5; `limits` are shares, too."""

    def __init__(
        self, *, limits: tuple[Decimal, Decimal] = (Decimal(0), Decimal(1)), **kwargs: Any
    ) -> None:
        least, most = limits
        super().__init__(
            min_value=least * 100,
            max_value=most * 100,
            decimal_places=2,
            widget=forms.NumberInput(attrs={"step": "0.01", "inputmode": "decimal"}),
            **kwargs,
        )

    def prepare_value(self, value: Any) -> Any:
        return f"{(value * 100).normalize():f}" if isinstance(value, Decimal) else value

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        return None if cleaned is None else cleaned / 100

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


def limits_of(field: models.Field[Any, Any]) -> tuple[Decimal, Decimal]:
    """The least and the most share that a column takes."""
    said = {type(one): one.limit_value for one in field.validators if hasattr(one, "limit_value")}
    return Decimal(said.get(MinValueValidator, 0)), Decimal(said.get(MaxValueValidator, 1))


class PolicyForm(VersionedForm[TierPolicy]):
    """All that decides, in groups; what is kept as weights is a number for each part."""

    class Meta:
        model = TierPolicy
        fields = [
            "name",
            "effective_from",
            *(field.name for field in judged() if field.name not in CRITERIA),
        ]
        help_texts = HELP

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        for field in judged():
            if is_share(field.name):
                plain = self.fields[field.name]
                self.fields[field.name] = PercentField(
                    label=plain.label,
                    help_text=plain.help_text,
                    required=plain.required,
                    limits=limits_of(field),
                )
        for name, criteria in CRITERIA.items():
            weights = getattr(self.instance, name)
            for part in criteria:
                self.fields[f"{name}.{part.value}"] = forms.IntegerField(
                    label=capfirst(part.label),
                    min_value=0,
                    max_value=100,
                    initial=weights.get(part.value, 0),
                )
        self.fields["effective_from"] = forms.DateField(
            label=self.fields["effective_from"].label,
            help_text=HELP["effective_from"],
            widget=DayInput(attrs={"min": today.isoformat()}),
        )

    def _post_clean(self) -> None:
        """Put the weights together before the model looks at them."""
        for name, criteria in CRITERIA.items():
            given = {part.value: self.cleaned_data.get(f"{name}.{part.value}") for part in criteria}
            known = {part: weight for part, weight in given.items() if weight is not None}
            setattr(self.instance, name, {**getattr(self.instance, name), **known})
        super()._post_clean()  # type: ignore[misc]  # the stubs leave it out

    def panels(self) -> list[tuple[Text, Text, list[forms.BoundField]]]:
        """The groups of fields, with their heading and what they are for."""
        fields = {bound.name: bound for bound in self.visible_fields()}
        return [
            (
                label,
                why,
                [
                    bound
                    for name in names
                    for key, bound in fields.items()
                    if key.split(".")[0] == name
                ],
            )
            for label, why, names in GROUPS
        ]


class PlannedForm(PolicyForm):
    """A version that is still to come and that no run has used."""


class NewVersionForm(PolicyForm):
    """A new version, from the values of another; `trying` needs no day.

    `seen` is the newest version when the form was opened: whoever made one meanwhile is named.
    """

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, base: TierPolicy, trying: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.base, self.trying = base, trying
        self.newest = (
            TierPolicy.objects.filter(effective_from__isnull=False).order_by("-pk").first()
        )
        self.fields["seen"].initial = self.newest.pk if self.newest else 0
        self.fields["effective_from"].required = not trying
        self.initial["effective_from"] = versions.next_month(self.today)

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        seen = self.cleaned_data.get("seen") or 0
        if self.newest is not None and not self.trying and seen != self.newest.pk:
            self._show_the_newer_one(self.newest)
            raise ValidationError(
                _("Somebody else has made a version meanwhile; nothing was saved."),
                code="conflict",
            )
        return cleaned

    def _show_the_newer_one(self, newest: TierPolicy) -> None:
        entry = AuditEntry.objects.of(newest).order_by("-id").first()
        if entry is not None:
            differ = versions.differences(self.base, newest)
            self.changes = [Line(entry, kind_name(entry.model), differ)]
        data = cast(Any, self.data).copy()
        data[self.add_prefix("seen")] = str(newest.pk)
        self.data = data


class AdoptForm(forms.Form):
    """From which day a tried policy decides."""

    effective_from = forms.DateField(
        label=gettext_lazy("In force from"),
        widget=DayInput(),
        help_text=gettext_lazy("Today or later; usually the first of a month."),
    )

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["effective_from"].widget.attrs["min"] = today.isoformat()
