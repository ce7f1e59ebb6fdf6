"""The customer's timeline: what every app has to tell about a customer, newest first (P2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

from django.apps import apps
from django.utils.module_loading import autodiscover_modules, module_has_submodule
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import AuditEntry
from accounts.models.audit import Action

if TYPE_CHECKING:
    from crm.lib.text import Text
    from customers.models import Customer

KIND = "file"
LABEL = gettext_lazy("File")
PAGE_SIZE = 30


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened.

    `kind` is the filter it falls under, `tone` colours its icon ("", good, warn, bad or acc),
    `words` are the customer's own words, `ref` names the record that `url` opens.
    """

    at: datetime
    kind: str
    icon: str
    title: Text
    tone: str = ""
    text: Text = ""
    words: str = ""
    url: str = ""
    ref: str = ""


class Source(Protocol):
    """What the `timeline` module of an app offers."""

    KIND: str
    LABEL: Text

    def entries(self, customer: Customer, *, before: datetime | None, limit: int) -> list[Entry]:
        """The newest entries, at most `limit`, newest first; all strictly before `before`."""
        ...


@dataclass(frozen=True, slots=True)
class Timeline:
    """Some entries, newest first, and the moment before which older ones begin (if there are)."""

    entries: list[Entry]
    older: datetime | None


@cache
def sources() -> tuple[Source, ...]:
    """The `timeline` modules of all installed apps, in the order of the apps."""
    autodiscover_modules("timeline")
    return tuple(
        cast(Source, import_module(f"{app.name}.timeline"))
        for app in apps.get_app_configs()
        if app.module and module_has_submodule(app.module, "timeline")
    )


def collect(
    customer: Customer, *, before: datetime | None, limit: int = PAGE_SIZE, kind: str = ""
) -> Timeline:
    """What happened to `customer` before `before` (or until now), of one kind or of all.

    A page ends between two moments, never within one, so that nothing is lost when the next page
    goes on before its last moment; it may hold a few entries less than `limit` for that.
    """
    asked = [source for source in sources() if kind in ("", source.KIND)]
    while True:
        found = sorted(
            (
                entry
                for source in asked
                for entry in source.entries(customer, before=before, limit=limit + 1)
            ),
            key=lambda entry: entry.at,
            reverse=True,
        )
        page = whole_moments(found, limit)
        if page:
            return Timeline(page, page[-1].at if len(found) > len(page) else None)
        if len(found) <= limit:
            return Timeline(found, None)
        limit *= 4


def whole_moments(found: list[Entry], limit: int) -> list[Entry]:
    """At most `limit` of `found` (newest first), without the moment that the cut would halve."""
    if len(found) <= limit:
        return found
    cut = found[limit].at
    return [entry for entry in found[:limit] if entry.at > cut]


def entries(customer: Customer, *, before: datetime | None, limit: int) -> list[Entry]:
    """Who made and changed the file, and which fields, from the audit log (P6)."""
    from customers.changes import log_of  # the models are not there yet when apps discover us

    log = log_of(customer)
    if before is not None:
        log = log.filter(at__lt=before)
    return [_entry(row) for row in log.order_by("-at", "-id")[:limit]]


def _entry(row: AuditEntry) -> Entry:
    from customers.changes import labels_of

    who = {"who": row.actor_name or row.get_through_display()}
    if row.action == Action.CREATE:
        title, icon, text = _("%(who)s made the file"), "document-plus", ""
    else:
        title, icon = _("%(who)s changed the file"), "pencil-square"
        text = labels_of(row.before)
    return Entry(at=row.at, kind=KIND, icon=icon, title=title % who, text=text)
