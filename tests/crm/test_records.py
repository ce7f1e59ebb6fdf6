"""Reading bulk bodies: one bad record never stops the others. No database."""

from __future__ import annotations

import tracemalloc
from decimal import Decimal
from typing import Annotated, Any

import msgspec
import pytest
from django.utils import translation
from msgspec import UNSET, Meta, UnsetType

from crm.lib.bodies import MOST_RECORDS, BodyError, TooManyRecords, split_body
from crm.lib.records import Moment, Reader, SyncRecord, fixed


class Line(msgspec.Struct, kw_only=True):
    number: Annotated[int, Meta(ge=1, le=99)]
    quantity: Decimal


class Thing(SyncRecord):
    name: Annotated[str, Meta(max_length=5)] | UnsetType | None = UNSET
    at: Moment | UnsetType | None = UNSET
    size: Decimal | UnsetType | None = UNSET
    fit: bool | UnsetType | None = UNSET
    lines: Annotated[list[Line], Meta(max_length=3)] | UnsetType | None = UNSET
    own: dict[str, Any] | UnsetType | None = UNSET


READER = Reader(Thing)


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def read(body: str | bytes, *, by_line: bool = False):
    return list(
        READER.read(split_body(body.encode() if isinstance(body, str) else body, by_line=by_line))
    )


def test_an_absent_field_is_not_a_null():
    absent, null = read('[{"external_id": "A"}, {"external_id": "B", "name": null}]')
    assert absent.record.name is UNSET
    assert null.record.name is None


def test_texts_are_trimmed_and_times_come_in_utc():
    (reading,) = read('[{"external_id": " A ", "name": " x ", "at": "2026-06-01T08:00:00+08:00"}]')
    assert reading.record.external_id == "A"
    assert reading.record.name == "x"
    assert reading.record.at.isoformat() == "2026-06-01T00:00:00+00:00"


def test_amounts_are_read_exactly_from_text_and_number():
    readings = read('[{"external_id": "A", "size": 0.1}, {"external_id": "B", "size": "0.10"}]')
    assert [r.record.size for r in readings] == [Decimal("0.1"), Decimal("0.1")]


@pytest.mark.parametrize(
    ("record", "field", "words"),
    [
        ("5", "non_field_errors", "A record is a JSON object."),
        ("null", "non_field_errors", "A record is a JSON object."),
        ("[]", "non_field_errors", "A record is a JSON object."),
        ("{}", "external_id", "This field is required."),
        ('{"external_id": null}', "external_id", "This field cannot be empty."),
        ('{"external_id": 5}', "external_id", "Give a text."),
        ('{"external_id": ["A"]}', "external_id", "Give a text."),
        ('{"external_id": ""}', "external_id", "This field is required."),
        ('{"external_id": "  "}', "external_id", "This field is required."),
        (f'{{"external_id": "{"x" * 101}"}}', "external_id", "Give at most 100 characters."),
        ('{"external_id": "A", "name": "123456"}', "name", "Give at most 5 characters."),
        ('{"external_id": "A", "name": 7}', "name", "Give a text."),
        ('{"external_id": "A", "name": "\\u0000"}', "name", "Text cannot hold NUL characters."),
        ('{"external_id": "A", "own": {"\\u0000": 1}}', "own", "Text cannot hold NUL characters."),
        ('{"external_id": "A\\u0000"}', "external_id", "Text cannot hold NUL characters."),
        ('{"external_id": "A", "name": "\\ud800"}', "name", "Text holds half of a surrogate pair."),
        ('{"external_id": "A", "size": NaN}', "size", "Give a finite number."),
        ('{"external_id": "A", "own": {"a": [Infinity]}}', "own", "Give a finite number."),
        ('{"external_id": "A", "own": {"a": 1e999}}', "own", "Give a finite number."),
        ('{"external_id": "A", "size": "twelve"}', "size", "Give a number."),
        ('{"external_id": "A", "size": []}', "size", "Give a number."),
        ('{"external_id": "A", "fit": 1}', "fit", "Give true or false."),
        (
            '{"external_id": "A", "at": "2026-02-29T10:00:00Z"}',
            "at",
            "Give a time with its offset, like 2026-06-30T18:00:00+08:00.",
        ),
        (
            '{"external_id": "A", "at": "2026-02-28T10:00:00"}',
            "at",
            "Give a time with its offset, like 2026-06-30T18:00:00+08:00.",
        ),
        (
            '{"external_id": "A", "at": 1780000000}',
            "at",
            "Give a time with its offset, like 2026-06-30T18:00:00+08:00.",
        ),
        (
            '{"external_id": "A", "at": "0001-01-01T00:00:00+14:00"}',
            "at",
            "The year lies between 1970 and 2199.",
        ),
        ('{"external_id": "A", "lines": {}}', "lines", "Give a list."),
        ('{"external_id": "A", "lines": [7]}', "lines.0", "Give an object."),
        (
            '{"external_id": "A", "lines": [{"number": 1}]}',
            "lines.0.quantity",
            "This field is required.",
        ),
        (
            '{"external_id": "A", "lines": [{"number": 100, "quantity": 1}]}',
            "lines.0.number",
            "Give at most 99.",
        ),
        (
            '{"external_id": "A", "lines": [{"number": 1.5, "quantity": 1}]}',
            "lines.0.number",
            "Give a whole number.",
        ),
        ('{"external_id": "A", "own": []}', "own", "Give an object."),
        (
            '{"external_id": "A", "own": {"n": %s}}' % ("9" * 5000),
            "non_field_errors",
            "A number has too many digits; send it as text.",
        ),
    ],
)  # fmt: skip
def test_a_bad_record_is_named_and_the_others_are_read(record, field, words):
    good, bad, other = read(f'[{{"external_id": "G"}}, {record}, {{"external_id": "H"}}]')
    assert good.record.external_id == "G"
    assert other.record.external_id == "H"
    assert bad.record is None
    assert bad.index == 1
    assert bad.errors == {field: [words]}


