"""Importing counts and sell-outs from a file, by the rules of the bulk sync (P23).

A file is looked through first: all of it goes through the sync, and is taken back. Then it is
written, at once or by a worker where it is long.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, BinaryIO, ClassVar

import msgspec
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts import jobs
from accounts.jobs import Step
from accounts.models import JobRun, User
from accounts.sync import run_sync
from accounts.sync_resource import SyncResource, Values
from customers.importing.reading import open_table
from customers.importing.reasons import Refused
from orders import stock_files
from orders.models import StockImport, StockImportKind, StockImportState, StockSource
from orders.sell_out_sync import SellOutRecord, SellOutSync
from orders.stock_files import Reading, Record
from orders.stock_sync import StockReportRecord, StockReportSync

KIND = "stock-import"
MOST_BYTES = 5 * 1024 * 1024
MOST_ROWS = 20_000
#: Longer files are looked through and written by a worker.
MOST_AT_ONCE = 2_000
#: Records to a call of the sync, between which a worker tells how far it is.
CHUNK = 1_000
#: Files that nobody wrote are deleted after this time, those that were written later.
UNWRITTEN_KEPT = timedelta(days=30)
WRITTEN_KEPT = timedelta(days=180)


class _CountsOfFile(StockReportSync):
    """Counts of a file, whose customers and products are found already."""

    fresh: ClassVar[Mapping[str, Any]] = {
        **StockReportSync.fresh,
        "source": StockSource.IMPORT.value,
    }

    def __init__(self, user: User, reading: Reading) -> None:
        super().__init__(user)
        self.reading = reading

    def gather(self, records: Sequence[StockReportRecord], stored: Mapping[str, Values]) -> None:
        self.customers, self.products = self.reading.customers, self.reading.products
        self.skus = dict(self.reading.skus)
        if stored:
            self._add_lines(stored)


class _SalesOfFile(SellOutSync):
    """Sell-outs of a file, whose customers and products are found already."""

    def __init__(self, user: User, reading: Reading) -> None:
        super().__init__(user)
        self.customers, self.products = reading.customers, reading.products

    def gather(self, records: Sequence[SellOutRecord], stored: Mapping[str, Values]) -> None:
        """There is nothing left to look up."""


def upload(
    *, file: BinaryIO, name: str, kind: str, atomic: bool, by: User, now: datetime
) -> StockImport:
    """Keep the rows of a file and have them looked through.

    ValidationError for what cannot be read, is too long, or lacks a column.
    """
    file.seek(0, 2)
    if file.tell() > MOST_BYTES:
        raise ValidationError(
            _("The file is larger than %(limit)d MB.") % {"limit": MOST_BYTES // 1024**2}
        )
    try:
        rows: list[tuple[int, list[str]]] = []
        for line in open_table(file).lines:
            rows.append(line)
            if len(rows) > MOST_ROWS + 1:
                raise ValidationError(
                    _("The file has more than %(limit)d rows.") % {"limit": MOST_ROWS}
                )
        if len(rows) < 2:
            raise Refused("file_empty")
        head = rows[0][1]
        stock_files.places_of(kind, head)
    except (Refused, ValueError) as no:
        raise ValidationError(str(no)) from no
    run = StockImport.objects.create(
        by=by,
        kind=kind,
        name=name[:200],
        head=head,
        rows=rows[1:],
        atomic=atomic,
        created_at=now,
    )
    _go_on(run, by=by, now=now)
    return run


def write(*, run: StockImport, by: User, now: datetime) -> None:
    """Write what was looked through; of two presses of the button the second one does nothing."""
    with transaction.atomic():
        found = StockImport.objects.select_for_update().get(pk=run.pk)
        if not found.may_be_written:
            return
        found.state = StockImportState.WRITING
        found.save()
    _go_on(found, by=by, now=now)


def _go_on(run: StockImport, *, by: User, now: datetime) -> None:
    """Take the present step at once, or leave a long one to a worker."""
    if len(run.rows) > MOST_AT_ONCE:
        jobs.request(KIND, owner=by, parameters={"import": run.pk}, now=now)
    else:
        take_step(run, lambda _done, _total: None, now=now)


def do(job: JobRun, step: Step, *, now: datetime) -> jobs.Result:
    """The present step of an import in a worker; taken up again after one died."""
    run = StockImport.objects.get(pk=job.parameters["import"])
    take_step(run, step, now=now)
    return {"counts": run.counts, "written": run.state == StockImportState.DONE}


def take_step(run: StockImport, step: Step, *, now: datetime) -> None:
    """Look the import through, or write it, whatever its state says; what is done stays so."""
    writing = run.state == StockImportState.WRITING
    if not writing and run.state != StockImportState.CHECKING:
        return
    reading = stock_files.read(run.kind, run.head, run.rows, run.by)
    became = dict(reading.wrong)
    refused = writing and run.atomic and bool(became)
    outcomes = {number: ("rejected", why) for number, why in became.items()}
    size = len(reading.records) if run.atomic else CHUNK
    for start in range(0, 0 if refused else len(reading.records), size or 1):
        part = reading.records[start : start + size]
        outcomes |= _sent(run, reading, part, keep=writing, now=now)
        step(start + len(part), len(reading.records))
    stopped = ("rejected", _("Nothing was written, because some rows were rejected."))
    run.outcomes = [outcomes.get(number, stopped) for number, _cells in run.rows]
    run.counts = {}
    for kind, _why in run.outcomes:
        run.counts[kind] = run.counts.get(kind, 0) + 1
    if writing and not (run.atomic and run.counts.get("rejected")):
        run.state, run.written_at = StockImportState.DONE, now
    else:
        run.state = StockImportState.CHECKED
    run.save()


def _sent(
    run: StockImport, reading: Reading, records: Sequence[Record], *, keep: bool, now: datetime
) -> dict[int, tuple[str, str]]:
    """What becomes of the rows of `records`; written only with `keep`."""
    resource: SyncResource[Any] = (
        _CountsOfFile(run.by, reading)
        if run.kind == StockImportKind.COUNTS
        else _SalesOfFile(run.by, reading)
    )
    raws = [msgspec.json.encode({"external_id": r.external_id, **r.body}) for r in records]
    with transaction.atomic():
        outcome = run_sync(
            resource,
            resource.reader.read(raws),
            key=None,
            atomic=run.atomic and keep,
            now=now,
        )
        if not keep:
            transaction.set_rollback(True)
    told: dict[int, tuple[str, str]] = {
        row: (became, "") for place, became in outcome.became.items() for row in records[place].rows
    }
    for error in outcome.errors:
        told |= _rejected(records[error["index"]], error["errors"])
    return told


def _rejected(record: Record, errors: Mapping[str, Sequence[str]]) -> dict[int, tuple[str, str]]:
    """Why the rows of a record are rejected: each knows its own faults, or those of the whole."""
    own: dict[int, list[str]] = {}
    for name, texts in errors.items():
        _lines, _dot, rest = name.partition("lines.")
        place = rest.partition(".")[0]
        rows = [record.rows[int(place)]] if place.isdigit() else record.rows
        for row in rows:
            own.setdefault(row, []).extend(texts)
    other = _("Another row of this count cannot be taken.")
    return {row: ("rejected", " ".join(own.get(row, [other]))) for row in record.rows}


def rejected_rows(run: StockImport) -> list[list[str]]:
    """The rejected rows as they were, each with its reason behind, to be put right."""
    width = len(run.head)
    return [
        [*cells[:width], *[""] * (width - len(cells)), why]
        for (_number, cells), (became, why) in zip(run.rows, run.outcomes, strict=True)
        if became == "rejected"
    ]


def clear(*, now: datetime) -> None:
    """Delete old files with their rows; what they wrote stays, and the log tells who wrote it."""
    written = StockImport.objects.filter(state=StockImportState.DONE)
    written.filter(written_at__lt=now - WRITTEN_KEPT).delete()
    unwritten = StockImport.objects.filter(state=StockImportState.CHECKED)
    unwritten.filter(created_at__lt=now - UNWRITTEN_KEPT).delete()
