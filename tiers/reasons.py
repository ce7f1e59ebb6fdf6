"""Why a customer has its tier: from the numbers to a sentence in the reader's language (P12)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_DOWN, Decimal
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from crm.lib.formats import DASH, NBSP, money
from customers import divisions
from customers.models import Customer, Kind, Tier
from tiers import sql
from tiers.models import (
    Assessment,
    Cause,
    Measure,
    RankedWithin,
    TierChange,
    TierOverride,
    TierPolicy,
    TierRun,
)


@dataclass(frozen=True, slots=True)
class Standing:
    """A customer among the others: shares are 0–1 of the ranked amount, None if unranked.

    `net` is what it is ranked by, the margin where the policy says so. `before` is the share of
    those ahead, `share` the same with the customer itself; `group` is whom it is ranked among, as
    in TierChange.
    """

    net: Decimal
    rank: int | None
    ranked: int
    before: Decimal | None
    share: Decimal | None
    group: str = ""


@dataclass(frozen=True, slots=True)
class Lines:
    """What the policy asks: the months that count, the shares at which A and B end, the measure."""

    months: int
    a: Decimal
    b: Decimal
    measure: str = Measure.AMOUNT
    within: str = RankedWithin.COMPANY

    @classmethod
    def of(cls, policy: TierPolicy) -> Lines:
        return cls(
            policy.window_months,
            policy.a_share,
            policy.b_share,
            policy.measure,
            policy.ranked_within,
        )


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
        if lines.measure == Measure.MARGIN:
            return _("the margin is not above zero")
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


def measured(standing: Standing, lines: Lines) -> str:
    """What the customer is ranked by: 12-month net 1,240,000."""
    facts = {"months": lines.months, "amount": amount(standing.net)}
    if lines.measure == Measure.MARGIN:
        return (
            ngettext(
                "%(months)d-month margin %(amount)s",
                "%(months)d-month margin %(amount)s",
                lines.months,
            )
            % facts
        )
    return (
        ngettext("%(months)d-month net %(amount)s", "%(months)d-month net %(amount)s", lines.months)
        % facts
    )


def ranked(standing: Standing, lines: Lines) -> str:
    """Its place, and among whom: rank 14 of 2,357 in 浙江省."""
    facts = {"rank": f"{standing.rank:,}", "ranked": f"{standing.ranked:,}"}
    if not standing.group:
        return _("rank %(rank)s of %(ranked)s") % facts
    return _("rank %(rank)s of %(ranked)s in “%(group)s”") % {
        **facts,
        "group": group_name(standing.group, lines.within),
    }


def group_name(group: str, within: str) -> str:
    """The group of a ranking as people call it: 浙江省, Dealer."""
    if within == RankedWithin.KIND:
        return str(dict(Kind.choices).get(group, group))
    if group == "-":
        return _("without an area")
    return divisions.all_names().get(group, group)


def sentence(standing: Standing, lines: Lines) -> str:
    """The whole reason: net amount, rank, cumulative share, and the line that decides."""
    facts = {"measured": measured(standing, lines), "place": place(standing, lines)}
    if standing.rank is None:
        return _("%(measured)s: %(place)s") % facts
    return _("%(measured)s; %(ranked)s; cumulative share %(share)s; %(place)s") % {
        **facts,
        "ranked": ranked(standing, lines),
        "share": cut(standing.share, lines),
    }


def of_change(change: TierChange) -> Standing:
    """The standing that a change was decided by."""
    value = change.net_amount if change.measured is None else change.measured
    return Standing(
        value, change.rank, change.ranked, change.share_before, change.share, change.ranked_in
    )


def why(change: TierChange) -> str:
    """The reason of a change in a few words, for a table that shows the numbers beside it."""
    if change.cause == Cause.RUN and change.run is not None:
        return _after(change, place(of_change(change), Lines.of(change.run.policy)))
    return said(change)


def explain(change: TierChange) -> str:
    """The reason of a change with all its numbers, and with what people said.

    Its run and the people come with it (`with_words`).
    """
    if change.run is None:
        return said(change)
    numbers = sentence(of_change(change), Lines.of(change.run.policy))
    if change.cause == Cause.RUN:
        return _after(change, numbers)
    if change.cause == Cause.OVERRIDE:
        return _("%(said)s; the orders: %(numbers)s") % {"said": said(change), "numbers": numbers}
    return _("%(said)s; now %(numbers)s") % {"said": said(change), "numbers": numbers}


def _after(change: TierChange, reason: str) -> str:
    """The reason, and how long a downgrade had to wait for it."""
    if change.after_runs < 2:
        return reason
    return ngettext(
        "%(reason)s; in %(runs)d run in a row",
        "%(reason)s; in %(runs)d runs in a row",
        change.after_runs,
    ) % {"reason": reason, "runs": change.after_runs}


def said(change: TierChange) -> str:
    """What people did about a tier: who set it until when and why, or what came of that.

    It is what was said on that day, whatever has been said since.
    """
    if change.said_by is None or change.said_until is None:
        return str(change.get_cause_display())
    words = {
        "setter": change.said_by.display_name,
        "tier": change.said_tier,
        "until": change.said_until.isoformat(),
    }
    if change.cause == Cause.OVERRIDE:
        return set_words(
            change.said_by, str(change.said_tier), change.said_until, change.said_reason
        )
    if change.cause == Cause.OVERRIDE_CHANGED:
        return _changed_words(change, words)
    if change.cause == Cause.OVERRIDE_ENDED and change.by is not None:
        return _("%(who)s ended what %(setter)s had set (%(tier)s until %(until)s)") % {
            "who": change.by.display_name,
            **words,
        }
    return _("What %(setter)s had set (%(tier)s until %(until)s) is over") % words


def _changed_words(change: TierChange, words: Mapping[str, Any]) -> str:
    """Which of the last day and the reason became another, from what to what."""
    parts = []
    if change.until_before is not None:
        parts.append(
            _("last day %(before)s → %(until)s")
            % {"before": change.until_before.isoformat(), **words}
        )
    if change.reason_before:
        parts.append(
            _("reason “%(before)s” → “%(reason)s”")
            % {"before": change.reason_before, "reason": change.said_reason}
        )
    return _("%(setter)s changed what is set (%(tier)s): %(parts)s") % {
        **words,
        "parts": "; ".join(parts),
    }


def override_words(override: TierOverride) -> str:
    """Who set which tier, why, and until when, as it is now."""
    return set_words(override.by, override.tier, override.until, override.reason)


def set_words(by: User, tier: str, until: date, reason: str) -> str:
    """Who set which tier, why, and until when."""
    return _("%(who)s set %(tier)s until %(until)s: %(reason)s") % {
        "who": by.display_name,
        "tier": tier,
        "until": until.isoformat(),
        "reason": reason,
    }


def held_words(found: Assessment, policy: TierPolicy) -> str:
    """Which downgrade waits, since when, and for how many more runs; "" where none does."""
    if not found.held_runs or found.held_since is None:
        return ""
    return _("would be %(tier)s since %(since)s, %(runs)d of %(needed)d runs") % {
        "tier": found.held_tier or _("Unranked"),
        "since": found.held_since.isoformat(),
        "runs": found.held_runs,
        "needed": policy.downgrade_runs,
    }


def standings(ids: Iterable[int], policy: TierPolicy) -> dict[int, Standing]:
    """Where these customers stand now, by the facts of the last run: one statement for all.

    Unranked ones, and those that no run has seen, are left out.
    """
    wanted = list(ids)
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(*sql.standings(wanted, policy))
        return {
            pk: Standing(
                Decimal(value) / sql.dialect().per_one,
                rank,
                ranked,
                Decimal(str(before)),
                Decimal(str(share)),
                group,
            )
            for pk, group, value, rank, ranked, before, share in cursor.fetchall()
        }


def explain_many(customers: Iterable[Customer]) -> dict[int, dict[str, Any]]:
    """For each customer that has a reason: `reason` in words, `as_of`, the run's day, and `score`.

    Left out are those that neither a run has seen nor a person has given a tier.
    """
    rows = list(customers)
    last = TierRun.objects.decisive().select_related("policy").first() if rows else None
    findings = {
        found.customer_id: found
        for found in Assessment.objects.filter(
            customer__in=[customer.pk for customer in rows]
        ).select_related("override__by")
    }
    standing: dict[int, Standing] = {}
    if last is not None:
        seen = [c for c in rows if c.net_amount is not None]
        standing = standings((c.pk for c in seen if c.abc or c.net_amount), last.policy)
    explained = {}
    for customer in rows:
        found = findings.get(customer.pk)
        where = standing.get(customer.pk)
        reason = explain_one(customer, found, where, last)
        if reason:
            explained[customer.pk] = {
                "reason": reason,
                "as_of": last.as_of if last and customer.net_amount is not None else None,
                "score": found.key_score if found else None,
            }
    return explained


def explain_one(
    customer: Customer, found: Assessment | None, standing: Standing | None, last: TierRun | None
) -> str:
    """Why a customer has its tier now: what a person set, what the orders say, what waits."""
    override = found.override if found else None
    if last is None or customer.net_amount is None:
        return override_words(override) if override else ""
    numbers = sentence(standing or unranked(customer, found, last.policy), Lines.of(last.policy))
    if found and (held := held_words(found, last.policy)):
        numbers = _("%(reason)s; %(held)s") % {"reason": numbers, "held": held}
    if override is None or found is None:
        return numbers
    return _("%(said)s; the computation gives %(tier)s: %(numbers)s") % {
        "said": override_words(override),
        "tier": found.computed_tier or _("Unranked"),
        "numbers": numbers,
    }


def unranked(
    customer: Customer, found: Assessment | None = None, policy: TierPolicy | None = None
) -> Standing:
    """Where a customer stands that has no place."""
    value = customer.net_amount
    if policy is not None and policy.measure == Measure.MARGIN:
        value = found.margin if found else None
    return Standing(value or Decimal(0), None, 0, None, None)


def title(change: TierChange) -> str:
    """What happened, in a line: rose from B to A, no longer ranked, first tier."""
    names = {"from": change.from_tier, "to": change.to_tier}
    if change.cause == Cause.OVERRIDE_CHANGED:
        return _("Still set by hand: %(to)s") % names
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
