"""What promises tell on the timeline: made, renegotiated, kept, broken (P42)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db.models import DateField, F, IntegerField, TextField, Value
from django.db.models.functions import Cast
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from crm.lib.formats import day, local_day
from customers.models import Customer, Promise, PromiseState, Renegotiation
from customers.timeline import Entry, Group

KIND = "promise"
GROUP = Group.PROMISES
MADE, MOVED = "made", "moved"


def entries(customer: Customer, *, before: datetime | None, limit: int) -> list[Entry]:
    """What happened to a customer's promises before `before`, newest first; one statement."""
    own = Promise.objects.filter(customer=customer).order_by()
    moved = Renegotiation.objects.filter(promise__customer=customer).order_by()
    parts = (
        _told(own.filter(made_at__lt=before) if before else own, MADE, 0, "made_at", ""),
        _told(
            (own.filter(settled_at__lt=before) if before else own).exclude(settled_at=None),
            F("state"), 2, "settled_at", "outcome",
        ),
        _told(moved.filter(at__lt=before) if before else moved, MOVED, 1, "at", "reason"),
    )  # fmt: skip
    rows = parts[0].union(*parts[1:], all=True).order_by("-happened_at", "-number", "-rank")
    return [_entry(row) for row in rows[:limit]]


def _told(rows: Any, what: Any, order: int, at: str, note: str) -> Any:
    """The rows in the same columns, whichever table they come from."""
    of_promise = rows.model is Promise
    own = "" if of_promise else "promise__"
    return rows.values(
        happened_at=F(at),
        number=F("pk" if of_promise else "promise_id"),
        rank=Value(order, IntegerField()),
        told=Cast(what if isinstance(what, F) else Value(what), TextField()),
        said=Cast(F(f"{own}content"), TextField()),
        note=Cast(F(note) if note else Value(""), TextField()),
        due=F("due_on" if of_promise else "due_before"),
        until=Cast(Value(None), DateField()) if of_promise else F("due_after"),
        who=F("owner__name" if of_promise else "by__name"),
    )


def _entry(row: dict[str, Any]) -> Entry:
    icon, tone, title, text = _words(row)
    return Entry(
        at=row["happened_at"],
        kind=KIND,
        icon=icon,
        tone=tone,
        title=title,
        text=text,
        url=reverse("customers:promise", args=[row["number"]]),
        ref=pgettext("promise", "Promise"),
    )


def _words(row: dict[str, Any]) -> tuple[str, str, str, str]:
    """Icon, tone, title and the line under it."""
    what, content, note = row["told"], row["said"], row["note"]
    if what == MADE:
        facts = {"day": day(row["due"]), "who": row["who"]}
        return (
            "flag",
            "",
            _("Promised: %(what)s") % {"what": content},
            (_("due %(day)s, %(who)s") % facts),
        )
    if what == MOVED:
        facts = {"from": day(row["due"]), "to": day(row["until"]), "why": note}
        return (
            "calendar",
            "warn",
            _("Renegotiated: %(what)s") % {"what": content},
            (_("%(from)s → %(to)s, %(why)s") % facts),
        )
    late = _days_late(row["happened_at"], row["due"])
    how_late = (
        ngettext("%(days)d day late", "%(days)d days late", late) % {"days": late} if late else ""
    )
    if what == PromiseState.KEPT:
        title = _("Kept: %(what)s") % {"what": content}
        return "check", "warn" if late else "good", title, how_late or _("in time")
    return "x-mark", "bad", _("Broken: %(what)s") % {"what": content}, note or how_late


def _days_late(at: datetime, due: date) -> int:
    return max((local_day(at) - due).days, 0)
