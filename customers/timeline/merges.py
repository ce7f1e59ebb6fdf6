"""What merges tell on the timeline: which file went into this one, and what was taken back."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from customers.models import Customer, Merge
from customers.timeline import Entry, Group

KIND = "merge"
GROUP = Group.FILES


def entries(customer: Customer, *, before: datetime | None, limit: int) -> list[Entry]:
    """The merges into a customer before `before`, newest first; also those taken back since.

    A file has few of them: one statement fetches all.
    """
    told: list[Entry] = []
    merges = Merge.objects.filter(Q(survivor=customer) | Q(gone_id=customer.pk))
    for one in merges.select_related("by", "undone_by").defer("gone", "before", "after", "moved"):
        if one.survivor_id == customer.pk:
            told.append(_made(one))
        if one.undone_at is not None:
            told.append(_taken_back(one, customer))
    told = [entry for entry in told if before is None or entry.at < before]
    return sorted(told, key=lambda entry: entry.at, reverse=True)[:limit]


def _made(merge: Merge) -> Entry:
    who = merge.by.display_name if merge.by else "–"
    return Entry(
        at=merge.at,
        kind=KIND,
        icon="document-duplicate",
        title=_("%(who)s merged “%(name)s” into this file") % {"who": who, "name": merge.gone_name},
        url=reverse("customers:merged", args=[merge.pk]),
        ref=_("The merge"),
    )


def _taken_back(merge: Merge, customer: Customer) -> Entry:
    """The file that is there again tells it too, without leading to the other one."""
    stayed = merge.survivor_id == customer.pk
    who = merge.undone_by.display_name if merge.undone_by else "–"
    assert merge.undone_at is not None
    return Entry(
        at=merge.undone_at,
        kind=KIND,
        icon="arrow-uturn-left",
        title=_("%(who)s took the merge of “%(name)s” back")
        % {"who": who, "name": merge.gone_name},
        url=reverse("customers:merged", args=[merge.pk]) if stayed else "",
        ref=_("The merge") if stayed else "",
    )
