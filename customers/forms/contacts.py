"""The form of a contact."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.versions import VersionedForm
from customers.birthdays import BirthdayCalendar
from customers.forms.phone import PhoneField
from customers.models import Contact

DIGITS = {"inputmode": "numeric", "autocomplete": "off"}


class ContactForm(VersionedForm[Contact]):
    """All that people write about a person; the birthday in parts, since the year, or the day,
    is often unknown."""

    phone = PhoneField(label=_("Phone"))
    birthday_calendar = forms.ChoiceField(
        label=_("Calendar"),
        choices=BirthdayCalendar.choices,
        initial=BirthdayCalendar.SOLAR,
        widget=forms.RadioSelect,
    )

    class Meta:
        model = Contact
        fields = (
            "name", "title", "buying_role", "gender", "phone", "wechat", "email",
            "birthday_calendar", "birth_year", "birth_month", "birth_day", "birthday_leap",
            "rapport", "likes",
        )  # fmt: skip
        labels = {
            "name": pgettext_lazy("person", "Name"),
            "birth_year": _("Year"),
            "birth_month": _("Month"),
            "birth_day": _("Day"),
            "birthday_leap": _("Leap month"),
        }
        widgets = {
            "name": forms.TextInput(attrs={"autocomplete": "off"}),
            "email": forms.EmailInput(attrs={"autocomplete": "off"}),
            "wechat": forms.TextInput(attrs={"autocomplete": "off"}),
            "birth_year": forms.NumberInput(attrs={**DIGITS, "min": 1900}),
            "birth_month": forms.NumberInput(attrs=DIGITS),
            "birth_day": forms.NumberInput(attrs=DIGITS),
            "rapport": forms.NumberInput(attrs={**DIGITS, "max": 100}),
            "likes": forms.Textarea(attrs={"rows": 2}),
        }

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        for name in ("buying_role", "gender"):
            field: Any = self.fields[name]
            field.choices = [("", pgettext_lazy("nothing is known", "unknown")), *field.choices[1:]]
        phone: Any = self.fields["phone"]
        phone.stored = self.instance.phone
        self.fields["birth_year"].widget.attrs["max"] = today.year

    def clean_birth_year(self) -> int | None:
        year: int | None = self.cleaned_data["birth_year"]
        if year is not None and year > self.today.year:
            raise forms.ValidationError(_("This year has not come yet."), code="future")
        return year

    @property
    def birthday_parts(self) -> list[forms.BoundField]:
        return [self[name] for name in ("birth_year", "birth_month", "birth_day")]

    @property
    def birthday_errors(self) -> list[str]:
        """What is wrong with the birthday as a whole, in one place under its fields."""
        names = ("birthday_calendar", "birth_year", "birth_month", "birth_day", "birthday_leap")
        return [str(error) for name in names for error in self.errors.get(name, [])]
