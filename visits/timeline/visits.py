"""What visits tell on the customer's timeline."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from crm.lib.text import Text
from customers.models import Customer
from customers.timeline import Entry, Group
from visits.answers import Answers, Sales
from visits.models import Visit, VisitStatus

KIND = "visit"
GROUP = Group.TALKS

#: Title, icon and tone by state; plans that were called off tell nothing.
TOLD: dict[str, tuple[Text, str, str]] = {
    VisitStatus.DONE: (gettext_lazy("%(rep)s visited"), "map-pin", "good"),
    VisitStatus.CHECKED_IN: (gettext_lazy("%(rep)s is visiting"), "map-pin", "acc"),
    VisitStatus.MISSED: (gettext_lazy("%(rep)s missed a planned visit"), "x-mark", "warn"),
}


def entries(customer: Customer, *, before: datetime | None, limit: int) -> list[Entry]:
    """The visits of a customer before `before`, newest first."""
    visits: Any = (
        Visit.objects.filter(customer=customer, status__in=TOLD)
        .select_related("rep")
        .annotate(at=Coalesce("checked_in_at", "scheduled_for"))
        .order_by("-at", "-pk")
        .prefetch_related("sightings__competitor")
    )
    if before is not None:
        visits = visits.filter(at__lt=before)
    return [_entry(visit, visit.at) for visit in visits[:limit]]


def _entry(visit: Visit, at: datetime) -> Entry:
    title, icon, tone = TOLD[visit.status]
    return Entry(
        at=at,
        kind=KIND,
        icon=icon,
        tone=tone,
        title=title % {"rep": visit.rep.display_name},
        text=_sum_up(visit),
        words=visit.words,
        url=reverse("visits:detail", args=[visit.pk]),
        ref=pgettext("visit", "Record"),
    )


def _sum_up(visit: Visit) -> str:
    """The answers that a colleague wants to know first, in one line."""
    answers: Answers = visit.answers
    parts = [visit.purpose]
    if answers.get("sales") in Sales.values:
        parts.append(_("Sales: %(how)s") % {"how": Sales(answers["sales"]).label})
    if answers.get("new_need_note"):
        parts.append(_("New need: %(what)s") % {"what": answers["new_need_note"]})
    if names := dict.fromkeys(row.competitor.name for row in visit.sightings.all()):
        parts.append(_("Competitors seen: %(names)s") % {"names": ", ".join(names)})
    if counted := len({line["product"] for line in visit.counts}):
        words = ngettext("%(n)d product counted", "%(n)d products counted", counted)
        parts.append(words % {"n": counted})
    return " · ".join(part for part in parts if part)
