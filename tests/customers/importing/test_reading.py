"""Files that cannot be read, and cells that hold anything (P7)."""

from __future__ import annotations

import io
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import Workbook

from accounts.models import User
from customers.models import Customer, Import
from tests.customers.importing.playing import (
    LIST,
    checked,
    csv,
    press,
    xlsx,
)

pytestmark = pytest.mark.django_db


def many_columns() -> bytes:
    return csv(",".join(f"h{n}" for n in range(16_384)), ",".join("1" for _n in range(16_384)))


def wide_sheet() -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet["A1"], sheet["A2"], sheet["XFD40000"] = "name", "a", "far away"
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/workbook.xml", b"<workbook/>")
        with packed.open("xl/worksheets/sheet1.xml", "w") as part:
            for _piece in range(300):
                part.write(b" " * 2**20)
    return file.getvalue()


def zipped(name: str, data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr(name, data)
    return file.getvalue()


def _ole(stream: bytes) -> bytes:
    """The smallest compound file with one stream."""
    free, end, chain = b"\xff" * 4, b"\xfe\xff\xff\xff", b"\xfd\xff\xff\xff"
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 16
    head += b"\x3e\x00\x03\x00\xfe\xff\x09\x00\x06\x00" + b"\x00" * 10
    head += (1).to_bytes(4, "little") + (1).to_bytes(4, "little") + b"\x00" * 4
    head += (4096).to_bytes(4, "little") + end + b"\x00" * 4 + end + b"\x00" * 4
    head += (0).to_bytes(4, "little") + free * 108
    table = chain + end + end * 8 + free * 118

    def entry(name: bytes, kind: int, child: bytes, start: bytes, size: int) -> bytes:
        entry_ = name.ljust(64, b"\x00") + (len(name) + 2).to_bytes(2, "little")
        entry_ += bytes([kind, 1]) + free + free + child + b"\x00" * 36 + start
        return entry_ + size.to_bytes(8, "little")

    root = entry("Root Entry".encode("utf-16-le"), 5, (1).to_bytes(4, "little"), end, 0)
    data = entry(stream, 2, free, (2).to_bytes(4, "little"), 4096)
    folder = root + data + (b"\x00" * 68 + free * 3 + b"\x00" * 48) * 2
    return head + table + folder + b"\x00" * 512 * 8


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "The file is empty."),
        (b"\n\n,,\n", "The file is empty."),
        (csv("name,phone"), "there is no row"),
        (xlsx(["name", "phone"]), "there is no row"),
        (xlsx(), "The file is empty."),
        (b"%PDF-1.7\n" + bytes(range(256)) * 9, "no Excel file"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00\x01\x02\x03" * 400, "no Excel file"),
        (xlsx(["name"], ["a"])[:3000], "The file is damaged"),
        (zipped("a.txt", b"hello"), "no Excel file"),
        (zipped("xl/workbook.xml", b"<workbook"), "The file is damaged"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 2000,
            "(.xls, .xlsb): open it in Excel or WPS",
        ),
        (_ole("Workbook".encode("utf-16-le")), "(.xls, .xlsb): open it in Excel or WPS"),
        (zipped("xl/workbook.bin", b"\x00"), "(.xls, .xlsb): open it in Excel or WPS"),
        (
            zipped("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
            "This is an OpenDocument sheet (.ods)",
        ),
        (zipped("mimetype", b"application/vnd.oasis.opendocument.text"), "no Excel file"),
        (many_columns(), "The table has 16,384 columns, at most 200 can be read."),
        (wide_sheet(), "The sheet reaches to row 40000 and column 16384"),
        (bomb(), "Unpacked, the file has more than 256 MB."),
        (b"x" * (20 * 1024 * 1024 + 1), "The file has more than 20 MB."),
        (b"name\n" + b"\xff\xfe\xfd\n" * 9, "cannot be read: save it as UTF-8"),
        (b"name,phone\n" + b"a,1\n" * 50_001, "more than 50,000 rows"),
    ],
)
def test_what_cannot_be_read_is_said_and_leaves_nothing_behind(
    data: bytes, said: str, as_, rep: User
) -> None:
    answer = as_(rep).post(LIST, {"file": SimpleUploadedFile("list.xlsx", data)})
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Import.objects.exists()


def test_a_file_with_a_password_is_named_as_such(as_, rep) -> None:
    # An encrypted .xlsx is an OLE file whose folder has a stream of this name.
    name = "EncryptedPackage".encode("utf-16-le")
    data = _ole(name)
    answer = as_(rep).post(LIST, {"file": SimpleUploadedFile("secret.xlsx", data)})
    assert answer.status_code == 422
    assert "password" in answer.content.decode()


def test_nul_bytes_emoji_and_long_cells_come_in_without_harm(as_, rep) -> None:
    long = "长" * 200
    data = (
        csv(
            "客户名称,地址,备注",
            "绍兴\x00永泰商行,绍兴,😀 好",
            f"{long},,",
            f"{long}了,,",
            f"三江,{'路' * 400},x",
        )
        + "\n鑫源,,".encode()
        + b"x" * 10_000_000
    )
    run = checked(as_(rep), data, column_2="custom")
    assert run.counts == {"create": 2, "update": 0, "unchanged": 0, "rejected": 3}
    press(as_(rep), run, "apply")
    names = set(Customer.objects.values_list("name", flat=True))
    assert names == {"绍兴永泰商行", long}
    assert Customer.objects.get(name="绍兴永泰商行").custom == {"备注": "😀 好"}
