"""What goes over when a customer's file is merged into another: the history of its tiers."""

from __future__ import annotations

from datetime import datetime

from customers import moving
from tiers.models import TierChange


def move(*, gone: int, into: int, now: datetime) -> moving.Moved:
    """Hand the tier changes of `gone` over to `into`.

    A run changed a customer at most once: where both changed in one run, the survivor's change
    stands and the other is kept with the merge.
    """
    own = TierChange.objects.filter(customer=into).values("run")
    both = TierChange.objects.filter(customer=gone, run__in=own).values_list("pk", flat=True)
    dropped = moving.drop(TierChange, list(both))
    part = moving.hand_over(TierChange, gone=gone, into=into, now=now)
    return {TierChange._meta.label_lower: {**part, "dropped": dropped}}
