"""What an order comes to: the rules that its lines and its amount keep, in pages, API and sync."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from crm.lib.text import Text
from orders.models import OrderStatus

CENT = Decimal("0.01")
#: The amount column holds 14 digits, 2 of them after the point.
LARGEST = Decimal("999999999999.99")


def line_amount(quantity: Decimal, unit_price: Decimal) -> Decimal:
    """What one line comes to, half a cent rounded up."""
    return (quantity * unit_price).quantize(CENT, ROUND_HALF_UP)


def lines_amount(lines: Sequence[tuple[Decimal, Decimal]]) -> Decimal:
    """What all lines, each (quantity, unit price), come to: every line rounded, then added up."""
    return sum((line_amount(quantity, price) for quantity, price in lines), Decimal("0.00"))


def check_line(*, status: str, quantity: Decimal, unit_price: Decimal) -> Decimal:
    """The quantity to store for a line, always above zero; a return may be sent with a minus.

    Refuses a line that moves nothing, sells less than nothing, or has a negative price: raises
    ValidationError with the messages by field.
    """
    errors = {}
    if quantity == 0:
        errors["quantity"] = ValidationError(_("A quantity is not zero."), code="zero")
    elif quantity < 0 and status != OrderStatus.RETURNED:
        errors["quantity"] = ValidationError(
            _("A quantity is above zero; a return has its status."), code="negative"
        )
    if unit_price < 0:
        errors["unit_price"] = ValidationError(_("A price is not negative."), code="negative")
    if errors:
        raise ValidationError(errors)
    return abs(quantity)


def check_amount(
    *,
    status: str,
    amount: Decimal | None,
    lines: Sequence[tuple[Decimal, Decimal]] = (),
) -> Decimal:
    """The amount to store for an order, never negative.

    `lines` are (quantity, unit price). Without lines the amount must be given; with both they
    must agree to the cent; with lines alone they decide. A returned order may be sent with a
    negative or a positive amount. Raises ValidationError with the messages under `amount`.
    """
    if amount is not None and amount < 0:
        if status != OrderStatus.RETURNED:
            raise _refused(_("Only a returned order may have a negative amount."), "negative")
        amount = -amount
    if not lines:
        if amount is None:
            raise _refused(_("An order without lines needs an amount."), "required")
        total = amount
    else:
        total = lines_amount(lines)
        if amount is not None and amount != total:
            raise _refused(
                _("The lines come to %(total)s, not to %(amount)s."),
                "lines_disagree",
                {"total": str(total), "amount": f"{amount:.2f}"},
            )
    if total > LARGEST:
        raise _refused(_("The amount is too large."), "too_large")
    return total


def _refused(message: Text, code: str, params: dict[str, object] | None = None) -> ValidationError:
    return ValidationError({"amount": ValidationError(message, code=code, params=params)})
