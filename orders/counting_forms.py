"""The lines of a form on which a dealer's stock is counted: on its own page, and in a visit (P23).

What was counted last and what came since is offered with its names, so that only numbers are
typed; a line without a quantity says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.versions import VersionedForm
from crm.lib.forms import DayInput, MomentField
from orders.choosing import ProductField
from orders.models import Product, StockReport
from orders.stocktaking import MOST_LINES, Counted, Offered

EMPTY_LINES = 3
#: So many lines are shown at once in a visit where nothing was counted before.
FIRST_LINES = 3


class QuantityField(forms.DecimalField):
    """How many, as people write it: 1,250 too."""

    def __init__(self, **options: Any) -> None:
        attrs = {"inputmode": "decimal", "autocomplete": "off", "placeholder": "–"}
        super().__init__(
            max_digits=14, decimal_places=3, widget=forms.TextInput(attrs=attrs), **options
        )

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            value = value.replace(",", "").replace("，", "").strip()
        return super().to_python(value)

    def prepare_value(self, value: Any) -> Any:
        """27.000 is shown as 27."""
        if isinstance(value, Decimal):
            text = f"{value:f}"
            return text.rstrip("0").rstrip(".") if "." in text else text
        return value


class CountLineForm(forms.Form):
    """One batch of a product. `offered` marks a line whose product the page filled in."""

    offered = forms.BooleanField(required=False, widget=forms.HiddenInput)
    product = ProductField(label=gettext_lazy("Product"), required=False)
    batch = forms.CharField(label=gettext_lazy("Batch"), required=False, max_length=50)
    produced_on = forms.DateField(
        label=gettext_lazy("Produced"), required=False, widget=DayInput(attrs={"class": "date"})
    )
    quantity = QuantityField(
        label=gettext_lazy("Quantity there"), required=False, min_value=Decimal(0)
    )

    #: What the page knows of the line.
    known: Offered | None = None

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or self.cleaned_data
        if not self.is_meant():
            return cleaned
        if cleaned.get("product") is None and "product" not in self.errors:
            self.add_error("product", ValidationError(_("Which product?"), code="required"))
        if cleaned.get("quantity") is None and "quantity" not in self.errors:
            self.add_error("quantity", ValidationError(_("How many?"), code="required"))
        return cleaned

    def is_meant(self) -> bool:
        """Whether the person typed something; an offered line speaks by its quantity alone."""
        offered = self["offered"].data not in (None, "", "False", "false")
        names = ("quantity",) if offered else ("product", "quantity", "batch", "produced_on")
        return any(str(self[name].data or "").strip() for name in names)

    @property
    def is_offered(self) -> bool:
        """Whether product and batch stand as text, and only the quantity is asked for."""
        return self.known is not None and not (
            self["product"].errors or self["batch"].errors or self["produced_on"].errors
        )


class CountLines:
    """All lines of one count: those stored, those offered, and some empty ones.

    A form that was sent without lines (`said`) leaves what is stored alone. `more` adds lines.
    """

    def __init__(
        self,
        *,
        user: User,
        stored: Iterable[Counted] = (),
        offered: Sequence[Offered] = (),
        data: Any = None,
        more: bool = False,
    ) -> None:
        self.said = data is not None and f"{_prefix(0)}-quantity" in data
        known = {(one.product.pk, one.batch): one for one in offered}
        rows: list[tuple[dict[str, Any], Offered | None]] = []
        for line in stored:
            initial = {
                "product": line.product,
                "batch": line.batch,
                "produced_on": line.produced_on,
                "quantity": line.quantity,
                "offered": True,
            }
            found = known.pop(line.key, None) or Offered(line.product)
            rows.append((initial, _with(found, line.batch, line.produced_on)))
        for left in known.values():
            initial = {
                "product": left.product,
                "batch": left.batch,
                "produced_on": left.produced_on,
                "offered": True,
            }
            rows.append((initial, left))
        sent = _sent(data) if self.said else 0
        shown = min(
            max(sent, len(rows)) + (EMPTY_LINES if more or not self.said else 0), MOST_LINES
        )
        rows += [({}, None)] * (shown - len(rows))
        products = Product.objects.visible_to(user)
        by_key = {
            (one.product.external_id, one.batch): one for _initial, one in rows if one is not None
        }
        self.forms = []
        for number, (initial, one) in enumerate(rows[:shown]):
            bound = data if number < sent else None
            form = CountLineForm(bound, prefix=_prefix(number), initial=initial)
            field = form.fields["product"]
            assert isinstance(field, ProductField)
            field.products = products
            form.known = one
            if bound is not None:  # somebody else may have counted meanwhile: other lines, then
                form.known = by_key.get((form["product"].data, form["batch"].data or ""))
                if not form["offered"].data:
                    form.known = None
            self.forms.append(form)

    @property
    def open_forms(self) -> list[CountLineForm]:
        """The lines that are shown at once: what was counted last, and all that say something.

        Where nothing was counted yet, the first of what was delivered.
        """
        return [form for form in self.forms if form.prefix in self._open]

    @property
    def folded_forms(self) -> list[CountLineForm]:
        """What was delivered and never counted, and the empty lines."""
        return [form for form in self.forms if form.prefix not in self._open]

    @cached_property
    def _open(self) -> set[str | None]:
        filled = {
            form.prefix
            for form in self.forms
            if form.errors
            or form["quantity"].value() not in (None, "")
            or (form.is_bound and form.is_meant())
            or (form.known and form.known.last is not None)
        }
        return filled or {form.prefix for form in self.forms[:FIRST_LINES]}

    @property
    def counted_number(self) -> int:
        """How many of the open lines have a quantity."""
        return sum(form["quantity"].value() not in (None, "") for form in self.open_forms)

    def is_valid(self) -> bool:
        return not self.said or self._judge()

    def _judge(self) -> bool:
        meant = [form for form in self.forms if form.is_bound and form.is_meant()]
        right = [form.is_valid() for form in meant]
        seen: set[tuple[int, str]] = set()
        for form in meant:
            product = form.cleaned_data.get("product")
            if product is None:
                continue
            key = product.pk, form.cleaned_data.get("batch", "")
            if key in seen:
                form.add_error("batch", _("This batch of the product is counted twice."))
                right.append(False)
            seen.add(key)
        return all(right)

    def refuse_days_after(self, counted_on: date) -> bool:
        """Note on the lines which batches were produced after the day of the count."""
        late = [
            line
            for line in self._valid()
            if (line.cleaned_data["produced_on"] or counted_on) > counted_on
        ]
        for form in late:
            form.add_error(
                "produced_on",
                _("A batch cannot be produced after the day on which it is counted."),
            )
        return bool(late)

    def _valid(self) -> list[CountLineForm]:
        return [
            form for form in self.forms if form.is_bound and form.is_meant() and form.is_valid()
        ]

    def counted(self) -> list[Counted] | None:
        """What was counted; None where the form did not say."""
        if not self.said:
            return None
        return [
            Counted(
                form.cleaned_data["product"],
                form.cleaned_data["quantity"],
                form.cleaned_data["batch"],
                form.cleaned_data["produced_on"],
            )
            for form in self._valid()
        ]


def _with(one: Offered, batch: str, produced_on: date | None) -> Offered:
    return Offered(one.product, batch, produced_on, one.last, one.last_on, one.delivered)


def _sent(data: Any) -> int:
    """How many lines were sent."""
    number = 0
    while number < MOST_LINES and f"{_prefix(number)}-quantity" in data:
        number += 1
    return number


def _prefix(number: int) -> str:
    return f"count-{number}"


class StockReportForm(VersionedForm[StockReport]):
    """When it was counted, and a note; `client_id` makes a second press harmless."""

    reported_at = MomentField(label=gettext_lazy("Counted"))
    client_id = forms.UUIDField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = StockReport
        fields = ("reported_at", "note")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            del self.fields["client_id"]
        else:
            self.initial.setdefault("client_id", uuid4())
