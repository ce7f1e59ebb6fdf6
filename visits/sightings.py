"""How often competitors were seen at each customer: what the loyalty class stands on (P9)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Count, QuerySet

from visits.models import Sighting


def sightings(*, start: datetime, end: datetime) -> QuerySet[Any, Any]:
    """Customers' ids and how many sightings closed visits begun in `start <= moment < end` noted.

    It is asked by the tier run (tiers/tiering.py), which takes it into its own statement.
    """
    seen = Sighting.objects.counted().filter(seen_at__gte=start, seen_at__lt=end).order_by()
    return seen.values_list("visit__customer_id").annotate(number=Count("pk"))
