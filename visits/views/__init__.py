"""The pages of visits: the day, the visits, reminders and rules."""

from visits.views.day import overdue, plan, today
from visits.views.recording import edit, new
from visits.views.rules import cadences, reminder_done, reminders
from visits.views.sightings import sightings, sightings_export, sightings_of_customer
from visits.views.tables import export, overdue_export
from visits.views.visits import (
    cancel,
    check_in,
    detail,
    list_,
    miss,
    of_customer,
)

__all__ = [
    "cadences",
    "cancel",
    "check_in",
    "detail",
    "edit",
    "export",
    "list_",
    "miss",
    "new",
    "of_customer",
    "overdue",
    "overdue_export",
    "plan",
    "reminder_done",
    "reminders",
    "sightings",
    "sightings_export",
    "sightings_of_customer",
    "today",
]
