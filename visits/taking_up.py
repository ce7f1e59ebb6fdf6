"""Which share of the market information that was sent the customers took up (P26)."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncMonth
from django.utils import timezone

from visits.models import Outcome, Sending, Source

COUNTS = {
    "sent": Count("pk"),
    "taken_up": Count("pk", filter=Q(outcome=Outcome.TAKEN_UP)),
    "not_taken_up": Count("pk", filter=Q(outcome=Outcome.NOT_TAKEN_UP)),
    "waiting": Count("pk", filter=Q(outcome=Outcome.WAITING)),
}


@dataclass(frozen=True, slots=True)
class Tally:
    """How many were sent, and what came of them; `narrowed` are the filters that find them."""

    name: str
    sent: int
    taken_up: int
    not_taken_up: int
    waiting: int
    narrowed: dict[str, str] = field(default_factory=dict)

    @property
    def share(self) -> float | None:
        """The share of what was sent that was taken up (0–1); None where nothing was sent."""
        return self.taken_up / self.sent if self.sent else None


def tally(found: QuerySet[Sending]) -> Tally:
    """All of `found` together."""
    return Tally("", **found.order_by().aggregate(**COUNTS))


def by_source(found: QuerySet[Sending]) -> list[Tally]:
    """Read, heard and seen, in this order, as far as there is any."""
    rows = {row["information__source"]: row for row in _grouped(found, "information__source")}
    return [
        _told(str(source.label), rows[source], source=str(source.value))
        for source in Source
        if source in rows
    ]


def by_person(found: QuerySet[Sending]) -> list[Tally]:
    """Who sent it, the most first."""
    rows = _grouped(found, "by__username", "by__name").order_by("-sent", "by__username")
    return [
        _told(row["by__name"] or row["by__username"], row, by=row["by__username"]) for row in rows
    ]


def by_information(found: QuerySet[Sending]) -> dict[int, Tally]:
    """Each piece of information, by its id."""
    rows = _grouped(found, "information", "information__title")
    return {
        row["information"]: _told(
            row["information__title"], row, information=str(row["information"])
        )
        for row in rows
    }


def by_month(found: QuerySet[Sending], kept: Mapping[str, str]) -> list[Tally]:
    """The months of the company in which it was sent, the latest first.

    `kept` may hold `sent_from` and `sent_to`, by which `found` is narrowed already: a month that
    they cut is opened with them.
    """
    zone = timezone.get_default_timezone()
    dated = found.annotate(month=TruncMonth("sent_at", tzinfo=zone))
    told = []
    for row in _grouped(dated, "month").order_by("-month"):
        month: datetime = row["month"]
        days = monthrange(month.year, month.month)[1]
        first, last = f"{month:%Y-%m}-01", f"{month:%Y-%m}-{days:02}"
        span = {
            "sent_from": max(first, kept.get("sent_from", "")),
            "sent_to": min(last, kept.get("sent_to") or last),
        }
        told.append(_told(f"{month:%Y-%m}", row, **span))
    return told


def _grouped(found: QuerySet[Sending], *names: str) -> QuerySet[Any, Any]:
    rows: QuerySet[Any, Any] = found.order_by().values(*names).annotate(**COUNTS)
    return rows


def _told(name: str, row: Mapping[str, Any], **narrowed: str) -> Tally:
    return Tally(name, **{count: row[count] for count in COUNTS}, narrowed=narrowed)
