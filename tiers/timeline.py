"""What tiers tell on the customer's timeline: every change, with its reason (P12)."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from customers.models import Customer
from customers.timeline import Entry, Group
from tiers.models import LADDER, TierChange
from tiers.reasons import explain, title

KIND = "tier"
GROUP = Group.TIERS


def entries(customer: Customer, *, before: datetime | None, limit: int) -> list[Entry]:
    """The tier changes of a customer before `before`, newest first; trials are not told."""
    changes = TierChange.objects.decisive().filter(customer=customer)
    if before is not None:
        changes = changes.filter(changed_at__lt=before)
    known = changes.select_related("run__policy", "override__by", "by")
    newest = known.order_by("-changed_at", "-pk")[:limit]
    return [_entry(change) for change in newest]


def _entry(change: TierChange) -> Entry:
    better = LADDER.index(change.to_tier) < LADDER.index(change.from_tier)
    return Entry(
        at=change.changed_at,
        kind=KIND,
        icon="arrow-trending-up" if better else "arrow-trending-down",
        tone="good" if better else "warn",
        title=title(change),
        text=explain(change),
        url=(
            reverse("tiers:run", args=[change.run_id])
            if change.run_id
            else reverse("tiers:of-customer", args=[change.customer_id])
        ),
        ref=_("Run %(number)d") % {"number": change.run_id} if change.run_id else _("By hand"),
    )
