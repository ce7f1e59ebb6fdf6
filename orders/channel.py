"""The channel margin of products, orders and customers, gathered for `orders.margins` (P16)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from crm.lib.days import day_bounds
from customers.models import Customer
from orders.margins import Margin, Side, Sold, Warn, judge, of_line, total
from orders.models import Order, OrderLine, OrderStatus, TradeTerms
from orders.prices import lines_priced

HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Told:
    """A margin with its warnings; what concerns our cost is left out for who may not see it."""

    margin: Margin
    warnings: list[Warn]


def told(margin: Margin, terms: TradeTerms, *, costs: bool) -> Told:
    """The margin beside what the company asks for; `costs`: whether the reader sees our cost."""
    found = judge(
        margin,
        least_dealer=_share(terms.least_dealer_margin),
        least_own=_share(terms.least_own_margin),
    )
    return Told(margin, [one for one in found if costs or one.side == Side.DEALER])


def _share(percent: Decimal | None) -> Decimal | None:
    return None if percent is None else percent / HUNDRED


def of_product(product: Any, *, terms: TradeTerms, costs: bool) -> Told | None:
    """The margins of one unit at the uniform prices that `prices.with_uniform` found."""
    if product.uniform_dealer is None:
        return None
    paid, retail = product.uniform_dealer, product.uniform_retail
    sold = Sold(Decimal(1), paid, paid, retail, product.unit_cost)
    return told(of_line(sold), terms, costs=costs)


def priced(lines: QuerySet[OrderLine]) -> QuerySet[Any]:
    """Lines with the prices of their day and their product, by number."""
    return lines_priced(lines).select_related("product").order_by("line_no")


def of_order_line(line: Any, *, returned: bool) -> Margin:
    """The margin of a line of `priced`; a return counts negative."""
    quantity = -line.quantity if returned else line.quantity
    return of_line(
        Sold(
            quantity,
            line.unit_price,
            line.uniform_dealer,
            line.uniform_retail,
            line.product.unit_cost,
        )
    )


def of_customer(customer: Customer, *, first: date, last: date) -> Margin:
    """The margin of what the customer ordered from `first` to `last`, returns negative.

    Orders that came without lines say nothing about prices and are not in it.
    """
    orders = Order.objects.filter(customer=customer).between(*day_bounds(first, last)).netted()
    rows = (
        lines_priced(OrderLine.objects.filter(order__in=orders))
        .order_by()
        .values_list(
            "order__status",
            "quantity",
            "unit_price",
            "uniform_dealer",
            "uniform_retail",
            "product__unit_cost",
        )
    )
    return total(
        of_line(Sold(-quantity if status == OrderStatus.RETURNED else quantity, *prices))
        for status, quantity, *prices in rows.iterator(chunk_size=2000)
    )
