"""A spreadsheet or text file as lines of text cells, whatever program wrote it.

What a file is, its content says, not its name. Everything is bounded before it is unpacked: the
size of the file, of what it unpacks to, and of the rectangle its cells span.
"""

from __future__ import annotations

import codecs
import csv
import io
import math
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import BinaryIO, TypeAlias

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError

from crm.lib.export import FORMULA_STARTS
from customers.importing.reasons import Refused

MOST_BYTES = 20 * 1024 * 1024
MOST_UNPACKED = 256 * 1024 * 1024
MOST_ROWS = 50_000
MOST_COLUMNS = 200
#: Cells in the rectangle that a sheet spans; calamine keeps the empty ones too.
MOST_CELLS = 4_000_000
#: Characters that are kept of a cell.
LONGEST_CELL = 2_000
PIECE = 1 << 20

ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#: Excel puts a workbook with a password into such a part.
LOCKED = "EncryptedPackage".encode("utf-16-le")
ODS = b"application/vnd.oasis.opendocument.spreadsheet"
#: How pictures, PDF, packed files, web pages and other things begin that some upload as tables.
OTHERS = (
    b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"%PDF", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"{\\rtf",
    b"<!", b"<htm", b"<?xm", b"\x7fELF", b"MZ\x90",
)  # fmt: skip
BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
DELIMITERS = ",;\t|"
#: Control characters, which neither PostgreSQL nor a page can hold; a line break becomes a space.
_CONTROL: dict[int, str | None] = {
    **dict.fromkeys((*range(32), *range(0x7F, 0xA0), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF)),
    **dict.fromkeys((9, 10, 13, 0x85), " "),
}
_CELL = re.compile(
    rb'<(?:\w+:)?c\s(?=[^>]*?\br="([A-Z]{1,3})([0-9]{1,7})")[^>]*(?<!/)>|<(?:\w+:)?c>'
)
_ERROR = re.compile(rb'<(?:\w+:)?c\s[^>]*?\bt="e"')
_NO_RESULT = re.compile(
    rb"(?:</(?:\w+:)?f>|<(?:\w+:)?f\s[^>]*/>)(?:<(?:\w+:)?v\s*/>|<v></v>)?</(?:\w+:)?c>"
)

Line: TypeAlias = tuple[int, list[str]]


@dataclass(slots=True)
class Table:
    """One sheet of a file: where it stands and what was odd. `lines` may be read once."""

    lines: Iterator[Line]
    sheet: str = ""
    sheets: list[str] = field(default_factory=list)
    encoding: str = ""
    #: Cells with an error (#N/A), formulas without a result: how many.
    odd: dict[str, int] = field(default_factory=dict)


