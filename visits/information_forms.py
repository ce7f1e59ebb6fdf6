"""The forms of market information: writing it down, sending it, saying what came of it (P26)."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from typing import Any
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.versions import VersionedForm
from crm.lib.formats import local_day
from crm.lib.forms import DayInput
from customers import divisions
from customers.filters import CHOICES_OF_TAGS
from customers.forms.customer import TagsField
from customers.models import Contact, Customer, Kind, Tier
from orders.models import Product
from visits.informing import area_name
from visits.models import (
    LONGEST_WORDS,
    UNRANKED,
    MarketInformation,
    Outcome,
    Source,
    Way,
)

SEPARATORS = re.compile(r"[,，、;；\n]")
NOON = time(12)


class AreasField(forms.CharField):
    """Areas by name, or by the digits that codes begin with; they come as such digits."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(map(area_name, value)) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        found: list[str] = []
        for words in SEPARATORS.split(super().clean(value)):
            if words := words.strip():
                found += self._prefixes(words)
        return list(dict.fromkeys(found))

    @staticmethod
    def _prefixes(words: str) -> tuple[str, ...]:
        if words.isascii() and words.isdecimal() and 2 <= len(words) <= 6:
            return (words,)
        if prefixes := divisions.called(words):
            return prefixes
        raise ValidationError(
            _("No area is called “%(words)s”."), code="area", params={"words": words[:60]}
        )

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


class InformationForm(VersionedForm[MarketInformation]):
    """What the market tells, and whom it helps; `client_id` makes a second press harmless."""

    source = forms.ChoiceField(label=_("Source"), choices=Source.choices, widget=forms.RadioSelect)
    kinds = forms.MultipleChoiceField(
        label=_("Kinds"),
        choices=Kind.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    tiers = forms.MultipleChoiceField(
        label=_("Tiers"),
        choices=[*Tier.choices, (UNRANKED, _("without a tier"))],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    categories = forms.MultipleChoiceField(
        label=_("Bought in the last 12 months"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    areas = AreasField(
        label=_("Areas"),
        required=False,
        max_length=500,
        help_text=_("Names or the first digits of codes, with commas: 浙江, 3205."),
    )
    tags = TagsField(
        label=_("Tags"),
        required=False,
        max_length=500,
        widget=forms.TextInput(CHOICES_OF_TAGS),
    )
    client_id = forms.UUIDField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = MarketInformation
        fields = (
            "title", "text", "source", "where", "learned_on", "valid_until",
            "kinds", "tiers", "categories", "areas", "tags",
        )  # fmt: skip
        widgets = {
            "text": forms.Textarea(attrs={"rows": 6}),
            "learned_on": DayInput(),
            "valid_until": DayInput(),
        }

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        in_use = Product.objects.exclude(category="").order_by("category")
        names = dict.fromkeys(in_use.values_list("category", flat=True).distinct())
        names |= dict.fromkeys(self.instance.categories)
        categories = self.fields["categories"]
        assert isinstance(categories, forms.MultipleChoiceField)
        categories.choices = [(name, name) for name in names]
        self.today = today
        self.fields["learned_on"].widget.attrs["max"] = today.isoformat()
        if not self.instance.pk:
            self.initial = {**self.initial, "client_id": uuid4(), "learned_on": today}

    def clean_learned_on(self) -> date:
        day: date = self.cleaned_data["learned_on"]
        if day > self.today:
            raise ValidationError(_("This day has not come yet."), code="future")
        return day


class SendForm(forms.Form):
    """How and when the chosen customers received it."""

    way = forms.ChoiceField(label=_("Way of contact"), choices=Way.choices, initial=Way.MESSAGE)
    sent_on = forms.DateField(label=_("Sent on"), widget=DayInput())
    note = forms.CharField(label=_("Note"), max_length=300, required=False)

    def __init__(self, *args: Any, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.now = now
        self.initial = {"sent_on": local_day(now), **self.initial}
        self.fields["sent_on"].widget.attrs["max"] = local_day(now).isoformat()

    def clean_sent_on(self) -> date:
        day: date = self.cleaned_data["sent_on"]
        if day > local_day(self.now):
            raise ValidationError(_("This day has not come yet."), code="future")
        if day.year < 2000:
            raise ValidationError(_("This is not a day."), code="invalid")
        return day

    def sent_at(self) -> datetime:
        """The moment: now for today, noon for a day before."""
        day: date = self.cleaned_data["sent_on"]
        if day == local_day(self.now):
            return self.now
        noon = datetime.combine(day, NOON)
        return timezone.make_aware(noon, timezone.get_default_timezone())


class LetterForm(SendForm):
    """The same for one customer, and which person there received it."""

    contact = forms.ModelChoiceField(
        Contact.objects.none(), label=_("To whom"), required=False, empty_label=_("the company")
    )

    field_order = ("contact", "way", "sent_on", "note")

    def __init__(self, *args: Any, customer: Customer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["contact"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Contact.objects.filter(customer=customer).still_there().by_role()


class OutcomeForm(forms.Form):
    """What the customer made of it, in one tap and words."""

    outcome = forms.ChoiceField(
        label=_("Taken up or not"),
        choices=[choice for choice in Outcome.choices if choice[0] != Outcome.WAITING],
        widget=forms.RadioSelect,
    )
    words = forms.CharField(
        label=_("In words"),
        max_length=LONGEST_WORDS,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
