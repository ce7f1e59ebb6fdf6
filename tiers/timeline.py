"""What tiers tell on the customer's timeline: every change, with its reason (P2, P9, P10, P12)."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from customers.models import Customer, Loyalty
from customers.timeline import Entry, Group
from tiers import classes
from tiers.models import LADDER, ClassChange, TierChange
from tiers.reasons import explain, title

KIND = "tier"
GROUP = Group.TIERS
#: The loyalty classes from the best to none at all.
CLASSES: tuple[str | None, ...] = (Loyalty.LOYAL, Loyalty.SWITCHER, Loyalty.NONE, None)


def entries(customer: Customer, *, before: datetime | None, limit: int) -> list[Entry]:
    """Changes of tier, loyalty class and key-account score before `before`, newest first.

    Trials are not told.
    """
    changes = TierChange.objects.decisive().with_words().filter(customer=customer)
    found = ClassChange.objects.select_related("run__policy").filter(customer=customer)
    if before is not None:
        changes = changes.filter(changed_at__lt=before)
        found = found.filter(changed_at__lt=before)
    order = ("-changed_at", "-pk")
    told = [_entry(change) for change in changes.order_by(*order)[:limit]]
    told += [_class_entry(change) for change in found.order_by(*order)[:limit]]
    return sorted(told, key=lambda entry: entry.at, reverse=True)[:limit]


def _entry(change: TierChange) -> Entry:
    icon, tone = "hand-raised", ""
    if change.to_tier != change.from_tier:
        better = LADDER.index(change.to_tier) < LADDER.index(change.from_tier)
        icon, tone = ("arrow-trending-up", "good") if better else ("arrow-trending-down", "warn")
    return Entry(
        at=change.changed_at,
        kind=KIND,
        icon=icon,
        tone=tone,
        title=title(change),
        text=explain(change),
        url=(
            reverse("tiers:run", args=[change.run_id])
            if change.run_id
            else reverse("tiers:of-customer", args=[change.customer_id])
        ),
        ref=_("Run %(number)d") % {"number": change.run_id} if change.run_id else _("By hand"),
    )


def _class_entry(change: ClassChange) -> Entry:
    better = change.is_over
    if change.reclassed:
        better = CLASSES.index(change.to_loyalty) < CLASSES.index(change.from_loyalty)
    return Entry(
        at=change.changed_at,
        kind=KIND,
        icon="star" if change.crossed and not change.reclassed else "arrows-right-left",
        tone="good" if better else "warn",
        title=classes.title(change),
        text=classes.explain(change),
        url=reverse("tiers:run", args=[change.run_id]),
        ref=_("Run %(number)d") % {"number": change.run_id},
    )
