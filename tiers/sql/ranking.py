"""The one statement that gathers and judges all customers, into a table of its own (P8–P11).

Every share and score is worked out in whole numbers, cut and not rounded, so that both databases
find the same and a recount by hand does too. The wallet share is in ten-thousandths here.
"""

# Statements are made of this package's own pieces; values are parameters:
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.conf import settings

from tiers.models.policies import (
    KeyCriterion,
    Measure,
    PotentialCriterion,
    RankedWithin,
    TierPolicy,
)
from tiers.sql import gathering
from tiers.sql.dialect import dialect, in_order
from tiers.sql.gathering import Part, Window

#: The group of a customer: those without a division are one of their own.
GROUPS = {
    RankedWithin.KIND: "c.kind",
    RankedWithin.PROVINCE: "CASE WHEN c.division = '' THEN '-' ELSE SUBSTR(c.division, 1, 2) END",
    RankedWithin.PREFECTURE: "CASE WHEN c.division = '' THEN '-' ELSE SUBSTR(c.division, 1, 4) END",
}
#: The parts of the scores that people rate, out of ten.
RATED = {
    KeyCriterion.SERVICE_LEVEL: "rating.service_level * 10",
    KeyCriterion.PRICE_SENSITIVITY: "(10 - rating.price_sensitivity) * 10",
    KeyCriterion.PARTNERSHIP: "rating.partnership * 10",
    PotentialCriterion.URGENCY: "rating.urgency * 10",
    PotentialCriterion.QUALITY: "rating.quality * 10",
}
NO_NUMBER = "CAST(NULL AS integer)"
KEY = {one: f"key_{one.value}" for one in KeyCriterion}
POTENTIAL = {one: f"potential_{one.value}" for one in PotentialCriterion}


