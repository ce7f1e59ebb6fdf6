"""The customer's timeline: what every app has to tell about a customer, newest first (P2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from crm.lib.text import Text


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
