"""The pages of visits: the day, the visits, information, suggestions, reminders and rules."""

from visits.views.day import overdue, plan, today
from visits.views.information import (
    information,
    information_edit,
    information_export,
    information_list,
    information_new,
)
from visits.views.recording import edit, new
from visits.views.rules import cadences, reminder_done, reminders
from visits.views.sending import information_letter, information_send, sending_undo
from visits.views.sendings import (
    information_of_customer,
    information_report,
    sending_outcome,
    sending_take_back,
    sending_wait,
    sendings,
    sendings_export,
)
from visits.views.sightings import sightings, sightings_export, sightings_of_customer
from visits.views.suggestions import (
    suggestion,
    suggestion_edit,
    suggestion_new,
    suggestion_reopen,
    suggestion_settle,
    suggestions,
    suggestions_due,
    suggestions_export,
)
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
    "information",
    "information_edit",
    "information_export",
    "information_letter",
    "information_list",
    "information_new",
    "information_of_customer",
    "information_report",
    "information_send",
    "list_",
    "miss",
    "new",
    "of_customer",
    "overdue",
    "overdue_export",
    "plan",
    "reminder_done",
    "reminders",
    "sending_outcome",
    "sending_take_back",
    "sending_undo",
    "sending_wait",
    "sendings",
    "sendings_export",
    "sightings",
    "sightings_export",
    "sightings_of_customer",
    "suggestion",
    "suggestion_edit",
    "suggestion_new",
    "suggestion_reopen",
    "suggestion_settle",
    "suggestions",
    "suggestions_due",
    "suggestions_export",
    "today",
]
