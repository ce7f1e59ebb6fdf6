"""What a customer bought of a product before and after it was suggested (P26)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from crm.lib.days import day_bounds
from crm.lib.formats import local_day
from orders.amounts import line_amount
from orders.models import NETTED, OrderLine, OrderStatus
from visits.models import Suggestion

#: So many days are compared where nobody asks for others, and those that can be asked for.
USUAL_DAYS = 90
DAYS = (30, 90, 180)
ZERO = Decimal(0)


@dataclass(slots=True)
class Span:
    """The days from `first` to `last`, both inclusive, and the order lines of the product in them.

    Returned goods count negative.
    """

    first: date
    last: date
    lines: list[OrderLine] = field(default_factory=list)

    @property
    def quantity(self) -> Decimal:
        return sum((_sign(line) * line.quantity for line in self.lines), ZERO)

    @property
    def amount(self) -> Decimal:
        """In the company's currency."""
        return sum(
            (_sign(line) * line_amount(line.quantity, line.unit_price) for line in self.lines),
            Decimal("0.00"),
        )

    @property
    def days(self) -> int:
        """How many days it has; 0 where it has not begun."""
        return max((self.last - self.first).days + 1, 0)


@dataclass(slots=True)
class Effect:
    """The days before a suggestion, and as many from its day on, as far as they have passed."""

    before: Span
    after: Span

    @property
    def is_complete(self) -> bool:
        """Whether as many days have passed as are compared with."""
        return self.after.days == self.before.days


def of_suggestion(suggestion: Suggestion, *, days: int, today: date) -> Effect | None:
    """What was bought `days` days before, and from the day of the suggestion on.

    None for a suggestion that names no product.
    """
    if suggestion.product_id is None:
        return None
    made = suggestion.made_on
    effect = Effect(
        Span(made - timedelta(days=days), made - timedelta(days=1)),
        Span(made, min(made + timedelta(days=days - 1), today)),
    )
    start, end = day_bounds(effect.before.first, max(effect.after.last, effect.before.last))
    lines = (
        OrderLine.objects.filter(
            order__customer=suggestion.customer_id,
            order__status__in=NETTED,
            order__ordered_at__gte=start,
            order__ordered_at__lt=end,
            product=suggestion.product_id,
        )
        .select_related("order")
        .order_by("-order__ordered_at", "-pk")
    )
    for line in lines:
        span = effect.before if local_day(line.order.ordered_at) < made else effect.after
        span.lines.append(line)
    return effect


def _sign(line: OrderLine) -> int:
    return -1 if line.order.status == OrderStatus.RETURNED else 1
