"""Tier policies, runs, and what the runs decided."""

from tiers.models.changes import LADDER, TierChange, TierChangeQuerySet
from tiers.models.policies import TierPolicy
from tiers.models.runs import ABANDONED_AFTER, Failure, RunState, TierRun, TierRunQuerySet

__all__ = [
    "ABANDONED_AFTER",
    "LADDER",
    "Failure",
    "RunState",
    "TierChange",
    "TierChangeQuerySet",
    "TierPolicy",
    "TierRun",
    "TierRunQuerySet",
]
