"""What visits add to the list of customers: how much of the cadence has run (P28)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.access import may
from accounts.models import User
from customers.columns import Cell, Column
from visits.models import Cadence

#: From this share of the cadence on a visit is due soon.
SOON = 0.9


def column(rows: Sequence[Mapping[str, Any]], *, user: User, today: date) -> Column | None:
    """The days since the last visit against those that the tier allows."""
    if not may(user, "visits:read"):
        return None
    every = dict(Cadence.objects.values_list("abc", "every_days"))
    cells = {
        row["id"]: judged(row["last_visited_on"], every[row["abc"]], today)
        for row in rows
        if row["abc"] in every
    }
    return Column(_("Cadence"), "last_visited_on", cells)


def judged(last: date | None, every: int, today: date) -> Cell:
    """How a customer stands that is to be visited every so many days; who never was is overdue."""
    if last is None:
        text = _("never / %(every)d") % {"every": every}
        return Cell(text, "bad", bar=100, brief=_("never visited"))
    days = (today - last).days
    if days > every:
        values = {"n": days - every, "every": every}
        text = ngettext("%(n)d day over / %(every)d", "%(n)d days over / %(every)d", values["n"])
        brief = ngettext("%(n)d day overdue", "%(n)d days overdue", values["n"])
        return Cell(text % values, "bad", bar=100, brief=brief % values)
    bar = 100 * max(days, 0) // every
    return Cell(f"{max(days, 0)} / {every}", "warn" if bar >= 100 * SOON else "", bar=bar)
