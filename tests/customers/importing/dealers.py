"""A dealers' list as it comes from a new user: an Excel file and a GB18030 CSV of the rest.

Everything that goes wrong in such lists is in it, and the generator knows what should become of
each row.
"""

from __future__ import annotations

import csv
import io
import random
import re
import zipfile
from dataclasses import dataclass, field
from typing import Any

from openpyxl import Workbook

from benchmarks._dealers import BIRTHDAYS, BRANDS, HEADS, PLACES, SURNAMES, TRADES, in_characters

SECOND = ["记", "和", "昌", "盛", "源", "茂", "祥", "泰", "丰", "润"]
WIDE = str.maketrans("0123456789()", "０１２３４５６７８９（）")


@dataclass
class Dealer:
    """One row: what it says (`cells`), what should be on file, and why it is refused ("")."""

    number: str
    name: str
    phone: str
    stored_phone: str
    address: str
    division: str
    tax_id: str
    contact: str
    mobile: str
    birthday: str
    capital: int
    fault: str = ""
    cells: list[Any] = field(default_factory=list)


def dealers(many: int, *, seed: int = 7) -> list[Dealer]:
    """The rows, in the order of the files; every twentieth or so is wrong somehow."""
    random.seed(seed)
    made: list[Dealer] = []
    for n in range(many):
        place, division = PLACES[n % len(PLACES)]
        city = re.sub(r".*省|市.*", "", place)
        word = f"{BRANDS[n % 16]}{SECOND[n // 16 % 10]}{in_characters(n // 160)}"
        name = f"{city}{word}{TRADES[n % 6]}有限公司"
        mobile = f"13{n % 10}{10_000_000 + n:08}"
        dealer = Dealer(
            number=f"{n + 1:06}",
            name=name,
            phone=mobile,
            stored_phone=f"+86{mobile}",
            address=f"{place}解放路{n + 1}号",
            division=division,
            tax_id=f"0{n:08}MA2{n:06}",
            contact=f"{SURNAMES[n % 10]}建国",
            mobile=f"15{n % 10}{20_000_000 + n:08}",
            birthday=BIRTHDAYS[n % 4],
            capital=(n % 50 + 1) * 10_000,
        )
        _spoil(dealer, n, made)
        made.append(dealer)
    return made


def _spoil(dealer: Dealer, n: int, before: list[Dealer]) -> None:
    d = dealer
    number, name, phone, mobile = d.number, d.name, d.phone, d.mobile
    shown: dict[str, Any] = {}
    if n % 100 == 11:
        d.fault, phone = "phone", phone[:-1]
    elif n % 100 == 23:
        d.fault, name = "name", ""
    elif n % 100 == 37:
        d.fault, number = "key", ""
    elif n % 250 == 61:
        d.fault, number = "twin", before[-3].number
    elif n % 100 == 43:
        d.fault, shown["capital"] = "money", "不详"
    elif n % 20 == 3:
        name = name.translate(WIDE).replace("有限公司", " 有限公司")
        d.name = " ".join(name.split())
    elif n % 20 == 7:
        phone = "86-" + phone[:3] + " " + phone[3:7] + " " + phone[7:]
    elif n % 20 == 9:
        phone = phone.translate(WIDE)
    elif n % 20 == 15:
        phone, d.stored_phone = "0575-85123456", "+8657585123456"
    d.cells = [
        number, name, phone, d.address, d.tax_id, d.contact, "经理", mobile, d.birthday,
        shown.get("capital", d.capital), f"{n % 900 + 100}㎡",
    ]  # fmt: skip


def workbook(rows: list[Dealer]) -> bytes:
    """An .xlsx file: a merged title above the heads, numbers as numbers, the capital as formulas
    with their results, blank rows, a second sheet, a hidden column."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "经销商"
    sheet.append(["2026 年经销商名单（内部）"])
    sheet.merge_cells("A1:K1")
    sheet.append([])
    sheet.append(HEADS)
    for at, row in enumerate(rows):
        cells = list(row.cells)
        if str(cells[2]).isascii() and str(cells[2]).isdecimal():
            cells[2] = int(cells[2])  # Excel shows it as 1.38E+10
        cells[7] = int(cells[7])
        sheet.append(cells)
        if at % 500 == 499:
            sheet.append([])
    sheet.column_dimensions["D"].hidden = True
    book.create_sheet("说明").append(["只是说明"])
    file = io.BytesIO()
    book.save(file)
    return _with_formulas(file.getvalue(), "J")


def _with_formulas(book: bytes, column: str) -> bytes:
    """The numbers of one column as formulas that keep their result, as Excel saves them."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(out, "w", 8) as new:
        for part in old.namelist():
            data = old.read(part)
            if part == "xl/worksheets/sheet1.xml":
                data = re.sub(
                    rb'(<c r="' + column.encode() + rb'\d+"[^>]*>)(<v>\d+</v>)',
                    rb"\1<f>10000*1</f>\2",
                    data,
                )
            new.writestr(part, data)
    return out.getvalue()


def text(rows: list[Dealer]) -> bytes:
    """The rest as a Chinese Excel writes CSV: GB18030."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(HEADS)
    writer.writerows(row.cells for row in rows)
    return file.getvalue().encode("gb18030")
