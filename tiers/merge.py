"""What goes over when a customer's file is merged into another: the history of its tiers.

What was worked out for the gone file alone goes; the next runs count both as one.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import Model

from customers import moving
from tiers.models import Outlook, Staying, TierChange


def move(*, gone: int, into: int, now: datetime) -> moving.Moved:
    """Hand the tier changes of `gone` over to `into`.

    A run changed a customer at most once: where both changed in one run, the survivor's change
    stands and the other is kept with the merge.
    """
    own = TierChange.objects.filter(customer=into).values("run")
    both = TierChange.objects.filter(customer=gone, run__in=own).values_list("pk", flat=True)
    dropped = moving.drop(TierChange, list(both))
    part = moving.hand_over(TierChange, gone=gone, into=into, now=now)
    return {
        TierChange._meta.label_lower: {**part, "dropped": dropped},
        Outlook._meta.label_lower: {"dropped": _dropped(Outlook, gone)},
        Staying._meta.label_lower: _word(gone, into, now),
    }


def _dropped(model: type[Model], gone: int) -> list[moving.Row]:
    """Let the one row of the gone file go."""
    ids = model._base_manager.filter(customer=gone).values_list("pk", flat=True)
    return moving.drop(model, list(ids))


def _word(gone: int, into: int, now: datetime) -> moving.Part:
    """One word that it stays for each customer: the survivor's own, if it has one."""
    if Staying.objects.filter(customer=into).exists():
        return {"dropped": _dropped(Staying, gone)}
    return moving.hand_over(Staying, gone=gone, into=into, now=now)
