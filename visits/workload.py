"""What visiting asks of people, as plain values for the apps below (P13, P28)."""

from __future__ import annotations

from visits.models import Cadence


def every_days() -> dict[str, int]:
    """The days between two visits to one customer, by tier; tiers without a cadence are missing."""
    return dict(Cadence.objects.values_list("abc", "every_days"))
