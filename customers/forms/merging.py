"""The choice of surviving values when two files become one, laid out field by field."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.db import models
from django.http import QueryDict
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.models import User
from crm.lib.formats import DASH, money
from crm.lib.text import Text
from customers import divisions, phones
from customers.forms.customer import OwnFieldsField, ParentField, suggesting
from customers.merging import (
    FIELDS,
    JOINED,
    PROFILE,
    Field,
    Take,
    default_of,
    is_empty,
    values_of,
)
from customers.models import Customer, Profile


@dataclass(frozen=True, slots=True)
class Choice:
    """One field of both files in words, and the ways to choose; `taken` is the one that stands."""

    name: str
    label: Text
    ours: str
    theirs: str
    offers_both: bool
    taken: str


@dataclass(frozen=True, slots=True)
class Choices:
    """Fields in which the files differ, and the labels of those in which they agree."""

    differing: list[Choice]
    same: list[tuple[Text, str]]


class MergeForm(forms.Form):
    """Whose value survives, field by field; `versions` are those of the files as they were read."""

    versions = forms.CharField(widget=forms.HiddenInput, required=False, max_length=40)

    def __init__(self, *args: Any, into: Customer, gone: Customer, reader: User, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.into, self.gone, self.reader = into, gone, reader
        profiles = {p.customer_id: p for p in Profile.objects.filter(customer__in=[into, gone])}
        self.profiles = profiles.get(into.pk), profiles.get(gone.pk)
        for field in (*FIELDS, *PROFILE):
            self.fields[field.name] = forms.ChoiceField(
                choices=[(take, take) for take in Take], required=False
            )
        self.fields["versions"].initial = self.seen

    @property
    def seen(self) -> str:
        """The versions of both files."""
        return f"{self.into.version}.{self.gone.version}"

    def clean_versions(self) -> str:
        if self.cleaned_data["versions"] != self.seen:
            data = cast(QueryDict, self.data).copy()
            data["versions"] = self.seen
            self.data = data
            raise forms.ValidationError(
                _("One of the files was changed meanwhile; look at the values again."),
                code="conflict",
            )
        return self.seen

    @property
    def takes(self) -> dict[str, str]:
        return {
            name: take for name, take in self.cleaned_data.items() if take and name != "versions"
        }

    @property
    def choices(self) -> Choices:
        """Both files side by side."""
        shown = Choices([], [])
        rows: Sequence[tuple[Field, models.Model | None, models.Model | None]] = [
            *((field, self.into, self.gone) for field in FIELDS),
            *((field, *self.profiles) for field in PROFILE),
        ]
        for field, ours, theirs in rows:
            own, other = values_of(field, ours), values_of(field, theirs)
            if all(is_empty(value) for value in (*own, *other)):
                continue
            words, others = self._words(field, ours), self._words(field, theirs)
            if words == others:
                shown.same.append((field.label, words))
                continue
            both = field.name in JOINED and not any(is_empty(v) for v in (*own, *other))
            default = default_of(field, ours, theirs)
            shown.differing.append(
                Choice(
                    field.name,
                    field.label,
                    words,
                    others,
                    both,
                    str(self.data.get(field.name) or default),
                )
            )
        return shown

    def _words(self, field: Field, row: models.Model | None) -> str:
        values = values_of(field, row)
        if row is None or all(is_empty(value) for value in values):
            return DASH
        if field.name == "place":
            return ", ".join(str(value) for value in values)
        return self._one(field, row, values[0])

    def _one(self, field: Field, row: Any, value: Any) -> str:
        name = field.name.removeprefix("profile.")
        ways: dict[str, Callable[[], Any]] = {
            "division": lambda: divisions.name(value) or value,
            "owner": lambda: row.owner.display_name,
            "phone": lambda: phones.display(value),
            "parent": lambda: self._customer(value),
            "group_head": lambda: self._customer(value),
            "custom": lambda: OwnFieldsField().prepare_value(value),
        }
        return str(ways[name]() if name in ways else _plain(row._meta.get_field(name), value))

    def _customer(self, pk: int) -> str:
        """A supplier's name, where the reader may know it."""
        field = ParentField()
        field.choices = Customer.objects.visible_to(self.reader)
        return str(field.prepare_value(pk) or _("a file out of your sight"))


def _plain(column: Any, value: Any) -> Any:
    if column.choices:
        return dict(column.flatchoices).get(value, value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(column, models.DateField):
        return date_format(value, "Y-m-d")
    if isinstance(value, Decimal):
        return money(value)
    if isinstance(value, list):
        return pgettext("between the items of a list", ", ").join(map(str, value))
    return value


class OtherFileForm(forms.Form):
    """The file to merge with, by its number or its name, among those in sight."""

    parent = ParentField(max_length=320)

    def __init__(self, *args: Any, customer: Customer, reader: User, **kwargs: Any):
        super().__init__(*args, **kwargs)
        field: Any = self.fields["parent"]
        field.label = _("The other file")
        field.help_text = _("Its number or name.")
        field.choices = Customer.objects.visible_to(reader).exclude(pk=customer.pk)
        field.widget.attrs |= suggesting("suggest", "parents")
