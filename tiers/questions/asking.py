"""How a question is put, in an address of a page or of the API: period, slice, days of silence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_filters.rest_framework import FilterSet

from accounts.models import User
from crm.lib.forms import DayInput
from customers.filters import DAYS, TYPED, AreaFilter, OwnerFilter, PlainSelect, TeamFilter, chips
from customers.models import Customer, CustomerQuerySet
from orders.models import Product
from tiers.models.policies import MOST_SILENT_DAYS
from tiers.questions.periods import Period, usual
from tiers.questions.slices import SILENCE_DAYS, Slice

#: Days of silence that can be meant.
MOST_DAYS = MOST_SILENT_DAYS


class SliceFilter(FilterSet):
    """Customers by team (with those below it), owner and area."""

    team = TeamFilter("owner__team")
    rep = OwnerFilter("owner")
    division = AreaFilter(label=gettext_lazy("Area"), widget=TYPED)

    class Meta:
        model = Customer
        fields: list[str] = []


class PeriodForm(forms.Form):
    """`from` and `to`, days of the company, both inclusive; a category; days of silence."""

    category = forms.ChoiceField(required=False, label=gettext_lazy("Category"), widget=PlainSelect)
    silence_days = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MOST_DAYS,
        label=gettext_lazy("Silent after days"),
        widget=forms.NumberInput(attrs={"size": 4}),
    )

    def __init__(self, data: Mapping[str, Any], *, today: date, silence_days: int) -> None:
        super().__init__(data)
        self.today = today
        self.usual_silence = silence_days
        self.fields["silence_days"].widget.attrs["placeholder"] = silence_days
        categories = Product.objects.exclude(category="").order_by("category")
        known = categories.values_list("category", flat=True).distinct()
        self.fields["category"] = forms.ChoiceField(
            choices=lambda: [("", _("any")), *((name, name) for name in known)],
            required=False,
            label=gettext_lazy("Category"),
            widget=PlainSelect,
        )
        for name, label in (("from", gettext_lazy("From")), ("to", gettext_lazy("Until"))):
            self.fields[name] = forms.DateField(
                required=False, label=label, validators=DAYS, widget=DayInput
            )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not self.errors and self.period.first > self.period.last:
            raise ValidationError(
                {"to": _("The period ends before it begins.")}, code="ends_before_it_begins"
            )
        return given

    @property
    def period(self) -> Period:
        """What was asked for; a missing end is today, a missing beginning 12 months before it."""
        last = self.cleaned_data.get("to") or self.today
        return Period(self.cleaned_data.get("from") or usual(last).first, last)


@dataclass(frozen=True)
class Asked:
    """A question as it was put: the filters over the reader's customers, and the period."""

    filters: SliceFilter
    form: PeriodForm

    #: What addresses carry.
    NAMES = ("from", "to", "team", "rep", "division", "category", "silence_days")

    @classmethod
    def by(
        cls,
        data: Mapping[str, str],
        request: HttpRequest,
        *,
        today: date,
        silence_days: int = SILENCE_DAYS,
    ) -> Asked:
        """Read `data` for the user of `request`; what nobody asked for is left open.

        `silence_days` are meant where nobody says how many.
        """
        seen = Customer.objects.visible_to(cast(User, request.user))
        told = {name: data.get(name, "") for name in cls.NAMES}
        form = PeriodForm(told, today=today, silence_days=silence_days)
        if form.is_valid():  # the days that were meant stand in the bar and in every address
            ends = {"from": form.period.first.isoformat(), "to": form.period.last.isoformat()}
            form.data = {**told, **ends}
        return cls(SliceFilter(told, queryset=seen, request=request), form)

    @cached_property
    def errors(self) -> dict[str, list[str]]:
        """What cannot be meant, by parameter."""
        found = {**self.filters.form.errors, **self.form.errors}
        return {name: [str(text) for text in texts] for name, texts in found.items()}

    @cached_property
    def slice(self) -> Slice:
        """What is asked of; nobody in the usual period where it makes no sense."""
        if self.errors:
            return Slice(Customer.objects.none(), usual(self.form.today), self.form.today)
        given = self.form.cleaned_data
        return Slice(
            cast(CustomerQuerySet, self.filters.qs),
            self.form.period,
            self.form.today,
            given["category"],
            given["silence_days"] or self.form.usual_silence,
        )

    @property
    def picked(self) -> dict[str, str]:
        """The parameters that were given, for the addresses of what lies behind."""
        return {name: value for name, value in self.form.data.items() if value}

    @property
    def days(self) -> list[forms.BoundField]:
        """The first and the last day, as fields of the filter bar."""
        return [self.form["from"], self.form["to"]]

    @property
    def chips(self) -> list[forms.BoundField]:
        """The fields of the filter bar beside the two days, without that of the silence."""
        return [*chips(self.filters, ("team", "rep", "division")), self.form["category"]]
