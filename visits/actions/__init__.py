"""What people, programs and jobs do with visits, information and reminders."""

from visits.actions.advising import make_suggestion
from visits.actions.counts import counted_in
from visits.actions.informing import (
    send_information,
    take_back_sendings,
    write_information,
)
from visits.actions.reminders import make_reminders, send_reminder_mails
from visits.actions.sightings import Seen, seen_in
from visits.actions.visits import (
    Said,
    cancel_visit,
    change_visit,
    check_in,
    log_visit,
    miss_visit,
    move_visit,
    plan_visit,
    record_visit,
    take_visit,
)

__all__ = [
    "Said",
    "Seen",
    "cancel_visit",
    "change_visit",
    "check_in",
    "counted_in",
    "log_visit",
    "make_reminders",
    "make_suggestion",
    "miss_visit",
    "move_visit",
    "plan_visit",
    "record_visit",
    "seen_in",
    "send_information",
    "send_reminder_mails",
    "take_back_sendings",
    "take_visit",
    "write_information",
]
