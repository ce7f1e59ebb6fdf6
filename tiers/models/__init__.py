"""Tier policies, runs, and what the runs decided."""

from tiers.models.assessments import (
    Assessment,
    AssessmentQuerySet,
    KeyAccount,
    KeyAccountQuerySet,
    Rating,
    RatingQuerySet,
)
from tiers.models.changes import LADDER, Cause, TierChange, TierChangeQuerySet
from tiers.models.churn import (
    ChurnRun,
    Method,
    Outlook,
    OutlookQuerySet,
    Staying,
    StayingQuerySet,
)
from tiers.models.classes import ClassChange, ClassChangeQuerySet
from tiers.models.overrides import TierOverride, TierOverrideQuerySet
from tiers.models.policies import (
    KeyCriterion,
    Measure,
    PotentialCriterion,
    RankedWithin,
    TierPolicy,
    TierPolicyQuerySet,
)
from tiers.models.runs import ABANDONED_AFTER, Failure, RunState, TierRun, TierRunQuerySet
from tiers.models.scenarios import Scenario

__all__ = [
    "ABANDONED_AFTER",
    "LADDER",
    "Assessment",
    "AssessmentQuerySet",
    "Cause",
    "ChurnRun",
    "ClassChange",
    "ClassChangeQuerySet",
    "Failure",
    "KeyAccount",
    "KeyAccountQuerySet",
    "KeyCriterion",
    "Measure",
    "Method",
    "Outlook",
    "OutlookQuerySet",
    "PotentialCriterion",
    "RankedWithin",
    "Rating",
    "RatingQuerySet",
    "RunState",
    "Scenario",
    "Staying",
    "StayingQuerySet",
    "TierChange",
    "TierChangeQuerySet",
    "TierOverride",
    "TierOverrideQuerySet",
    "TierPolicy",
    "TierPolicyQuerySet",
    "TierRun",
    "TierRunQuerySet",
]
