"""What is read off the stored facts after a run: places, shares and sums."""

# Statements are made of this package's own pieces; values are parameters:
# ruff: noqa: S608

from __future__ import annotations

from typing import Any

from tiers.models.policies import Measure, RankedWithin, TierPolicy
from tiers.sql.dialect import dialect, in_order


def standings(ids: list[int], policy: TierPolicy) -> tuple[str, list[Any]]:
    """Id, group, amount, rank, number ranked, share before and share with it, by what is stored.

    Ranks are those of the whole group that `policy` ranks in, whoever asks.
    """
    d = dialect()
    marks = ", ".join(["%s"] * len(ids))
    statement = f"""
        SELECT id, grp, value, place, ranked,
            {d.share.format(before="(running - value)", total="total")},
            {d.share.format(before="running", total="total")}
        FROM ({lineup(policy)}) placed WHERE id IN ({marks})
    """
    return statement, ids


def lineup(policy: TierPolicy) -> str:
    """Every ranked customer with its place, by the stored facts."""
    by_margin = policy.measure == Measure.MARGIN
    grouped = policy.ranked_within != RankedWithin.COMPANY
    value = "a.margin" if by_margin else "c.net_amount"
    unit = dialect().unit.format(value)
    found = "JOIN tiers_assessment a ON a.customer_id = c.id" if by_margin or grouped else ""
    group = "PARTITION BY a.ranked_in" if grouped else ""
    return f"""
        SELECT c.id, {"a.ranked_in" if grouped else "''"} AS grp, {unit} AS value,
            ROW_NUMBER() OVER line AS place, COUNT(*) OVER whole AS ranked,
            SUM({unit}) OVER line AS running, SUM({unit}) OVER whole AS total
        FROM customers_customer c {found} WHERE {value} > 0
        WINDOW line AS ({group} {in_order(value, "c.")} ROWS UNBOUNDED PRECEDING),
            whole AS ({group})
    """


def table(scope: str, policy: TierPolicy) -> str:
    """The ranked customers among `scope` (a statement that gives ids), by group and rank.

    Columns: group, rank, number, name, owner, tier, amount, share, share with all before it.
    """
    d = dialect()
    return f"""
        SELECT placed.grp, placed.place, c.external_id, c.name, u.name, c.abc, placed.value,
            {d.share.format(before="placed.value", total="placed.total")},
            {d.share.format(before="placed.running", total="placed.total")}
        FROM ({lineup(policy)}) placed
        JOIN customers_customer c ON c.id = placed.id
        LEFT JOIN accounts_user u ON u.id = c.owner_id
        WHERE placed.id IN ({scope})
        ORDER BY placed.grp, placed.place
    """


def tally(standing: str) -> str:
    """Customers, those with a net amount above zero, and their sum, by tier.

    `standing` is a statement that gives id, external_id, tier and amount.
    """
    unit = dialect().unit.format("amount")
    return f"""
        SELECT tier, COUNT(*), SUM(CASE WHEN amount > 0 THEN 1 ELSE 0 END),
            SUM(CASE WHEN amount > 0 THEN {unit} ELSE 0 END)
        FROM ({standing}) standing GROUP BY tier
    """


def running(standing: str, places: list[int]) -> str:
    """What the first 1, 2, … customers of `standing` bought together, at the given places."""
    unit = dialect().unit.format("amount")
    return f"""
        SELECT place, running FROM (
            SELECT ROW_NUMBER() OVER line AS place, SUM({unit}) OVER line AS running
            FROM ({standing}) standing WHERE amount > 0
            WINDOW line AS ({in_order("amount")} ROWS UNBOUNDED PRECEDING)
        ) placed WHERE place IN ({", ".join(map(str, places))}) ORDER BY place
    """
