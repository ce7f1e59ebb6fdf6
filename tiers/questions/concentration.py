"""How much the largest customers bring in a period (P14): the Pareto curve of a slice.

What a margin is says `tiers.sql.margins`, for the tier run as well. In a slice by category amounts
are those of the lines in it. Returns count against both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal, NamedTuple, TypeAlias

from django.core.exceptions import EmptyResultSet
from django.db import connection

from tiers import sql
from tiers.questions.slices import Slice
from tiers.report import CURVE_STEPS, Pareto, first_fifth, pareto
from tiers.sql import margins
from tiers.tiering import share_of

Measure: TypeAlias = Literal["amount", "margin"]
CENT = Decimal("0.01")
#: The curve is drawn at as many places, close together where it bends (see `tiers.report.places`).
STEPS = range(1, CURVE_STEPS + 1)
Statement: TypeAlias = tuple[str, tuple[Any, ...]]


class Place(NamedTuple):
    """A customer's place in the ranking of a period; shares are of 0–1, `running` up to it."""

    place: int
    customer_id: int
    amount: Decimal
    share: Decimal
    running: Decimal


@dataclass(frozen=True, slots=True)
class Concentration:
    """The curve of a slice by one measure; None where nobody brought anything.

    `covers` is the net amount, of all customers, that the measure knows of: by margin that of
    the lines whose cost is on file.
    """

    measure: Measure
    curve: Pareto | None
    covers: Decimal = Decimal(0)

    @property
    def customers(self) -> int:
        return self.curve.customers if self.curve else 0

    @property
    def top(self) -> int:
        """How many customers are the top 20 %."""
        return first_fifth(self.customers)


def read(of: Slice, measure: Measure = "amount") -> Concentration:
    """The curve of the customers with a net amount (or margin) above zero, from one statement."""
    try:
        standing, values = _standing(of, measure)
    except EmptyResultSet:
        return Concentration(measure, None)
    unit = sql.dialect().unit.format("amount")
    marks = ", ".join(
        [f"(ranked * {k * k} + {CURVE_STEPS**2 - 1}) / {CURVE_STEPS**2}" for k in STEPS]
    )
    statement = f"""
        SELECT place, running, ranked, covered FROM (
            SELECT ROW_NUMBER() OVER line AS place, SUM({unit}) OVER line AS running,
                SUM(CASE WHEN amount > 0 THEN 1 ELSE 0 END) OVER () AS ranked,
                SUM(covered) OVER () AS covered
            FROM ({standing}) standing
            WINDOW line AS ({sql.in_order("amount")} ROWS UNBOUNDED PRECEDING)
        ) placed
        WHERE place = 1 OR place = (ranked + 4) / 5 OR place IN ({marks}) ORDER BY place
    """  # noqa: S608  # made of this module's own pieces and the ORM's; values are parameters
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows = cursor.fetchall()
    per_one = sql.dialect().per_one
    covers = Decimal(rows[0][3]) / per_one if rows else Decimal(0)
    sums = {int(place): Decimal(total) / per_one for place, total, n, _all in rows if place <= n}
    if not sums:
        return Concentration(measure, None, covers)
    buyers = max(sums)
    curve = pareto(sums, customers=buyers, amount=sums[buyers], tiers=(0, 0))
    return Concentration(measure, replace(curve, zones=[]), covers)


def known_share(by_amount: Concentration, by_margin: Concentration) -> Decimal:
    """The share (0–1) of the net amount whose cost is on file."""
    share = share_of(by_margin.covers, by_amount.covers)
    return min(Decimal(1), max(Decimal(0), share))


def ranking(
    of: Slice, measure: Measure = "amount", *, after: int = 0, until: int | None = None
) -> Iterator[Place]:
    """The customers of the curve by rank: those after place `after`, up to place `until`."""
    try:
        statement, values = _standing(of, measure)
    except EmptyResultSet:
        return
    d = sql.dialect()
    unit = d.unit.format("amount")
    limit = "" if until is None else f"AND place <= {int(until)}"
    query = f"""
        SELECT place, id, net, running, total FROM (
            SELECT ROW_NUMBER() OVER line AS place, id, {unit} AS net,
                SUM({unit}) OVER line AS running, SUM({unit}) OVER () AS total
            FROM ({statement}) standing WHERE amount > 0
            WINDOW line AS ({sql.in_order("amount")} ROWS UNBOUNDED PRECEDING)
        ) placed WHERE place > {int(after)} {limit} ORDER BY place
    """  # noqa: S608  # made of this module's own pieces and the ORM's; values are parameters
    with connection.chunked_cursor() as cursor:
        cursor.execute(query, values)
        while rows := cursor.fetchmany(2000):
            for place, pk, net, running, total in rows:
                yield Place(
                    place,
                    pk,
                    (Decimal(net) / d.per_one).quantize(CENT),
                    share_of(Decimal(net), Decimal(total)),
                    share_of(Decimal(running), Decimal(total)),
                )


# --- the statements


def _picked(of: Slice) -> Statement:
    """The orders of the period that make the net amount: id, customer, status, amount."""
    orders: Any = of.orders().netted().filter(ordered_at__gte=of.period.bounds[0])
    columns = orders.values_list("pk", "customer_id", "status", "amount")
    statement, values = columns.query.get_compiler(connection=connection).as_sql()
    return f"WITH picked (id, customer, status, amount) AS ({statement})", values


LINES = """
    FROM picked o JOIN orders_orderline l ON l.order_id = o.id
    JOIN orders_product p ON p.id = l.product_id
"""


def _sums(of: Slice, measure: Measure) -> Statement:
    """By customer: net, and the net amount that it covers, in the unit of the ranking."""
    if measure == "amount" and not of.category:
        picked, values = _picked(of)
        net = margins.signed(sql.dialect().unit.format("o.amount"), "o.status")
        return (
            f"{picked} SELECT o.customer, SUM({net}) AS net, SUM({net}) AS covered"  # noqa: S608  # own pieces
            " FROM picked o GROUP BY o.customer",
            values,
        )
    picked, values = _picked(replace(of, category=""))  # the lines are picked by it below
    said = ["1 = 1"]
    value = covered = margins.line_amount()
    if of.category:
        said.append("p.category = %s")
        values = (*values, of.category)
    if measure == "margin":
        said.append(f"{margins.COST} IS NOT NULL")
        value = margins.line_margin()
    where = " AND ".join(said)
    net, covers = (margins.signed(one, "o.status") for one in (value, covered))
    return (
        f"{picked} SELECT o.customer, SUM({net}) AS net, SUM({covers}) AS covered"
        f" {LINES} WHERE {where} GROUP BY o.customer",
        values,
    )


def _standing(of: Slice, measure: Measure) -> Statement:
    """What is ranked: id, external_id, amount and covered of each customer with orders."""
    sums, values = _sums(of, measure)
    money = sql.dialect().money.format("sums.net")
    statement = f"""
        SELECT c.id AS id, c.external_id AS external_id, {money} AS amount, sums.covered
        FROM ({sums}) sums JOIN customers_customer c ON c.id = sums.customer
    """  # noqa: S608  # made of this module's own pieces and the ORM's; values are parameters
    return statement, values
