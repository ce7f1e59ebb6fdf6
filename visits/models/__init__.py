"""Visits, how often they are due, and reminders."""

from visits.models.reminders import Reminder, ReminderQuerySet
from visits.models.rules import Cadence, OccasionCode, OccasionRule
from visits.models.visits import FOLLOWS, Visit, VisitQuerySet, VisitStatus

__all__ = [
    "FOLLOWS",
    "Cadence",
    "OccasionCode",
    "OccasionRule",
    "Reminder",
    "ReminderQuerySet",
    "Visit",
    "VisitQuerySet",
    "VisitStatus",
]
