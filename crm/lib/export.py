"""Tables that leave the product: CSV and Excel, written row by row, safe to open."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from tempfile import TemporaryFile
from typing import IO, Any, TypeAlias, cast

from django.db.models import QuerySet
from django.http import FileResponse, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone, translation
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.utils import get_column_letter

Cell: TypeAlias = "str | int | float | Decimal | date | datetime | None"

#: A spreadsheet would run what begins like this as a formula; the wide forms too.
FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")
#: Characters that XML, and so Excel, cannot hold.
UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
#: An Excel sheet ends at 1,048,576 rows; the next sheet goes on.
SHEET_ROWS = 1_000_000
ROWS_PER_CHUNK = 500
BOM = "\ufeff"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class Table:
    """What leaves: `rows` under `head`, as a file called `name`, as many as `counted` has."""

    name: str
    head: Sequence[str]
    rows: Iterable[Sequence[object]]
    counted: QuerySet[Any]


def stream_table(
    name: str, head: Sequence[str], rows: Iterable[Sequence[object]], format: str
) -> HttpResponse:
    """`rows` under `head` as a download called `name`.csv or `name`.xlsx; other formats are CSV.

    Rows are taken one at a time, so that the size of the table does not show in memory. Numbers
    and days stay numbers and days, moments are written in the company's time zone, texts that
    would act as formulas get an apostrophe before them.
    """
    writer = _xlsx if format == "xlsx" else _csv
    response = writer(head, ([cell(value) for value in row] for row in rows))
    ending = "xlsx" if format == "xlsx" else "csv"
    header = content_disposition_header(as_attachment=True, filename=f"{name}.{ending}")
    response.headers["Content-Disposition"] = header or "attachment"
    return cast(HttpResponse, response)


def cell(value: object) -> Cell:
    """What is written for `value`."""
    if value is None:
        return None
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, datetime):
        return timezone.make_naive(value, timezone.get_default_timezone()).replace(microsecond=0)
    if isinstance(value, (int, float, Decimal, date)):
        return value
    if isinstance(value, (list, tuple)):
        value = ", ".join(str(one) for one in value)
    return neutral(str(value))


def neutral(text: str) -> str:
    """`text` without the power of a formula and without characters a sheet cannot hold."""
    text = UNWRITABLE.sub("", text)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _csv(head: Sequence[str], rows: Iterable[list[Cell]]) -> HttpResponseBase:
    language = translation.get_language() or "en"
    return StreamingHttpResponse(
        _csv_chunks(head, rows, language), content_type="text/csv; charset=utf-8"
    )


def _csv_chunks(head: Sequence[str], rows: Iterable[list[Cell]], language: str) -> Iterator[str]:
    """Some hundred lines at a time, in the reader's language although the request is over."""
    rows = iter(rows)
    with translation.override(language):
        yield BOM + _lines([[cell(title) for title in head]])
    while True:
        with translation.override(language):
            chunk = _lines(islice(rows, ROWS_PER_CHUNK))
        if not chunk:
            return
        yield chunk


def _lines(rows: Iterable[list[Cell]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue()


def _xlsx(head: Sequence[str], rows: Iterable[list[Cell]]) -> HttpResponseBase:
    file = TemporaryFile()  # noqa: SIM115  # the response closes it when it is sent
    _write_book(file, head, rows)
    file.seek(0)
    return FileResponse(file, content_type=XLSX)


def write_xlsx(file: IO[bytes], head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write the table as an Excel book; what `stream_table` says of cells holds here too."""
    _write_book(file, head, ([cell(value) for value in row] for row in rows))


def _write_book(file: IO[bytes], head: Sequence[str], rows: Iterable[list[Cell]]) -> None:
    book = Workbook(write_only=True)
    titles = [cell(title) for title in head]
    new_sheet = _sheets(book, titles)
    append, written = new_sheet(), 0
    for row in rows:
        if written == SHEET_ROWS:
            append, written = new_sheet(), 0
        append(row)
        written += 1
    book.save(file)


def _sheets(book: Workbook, titles: list[Cell]) -> Callable[[], Callable[[list[Cell]], None]]:
    """A function that begins a sheet with its titles, frozen, and returns how to add a row."""

    def begin() -> Callable[[list[Cell]], None]:
        sheet = book.create_sheet()
        sheet.freeze_panes = "A2"
        for number in range(1, len(titles) + 1):
            sheet.column_dimensions[get_column_letter(number)].width = 18
        sheet.append(titles)
        return cast("Callable[[list[Cell]], None]", sheet.append)

    return begin
