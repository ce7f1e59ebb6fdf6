"""Which customers leave silently: a purchase model where it can be fitted, else their own rhythm.

Callers need `leaving`; the parts are `bgnbd` and `rhythm` (pure), `gathering`, `forecast` (the job)
and `words` (the reasons).
"""

from __future__ import annotations

from datetime import date

from customers.models import CustomerQuerySet
from tiers.models import ChurnRun, Outlook, OutlookQuerySet


def leaving(customers: CustomerQuerySet, *, run: ChurnRun | None, today: date) -> OutlookQuerySet:
    """Those of `customers` that are likely to have left, most value at risk first.

    The line is that of `run`, the last one; nobody before the first. Each has `customer_id`,
    `alive` (a chance, 0–1) and `value_at_risk` (money in the coming 90 days). Left out: who bought
    nothing for so long that it has gone, and who was said to be staying.
    """
    if run is None:
        return Outlook.objects.none()
    found = Outlook.objects.of(customers).leaving(run, today).unexplained(today)
    return found.order_by("-value_at_risk", "-id")
