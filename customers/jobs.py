"""The kinds of long jobs over customers' files."""

from __future__ import annotations

from accounts.jobs import JobKind
from customers.importing import steps


def offered() -> list[JobKind]:
    return [*steps.offered()]
