"""The forms of what was found out about a customer: the profile and its suppliers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.utils import ErrorDict
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.versions import VersionedForm
from crm.lib.formats import month
from customers.models import Profile, Supplier
from customers.models.profile import CreditStanding, PromotionAttitude, PurchaseRhythm

#: What people write after a number instead of its zeros.
STEPS = {"万": 4, "萬": 4, "亿": 8, "億": 8, "k": 3, "m": 6}
BLANK_LINES = 2
MOST_SUPPLIERS = 30
TEN = [("", "–"), *((str(n), str(n)) for n in range(1, 11))]


class MoneyField(forms.DecimalField):
    """An amount as people write it: 1,240,000, 124万, 1.24m, wide digits."""

    def __init__(self, **options: Any) -> None:
        widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
        options = {"max_digits": 16, "decimal_places": 2, "min_value": 0, **options}
        super().__init__(required=False, widget=widget, **options)

    def prepare_value(self, value: Any) -> Any:
        return f"{value:,.2f}".removesuffix(".00") if isinstance(value, Decimal) else value

    def to_python(self, value: Any) -> Decimal | None:  # type: ignore[override]  # stubs say int
        if not isinstance(value, str):
            return super().to_python(value)
        text = re.sub(r"[\s,¥$€元]", "", unicodedata.normalize("NFKC", value)).lower()
        if text and text[-1] in STEPS:
            try:
                text = str((Decimal(text[:-1]).scaleb(STEPS[text[-1]])).normalize().__format__("f"))
            except InvalidOperation:
                raise ValidationError(self.error_messages["invalid"], code="invalid") from None
        return super().to_python(text)

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != initial)
        except ValidationError:
            return True


class CategoriesField(forms.CharField):
    """Product categories with commas between them, Chinese or not."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(map(str, value)) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        words = re.split(r"[,，、;；\n]", super().clean(value))
        return [word.strip() for word in words if word.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


def choice(label: Any, choices: list[tuple[str, Any]]) -> forms.TypedChoiceField:
    """One of a few, shown all at once; the first says that nothing is known."""
    return forms.TypedChoiceField(
        label=label, choices=choices, required=False, widget=forms.RadioSelect, empty_value=""
    )


def mark(label: Any) -> forms.TypedChoiceField:
    """A mark from 1 to 10, or none."""
    return forms.TypedChoiceField(
        label=label,
        choices=TEN,
        required=False,
        widget=forms.RadioSelect,
        coerce=int,
        empty_value=None,
    )


UNKNOWN = ("", pgettext_lazy("nothing is known", "unknown"))


def months() -> list[tuple[int, str]]:
    """The months of the year as the reader's language writes them short."""
    return [(number, month(date(2000, number, 1))) for number in range(1, 13)]


class ProfileForm(VersionedForm[Profile]):
    """Economy, purchase and views of a customer."""

    capital = MoneyField(label=_("Registered capital"))
    yearly_sales = MoneyField(label=_("Yearly sales"), help_text=_("Such as 1,240,000 or 1.24m."))
    yearly_purchase = MoneyField(
        label=_("Buys in our category a year"), help_text=_("From us and from all others.")
    )
    credit_standing = choice(_("Credit standing"), [UNKNOWN, *CreditStanding.choices])
    purchase_rhythm = choice(_("How often it buys"), [UNKNOWN, *PurchaseRhythm.choices])
    purchase_months = forms.TypedMultipleChoiceField(
        label=_("Months it buys in"),
        choices=months,
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    past_categories = CategoriesField(
        label=_("Past product categories"),
        required=False,
        max_length=1100,
        help_text=_("What it bought before; commas between them."),
    )
    promotion_attitude = choice(_("Attitude to promotions"), [UNKNOWN, *PromotionAttitude.choices])
    product_satisfaction = mark(_("Satisfaction with products"))
    service_satisfaction = mark(_("Satisfaction with service"))

    class Meta:
        model = Profile
        fields = (
            "capital", "staff_count", "yearly_sales", "credit_standing", "buys", "yearly_purchase",
            "purchase_rhythm", "purchase_months", "favourites", "past_categories",
            "promotion_attitude", "product_satisfaction", "service_satisfaction", "suggestions",
        )  # fmt: skip
        widgets = {
            "staff_count": forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
            "suggestions": forms.Textarea(attrs={"rows": 3}),
        }


class SupplierForm(forms.ModelForm):  # type: ignore[type-arg]  # not at run time
    """One line of the suppliers; `out` takes it off the file, as an emptied name does."""

    satisfaction = mark(_("Satisfaction"))
    out = forms.BooleanField(label=_("Take out"), required=False)

    class Meta:
        model = Supplier
        fields = ("name", "supplies", "satisfaction")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].required = False

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        told = cleaned.get("supplies") or cleaned.get("satisfaction")
        if not cleaned.get("name") and told and not self.instance.pk:
            self.add_error("name", _("Who is the supplier?"))
        return cleaned


class SupplierLines:
    """The suppliers of one customer as lines of a page: those on file, and blank ones.

    No formset: the lines are few, are saved together with the profile, and its version guards
    them. `data` is what was sent, None when the page is opened; `more` adds blank lines.
    """

    def __init__(self, stored: list[Supplier], data: Any = None, *, more: bool = False) -> None:
        self.stored = {one.pk: one for one in stored}
        self.data = data
        sent = min(self._sent(), MOST_SUPPLIERS)
        self.number = sent or len(stored) + (BLANK_LINES if not stored else 1)
        if more:
            self.number = min(self.number + BLANK_LINES, MOST_SUPPLIERS)
        self.asks_for_more = more

    def _sent(self) -> int:
        text = self.data.get("suppliers", "") if self.data is not None else ""
        return int(text) if text.isdecimal() and len(text) < 4 else 0

    @cached_property
    def forms(self) -> list[SupplierForm]:
        """The lines in their order; each sent line names the supplier it stands for."""
        on_file = list(self.stored.values())
        lines = []
        for number in range(self.number):
            prefix = f"supplier-{number}"
            bound = self.data if self.data is not None and number < self._sent() else None
            if bound is not None:
                text = bound.get(f"{prefix}-id", "")
                known = self.stored.get(int(text)) if text.isdecimal() and len(text) < 19 else None
            else:
                known = on_file[number] if self.data is None and number < len(on_file) else None
            lines.append(SupplierForm(bound, prefix=prefix, instance=known))
        return lines

    def is_valid(self) -> bool:
        return all(form.is_valid() for form in self._bound())

    @property
    def errors(self) -> ErrorDict:
        """What is wrong in any line, for the sum at the top of the page."""
        found = ErrorDict()
        for form in self.forms:
            found.update({form.add_prefix(name): texts for name, texts in form.errors.items()})
        return found

    def kept(self) -> list[Supplier]:
        """The suppliers as they are to be stored; ask only when the lines are valid."""
        return [
            form.instance
            for form in self._bound()
            if form.cleaned_data["name"] and not form.cleaned_data["out"]
        ]

    def has_changed(self) -> bool:
        return any(form.has_changed() for form in self._bound())

    def _bound(self) -> Iterator[SupplierForm]:
        return (form for form in self.forms if form.is_bound)
