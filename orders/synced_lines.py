"""Lines under the records of a bulk sync: what is told of them, and writing those that differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from django.db import models

from accounts.sync_resource import Change, Values
from crm.lib import bulk

Line: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class SyncedLines:
    """The lines of a resource, which its values carry under "lines".

    A line is a tuple of `columns` of `model`; `key` is what names it within its record, whose id
    stands in the column `parent`.
    """

    model: type[models.Model]
    parent: str
    columns: Sequence[str]
    key: Callable[[Line], Any]

    def differing(
        self, before: Sequence[Line], after: Sequence[Line]
    ) -> tuple[list[Line], list[Line]]:
        """Of both sides the lines that the other one has not, or has otherwise; sorted by key."""
        pairs = list(self._pairs(before, after))
        return (
            sorted((was for was, _line in pairs if was is not None), key=self.key),
            sorted((line for _was, line in pairs if line is not None), key=self.key),
        )

    def write(self, changes: Sequence[Change], ids: Mapping[tuple[int, Any], int]) -> None:
        """Write the lines that are new or differ; delete those that are no more.

        The records are written: nobody else gets at their lines now. `ids` are those of the
        stored lines by record and key.
        """
        key = self.key
        gone: list[int] = []
        differ: list[tuple[int, Line, Line]] = []
        fresh: list[tuple[int, Line]] = []
        for change in changes:
            stored = change.before["lines"] if change.before else ()
            for was, line in self._pairs(stored, change.after["lines"]):
                if was is None:
                    fresh.append((change.pk, cast(Line, line)))
                elif line is None:
                    gone.append(ids[change.pk, key(was)])
                else:
                    differ.append((ids[change.pk, key(was)], was, line))
        bulk.delete(self.model, gone)
        # The rows are made as they are written: a body may hold a great many.
        bulk.update(self.model, self._updates(differ))
        bulk.insert(
            self.model,
            ({self.parent: pk, **dict(zip(self.columns, line, strict=True))} for pk, line in fresh),
        )

    def _pairs(
        self, before: Sequence[Line], after: Sequence[Line]
    ) -> Iterator[tuple[Line | None, Line | None]]:
        """The lines that differ, as they were and as they are; None where there was or is none.

        Compared key by key: hashing their numbers would cost more than writing them.
        """
        key = self.key
        left = {key(line): line for line in before}
        for line in after:
            was = left.pop(key(line), None)
            if was != line:
                yield was, line
        for was in left.values():
            yield was, None

    def _updates(self, differ: Sequence[tuple[int, Line, Line]]) -> Iterator[Values]:
        """The rows of lines (id, as it was, as it is), with the columns in which any differs."""
        moved = [
            (at, name)
            for at, name in enumerate(self.columns)
            if any(was[at] != line[at] for _pk, was, line in differ)
        ]
        for pk, _was, line in differ:
            yield {"id": pk, **{name: line[at] for at, name in moved}}