def test_everything_wrong_with_a_record_is_told_at_once():
    (bad,) = read('[{"external_id": "A", "name": 7, "fit": "x", "lines": [{"number": 0}, 3]}]')
    assert bad.external_id == "A"
    assert sorted(bad.errors) == ["fit", "lines.0.number", "lines.0.quantity", "lines.1", "name"]


def test_too_many_lines_of_a_record_are_refused():
    line = '{"number": 1, "quantity": 1}'
    (bad,) = read(f'[{{"external_id": "A", "lines": [{",".join([line] * 4)}]}}]')
    assert bad.errors == {"lines": ["Give at most 3 entries."]}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "The body is not JSON: see line 1, column 1."),
        (b"{}", "The body is not a JSON array."),
        (b'"x"', "The body is not a JSON array."),
        (b'[{"external_id": "A"}', "The body is not JSON: see line 1, column 22."),
        (b'[{"external_id": "A"},', "The body is not JSON: see line 1, column 23."),
        (
            b'[\n{"external_id": "A"},\n{"external_id": "B]',
            "The body is not JSON: see line 3, column 17.",
        ),
        (b"[] []", "The body is not JSON: see line 1, column 4."),
        (b'[{"external_id": "\xff"}]', "The body is not UTF-8."),
        (b"[" * 100_000, "The body is nested too deeply."),
        (b'[{"external_id": "A", "own": ' + b"[" * 100_000, "The body is nested too deeply."),
    ],
)  # fmt: skip
def test_a_body_that_is_no_list_is_refused_as_a_whole(body, words):
    with pytest.raises(BodyError) as refused:
        read(body)
    assert str(refused.value) == words


def test_an_empty_list_is_fine():
    assert read("[]") == []
    assert read(" [ ] \n") == []
    assert read("", by_line=True) == []


def test_a_byte_order_mark_is_passed_over():
    (reading,) = read(b'\xef\xbb\xbf[{"external_id": "A"}]')
    assert reading.record.external_id == "A"


def test_a_broken_line_costs_that_line_only():
    deep = '{"external_id": "D", "own": ' + "[" * 100_000
    lines = [
        '{"external_id": "A"}\r',
        "",
        '{"external_id": "B"',
        "NaN",
        deep,
        '{"external_id": "C"}',
    ]
    a, b, nan, d, c = read("\n".join(lines), by_line=True)
    assert (a.record.external_id, c.record.external_id) == ("A", "C")
    assert (c.index, b.index) == (4, 1)
    assert b.errors == {"non_field_errors": ["The record is not JSON."]}
    assert nan.errors == {"non_field_errors": ["A record is a JSON object."]}
    assert d.errors == {"non_field_errors": ["The record is nested too deeply."]}


@pytest.mark.parametrize("by_line", [False, True])
def test_the_most_records_and_not_one_more(by_line):
    def body(count: int) -> str:
        records = [f'{{"external_id": "{n}"}}' for n in range(count)]
        return "\n".join(records) if by_line else f"[{','.join(records)}]"

    assert len(read(body(MOST_RECORDS), by_line=by_line)) == MOST_RECORDS
    with pytest.raises(TooManyRecords):
        read(body(MOST_RECORDS + 1), by_line=by_line)


@pytest.mark.parametrize("body", [b"[" + b"0," * 8_000_000 + b"0]", b"0\n" * 8_000_000])
def test_a_flood_of_tiny_records_costs_no_memory(body):
    tracemalloc.start()
    try:
        with pytest.raises(TooManyRecords):
            read(body, by_line=not body.startswith(b"["))
        _now, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 64 * 1024**2


def test_messages_follow_the_language():
    with translation.override("zh-hans"):
        (bad,) = read('[{"external_id": "A", "fit": 1}]')
    assert bad.errors["fit"] == ["请填写 true 或 false。"]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("NaN", "Give a finite number."),
        ("sNaN", "Give a finite number."),
        ("-Infinity", "Give a finite number."),
        ("1E+999999999", "At most 3 digits before the point."),
        ("1000", "At most 3 digits before the point."),
        ("999.999", "At most 2 digits after the point."),
        ("0.001", "At most 2 digits after the point."),
        ("1E-999999", "At most 2 digits after the point."),
    ],
)
def test_a_number_that_the_column_cannot_hold_is_refused(value, words):
    with pytest.raises(ValueError, match=words):
        fixed(Decimal(value), digits=5, places=2)


@pytest.mark.parametrize(
    ("value", "kept"), [("1", "1.00"), ("1.500", "1.50"), ("-999.99", "-999.99"), ("1e2", "100.00")]
)
def test_a_number_is_kept_with_the_places_of_its_column(value, kept):
    assert str(fixed(Decimal(value), digits=5, places=2)) == kept
