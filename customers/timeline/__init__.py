"""The customer's timeline: what every app has to tell about a customer, newest first (P2).

Each app has its sources in its own `timeline` module, or in the modules of its `timeline` package
where it has several; they are found by that name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

from django.apps import apps
from django.db.models import TextChoices
from django.utils.module_loading import module_has_submodule
from django.utils.translation import gettext_lazy as _

from crm.lib.text import Text

if TYPE_CHECKING:
    from customers.models import Customer

PAGE_SIZE = 30


class Group(TextChoices):
    """What the page filters by: kinds of entries that are looked for together."""

    TRADE = "trade", _("Orders and payments")
    TALKS = "talks", _("Visits and calls")
    PROMISES = "promises", _("Promises")
    TIERS = "tiers", _("Tiers")
    FILES = "files", _("File")


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened.

    `kind` is that of its source, `tone` colours its icon ("", good, warn, bad or acc),
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


class Dated(Protocol):
    @property
    def at(self) -> datetime: ...


M = TypeVar("M", bound=Dated)


class Source(Protocol):
    """What a timeline module offers: entries of one kind, and the group they are filtered by."""

    KIND: str
    GROUP: Group

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
    """The timeline modules of all installed apps, in the order of the apps."""
    found = []
    for app in apps.get_app_configs():
        if not app.module or not module_has_submodule(app.module, "timeline"):
            continue
        module = import_module(f"{app.name}.timeline")
        parts = sorted(part.name for part in iter_modules(getattr(module, "__path__", [])))
        found += [import_module(f"{module.__name__}.{part}") for part in parts] or [module]
    return tuple(cast(Source, module) for module in found)


def collect(
    customer: Customer, *, before: datetime | None, limit: int = PAGE_SIZE, kind: str = ""
) -> Timeline:
    """What happened to `customer` before `before` (or until now): all, or of a kind or group."""
    asked = [source for source in sources() if kind in ("", source.KIND, source.GROUP)]

    def newest(number: int) -> Iterator[Entry]:
        for source in asked:
            yield from source.entries(customer, before=before, limit=number)

    return Timeline(*first_page(newest, limit))


def first_page(newest: Callable[[int], Iterable[M]], limit: int) -> tuple[list[M], datetime | None]:
    """At most `limit` of several lists, newest first, and the moment before which others begin.

    `newest(n)` gives the n newest of each list. A page ends between two moments, never within
    one, so that nothing is lost when the next page goes on before its last moment; it may hold a
    few less than `limit` for that.
    """
    while True:
        found = sorted(newest(limit + 1), key=lambda one: one.at, reverse=True)
        page = whole_moments(found, limit)
        if page:
            return page, page[-1].at if len(found) > len(page) else None
        if len(found) <= limit:
            return found, None
        limit *= 4


def whole_moments(found: list[M], limit: int) -> list[M]:
    """At most `limit` of `found` (newest first), without the moment that the cut would halve."""
    if len(found) <= limit:
        return found
    cut = found[limit].at
    return [entry for entry in found[:limit] if entry.at > cut]
