"""Tables that leave the product."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, cast

import pytest
from django.http import StreamingHttpResponse
from django.utils import translation
from django.utils.translation import gettext_lazy
from openpyxl import load_workbook

from crm.lib import export
from crm.lib.export import cell, stream_table

HEAD = ["Name", "Amount", "Day", "Time", "Buyout"]
ROWS: list[list[object]] = [
    ["绍兴越州副食品有限公司", Decimal("1240000.00"), date(2026, 6, 16), None, True],
    ['=HYPERLINK("http://x")', -5, None, datetime(2026, 6, 15, 16, 30, tzinfo=UTC), False],
]


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+86 13800000000", "'+86 13800000000"),
        ("-2", "'-2"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("＝1+1", "'＝1+1"),
        ("a=b", "a=b"),
        ("", ""),
        ("bell\x07", "bell"),
        ("emoji 🍜", "emoji 🍜"),
    ],
)
def test_a_text_cannot_act_as_a_formula(text: str, written: str) -> None:
    assert cell(text) == written


@pytest.mark.parametrize("value", [-5, Decimal("-0.01"), 0, 1.5, date(2026, 6, 16), None])
def test_numbers_and_days_stay_what_they_are(value: object) -> None:
    assert cell(value) == value


def test_moments_are_written_in_the_companys_time_zone() -> None:
    assert cell(datetime(2026, 6, 15, 16, 30, 5, 999, tzinfo=UTC)) == datetime(
        2026, 6, 16, 0, 30, 5
    )


def test_csv_opens_in_excel_with_chinese_and_holds_the_same_rows() -> None:
    with translation.override("en"):
        response = stream_table("客户", HEAD, iter(ROWS), "csv")
        data = body(response)
    assert data.startswith(b"\xef\xbb\xbf")
    assert list(csv.reader(io.StringIO(data.decode("utf-8-sig")))) == [
        HEAD,
        ["绍兴越州副食品有限公司", "1240000.00", "2026-06-16", "", "yes"],
        ['\'=HYPERLINK("http://x")', "-5", "", "2026-06-16 00:30:00", "no"],
    ]
    assert response["Content-Type"] == "text/csv; charset=utf-8"


def test_xlsx_opens_again_with_the_same_rows_and_numbers() -> None:
    with translation.override("en"):
        response = stream_table("客户", HEAD, iter(ROWS), "xlsx")
    sheet = load_workbook(io.BytesIO(body(response))).active
    assert [list(row) for row in sheet.iter_rows(values_only=True)] == [
        HEAD,
        ["绍兴越州副食品有限公司", 1240000, datetime(2026, 6, 16), None, "yes"],
        ['\'=HYPERLINK("http://x")', -5, None, datetime(2026, 6, 16, 0, 30), "no"],
    ]
    assert sheet["B2"].data_type == "n"
    assert sheet["A3"].data_type == "s"


@pytest.mark.parametrize(("format", "ending"), [("xlsx", "xlsx"), ("csv", "csv"), ("exe", "csv")])
def test_a_chinese_file_name_survives(format: str, ending: str) -> None:
    response = stream_table("客户 2026-06-16", ["a"], [], format)
    disposition = response["Content-Disposition"]
    assert disposition == (f"attachment; filename*=utf-8''%E5%AE%A2%E6%88%B7%202026-06-16.{ending}")
    body(response)


def test_csv_rows_are_taken_as_they_are_sent_and_in_the_readers_language() -> None:
    taken = []

    def rows() -> Any:
        for number in range(2000):
            taken.append(number)
            yield [gettext_lazy("yes"), number]

    with translation.override("zh-hans"):
        response = stream_table("x", ["a", "b"], rows(), "csv")
        chunks = iter(cast(StreamingHttpResponse, response))
    with translation.override("en"):
        next(chunks)
        assert not taken
        second = next(chunks)
        assert translation.get_language() == "en"
    assert len(taken) == export.ROWS_PER_CHUNK
    assert "是" in second.decode() or "yes" in second.decode()


def test_a_sheet_that_is_full_goes_on_in_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "SHEET_ROWS", 3)
    response = stream_table("x", ["n"], ([n] for n in range(7)), "xlsx")
    book = load_workbook(io.BytesIO(body(response)))
    assert [sheet.max_row for sheet in book] == [4, 4, 2]
    assert [row[0] for sheet in book for row in sheet.iter_rows(min_row=2, values_only=True)] == [
        *range(7)
    ]
