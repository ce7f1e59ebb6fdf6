"""Why a customer has its tier: from the numbers to a sentence in the reader's language (P12)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.lib.formats import DASH, NBSP, money
from customers.models import Customer, Tier
from tiers import sql
from tiers.models import TierChange, TierPolicy, TierRun


@dataclass(frozen=True, slots=True)
class Standing:
    """A customer among the others: shares are 0–1 of the ranked net amount, None if unranked.

    `before` is the share of those ahead, `share` the same with the customer itself.
    """

    net: Decimal
    rank: int | None
    ranked: int
    before: Decimal | None
    share: Decimal | None


@dataclass(frozen=True, slots=True)
class Lines:
    """What the policy asks: the months that count, and the shares at which A and B end."""

    months: int
    a: Decimal
    b: Decimal

    @classmethod
    def of(cls, policy: TierPolicy) -> Lines:
        return cls(policy.window_months, policy.a_share, policy.b_share)


def cut(share: Decimal | None, lines: Lines) -> str:
    """A share as 79.9 %, cut and not rounded: what is below a line must not look as if on it."""
    if share is None:
        return DASH
    fine = any(line * 1000 % 1 for line in (lines.a, lines.b))
    places = Decimal("0.01") if fine else Decimal("0.1")
    return f"{(share * 100).quantize(places, ROUND_DOWN)}{NBSP}%"


def line(share: Decimal) -> str:
    """A line of the policy: 80 %, 82.5 %."""
    return f"{(share * 100).normalize():f}{NBSP}%"


def amount(value: Decimal) -> str:
    """1,240,000, with cents only where there are any."""
    return money(value, 2 if value % 1 else 0)


def place(standing: Standing, lines: Lines) -> str:
    """On which side of which line the customer stands, in a few words."""
    if standing.before is None:
        return _("the net amount is not above zero")
    share = cut(standing.before, lines)
    if standing.before < lines.a:
        return _("%(share)s before it, below the %(line)s line") % {
            "share": share,
            "line": line(lines.a),
        }
    if standing.before < lines.b:
        return _("%(share)s before it, from %(low)s to below %(high)s") % {
            "share": share,
            "low": line(lines.a),
            "high": line(lines.b),
        }
    return _("%(share)s before it, not below the %(line)s line") % {
        "share": share,
        "line": line(lines.b),
    }


def sentence(standing: Standing, lines: Lines) -> str:
    """The whole reason: net amount, rank, cumulative share, and the line that decides."""
    facts = {"net": amount(standing.net), "place": place(standing, lines), "months": lines.months}
    if standing.rank is None:
        return (
            ngettext(
                "%(months)d-month net %(net)s: %(place)s",
                "%(months)d-month net %(net)s: %(place)s",
                lines.months,
            )
            % facts
        )
    return ngettext(
        "%(months)d-month net %(net)s; rank %(rank)s of %(ranked)s; cumulative share %(share)s;"
        " %(place)s",
        "%(months)d-month net %(net)s; rank %(rank)s of %(ranked)s; cumulative share %(share)s;"
        " %(place)s",
        lines.months,
    ) % {
        **facts,
        "rank": f"{standing.rank:,}",
        "ranked": f"{standing.ranked:,}",
        "share": cut(standing.share, lines),
    }


def of_change(change: TierChange) -> Standing:
    """The standing that a change was decided by; its run comes with it."""
    share = None
    if change.share_before is not None and change.run.ranked_amount:
        share = change.share_before + change.net_amount / change.run.ranked_amount
    return Standing(change.net_amount, change.rank, change.ranked, change.share_before, share)


def why(change: TierChange) -> str:
    """The reason of a change in a few words, for a table that shows the numbers beside it."""
    return place(of_change(change), Lines.of(change.run.policy))


def explain(change: TierChange) -> str:
    """The reason of a change with all its numbers."""
    return sentence(of_change(change), Lines.of(change.run.policy))


def standings(ids: Iterable[int]) -> dict[int, Standing]:
    """Where these customers stand now, by the facts of the last run: one statement for all.

    Unranked ones, and those that no run has seen, are left out.
    """
    wanted = list(ids)
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(*sql.standings(wanted))
        return {
            pk: Standing(
                Decimal(net) / sql.dialect().per_one,
                rank,
                ranked,
                Decimal(str(before)),
                Decimal(str(share)),
            )
            for pk, net, rank, ranked, before, share in cursor.fetchall()
        }


def explain_many(customers: Iterable[Customer]) -> dict[int, dict[str, Any]]:
    """For each customer that a run has seen: `reason` in words, and `as_of`, the run's day."""
    seen = [customer for customer in customers if customer.net_amount is not None]
    last = TierRun.objects.decisive().select_related("policy").first() if seen else None
    if last is None:
        return {}
    lines = Lines.of(last.policy)
    found = standings(customer.pk for customer in seen if customer.abc)
    return {
        customer.pk: {
            "reason": sentence(found.get(customer.pk) or unranked(customer), lines),
            "as_of": last.as_of,
        }
        for customer in seen
    }


def unranked(customer: Customer) -> Standing:
    return Standing(customer.net_amount or Decimal(0), None, 0, None, None)


def title(change: TierChange) -> str:
    """What happened, in a line: rose from B to A, no longer ranked, first tier."""
    names = {"from": change.from_tier, "to": change.to_tier}
    if change.to_tier is None:
        return _("Tier %(from)s ended: unranked now") % names
    if change.from_tier is None:
        if change.net_before is None:
            return _("First tier: %(to)s") % names
        return _("Ranked again: tier %(to)s") % names
    if Tier.values.index(change.to_tier) < Tier.values.index(change.from_tier):
        return _("Tier rose from %(from)s to %(to)s") % names
    return _("Tier fell from %(from)s to %(to)s") % names


def per_cent(share: Decimal | float) -> Decimal:
    """A share of 0–1 as a number of per cent with four places, for a spreadsheet."""
    return (Decimal(str(share)) * 100).quantize(Decimal("0.0001"), ROUND_DOWN)
