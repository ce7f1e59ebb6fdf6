"""What a run writes, and to nobody but those whom it differs for (P12).

`tier_ranking` holds what the orders say; `tier_kept` the customers whose tier something else
decides too: an override, or a downgrade that waits for further runs.
"""

# Statements are made of this package's own pieces; values are parameters:
# ruff: noqa: S608

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db import connection

from tiers.models.policies import Measure, RankedWithin, TierPolicy
from tiers.sql.dialect import dialect, in_order
from tiers.sql.ranking import KEY, POTENTIAL

#: The tier that is stored in the end.
TIER = "CASE WHEN k.id IS NULL THEN r.tier ELSE k.tier END"
#: What the computation gives, overrides left aside.
COMPUTED = "CASE WHEN k.id IS NULL THEN r.tier ELSE k.computed END"


def _moment(at: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(at)


def _day(day: date) -> Any:
    return connection.ops.adapt_datefield_value(day)


def keep(*, downgrade_runs: int, as_of: date, today: date) -> tuple[str, list[Any]]:
    """The customers with an override in force today, or a downgrade that is not proposed for the
    first time or has to wait, in a new table.

    A run counts for a downgrade where its day is later than that of the last one that counted.
    """
    waits = downgrade_runs > 1
    statement = f"""
        CREATE TEMPORARY TABLE tier_kept AS
        SELECT id, override_id,
            CASE WHEN override_id IS NULL AND runs > 1 THEN runs ELSE 1 END AS after_runs,
            CASE WHEN override_id IS NOT NULL THEN override_tier ELSE computed END AS tier,
            computed,
            CASE WHEN holds = 1 THEN proposed END AS held_tier,
            CASE WHEN holds = 1 THEN runs ELSE 0 END AS held_runs,
            CASE WHEN holds = 1 THEN since END AS held_since,
            CASE WHEN holds = 1 THEN counted_on END AS held_on
        FROM (
            SELECT counted.*, CASE WHEN runs > 0 AND runs < %s THEN 1 ELSE 0 END AS holds,
                CASE WHEN runs > 0 AND runs < %s THEN before ELSE proposed END AS computed
            FROM (
                SELECT standing.*,
                    CASE WHEN COALESCE(proposed, 'D') <= COALESCE(before, 'D') THEN 0
                        WHEN held_runs = 0 THEN 1
                        WHEN held_on < %s THEN held_runs + 1 ELSE held_runs END AS runs,
                    CASE WHEN held_runs = 0 THEN %s ELSE held_since END AS since,
                    CASE WHEN held_runs = 0 OR held_on < %s THEN %s ELSE held_on END AS counted_on
                FROM (
                    SELECT r.id, r.tier AS proposed, o.id AS override_id, o.tier AS override_tier,
                        CASE WHEN a.override_id IS NULL THEN c.abc ELSE a.computed_tier
                        END AS before,
                        COALESCE(a.held_runs, 0) AS held_runs, a.held_since, a.held_on
                    FROM tier_ranking r
                    JOIN customers_customer c ON c.id = r.id
                    LEFT JOIN tiers_assessment a ON a.customer_id = r.id
                    {"LEFT" if waits else ""} JOIN tiers_tieroverride o ON o.customer_id = r.id
                        AND o.ended_at IS NULL AND o.first_on <= %s AND o.until >= %s
                ) standing
            ) counted
        ) settled
        WHERE override_id IS NOT NULL OR holds = 1 OR runs > 1
    """
    day = _day(as_of)
    if connection.vendor == "postgresql":  # a parameter in a new table needs a type there
        statement = statement.replace("THEN %s ELSE held_", "THEN %s::date ELSE held_")
    return statement, [
        *(downgrade_runs, downgrade_runs, day, day, day, day, _day(today), _day(today))
    ]


#: By the stored tier: customers, what they are ranked by, loyalty classes, key accounts proposed,
#: orders without margin, downgrades held, overrides.
COUNT = f"""
    SELECT {TIER} AS stored, COUNT(*), SUM(CASE WHEN r.value > 0 THEN r.value ELSE 0 END),
        SUM(CASE WHEN loyalty = 'loyal' THEN 1 ELSE 0 END),
        SUM(CASE WHEN loyalty = 'switcher' THEN 1 ELSE 0 END),
        SUM(CASE WHEN loyalty = 'none' THEN 1 ELSE 0 END),
        SUM(proposed), SUM(unpriced),
        SUM(CASE WHEN k.held_runs > 0 THEN 1 ELSE 0 END), COUNT(k.override_id)
    FROM tier_ranking r LEFT JOIN tier_kept k ON k.id = r.id GROUP BY 1
"""


def _places_before(policy: TierPolicy) -> str:
    """The places by the facts that are stored so far: id, group and place.

    On most days few move, on many nobody: then nobody is ranked here.
    """
    any_moved = "EXISTS (SELECT 1 FROM moved)"
    if policy.measure == Measure.AMOUNT and policy.ranked_within == RankedWithin.COMPANY:
        return f"""
            SELECT id, '' AS grp, ROW_NUMBER() OVER ({in_order("net_amount")}) AS place
            FROM customers_customer WHERE net_amount > 0 AND {any_moved}
        """
    value = "a.margin" if policy.measure == Measure.MARGIN else "c.net_amount"
    return f"""
        SELECT c.id, a.ranked_in AS grp,
            ROW_NUMBER() OVER (PARTITION BY a.ranked_in {in_order(value, "c.")}) AS place
        FROM customers_customer c JOIN tiers_assessment a ON a.customer_id = c.id
        WHERE {value} > 0 AND {any_moved}
    """


def keep_changes(*, policy: TierPolicy, run_id: int, now: datetime) -> tuple[str, list[Any]]:
    """One history row for each customer whose stored tier becomes another.

    It begins with INSERT: of a statement that does not, SQLite counts no rows.
    """
    d = dialect()
    before = d.share.format(before="(m.running - m.value)", total="m.total")
    together = d.share.format(before="m.running", total="m.total")
    statement = f"""
        INSERT INTO tiers_tierchange (run_id, changed_at, customer_id, recorded_for, cause,
            override_id, from_tier, to_tier, net_amount, net_before, measured, ranked_in, rank,
            rank_before, ranked, share_before, share, after_runs)
        WITH moved AS MATERIALIZED (
            SELECT r.id, r.grp, r.net, r.value, r.place, r.ranked, r.running, r.total,
                c.abc AS from_tier, {TIER} AS to_tier, c.net_amount AS net_before,
                CASE WHEN k.override_id IS NOT NULL THEN 'override'
                    WHEN a.override_id IS NOT NULL THEN 'override_expired' ELSE 'run' END AS cause,
                COALESCE(k.override_id, a.override_id) AS override_id,
                COALESCE(k.after_runs, 1) AS after_runs
            FROM tier_ranking r
            JOIN customers_customer c ON c.id = r.id
            LEFT JOIN tier_kept k ON k.id = r.id
            LEFT JOIN tiers_assessment a ON a.customer_id = r.id
            WHERE c.abc {d.differs} {TIER}
        )
        SELECT %s, %s, m.id, m.id, cause, override_id, from_tier, to_tier,
            {d.money.format("m.net")}, net_before, {d.money.format("m.value")}, m.grp, m.place,
            before.place, m.ranked, {before}, {together}, after_runs
        FROM moved m
        LEFT JOIN ({_places_before(policy)}) before ON before.id = m.id AND before.grp = m.grp
        ORDER BY m.place NULLS LAST, m.id
    """
    return statement, [run_id, _moment(now)]


def write_customers(*, now: datetime) -> tuple[str, list[Any]]:
    """The new tiers, classes and facts, onto the customers that differ and no others.

    The facts alone are nobody's edit: only a new tier or class makes the record a newer version.
    """
    d = dialect()
    moved = f"(c.abc {d.differs} {TIER} OR c.loyalty {d.differs} r.loyalty)"
    stored = d.unit.format("c.net_amount")
    statement = f"""
        UPDATE customers_customer AS c
        SET abc = {TIER}, loyalty = r.loyalty, net_amount = {d.money.format("r.net")},
            order_count = r.orders, last_ordered_on = r.last_on,
            version = c.version + CASE WHEN {moved} THEN 1 ELSE 0 END,
            updated_at = CASE WHEN {moved} THEN %s ELSE c.updated_at END
        FROM tier_ranking r LEFT JOIN tier_kept k ON k.id = r.id
        WHERE r.id = c.id AND ({moved} OR {stored} {d.differs} r.net
            OR c.order_count <> r.orders OR c.last_ordered_on {d.differs} r.last_on)
    """
    return statement, [_moment(now)]


#: The wallet share as it is stored, from ten-thousandths.
WALLET = "(r.wallet / 10000.0)"
#: Columns of an assessment, and where they come from.
FOUND = {
    "computed_tier": COMPUTED,
    "override_id": "k.override_id",
    "held_tier": "k.held_tier",
    "held_runs": "COALESCE(k.held_runs, 0)",
    "held_since": "k.held_since",
    "held_on": "k.held_on",
    "months_bought": "r.months",
    "early_launches": "r.launches",
    "sightings": "r.sightings",
    "ranked_in": "r.grp",
    "key_score": "r.key_score",
    **{name: f"r.{name}" for name in KEY.values()},
    "potential": "r.potential",
    **{name: f"r.{name}" for name in POTENTIAL.values()},
}


def change_assessments(*, as_of: date) -> tuple[str, list[Any]]:
    """What was found, onto the rows that say something else."""
    d = dialect()
    columns = ", ".join(f"{name} = {value}" for name, value in FOUND.items())
    stored = ", ".join(f"a.{name}" for name in FOUND)
    statement = f"""
        UPDATE tiers_assessment AS a
        SET as_of = %s, {columns}, wallet_share = {WALLET}, margin = {d.money.format("r.margin")}
        FROM tier_ranking r LEFT JOIN tier_kept k ON k.id = r.id
        WHERE r.id = a.customer_id AND (({stored}) {d.differs} ({", ".join(FOUND.values())})
            OR a.wallet_share {d.differs} {WALLET}
            OR {d.unit.format("a.margin")} {d.differs} r.margin)
    """
    return statement, [_day(as_of)]


def add_assessments(*, as_of: date) -> tuple[str, list[Any]]:
    """Rows for customers of whom something was found for the first time."""
    d = dialect()
    statement = f"""
        INSERT INTO tiers_assessment (customer_id, as_of, {", ".join(FOUND)}, wallet_share, margin)
        SELECT r.id, %s, {", ".join(FOUND.values())}, {WALLET}, {d.money.format("r.margin")}
        FROM tier_ranking r
        LEFT JOIN tier_kept k ON k.id = r.id
        LEFT JOIN tiers_assessment a ON a.customer_id = r.id
        WHERE a.id IS NULL AND (r.months > 0 OR r.launches > 0 OR r.sightings > 0
            OR r.wallet IS NOT NULL OR r.margin IS NOT NULL OR r.potential IS NOT NULL
            OR (r.grp <> '' AND r.tier IS NOT NULL) OR k.id IS NOT NULL)
        ORDER BY r.id
    """
    return statement, [_day(as_of)]
