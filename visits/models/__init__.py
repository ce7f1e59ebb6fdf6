"""Visits, what competitors had there, what the market tells, and reminders."""

from visits.models.advising import Suggestion, SuggestionQuerySet, SuggestionState
from visits.models.information import (
    LONGEST_TEXT,
    LONGEST_WORDS,
    UNRANKED,
    MarketInformation,
    MarketInformationQuerySet,
    Outcome,
    Sending,
    SendingQuerySet,
    Source,
    Way,
)
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
    "LONGEST_TEXT",
    "LONGEST_WORDS",
    "MOST_SIGHTINGS",
    "UNRANKED",
    "Cadence",
    "Competitor",
    "CompetitorQuerySet",
    "MarketInformation",
    "MarketInformationQuerySet",
    "OccasionCode",
    "OccasionRule",
    "Outcome",
    "Reminder",
    "ReminderQuerySet",
    "Sending",
    "SendingQuerySet",
    "Sighting",
    "SightingQuerySet",
    "Size",
    "Source",
    "Suggestion",
    "SuggestionQuerySet",
    "SuggestionState",
    "Visit",
    "VisitQuerySet",
    "VisitStatus",
    "Way",
    "key_of",
]
