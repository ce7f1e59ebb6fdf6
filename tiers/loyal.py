"""The facts behind a loyalty class, beside what the policy asks of each (P9)."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.lib.formats import percent
from crm.lib.text import Text
from tiers.models import Assessment, TierPolicy


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact in words, what the policy asks, and whether it is met; None where nobody knows."""

    label: Text
    value: str
    asked: str
    met: bool | None


def facts(assessment: Assessment, policy: TierPolicy) -> list[Fact]:
    """Months with a purchase, wallet share, sightings of competitors, early purchases.

    Empty where the policy classes nobody.
    """
    if policy.loyal_months is None:
        return []
    months, wallet = assessment.months_bought, assessment.wallet_share
    sightings, early = assessment.sightings, assessment.early_launches
    bought = ngettext("%(n)d of %(all)d month", "%(n)d of %(all)d months", policy.window_months)
    return [
        Fact(
            _("Months with a purchase"),
            bought % {"n": months, "all": policy.window_months},
            _("loyal from %(loyal)d, switcher from %(switcher)d")
            % {"loyal": policy.loyal_months, "switcher": policy.switcher_months},
            months >= policy.loyal_months,
        ),
        Fact(
            _("Wallet share"),
            _("unknown") if wallet is None else percent(wallet),
            _("from %(share)s; unknown passes") % {"share": percent(policy.loyal_wallet_share)},
            None if wallet is None else wallet >= policy.loyal_wallet_share,
        ),
        Fact(
            _("Competitor sightings"),
            _("unknown") if sightings is None else str(sightings),
            _("at most %(n)d") % {"n": policy.most_sightings},
            None if sightings is None else sightings <= policy.most_sightings,
        ),
        Fact(
            _("New products bought early"),
            str(early),
            ngettext(
                "%(n)d within %(days)d days of launch is enough alone",
                "%(n)d within %(days)d days of launch are enough alone",
                policy.early_launches,
            )
            % {"n": policy.early_launches, "days": policy.launch_days},
            early >= policy.early_launches,
        ),
    ]
