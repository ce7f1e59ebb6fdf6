"""What the search page shows: groups of hits, each from the `search` module of an app."""

from __future__ import annotations

from dataclasses import dataclass, field

from crm.lib.text import Text

#: Hits of one group on the search page.
HITS = 8


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing found: where it opens, what it is called, and what tells it from others."""

    url: str
    title: str
    about: str = ""
    side: str = ""
    tier: str | None = None
    has_tier: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """What one app found: the first hits, and the address of the list with all of them."""

    label: Text
    hits: list[Hit] = field(default_factory=list)
    more_url: str = ""
