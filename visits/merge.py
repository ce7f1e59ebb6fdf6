"""What goes over when a customer's file is merged into another: what the field knows of it."""

from __future__ import annotations

from datetime import datetime

from customers import moving
from visits.models import Outcome, Reminder, Sending, Suggestion, Visit


def move(*, gone: int, into: int, now: datetime) -> moving.Moved:
    """Hand visits, reminders, received information and suggestions of `gone` over to `into`."""
    rows = {
        model._meta.label_lower: moving.hand_over(model, gone=gone, into=into, now=now)
        for model in (Visit, Suggestion)
    }
    return {
        **rows,
        Reminder._meta.label_lower: _reminders(gone, into, now),
        Sending._meta.label_lower: _sendings(gone, into, now),
    }


def _reminders(gone: int, into: int, now: datetime) -> moving.Part:
    """A customer is greeted once on an occasion: where both were to be, one reminder stays, and is
    done if either was."""
    own = {(r.occasion, r.on): r for r in Reminder.objects.filter(customer=into)}
    clashing, changed = [], []
    for reminder in Reminder.objects.filter(customer=gone):
        if (same := own.get((reminder.occasion, reminder.on))) is None:
            continue
        clashing.append(reminder.pk)
        news = {
            name: getattr(reminder, name)
            for name in ("done_at", "mailed_at")
            if getattr(reminder, name) and not getattr(same, name)
        }
        if news:
            changed.append(moving.change(same, news))
    dropped = moving.drop(Reminder, clashing)
    part = moving.hand_over(Reminder, gone=gone, into=into, now=now)
    return {**part, "dropped": dropped, "changed": changed}


def _sendings(gone: int, into: int, now: datetime) -> moving.Part:
    """A customer receives the same information once: where both did, the survivor's stays, and
    takes over what is known to have come of the other."""
    own = {one.information_id: one for one in Sending.objects.filter(customer=into)}
    clashing, changed = [], []
    for sending in Sending.objects.filter(customer=gone):
        if (same := own.get(sending.information_id)) is None:
            continue
        clashing.append(sending.pk)
        if same.is_waiting and sending.outcome != Outcome.WAITING:
            names = ("outcome", "outcome_words", "outcome_on")
            changed.append(moving.change(same, {name: getattr(sending, name) for name in names}))
    dropped = moving.drop(Sending, clashing)
    part = moving.hand_over(Sending, gone=gone, into=into, now=now)
    return {**part, "dropped": dropped, "changed": changed}
