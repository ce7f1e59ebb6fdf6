"""How far a customer is from the lines of A and B: what it would have to bring, all else equal.

The tier depends on what all bring together, and that includes the customer's own amount: so the
least amount for a tier is not that of the last customer who has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection

from customers.models import Customer
from tiers import sql
from tiers.models import Assessment, Measure, RankedWithin, TierPolicy


@dataclass(frozen=True, slots=True)
class Distance:
    """A line: the least amount with which the customer would have the tier, and what is missing.

    `missing` is negative or zero where the customer has the tier: so much more than needed.
    """

    tier: str
    least: Decimal
    missing: Decimal

    @property
    def reached(self) -> bool:
        return self.missing <= 0

    @property
    def to_spare(self) -> Decimal:
        return -self.missing


def distances(customer: Customer, policy: TierPolicy) -> list[Distance]:
    """The distance to the lines of A and B by the stored facts; holds and overrides do not count.

    Empty before the first run, and where customers are ranked by margin and nobody knows this
    one's. Two statements at most, over all customers of the group that this one is ranked in.
    """
    row = Assessment.objects.filter(customer=customer).only("margin", "ranked_in").first()
    by_margin = policy.measure == Measure.MARGIN
    own = (row.margin if row else None) if by_margin else customer.net_amount
    if customer.net_amount is None or (by_margin and own is None):
        return []
    group = None
    if policy.ranked_within != RankedWithin.COMPANY:
        group = (row.ranked_in if row else "") or _would_be_in(customer, policy)
    shares = {"A": policy.a_share, "B": policy.b_share}
    least = _least(customer, shares, by_margin=by_margin, group=group)
    return [Distance(tier, least[tier], least[tier] - (own or Decimal(0))) for tier in shares]


def _would_be_in(customer: Customer, policy: TierPolicy) -> str:
    """The group of a customer of whom no run had anything to say yet, as GROUPS has them."""
    if policy.ranked_within == RankedWithin.KIND:
        return customer.kind
    digits = 2 if policy.ranked_within == RankedWithin.PROVINCE else 4
    return customer.division[:digits] or "-"


def _least(
    customer: Customer, shares: dict[str, Decimal], *, by_margin: bool, group: str | None
) -> dict[str, Decimal]:
    """The least amount for each line, to the cent."""
    # Worked out in cents. Behind the first j others stands whoever brings at most what the j-th
    # does (a cent less, where the j-th would win the tie): the deepest such place that still lies
    # above the line decides.
    statement, values = _statement(customer, shares, by_margin=by_margin, group=group)
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        found = {tier: tuple(map(int, row)) for tier, *row in cursor.fetchall()}
    least = {}
    for tier, share in shares.items():
        ahead, total, floor = found.get(tier) or found.get("first") or (0, 0, 1)
        needed = ahead * 10000 // int(share * 10000) - total + 1
        least[tier] = Decimal(max(floor, needed)).scaleb(-2)
    return least


def _statement(
    customer: Customer, shares: dict[str, Decimal], *, by_margin: bool, group: str | None
) -> tuple[str, list[Any]]:
    """For each line: what those ahead bring, what all others bring, and the least for the place.

    The row `first` is the place ahead of everybody.
    """
    plain = sql.dialect().plain
    amount = "a.margin" if by_margin else "c.net_amount"
    cents = f"CAST(ROUND({amount} * 100) AS BIGINT)"
    tied: list[Any]
    if customer.external_id is None:
        loses, tied = "(c.external_id IS NOT NULL OR c.id < %s)", [customer.pk]
    else:
        loses = f"(c.external_id IS NOT NULL AND c.external_id {plain} < %s)"
        tied = [customer.external_id]
    joined = by_margin or group is not None
    join = "JOIN tiers_assessment a ON a.customer_id = c.id" if joined else ""
    narrowed = "" if group is None else "AND a.ranked_in = %s"
    statement = f"""
        WITH others AS (
            SELECT c.id, c.external_id, {cents} AS cents,
                CASE WHEN {loses} THEN 1 ELSE 0 END AS behind
            FROM customers_customer c {join}
            WHERE {amount} > 0 AND c.id <> %s {narrowed}
        ), placed AS (
            SELECT ROW_NUMBER() OVER line AS place, cents, behind,
                SUM(cents) OVER line AS running, SUM(cents) OVER () AS total,
                LEAD(cents + behind) OVER line AS floor
            FROM others
            WINDOW line AS (ORDER BY cents DESC, external_id {plain} NULLS LAST, id
                ROWS UNBOUNDED PRECEDING)
        ), deepest AS (
            {" UNION ALL ".join([_DEEPEST] * len(shares))}
        )
        SELECT deepest.tier, running, total, COALESCE(floor, 1)
        FROM placed JOIN deepest ON deepest.place = placed.place
        UNION ALL SELECT 'first', 0, total, cents + behind FROM placed WHERE place = 1
    """  # noqa: S608  # made of this module's own pieces; values are parameters
    values: list[Any] = [*tied, customer.pk, *([] if group is None else [group])]
    for tier, share in shares.items():
        values += [tier, int(share * 10000)]
    return statement, values


_DEEPEST = """
    SELECT CAST(%s AS CHAR(1)) AS tier, MAX(place) AS place FROM placed
    WHERE running * 10000 < %s * (total + cents - 1 + behind)
"""