def open_table(file: BinaryIO, *, sheet: str = "") -> Table:
    """The table in `file`: the sheet called `sheet`, else the first one that holds anything.

    Lines are numbered as the spreadsheet shows them, from 1; blank ones are left out. Raises
    Refused for what cannot be read.
    """
    file.seek(0, io.SEEK_END)
    size = file.tell()
    if size == 0:
        raise Refused("file_empty")
    if size > MOST_BYTES:
        raise Refused("file_size", limit=MOST_BYTES // 1024**2)
    file.seek(0)
    start = file.read(8)
    if start.startswith(ZIP):
        return _workbook(file, sheet, _looked_through(file))
    if start.lower().startswith(tuple(mark.lower() for mark in OTHERS)):
        raise Refused("file_kind")
    if start == OLE:
        file.seek(0)
        # Nothing bounds what an old workbook unpacks to: it is refused as a whole.
        raise Refused("file_locked" if LOCKED in file.read() else "file_old")
    return _text(file)


# --- spreadsheets


def _looked_through(file: BinaryIO) -> dict[str, int]:
    """Read the packed parts once, keeping none: their size, the span of the cells, odd cells."""
    odd = {"errors": 0, "no_result": 0}
    try:
        with zipfile.ZipFile(file) as packed:
            names = set(packed.namelist())
            if "xl/workbook.xml" not in names:
                raise Refused(_other_workbook(packed, names))
            unpacked = 0
            for part in packed.infolist():
                if part.flag_bits & 1:
                    raise Refused("file_locked")
                sheet = _Sheet() if part.filename.startswith("xl/worksheets/sheet") else None
                with packed.open(part) as stream:
                    while piece := stream.read(PIECE):
                        unpacked += len(piece)
                        if unpacked > MOST_UNPACKED:
                            raise Refused("file_unpacked", limit=MOST_UNPACKED // 1024**2)
                        if sheet:
                            sheet.look(piece)
                if sheet:
                    sheet.look(b"")  # and the last cell
                    odd["errors"] += sheet.errors
                    odd["no_result"] += sheet.no_result
    except (zipfile.BadZipFile, EOFError, NotImplementedError, ValueError, OSError) as damaged:
        raise Refused("file_damaged") from damaged
    except RuntimeError as locked:  # zipfile says so of a part with a password
        raise Refused("file_locked") from locked
    return {name: number for name, number in odd.items() if number}


def _other_workbook(packed: zipfile.ZipFile, names: set[str]) -> str:
    """Why a packed file that is no .xlsx is refused."""
    if "xl/workbook.bin" in names:
        return "file_old"
    if "mimetype" not in names:
        return "file_kind"
    with packed.open("mimetype") as part:
        return "file_ods" if part.read(100).startswith(ODS) else "file_kind"


class _Sheet:
    """What one sheet's XML holds, looked at piece by piece."""

    def __init__(self) -> None:
        self.rest, self.rows, self.columns, self.cells = b"", 1, 1, 0
        self.errors = self.no_result = 0

    def look(self, piece: bytes) -> None:
        text = self.rest + piece
        # From the last cell that begins here on, it is looked at with the next piece.
        cut = text.rfind(b"<c ") if piece and len(text) < 4 * PIECE else -1
        text, self.rest = (text[:cut], text[cut:]) if cut > 0 else (text, b"")
        for letters, number in _CELL.findall(text):
            self.cells += 1
            if letters:
                self.rows = max(self.rows, int(number))
                self.columns = max(self.columns, _column(letters))
        self.errors += len(_ERROR.findall(text))
        self.no_result += len(_NO_RESULT.findall(text))
        if max(self.rows * self.columns, self.cells) > MOST_CELLS:
            raise Refused("file_span", rows=self.rows, columns=self.columns)


def _column(letters: bytes) -> int:
    """The number of a column: 1 for A, 27 for AA."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _workbook(file: BinaryIO, sheet: str, odd: dict[str, int]) -> Table:
    file.seek(0)
    try:
        book = CalamineWorkbook.from_filelike(file)
        sheets = list(book.sheet_names)
        if not sheets:
            raise Refused("file_empty")
        chosen = book.get_sheet_by_name(sheet) if sheet in sheets else _first_filled(book, sheets)
    except PasswordError as locked:
        raise Refused("file_locked") from locked
    except CalamineError as damaged:
        secret = "EncryptedPackage" in str(damaged) or "password" in str(damaged).lower()
        raise Refused("file_locked" if secret else "file_damaged") from damaged
    except (Refused, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as panic:  # the reader's own language ends in a panic, no Exception
        raise Refused("file_damaged") from panic
    return Table(_sheet_lines(chosen), chosen.name, sheets, "", odd)


def _first_filled(book: CalamineWorkbook, sheets: list[str]) -> CalamineSheet:
    for name in sheets:
        sheet = book.get_sheet_by_name(name)
        if sheet.height:
            return sheet
    raise Refused("file_empty")


def _sheet_lines(sheet: CalamineSheet) -> Iterator[Line]:
    """The lines of a sheet. A cell merged downwards counts for every row that it covers."""
    left = sheet.start[1] if sheet.start else 0
    tall = {
        (top, column - left): bottom
        for (top, column), (bottom, _right) in sheet.merged_cell_ranges or ()
        if bottom > top
    }
    covered: dict[int, tuple[int, str]] = {}  # column → last row covered, value
    for number, values in enumerate(sheet.iter_rows()):
        cells = [_text_of(value) for value in values]
        if not any(cells):
            continue
        for column, (last, text) in list(covered.items()):
            if number > last:
                del covered[column]
            elif not cells[column]:
                cells[column] = text
        if tall:
            for column, text in enumerate(cells):
                if (number, column) in tall:
                    covered[column] = (tall[number, column], text)
        yield number + 1, cells


def _text_of(value: object) -> str:
    """A cell as a person would type it; a number that has lost digits is written 1.23E+17."""
    if isinstance(value, bool):
        text = "TRUE" if value else "FALSE"
    elif isinstance(value, float):
        text = _number(value)
    elif isinstance(value, datetime):
        midnight = value.time() == time()
        text = value.date().isoformat() if midnight else value.isoformat(" ", "minutes")
    elif isinstance(value, (date, time)):
        text = value.isoformat()
    else:
        text = "" if value is None else _clean(str(value))
    return text


def _number(value: float) -> str:
    if not math.isfinite(value):
        return ""
    if abs(value) >= 1e15:
        return f"{value:.14E}"
    return str(int(value)) if value.is_integer() else f"{value:.15g}"


def _clean(text: str) -> str:
    """Without control characters, outer spaces, and the apostrophe our exports put before '='."""
    text = text[: LONGEST_CELL * 2].translate(_CONTROL).strip()[:LONGEST_CELL]
    if text[:1] == "'" and text[1:2] in FORMULA_STARTS and len(text) > 1:
        return text[1:]
    return text


# --- text


def _text(file: BinaryIO) -> Table:
    encoding = _encoding(file)
    file.seek(0)
    sample = file.read(1 << 16).decode(encoding, errors="ignore")
    delimiter, skip = _delimiter(sample)
    return Table(_text_lines(file, encoding, delimiter, skip), encoding=encoding)


def _encoding(file: BinaryIO) -> str:
    """The first encoding that fits the whole file."""
    file.seek(0)
    start = file.read(4096)
    for mark, name in BOMS:
        if start.startswith(mark):
            return _fitting(file, (name,))
    high, low = start[::2].count(0), start[1::2].count(0)
    if max(high, low) * 5 > len(start) and min(high, low) * 20 < max(high, low):
        # One byte in two of plain letters is zero, and always the same one: UTF-16.
        return _fitting(file, ("utf-16-be" if high > low else "utf-16-le",))
    strange = sum(byte < 32 and byte not in b"\t\n\r" for byte in start)
    if strange * 20 > len(start):
        raise Refused("file_kind")
    return _fitting(file, ("utf-8", "gb18030"))


def _fitting(file: BinaryIO, names: tuple[str, ...]) -> str:
    for name in names:
        decoder = codecs.getincrementaldecoder(name)()
        file.seek(0)
        try:
            while piece := file.read(PIECE):
                decoder.decode(piece)
            decoder.decode(b"", final=True)
        except UnicodeError:
            continue
        return name
    raise Refused("file_encoding")


def _delimiter(sample: str) -> tuple[str, int]:
    """What stands between the cells, and how many first lines only say so (Excel's `sep=;`)."""
    first = sample.split("\n", 1)[0].strip().lower()
    if first.startswith("sep=") and len(first) == 5 and first[4] in DELIMITERS:
        return first[4], 1
    best, score = ",", 0
    for delimiter in DELIMITERS:
        lines = io.StringIO(sample, newline="")
        try:
            widths = Counter(
                len(row)
                for row, _n in zip(csv.reader(lines, delimiter=delimiter), range(40), strict=False)
            )
        except csv.Error:
            continue
        width, rows = max(widths.items(), key=lambda one: (one[0] - 1) * one[1], default=(1, 0))
        if (width - 1) * rows > score:
            best, score = delimiter, (width - 1) * rows
    return best, 0


def _text_lines(file: BinaryIO, encoding: str, delimiter: str, skip: int) -> Iterator[Line]:
    file.seek(0)
    csv.field_size_limit(MOST_BYTES)
    text = io.TextIOWrapper(file, encoding, newline="")
    try:
        for number, row in enumerate(csv.reader(text, delimiter=delimiter), start=1):
            cells = [_clean(cell) for cell in row]
            if number > skip and any(cells):
                yield number, cells
    except csv.Error as broken:
        raise Refused("file_damaged") from broken
    finally:
        if not text.closed:
            text.detach()  # whoever opened the file closes it
