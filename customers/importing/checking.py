"""Looking at every row of an uploaded file, without changing a customer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import BinaryIO, TypeAlias

from django.db import transaction

from accounts.models import User
from crm.lib import bulk
from customers.importing import fields
from customers.importing.applying import counts_of
from customers.importing.matching import (
    Files,
    Verdict,
    alike_faults,
    key_of,
    likeliest,
    refuses,
)
from customers.importing.reading import MOST_COLUMNS, MOST_ROWS, Line, Table, open_table
from customers.importing.reasons import Reasons, Refused
from customers.importing.tying import Network
from customers.importing.values import Values, read_row
from customers.models import Alike, Import, ImportRow, Outcome

CHUNK = 1000
#: Lines among which the heads are looked for.
HEAD_LINES = 30
#: Values of each column that are shown beside it.
SAMPLES = 3

Progress = Callable[[int, int], None]
#: What rows have said already → the row that said it first.
Seen: TypeAlias = dict[tuple[str, object], int]


def survey(file: BinaryIO, *, sheet: str = "") -> tuple[dict[str, object], list[dict[str, object]]]:
    """Where the table of a file stands, and its columns with a sample of their values.

    Raises Refused for a file that cannot be read, is too large, or holds no row.
    """
    table = open_table(file, sheet=sheet)
    first = list(islice(table.lines, HEAD_LINES))
    if not first:
        raise Refused("file_empty")
    at = _head_line(first)
    head_row, heads = first[at][0], _heads(first[at][1])
    if len(heads) > MOST_COLUMNS:
        raise Refused("file_columns", number=f"{len(heads):,}", limit=MOST_COLUMNS)
    samples: list[list[str]] = [[] for _head in heads]
    rows = 0
    for line in first[at + 1 :]:
        rows += _sampled(line, samples)
    for line in table.lines:
        rows += _sampled(line, samples)
        if rows > MOST_ROWS:
            raise Refused("file_rows", limit=f"{MOST_ROWS:,}")
    if not rows:
        raise Refused("file_no_rows")
    return (
        {
            "sheet": table.sheet,
            "sheets": table.sheets[:50],
            "encoding": table.encoding,
            "head_row": head_row,
            "rows": rows,
            "odd": table.odd,
        },
        [{"head": head, "sample": sample} for head, sample in zip(heads, samples, strict=True)],
    )


def _head_line(lines: list[Line]) -> int:
    """Which of the first lines holds the heads: the one with most usual heads; else the first
    that is as wide as the table and has no number in it."""
    known = [sum(fields.is_head(cell) for cell in cells if cell) for _number, cells in lines]
    best = max(range(len(lines)), key=lambda at: (known[at], -at))
    if known[best] >= 2:
        return best
    widths = [sum(bool(cell) for cell in cells) for _number, cells in lines]
    for at, (_number, cells) in enumerate(lines):
        words = not any(cell.replace(".", "", 1).isdecimal() for cell in cells)
        if words and widths[at] * 10 >= max(widths) * 6:
            return at
    return best


def _heads(cells: list[str]) -> list[str]:
    """Heads without empty ones at the end; each of its own, so that it can name a field."""
    while cells and not cells[-1]:
        cells = cells[:-1]
    heads: list[str] = []
    for number, cell in enumerate(cells, start=1):
        head = " ".join(cell.split())[:100] or f"#{number}"
        times = 2
        while head in heads:
            head, times = f"{head[:90]} ({times})", times + 1
        heads.append(head)
    return heads


def _sampled(line: Line, samples: list[list[str]]) -> bool:
    """Whether the line has a cell below a head; adds its values to the samples."""
    cells = line[1][: len(samples)]
    for cell, sample in zip(cells, samples, strict=False):
        if cell and len(sample) < SAMPLES and cell[:60] not in sample:
            sample.append(cell[:60])
    return any(cells)


def table_of(run: Import, file: BinaryIO) -> tuple[Table, Iterator[Line]]:
    """The table of the upload and its lines below the heads, as wide as they are."""
    table = open_table(file, sheet=str(run.table.get("sheet", "")))
    width, head_row = len(run.columns), int(run.table["head_row"])
    below = (
        (number, cells[:width])
        for number, cells in table.lines
        if number > head_row and any(cells[:width])
    )
    return table, below


def check(run: Import, by: User, *, now: datetime, progress: Progress) -> dict[str, int]:
    """Judge every row and keep what would become of it; counts by outcome.

    Begun again, it begins at the first row: nothing but these rows is written.
    """
    files = Files(by, run.by, key=run.key, mode=run.mode)
    network = Network(files.in_sight)
    seen: Seen = {}
    total, done = int(run.table["rows"]), 0
    while gone := list(run.rows.values_list("pk", flat=True)[:10_000]):
        bulk.delete(ImportRow, gone)
    with run.file.open("rb") as file:
        _table, lines = table_of(run, file.file)
        while some := list(islice(lines, CHUNK)):
            with transaction.atomic():
                rows = _looked_at(run, some, files, seen)
                for number, verdict, _choice in rows:
                    network.note(number, verdict)
                bulk.append(
                    ImportRow,
                    [
                        {**_row(run, number, cells, verdict), "choice": choice}
                        for (_n, cells), (number, verdict, choice) in zip(some, rows, strict=True)
                    ],
                )
                done += len(some)
                Import.objects.filter(pk=run.pk).update(done=done, total=total, stepped_at=now)
            progress(done, total)
    with transaction.atomic():
        network.settle(run)
    return counts_of(run)


def _looked_at(
    run: Import, lines: Sequence[Line], files: Files, seen: Seen
) -> list[tuple[int, Verdict, str]]:
    """Some lines with what becomes of each, and what was chosen for it."""
    read = [read_cells(run, cells) for _number, cells in lines]
    numbers = [number for number, _cells in lines]
    files.look_up([values for values, _errors in read])

    def judged(at: int, same_as: int | None = None) -> Verdict:
        values, errors = read[at]
        return _judged(files, values, errors, seen, numbers[at], same_as=same_as)

    verdicts = [judged(at) for at in range(len(lines))]
    choices = _chosen(run, files, verdicts, judged)
    return list(zip(numbers, verdicts, choices, strict=True))


def read_cells(run: Import, cells: Sequence[str]) -> tuple[Values, Reasons]:
    """The values of a row and what is wrong with its cells."""
    heads = [str(column["head"]) for column in run.columns]
    mapping = {int(column): name for column, name in run.mapping.items()}
    return read_row(cells, mapping, heads, clears=run.clears)


def _chosen(
    run: Import, files: Files, verdicts: list[Verdict], again: Callable[[int, int], Verdict]
) -> list[str]:
    """Do with new rows that look like a customer on file what was chosen for all of them.

    Changes `verdicts`, by `again` (place, customer) where a row is taken for one; what was chosen
    for each row, "" for those that look like nobody.
    """
    files.warn_of_alike([one for one in verdicts if one.outcome == Outcome.CREATE])
    choices = [run.alike if alike_faults(one.errors) else "" for one in verdicts]
    files.look_also({pk for one in verdicts if (pk := likeliest(one.errors))})
    for at, verdict in enumerate(verdicts):
        like = likeliest(verdict.errors)
        if choices[at] == Alike.LEAVE:
            verdict.outcome = Outcome.LEFT
        elif choices[at] == Alike.SAME and like:
            verdicts[at] = again(at, like)
            verdicts[at].errors.setdefault("", []).extend(alike_faults(verdict.errors))
        elif choices[at] == Alike.SAME:
            choices[at] = Alike.CREATE  # it looks like one out of sight: nobody may write there
    return [str(choice) for choice in choices]


def _judged(
    files: Files,
    values: Values,
    errors: Reasons,
    seen: Seen,
    number: int,
    *,
    same_as: int | None = None,
) -> Verdict:
    """The verdict on a row, among the rows before it: the first of one customer counts."""
    marks: list[tuple[str, str, object]] = [
        (name, name, value)
        for name, value in (
            (files.key, key_of(files.key, values)),
            ("external_id", values.get("external_id")),
        )
        if value
    ]
    twin = next(
        ((field, seen[name, value]) for field, name, value in marks if (name, value) in seen), None
    )
    if twin and twin[1] != number:
        errors = {**errors, twin[0]: [["same_key", {"row": twin[1]}]]}
    verdict = files.judge(values, errors, same_as=same_as)
    if verdict.customer_id and not refuses(errors):
        other = seen.setdefault(("file", verdict.customer_id), number)
        if other != number and verdict.outcome != Outcome.REJECTED:
            fault: Reasons = {files.key: [["same_key", {"row": other}]]}
            verdict = Verdict(Outcome.REJECTED, values, fault, customer_id=verdict.customer_id)
    for _field, name, value in marks:
        seen.setdefault((name, value), number)
    return verdict


def _row(run: Import, number: int, cells: list[str], verdict: Verdict) -> dict[str, object]:
    return {
        "run_id": run.pk,
        "number": number,
        "cells": cells,
        "outcome": str(verdict.outcome),
        "state": "planned",
        "values": verdict.values,
        "before": verdict.before,
        "errors": verdict.errors,
        "customer_id": verdict.customer_id,
        "version": verdict.version,
        "contact_id": verdict.contact_id,
    }
