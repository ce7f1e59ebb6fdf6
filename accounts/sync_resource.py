"""What a resource says of itself to the bulk sync, and what becomes of the records of a call."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Generic, Literal, TypeVar

from django.db import models

from accounts.models import User
from crm.lib.records import Errors, Reader, SyncRecord

R = TypeVar("R", bound=SyncRecord)
Values = dict[str, Any]


#: What the sync answers for a record that it takes.
Became = Literal["created", "updated", "unchanged", "stale"]


class Rejected(Exception):
    """A record cannot be taken; `errors` says why, by field."""

    def __init__(self, errors: Errors) -> None:
        super().__init__(errors)
        self.errors = errors


@dataclass(slots=True)
class Change:
    """A record that differs from what is stored. `before` is None for a new one.

    `before` and `after` have the same keys: the columns that the sync writes, and what the
    resource keeps elsewhere (an order's lines).
    """

    external_id: str
    before: Values | None
    after: Values
    pk: int = 0
    version: int = 1

    def moved(self) -> Iterator[str]:
        """The columns in which a stored row changed; none of a new one."""
        before = self.before or {}
        return (name for name, value in before.items() if self.after[name] != value)


@dataclass(slots=True)
class Outcome:
    """What became of the records of one call."""

    received: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    stale: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)
    #: What became of each record that was not rejected, by its place in the body.
    became: dict[int, Became] = field(default_factory=dict)
    #: An atomic call with a rejected record: nothing was written.
    refused: bool = False

    @property
    def rejected(self) -> int:
        return len(self.errors)

    def as_dict(self) -> dict[str, Any]:
        """The answer to the caller."""
        return {
            "received": self.received,
            "created": self.created,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "stale": self.stale,
            "rejected": self.rejected,
            "errors": self.errors,
        }


class SyncResource(ABC, Generic[R]):
    """What a resource adds to the sync. One instance serves one call.

    `columns` are the model's columns that a record may write, apart from the key; `required`
    those that a new record must bring; `fresh` the columns of a new row that no record sets.
    """

    name: ClassVar[str]
    model: ClassVar[type[models.Model]]
    reader: ClassVar[Reader[Any]]
    columns: ClassVar[Sequence[str]]
    required: ClassVar[Sequence[str]] = ()
    fresh: ClassVar[Mapping[str, Any]] = {}
    #: Whether a large body may be taken in parts.
    in_parts: ClassVar[bool] = False
    #: The moment of the call; it is there before the first record is checked.
    now: datetime

    def __init__(self, user: User) -> None:
        self.user = user

    @abstractmethod
    def check(self, record: R) -> Errors:
        """What is wrong with the record as it stands; brings its values into the stored form."""

    def above(self, record: R) -> Mapping[str, str | None]:
        """The names of the records above, by field, as far as the record speaks of them.

        Of a large body those are written before it.
        """
        return {}

    def together(self, above: Mapping[str, Sequence[Mapping[str, str | None]]]) -> set[str]:
        """The names of the records that are judged beside each other even in a large body.

        `above` holds, by the name of the record, what each of its rivals says of those above.
        """
        twice = self.resolve(list(above))
        return {*twice, *filter(None, twice.values())}

    def resolve(self, names: Collection[str]) -> Mapping[str, str | None]:
        """Of `names` that no row has: other names of rows → the names they are stored under.

        None where the row that a name belongs to has no name of its own now.
        """
        return {}

    def gather(self, records: Sequence[R], stored: Mapping[str, Values]) -> None:
        """Look up what the records refer to: a fixed number of queries for any number of them.

        May add to the `stored` values what the resource keeps elsewhere.
        """

    @abstractmethod
    def merge(self, record: R, stored: Values | None) -> Values:
        """The stored values (None: a new row) as the record wants them; raises Rejected."""

    def reconsider(self, changes: Mapping[str, Change]) -> dict[str, Errors]:
        """The changes that cannot stand beside the others of the body, with the reasons."""
        return {}

    def row(self, after: Values) -> Values:
        """The values as the columns hold them when the row is written."""
        return after

    def settle(self, changes: Sequence[Change], *, now: datetime) -> None:
        """Write what the resource keeps elsewhere; the rows themselves are written."""

    def shown(self, name: str, value: Any) -> Any:
        """A value as the audit log shows it."""
        return value

    def shown_change(self, name: str, before: Any, after: Any) -> tuple[Any, Any]:
        """Both values of a column that changed, as the audit log shows them."""
        return self.shown(name, before), self.shown(name, after)
