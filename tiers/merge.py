"""What goes over when a customer's file is merged into another: its tiers, and people's words.

What was worked out for the gone file alone goes; the next runs count both as one.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.db.models import Model

from customers import moving
from tiers.models import (
    Assessment,
    ClassChange,
    KeyAccount,
    Outlook,
    Rating,
    Staying,
    TierChange,
    TierOverride,
)


def move(*, gone: int, into: int, now: datetime) -> moving.Moved:
    """Hand the history, the words and the findings of `gone` over to `into`."""
    return {
        TierChange._meta.label_lower: _changes(TierChange, gone, into, now),
        ClassChange._meta.label_lower: _changes(ClassChange, gone, into, now),
        Outlook._meta.label_lower: {"dropped": _dropped(Outlook, gone)},
        Staying._meta.label_lower: _word(Staying, gone, into, now),
        TierOverride._meta.label_lower: _one_open(TierOverride, gone, into, now),
        KeyAccount._meta.label_lower: _one_open(KeyAccount, gone, into, now),
        Rating._meta.label_lower: _word(Rating, gone, into, now),
        Assessment._meta.label_lower: {"dropped": _dropped(Assessment, gone)},
    }


def _changes(
    model: type[TierChange] | type[ClassChange], gone: int, into: int, now: datetime
) -> moving.Part:
    """All changes of both.

    A run changed a customer at most once: where both changed in one run, the survivor's change
    stands and the other is kept with the merge.
    """
    rows: Any = model._base_manager
    own = rows.filter(customer=into).values("run")
    both = rows.filter(customer=gone, run__in=own).values_list("pk", flat=True)
    dropped = moving.drop(model, list(both))
    return {**moving.hand_over(model, gone=gone, into=into, now=now), "dropped": dropped}


def _dropped(model: type[Model], gone: int) -> list[moving.Row]:
    """Let the one row of the gone file go."""
    ids = model._base_manager.filter(customer=gone).values_list("pk", flat=True)
    return moving.drop(model, list(ids))


def _word(model: type[Model], gone: int, into: int, now: datetime) -> moving.Part:
    """One word for each customer: the survivor's own, if it has one."""
    if model._base_manager.filter(customer=into).exists():
        return {"dropped": _dropped(model, gone)}
    return moving.hand_over(model, gone=gone, into=into, now=now)


def _one_open(
    model: type[TierOverride] | type[KeyAccount], gone: int, into: int, now: datetime
) -> moving.Part:
    """All words of both, one open at most: where both have such a one, the gone file's ends."""
    changed = []
    if model._base_manager.filter(customer=into, ended_at=None).exists():
        changed = [
            moving.change(word, {"ended_at": now.astimezone(UTC)})  # as it is read again
            for word in model._base_manager.filter(customer=gone, ended_at=None)
        ]
    return {**moving.hand_over(model, gone=gone, into=into, now=now), "changed": changed}
