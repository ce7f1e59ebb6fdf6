"""The history of loyalty classes and key-account scores in words, from the numbers (P9, P10)."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tiers.models import ClassChange, TierPolicy
from tiers.reasons import line


def title(change: ClassChange) -> str:
    """What happened, in a line: loyal became switcher, the score came over the line."""
    return " · ".join(
        part
        for part in (
            _class_title(change) if change.reclassed else "",
            _score_title(change) if change.crossed else "",
        )
        if part
    )


def _class_title(change: ClassChange) -> str:
    names = {
        "before": change.get_from_loyalty_display(),
        "now": change.get_to_loyalty_display(),
    }
    if change.from_loyalty is None:
        return _("Loyalty class: %(now)s") % names
    if change.to_loyalty is None:
        return _("No loyalty class any more, before: %(before)s") % names
    return _("Loyalty class: %(before)s → %(now)s") % names


def _score_title(change: ClassChange) -> str:
    if change.is_over:
        return _("Key-account score over the line")
    return _("Key-account score under the line")


def explain(change: ClassChange) -> str:
    """The numbers behind it, beside what the policy of the run asks; the run comes with it."""
    policy = change.run.policy
    parts = _facts(change, policy) if change.reclassed else []
    if change.crossed:
        parts += _score(change)
    return "; ".join(parts)


def _facts(change: ClassChange, policy: TierPolicy) -> list[str]:
    """Why the class is what it is: months, wallet share, early purchases, competitors seen."""
    if policy.loyal_months is None:
        return [_("the policy classes nobody")]
    found = [_months(change, policy, policy.loyal_months)]
    if change.wallet_share is not None:
        share = {"share": line(change.wallet_share), "least": line(policy.loyal_wallet_share)}
        if change.wallet_share < policy.loyal_wallet_share:
            found.append(_("wallet share %(share)s, %(least)s needed") % share)
        else:
            found.append(_("wallet share %(share)s") % share)
    if change.early_launches:
        found.append(
            ngettext(
                "%(n)d new product bought early, %(needed)d are enough alone",
                "%(n)d new products bought early, %(needed)d are enough alone",
                change.early_launches,
            )
            % {"n": change.early_launches, "needed": policy.early_launches}
        )
    if change.sightings:
        found.append(
            ngettext(
                "competitors seen %(n)d time, at most %(most)d",
                "competitors seen %(n)d times, at most %(most)d",
                change.sightings,
            )
            % {"n": change.sightings, "most": policy.most_sightings}
        )
    return found


def _months(change: ClassChange, policy: TierPolicy, needed: int) -> str:
    facts = {"n": change.months_bought, "all": policy.window_months, "needed": needed}
    if change.months_bought >= needed:
        return (
            ngettext(
                "bought in %(n)d of %(all)d month",
                "bought in %(n)d of %(all)d months",
                policy.window_months,
            )
            % facts
        )
    return (
        ngettext(
            "bought in %(n)d of %(all)d month, %(needed)d needed",
            "bought in %(n)d of %(all)d months, %(needed)d needed",
            policy.window_months,
        )
        % facts
    )


def _score(change: ClassChange) -> list[str]:
    """The score and the line, each with what it was before."""
    now = _("not scored") if change.score is None else str(change.score)
    if change.score_before is None:
        score = _("key-account score %(now)s") % {"now": now}
    else:
        score = _("key-account score %(before)s → %(now)s") % {
            "before": change.score_before,
            "now": now,
        }
    if change.line_before is None or change.line_before == change.line:
        return [score, _("proposed from %(line)d") % {"line": change.line}]
    return [
        score,
        _("proposed from %(line)d, before from %(before)d")
        % {"line": change.line, "before": change.line_before},
    ]
