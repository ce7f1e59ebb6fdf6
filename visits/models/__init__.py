"""Visits, what competitors had there, how often they are due, and reminders."""

from visits.models.reminders import Reminder, ReminderQuerySet
from visits.models.rules import Cadence, OccasionCode, OccasionRule
from visits.models.sightings import (
    LONGEST_NAME,
    LONGEST_NOTE,
    LONGEST_PRODUCT,
    MOST_SIGHTINGS,
    Competitor,
    CompetitorQuerySet,
    Sighting,
    SightingQuerySet,
    Size,
    key_of,
)
from visits.models.visits import FOLLOWS, Visit, VisitQuerySet, VisitStatus

__all__ = [
    "FOLLOWS",
    "LONGEST_NAME",
    "LONGEST_NOTE",
    "LONGEST_PRODUCT",
    "MOST_SIGHTINGS",
    "Cadence",
    "Competitor",
    "CompetitorQuerySet",
    "OccasionCode",
    "OccasionRule",
    "Reminder",
    "ReminderQuerySet",
    "Sighting",
    "SightingQuerySet",
    "Size",
    "Visit",
    "VisitQuerySet",
    "VisitStatus",
    "key_of",
]