@dataclass(slots=True)
class Statement:
    """Pieces of SQL in the order in which they are written, with their parameters."""

    text: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def add(self, text: str, values: Sequence[Any] = ()) -> None:
        self.text.append(text)
        self.values.extend(values)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the policy asks for beside the ABC; what nobody asks for is not worked out."""

    keys: bool
    potential: bool
    loyalty: bool
    margin: bool

    @classmethod
    def of(cls, policy: TierPolicy, *, costs: bool) -> Wanted:
        """`costs`: whether any product has a cost, without which there is no margin at all."""
        keys = policy.scores_keys
        weighs_margin = keys and policy.key_weights.get(KeyCriterion.MARGIN.value, 0) > 0
        return cls(
            keys=keys,
            potential=policy.scores_potential,
            loyalty=policy.loyal_months is not None,
            margin=policy.measure == Measure.MARGIN or (weighs_margin and costs),
        )

    @property
    def months(self) -> bool:
        return self.keys or self.loyalty

    @property
    def wallet(self) -> bool:
        return self.keys or self.loyalty or self.potential


def rank(
    *, policy: TierPolicy, window: Window, costs: bool, sightings: Sequence[Part] = ()
) -> tuple[str, list[Any]]:
    """Every customer's facts, rank, tier, loyalty and scores by `policy`, in a new table.

    A customer whose amount (or margin) is not above zero has no place, tier or `running`, the sum
    along the ranking up to it; `total` is that of its group.
    `sightings` are statements that give customers and how often competitors were seen there.
    """
    wanted = Wanted.of(policy, costs=costs)
    seen = gathering.seen(sightings) if wanted.loyalty else None
    parts: list[Part] = [gathering.bought(window, months=wanted.months)]
    if wanted.margin:
        parts.append(gathering.earned(window))
    if wanted.loyalty:
        parts.append(gathering.launched(window, policy.launch_days))
    if seen is not None:
        parts.append(seen)
    parts += [
        _known(policy, wanted, seen=seen is not None),
        _placed(policy, wanted),
        _judged(policy, wanted, seen=seen is not None),
        _rated(policy, wanted),
    ]
    whole = Statement()
    whole.add("CREATE TEMPORARY TABLE tier_ranking AS WITH")
    for number, (text, values) in enumerate(parts):
        whole.add(f"{',' if number else ''} {text}", values)
    text, values = _scored(policy, wanted)
    whole.add(text, values)
    return "\n".join(whole.text), whole.values


def _known(policy: TierPolicy, wanted: Wanted, *, seen: bool) -> Part:
    """Every customer with its facts; `value` is what it is ranked by, within `grp`."""
    d = dialect()
    value = "COALESCE(margin, 0)" if policy.measure == Measure.MARGIN else "COALESCE(net, 0)"
    wallet, files = NO_NUMBER, ""
    if wanted.wallet:
        net, months = "COALESCE(net, 0)", policy.window_months
        base = d.unit.format("profile.yearly_purchase")
        wallet = f"""CASE
            WHEN profile.yearly_purchase > 0 THEN CASE
                WHEN {net} <= 0 THEN 0 WHEN {net} * 12 >= {base} * {months} THEN 10000
                ELSE {d.whole.format(f"{net} * 120000", f"{base} * {months}")}
            END END"""
        files = """
            LEFT JOIN customers_profile profile ON profile.customer_id = c.id"""
    earned = "earned.margin" if wanted.margin else "CAST(NULL AS numeric)"
    unpriced = NO_NUMBER
    joins = "LEFT JOIN bought ON bought.customer_id = c.id"
    if wanted.margin:
        joins += " LEFT JOIN earned ON earned.customer_id = c.id"
        unpriced = "COALESCE(bought.papers, 0) - COALESCE(earned.papers, 0)"
    if wanted.loyalty:
        joins += " LEFT JOIN launched ON launched.customer_id = c.id"
    if seen:
        joins += " LEFT JOIN seen ON seen.customer_id = c.id"
    return (
        f"""known AS (
            SELECT facts.*, {value} AS value FROM (
                SELECT c.id, c.external_id, c.key_account,
                    {GROUPS.get(RankedWithin(policy.ranked_within), "''")} AS grp,
                    COALESCE(net, 0) AS net, COALESCE(orders, 0) AS orders, last_at,
                    COALESCE(months, 0) AS months, {earned} AS margin, {unpriced} AS unpriced,
                    {"COALESCE(launches, 0)" if wanted.loyalty else "0"} AS launches,
                    {"COALESCE(sightings, 0)" if seen else NO_NUMBER} AS sightings,
                    {wallet} AS wallet
                FROM customers_customer c {joins} {files}
            ) facts
        )""",
        [],
    )


def _placed(policy: TierPolicy, wanted: Wanted) -> Part:
    """Places and sums along the ranking, and along the other rankings that scores need."""
    grouped = RankedWithin(policy.ranked_within) in GROUPS
    group = "PARTITION BY grp" if grouped else ""
    by_amount = policy.measure == Measure.AMOUNT and not grouped
    by_margin = policy.measure == Measure.MARGIN and not grouped
    volume = earned = ""
    if wanted.keys and not by_amount:
        volume = f"""
            ROW_NUMBER() OVER ({in_order("net")}) AS volume_place,
            COUNT(CASE WHEN net > 0 THEN 1 END) OVER () AS volumes,"""
    elif wanted.keys:
        volume = "ROW_NUMBER() OVER line AS volume_place, COUNT(CASE WHEN value > 0 THEN 1 END)"
        volume += " OVER whole AS volumes,"
    if wanted.keys and wanted.margin and not by_margin:
        earned = f"""
            ROW_NUMBER() OVER ({in_order("COALESCE(margin, 0)")}) AS margin_place,
            COUNT(CASE WHEN margin > 0 THEN 1 END) OVER () AS margins,"""
    elif wanted.keys and wanted.margin:
        earned = "ROW_NUMBER() OVER line AS margin_place, COUNT(CASE WHEN value > 0 THEN 1 END)"
        earned += " OVER whole AS margins,"
    return (
        f"""placed AS (
            SELECT known.*, {volume} {earned}
                ROW_NUMBER() OVER line AS place,
                SUM(CASE WHEN value > 0 THEN value END) OVER line AS running,
                SUM(CASE WHEN value > 0 THEN value END) OVER whole AS total,
                COUNT(CASE WHEN value > 0 THEN 1 END) OVER whole AS ranked
            FROM known
            WINDOW line AS ({group} {in_order("value")} ROWS UNBOUNDED PRECEDING),
                whole AS ({group})
        )""",
        [],
    )


def _judged(policy: TierPolicy, wanted: Wanted, *, seen: bool) -> Part:
    """Tier and loyalty class (P8, P9)."""
    d = dialect()
    below = d.below.format(before="(running - value)", total="total")
    values: list[Any] = [settings.TIME_ZONE]
    shares = (Decimal(policy.a_share), Decimal(policy.b_share))
    values += [int(share * 10000) for share in shares for _again in range(d.below_takes)]
    loyalty = "CAST(NULL AS varchar)"
    if wanted.loyalty:
        unseen = f"AND sightings <= {int(policy.most_sightings)}" if seen else ""
        wallet = int(Decimal(policy.loyal_wallet_share) * 10000)
        loyalty = f"""CASE
                WHEN months = 0 THEN NULL
                WHEN (launches >= {int(policy.early_launches)}
                    OR months >= {int(policy.loyal_months or 0)}
                    AND (wallet IS NULL OR wallet >= {wallet})) {unseen} THEN 'loyal'
                WHEN months >= {int(policy.switcher_months)} THEN 'switcher'
                ELSE 'none' END"""
    return (
        f"""judged AS (
            SELECT placed.*, {d.day.format("last_at")} AS last_on,
                CASE WHEN value > 0 THEN
                    CASE WHEN {below} THEN 'A' WHEN {below} THEN 'B' ELSE 'C' END
                END AS tier,
                {loyalty} AS loyalty
            FROM placed
        )""",
        values,
    )


def _rated(policy: TierPolicy, wanted: Wanted) -> Part:
    """The parts of the scores, 0–100 each, empty where unknown (P10, P11)."""
    months = policy.window_months
    parts = {
        KeyCriterion.VOLUME: _percentile("net", "volume_place", "volumes"),
        KeyCriterion.FREQUENCY: (
            f"CASE WHEN months >= {months} THEN 100 ELSE months * 100 / {months} END"
        ),
        KeyCriterion.MARGIN: _percentile("margin", "margin_place", "margins"),
        KeyCriterion.CONCENTRATION: "wallet / 100",
        KeyCriterion.LOYALTY: (
            "CASE loyalty WHEN 'loyal' THEN 100 WHEN 'switcher' THEN 50 WHEN 'none' THEN 0 END"
        ),
        PotentialCriterion.WALLET_OPEN: "(10000 - wallet) / 100",
        **RATED,
    }
    columns = []
    for key, name in KEY.items():
        known = wanted.keys and (wanted.margin or key != KeyCriterion.MARGIN)
        text = f"CASE WHEN months > 0 THEN {parts[key]} END" if known else NO_NUMBER
        columns.append(f"{text} AS {name}")
    for promise, name in POTENTIAL.items():
        text = parts[promise] if wanted.potential else NO_NUMBER
        columns.append(f"{text} AS {name}")
    ratings = ""
    if wanted.keys or wanted.potential:
        ratings = "LEFT JOIN tiers_rating rating ON rating.customer_id = judged.id"
    return f"rated AS (SELECT judged.*, {', '.join(columns)} FROM judged {ratings})", []


def _percentile(amount: str, place: str, ranked: str) -> str:
    """Of a hundred customers with something, how many it stands level with or ahead of."""
    return f"""CASE WHEN {amount} > 0 THEN ({ranked} - {place} + 1) * 100 / {ranked}
            WHEN {amount} IS NOT NULL THEN 0 END"""


def _scored(policy: TierPolicy, wanted: Wanted) -> Part:
    """The table: facts, places, and the weighted means of the parts that are known."""
    keys = {KEY[one]: policy.key_weights.get(one.value, 0) for one in KeyCriterion}
    promises = {
        POTENTIAL[one]: policy.potential_weights.get(one.value, 0) for one in PotentialCriterion
    }
    columns = ", ".join([*KEY.values(), *POTENTIAL.values()])
    return (
        f"""SELECT scored.*, CASE WHEN key_score >= {int(policy.key_from)} AND NOT key_account
                THEN 1 ELSE 0 END AS proposed
            FROM (
                SELECT id, key_account, grp, net, value, orders, last_on, margin, unpriced, months,
                    launches, sightings, wallet, ranked, tier, loyalty,
                    CASE WHEN value > 0 THEN running END AS running, total,
                    CASE WHEN value > 0 THEN place END AS place, {columns},
                    {_mean(keys)} AS key_score, {_mean(promises)} AS potential
                FROM rated
            ) scored""",
        [],
    )


def _mean(weights: dict[str, int]) -> str:
    """The weighted mean of the parts that are known, cut to a whole number; empty without any."""
    counting = {name: int(weight) for name, weight in weights.items() if weight}
    if not counting:
        return NO_NUMBER
    summed = " + ".join(f"COALESCE({name}, 0) * {w}" for name, w in counting.items())
    known = " + ".join(
        f"CASE WHEN {name} IS NULL THEN 0 ELSE {w} END" for name, w in counting.items()
    )
    return f"(({summed}) / NULLIF({known}, 0))"
