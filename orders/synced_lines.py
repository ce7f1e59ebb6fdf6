"""Lines under the records of a bulk sync: what is told of them, and writing those that differ."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from django.db import models

from accounts.sync_resource import Change, Values
from crm.lib import bulk

Line: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class SyncedLines:
    """The lines of a resource, which its values carry under "lines".

    A line is a tuple of `columns` of `model`; `key` is what names it within its record, whose id
    stands in the column `parent`. Lines are compared key by key: hashing their numbers would cost
    more than writing them.
    """

    model: type[models.Model]
    parent: str
    columns: Sequence[str]
    key: Callable[[Line], Hashable]

    def differing(
        self, before: Sequence[Line], after: Sequence[Line]
    ) -> tuple[list[Line], list[Line]]:
        """Of both sides the lines that the other one has not, or has otherwise."""
        was, now = self._by_key(before), self._by_key(after)
        key = self.key
        return (
            [line for line in before if now.get(key(line)) != line],
            [line for line in after if was.get(key(line)) != line],
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
            before = self._by_key(change.before["lines"]) if change.before else {}
            for line in change.after["lines"]:
                was = before.pop(key(line), None)
                if was is None:
                    fresh.append((change.pk, line))
                elif was != line:
                    differ.append((ids[change.pk, key(line)], was, line))
            gone.extend(ids[change.pk, one] for one in before)
        bulk.delete(self.model, gone)
        # The rows are made as they are written: a body may hold a great many.
        bulk.update(self.model, self._updates(differ))
        bulk.insert(
            self.model,
            ({self.parent: pk, **dict(zip(self.columns, line, strict=True))} for pk, line in fresh),
        )

    def _updates(self, differ: Sequence[tuple[int, Line, Line]]) -> Iterator[Values]:
        """The rows of lines (id, as it was, as it is), with the columns in which any differs."""
        moved = [
            (at, name)
            for at, name in enumerate(self.columns)
            if any(was[at] != line[at] for _pk, was, line in differ)
        ]
        for pk, _was, line in differ:
            yield {"id": pk, **{name: line[at] for at, name in moved}}

    def _by_key(self, lines: Sequence[Line]) -> dict[Any, Line]:
        return {self.key(line): line for line in lines}
