"""What higher apps add to the list of customers: columns, each from the `columns` module of an app.

An app offers `column(rows, *, user, today)`, which looks at the rows of one page at once, with the
same statements however many there are, and returns nothing where `user` may not see it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol, cast

from accounts.models import User
from crm.lib.contributions import contributions
from crm.lib.formats import DASH
from crm.lib.text import Text


@dataclass(frozen=True, slots=True)
class Cell:
    """What a column says of one customer: words, and their tone (good, warn, bad or none).

    `bar` draws 0–100 beside them; `brief` is what the phone has room for, if anything.
    """

    text: Text = DASH
    tone: str = ""
    bar: int | None = None
    brief: Text = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column that stands behind the list's own column `after`; customers that `cells` lacks
    have a dash there."""

    head: Text
    after: str
    cells: Mapping[int, Cell]


class Contribution(Protocol):
    def __call__(
        self, rows: Sequence[Mapping[str, Any]], *, user: User, today: date
    ) -> Column | None: ...


def added(rows: Sequence[Mapping[str, Any]], *, user: User, today: date) -> list[Column]:
    """The columns that all apps add to these rows of the list, as far as `user` may see them."""
    offered = (
        cast(Contribution, column)(rows, user=user, today=today)
        for column in contributions("columns", "column")
    )
    return [column for column in offered if column is not None]
