"""What an order line comes to, and its margin: the one definition that everything goes by.

The margin of a line is quantity × unit price less quantity × unit cost of its product, each half a
cent up. A line whose product has no cost on file, and an order without lines, has no margin that we
know of: the expression is empty there, and sums leave it out. An order is wholly known where it
has lines, all of them with a cost.

All is in the unit of the ranking (see `dialect`). `l` and `p` are what a statement calls the line
and its product.
"""

from __future__ import annotations

from orders.models import OrderStatus
from tiers.sql.dialect import dialect

COST = "p.unit_cost"


def line_amount() -> str:
    """What the line comes to."""
    return dialect().times.format(quantity="l.quantity", price="l.unit_price")


def line_margin() -> str:
    """What the line brings above its cost; empty where the cost is unknown."""
    cost = dialect().times.format(quantity="l.quantity", price=COST)
    return f"({line_amount()} - {cost})"


def wholly_known() -> str:
    """Over the lines of one order: 1 where each has a cost, else 0."""
    return f"CASE WHEN COUNT(*) = COUNT({COST}) THEN 1 ELSE 0 END"


def signed(value: str, status: str) -> str:
    """`value`, against the customer where the order was returned."""
    return f"CASE WHEN {status} = '{OrderStatus.RETURNED.value}' THEN -{value} ELSE {value} END"
