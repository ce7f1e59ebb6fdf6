"""Which contacts with a customer its own app knows of: visits that took place (P48)."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from visits.models import Visit, VisitQuerySet, VisitStatus


def contacted(*, until: datetime) -> VisitQuerySet:
    """The visits begun before `until`; each row names its `customer`."""
    begun = Q(checked_in_at__lt=until) | Q(checked_in_at=None, scheduled_for__lt=until)
    return Visit.objects.filter(begun, status__in=[VisitStatus.CHECKED_IN, VisitStatus.DONE])
