"""The forms of visits, cadences and occasion rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import AuditEntry, User
from crm.lib.forms import DayInput, MomentField
from customers.models import Customer, Promise
from orders.counting_forms import CountLines
from orders.models import Product, ProductQuerySet
from visits.answers import MAX_NOTE, Answers, Care, Sales
from visits.models import Cadence, OccasionRule, Visit
from visits.places import Place
from visits.sighting_forms import SightingLines

#: A product counts as new for this long after its launch.
NEW_FOR = timedelta(days=180)
MAX_NEW_PRODUCTS = 12
NONE = "none"
#: The fields of what is promised in a visit: the words and the day.
PROMISES = (("promise", "promise_due"), ("another", "another_due"))


def new_products(user: User, today: date) -> ProductQuerySet:
    """Products on sale that were launched lately, the newest first."""
    return (
        Product.objects.visible_to(user)
        .active()
        .filter(launched_on__gt=today - NEW_FOR, launched_on__lte=today)
        .order_by("-launched_on", "name", "pk")
    )


class PlaceForm(forms.Form):
    """Where the phone says it is; all empty where it did not say."""

    latitude = forms.DecimalField(required=False, min_value=-90, max_value=90)
    longitude = forms.DecimalField(required=False, min_value=-180, max_value=180)
    accuracy_m = forms.FloatField(required=False, min_value=0, max_value=1e7)

    def place(self) -> Place | None:
        """The place to six decimals (0.1 m), or None where it is not given in full."""
        if not self.is_valid():
            return None
        latitude, longitude = self.cleaned_data["latitude"], self.cleaned_data["longitude"]
        if latitude is None or longitude is None:
            return None
        accuracy = self.cleaned_data["accuracy_m"]
        step = Decimal("0.000001")
        return Place(
            latitude.quantize(step),
            longitude.quantize(step),
            None if accuracy is None else round(accuracy),
        )


class PlanForm(forms.Form):
    """When to visit, what for, and who goes."""

    scheduled_for = MomentField(label=_("When"))
    purpose = forms.CharField(label=_("Purpose"), max_length=200, required=False)
    rep = forms.ModelChoiceField(User.objects.none(), label=_("Rep"), empty_label=None)

    def __init__(self, *args: Any, user: User, customer: Customer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        in_sight = User.objects.get_queryset().active().visible_to(user)
        people = in_sight.filter(pk__in={user.pk, customer.owner_id or user.pk})
        field = self.fields["rep"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = people
        field.required = False
        self.choose_rep = people.count() > 1
        if not self.choose_rep:
            del self.fields["rep"]
        else:
            field.initial = customer.owner_id

    def who_goes(self) -> User:
        who: User | None = self.cleaned_data.get("rep")
        return who or self.user


class MoveForm(forms.Form):
    """Another time or purpose of a planned visit; `version` is the one the reader saw."""

    scheduled_for = MomentField(label=_("When"))
    purpose = forms.CharField(label=_("Purpose"), max_length=200, required=False)
    version = forms.IntegerField(widget=forms.HiddenInput)


class VisitForm(forms.Form):
    """The record of a visit: four follow-up questions (P27), the customer's words, the purpose.

    `lines` take down which competitors were seen there, `counts` what stock was counted, each a
    form of its own.

    Which questions must be answered is for the visit to say when it is closed; the form only
    knows what an answer looks like.
    """

    purpose = forms.CharField(label=_("Purpose"), max_length=200, required=False)
    sales = forms.ChoiceField(choices=Sales.choices, widget=forms.RadioSelect, required=False)
    sales_note = forms.CharField(
        max_length=MAX_NOTE,
        required=False,
        widget=forms.Textarea(
            attrs={
                "rows": 2,
                "aria-label": _("More about sales"),
                "placeholder": _("More about it"),
            }
        ),
    )
    new_need = forms.TypedChoiceField(
        choices=[
            ("no", pgettext_lazy("new need", "No")),
            ("yes", pgettext_lazy("new need", "Yes")),
        ],
        coerce=lambda value: value == "yes",
        empty_value=None,
        widget=forms.RadioSelect,
        required=False,
    )
    new_need_note = forms.CharField(
        max_length=MAX_NOTE,
        required=False,
        widget=forms.TextInput(
            attrs={"aria-label": _("The new need"), "placeholder": _("What they need")}
        ),
    )
    new_products = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple, required=False)
    care = forms.MultipleChoiceField(
        choices=[*Care.choices, (NONE, _("None today"))],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    care_note = forms.CharField(
        max_length=MAX_NOTE,
        required=False,
        widget=forms.TextInput(
            attrs={
                "aria-label": _("More about greetings and care"),
                "placeholder": _("More about it"),
            }
        ),
    )
    words = forms.CharField(
        label=_("Customer's own words"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(
            attrs={"rows": 2, "placeholder": _("As close to the words as you can")}
        ),
    )

    promise = forms.CharField(
        max_length=500,
        required=False,
        widget=forms.TextInput(
            attrs={
                "aria-label": _("New promise"),
                "placeholder": _("What we do for the customer"),
            }
        ),
    )
    promise_due = forms.DateField(
        required=False, widget=DayInput(attrs={"class": "date", "aria-label": _("Due")})
    )
    another = forms.CharField(
        max_length=500,
        required=False,
        widget=forms.TextInput(
            attrs={
                "aria-label": _("Another promise"),
                "placeholder": _("What we do for the customer"),
            }
        ),
    )
    another_due = forms.DateField(
        required=False, widget=DayInput(attrs={"class": "date", "aria-label": _("Due")})
    )
    kept = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple, required=False)

    def __init__(
        self,
        *args: Any,
        products: list[tuple[str, str]],
        answers: Answers,
        lines: SightingLines,
        counts: CountLines,
        open_promises: Sequence[Promise] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.lines = lines
        self.counts = counts
        self.open_promises = open_promises
        ticked = self.fields["kept"]
        assert isinstance(ticked, forms.MultipleChoiceField)
        ticked.choices = [(str(promise.pk), promise.content) for promise in open_promises]
        known = {sku for sku, _name in products}
        kept = [(sku, sku) for sku in answers.get("new_products", []) if sku not in known]
        field = self.fields["new_products"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [*products, *kept, (NONE, _("None today"))]

    def clean_new_products(self) -> list[str]:
        return self._one_or_the_other("new_products")

    def clean_care(self) -> list[str]:
        return self._one_or_the_other("care")

    def _one_or_the_other(self, name: str) -> list[str]:
        chosen: list[str] = self.cleaned_data[name]
        if NONE in chosen and len(chosen) > 1:
            raise ValidationError(
                _("Pick either “None today” or the others."), code="contradiction"
            )
        return chosen

    def clean(self) -> dict[str, Any] | None:
        data = super().clean()
        for words, day in PROMISES:
            said, by_when = self.cleaned_data.get(words), self.cleaned_data.get(day)
            if said and not by_when and day not in self.errors:
                self.add_error(day, ValidationError(_("Say by which day."), code="required"))
        if not self.lines.is_valid():
            self.add_error(
                None, _("What was seen of competitors needs a look; nothing was saved yet.")
            )
        if not self.counts.is_valid():
            self.add_error(None, _("The stock count needs a look; nothing was saved yet."))
        return data

    def promised(self) -> list[tuple[str, date]]:
        """What was promised in the visit, each with its day."""
        data = self.cleaned_data
        return [(data[words], data[day]) for words, day in PROMISES if data[words]]

    def kept_promises(self) -> list[Promise]:
        """Those of the open promises that were kept in the visit."""
        return [one for one in self.open_promises if str(one.pk) in self.cleaned_data["kept"]]

    def answers(self) -> Answers:
        """The answers given so far; a question that was left out is not in it."""
        data = self.cleaned_data
        answers: Answers = {
            key: data[key] for key in ("sales_note", "new_need_note", "care_note") if data[key]
        }
        if data["sales"]:
            answers["sales"] = data["sales"]
        if data["new_need"] is not None:
            answers["new_need"] = data["new_need"]
        for name in ("new_products", "care"):
            if data[name]:
                answers[name] = [] if data[name] == [NONE] else data[name]
        return answers

    @staticmethod
    def initial_of(visit: Visit) -> dict[str, Any]:
        """What the form shows for a visit that has a record already."""
        answers: Answers = visit.answers
        initial: dict[str, Any] = {**answers, "purpose": visit.purpose, "words": visit.words}
        if "new_need" in answers:
            initial["new_need"] = "yes" if answers["new_need"] else "no"
        for name in ("new_products", "care"):
            if name in answers:
                initial[name] = answers[name] or [NONE]
        return initial


class RecordForm(VisitForm):
    """The record of a visit that was checked in; `version` is the one the reader saw."""

    version = forms.IntegerField(widget=forms.HiddenInput)


class LogForm(VisitForm):
    """A visit written down afterwards; `client_id` makes a second press of the button harmless."""

    at = MomentField(label=_("When"))
    client_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)

    def __init__(self, *args: Any, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.now = now
        self.fields["at"].widget.attrs["max"] = timezone.localtime(now).strftime("%Y-%m-%dT%H:%M")

    def clean_at(self) -> datetime:
        at: datetime = self.cleaned_data["at"]
        if at > self.now:
            raise ValidationError(
                _("This lies in the future: plan the visit instead."), code="future"
            )
        return at


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """A rule that was changed by somebody else since it was read is not overwritten silently."""

    seen = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["seen"].initial = self.instance.version

    def clean(self) -> dict[str, Any] | None:
        data = super().clean()
        seen = self.cleaned_data.get("seen")
        if seen is not None and seen != self.instance.version and self.has_changed():
            last = AuditEntry.objects.of(self.instance).first()
            raise ValidationError(
                _("%(who)s has changed this meanwhile. Look at it again, then save."),
                code="changed",
                params={"who": last.actor_name if last else "–"},
            )
        return data


class CadenceForm(RuleForm):
    class Meta:
        model = Cadence
        fields = ["every_days"]


class OccasionRuleForm(RuleForm):
    class Meta:
        model = OccasionRule
        fields = ["enabled", "days_before"]


CadenceFormSet = forms.modelformset_factory(Cadence, form=CadenceForm, extra=0, edit_only=True)
OccasionRuleFormSet = forms.modelformset_factory(
    OccasionRule, form=OccasionRuleForm, extra=0, edit_only=True
)
