"""Orders that people enter where no ERP does: the form, its lines, and storing them once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.versions import VersionedForm
from crm.lib.forms import MomentField
from customers.addresses import find
from orders.actions import record_order
from orders.amounts import check_amount, check_line, line_amount
from orders.choosing import ProductField
from orders.models import Order, OrderLine, OrderStatus, Product
from orders.prices import with_uniform

MOST_LINES = 100
BLANK_LINES = 3


class OrderForm(VersionedForm[Order]):
    """When the customer orders what, and where it goes; `client_id` makes a second press harmless.

    Without words for the address it goes to the customer's own.
    """

    ordered_at = MomentField(label=gettext_lazy("Ordered"))
    client_id = forms.UUIDField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = Order
        fields = ("ordered_at", "delivery_address", "payment_method", "promotion")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            del self.fields["client_id"]
        else:
            self.initial.setdefault("client_id", uuid4())

    def clean_delivery_address(self) -> str:
        """The area follows the address, also where it is the customer's."""
        address = str(self.cleaned_data["delivery_address"])
        customer = self.instance.customer
        if address == customer.address:
            self.instance.delivery_division = customer.division
        elif "delivery_address" in self.changed_data:
            self.instance.delivery_division = find(address).code
        return address


class LineForm(forms.Form):
    """One product; a line without product and quantity is not meant."""

    product = ProductField(label=gettext_lazy("Product"), required=False)
    quantity = forms.DecimalField(
        label=gettext_lazy("Quantity"),
        required=False,
        max_digits=14,
        decimal_places=3,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
    )
    unit_price = forms.DecimalField(
        label=gettext_lazy("Unit price"),
        required=False,
        max_digits=12,
        decimal_places=2,
        validators=[MinValueValidator(0)],
        widget=forms.TextInput(
            attrs={"inputmode": "decimal", "placeholder": gettext_lazy("uniform price")}
        ),
    )
    batch = forms.CharField(label=gettext_lazy("Batch"), required=False, max_length=50)

    #: What stands beside a line that was looked at: (uniform dealer price, amount, deviation).
    uniform: Decimal | None = None
    amount: Decimal | None = None
    deviation: Decimal | None = None

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or {}
        if not self.is_meant():
            return cleaned
        if cleaned.get("product") is None and "product" not in self.errors:
            self.add_error("product", ValidationError(_("Which product?"), code="required"))
        if cleaned.get("quantity") is None and "quantity" not in self.errors:
            self.add_error("quantity", ValidationError(_("How many?"), code="required"))
        quantity, price = cleaned.get("quantity"), cleaned.get("unit_price")
        if quantity is not None:
            try:
                check_line(
                    status=OrderStatus.DRAFT, quantity=quantity, unit_price=price or Decimal(0)
                )
            except ValidationError as no:
                self.add_error(None, no)
        return cleaned

    def is_meant(self) -> bool:
        return any(self[name].data for name in ("product", "quantity", "unit_price", "batch"))


class OrderLines:
    """The lines of one order on its page: those stored or sent, and blank ones.

    They are saved together with the order, whose version guards them. `data` is what was sent,
    None when the page is opened; `more` adds blank lines.
    """

    def __init__(
        self,
        *,
        user: User,
        stored: list[OrderLine],
        data: Any = None,
        more: bool = False,
    ) -> None:
        self.user, self.stored = user, stored
        self.data = None if data is None else data.copy()
        sent = self._sent()
        blank = 0 if sent and not more else BLANK_LINES
        self.number = min((sent or len(stored)) + blank, MOST_LINES)

    def _sent(self) -> int:
        text = self.data.get("lines", "") if self.data is not None else ""
        fits = text.isascii() and text.isdecimal() and len(text) < 4
        return min(int(text), MOST_LINES) if fits else 0

    @cached_property
    def forms(self) -> list[LineForm]:
        products = Product.objects.visible_to(self.user)
        lines = []
        for number in range(self.number):
            bound = self.data if self.data is not None and number < self._sent() else None
            known = self.stored[number : number + 1] if self.data is None else []
            initial = {
                name: getattr(line, name)
                for line in known
                for name in ("product", "quantity", "unit_price", "batch")
            }
            form = LineForm(bound, prefix=f"line-{number}", initial=initial)
            field = form.fields["product"]
            assert isinstance(field, ProductField)
            field.products = products
            lines.append(form)
        return lines

    def _meant(self) -> Iterator[LineForm]:
        return (form for form in self.forms if form.is_bound and form.is_meant())

    def priced(self, day: date) -> list[OrderLine] | None:
        """The lines to store, each at its price or else the uniform dealer price of `day`.

        None where something is wrong; the forms say what. Leaves in each form its amount, the
        uniform price and the deviation from it.
        """
        sent: Any = self.data
        meant = list(self._meant())
        wrong = [form for form in meant if not form.is_valid()]
        if wrong:
            return None
        chosen = {form.cleaned_data["product"].pk for form in meant}
        prices = {
            one.pk: one.uniform_dealer
            for one in with_uniform(Product.objects.filter(pk__in=chosen), day=day)
        }
        lines = []
        for number, form in enumerate(meant, start=1):
            values = form.cleaned_data
            product, price = values["product"], values["unit_price"]
            form.uniform = prices.get(product.pk)
            if price is None:
                price = form.uniform
                if price is None:
                    form.add_error(
                        "unit_price",
                        ValidationError(
                            _("The product has no uniform price on this day; enter one."),
                            code="no_price",
                        ),
                    )
                    continue
                sent[form.add_prefix("unit_price")] = f"{price:.2f}"
            line = OrderLine(
                line_no=number,
                product=product,
                quantity=values["quantity"],
                unit_price=price,
                batch=values["batch"],
            )
            form.amount = line_amount(line.quantity, price)
            form.deviation = None if form.uniform is None else price - form.uniform
            lines.append(line)
        return lines if len(lines) == len(meant) else None


def enter_order(*, order: Order, lines: list[OrderLine], client_id: UUID | None = None) -> Order:
    """Store an order that a person wrote; the same `client_id` again leads to the same order.

    Raises ValidationError where it came from the ERP, has left the house, or has no lines.
    """
    if client_id is not None and (there := _made_as(client_id, order)):
        return there
    if not order.by_hand:
        raise ValidationError(
            _("This order came from the ERP and is changed there."), code="from_erp"
        )
    if not order.open_to_edits:
        raise ValidationError(_("This order can no longer be changed."), code="closed")
    if not lines:
        raise ValidationError(_("An order has at least one line."), code="no_lines")
    order.amount = check_amount(
        status=order.status,
        amount=None,
        lines=[(line.quantity, line.unit_price) for line in lines],
    )
    order.client_id = order.client_id or client_id
    try:
        with transaction.atomic():
            return record_order(order=order, lines=lines)
    except IntegrityError:  # the other press of the button came first
        there = _made_as(client_id, order) if client_id else None
        if there is None:
            raise
        return there


def _made_as(client_id: UUID, order: Order) -> Order | None:
    return Order.objects.filter(client_id=client_id, customer=order.customer_id).first()
