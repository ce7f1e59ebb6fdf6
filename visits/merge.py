"""What goes over when a customer's file is merged into another: visits and reminders."""

from __future__ import annotations

from datetime import datetime

from customers import moving
from visits.models import Reminder, Visit


def move(*, gone: int, into: int, now: datetime) -> moving.Moved:
    """Hand the visits and reminders of `gone` over to `into`.

    A customer is greeted once on an occasion: where both were to be, one reminder stays, and is
    done if either was.
    """
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
    reminders = moving.hand_over(Reminder, gone=gone, into=into, now=now)
    return {
        Visit._meta.label_lower: moving.hand_over(Visit, gone=gone, into=into, now=now),
        Reminder._meta.label_lower: {**reminders, "dropped": dropped, "changed": changed},
    }
