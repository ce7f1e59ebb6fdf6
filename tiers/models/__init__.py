"""Tier policies, runs, and what the runs decided."""

from tiers.models.changes import LADDER, TierChange, TierChangeQuerySet
from tiers.models.churn import (
    GONE_AFTER,
    LEAVING_BELOW,
    ChurnRun,
    Method,
    Outlook,
    OutlookQuerySet,
    Staying,
    StayingQuerySet,
)
from tiers.models.policies import TierPolicy
from tiers.models.runs import ABANDONED_AFTER, Failure, RunState, TierRun, TierRunQuerySet
from tiers.models.scenarios import Scenario

__all__ = [
    "ABANDONED_AFTER",
    "GONE_AFTER",
    "LADDER",
    "LEAVING_BELOW",
    "ChurnRun",
    "Failure",
    "Method",
    "Outlook",
    "OutlookQuerySet",
    "RunState",
    "Scenario",
    "Staying",
    "StayingQuerySet",
    "TierChange",
    "TierChangeQuerySet",
    "TierPolicy",
    "TierRun",
    "TierRunQuerySet",
]
