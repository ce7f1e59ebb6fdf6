"""Bodies that PostgreSQL or another system could not hold are refused with the reason."""

from __future__ import annotations

import pytest
from rest_framework import exceptions

from crm.lib.parsing import read_json


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[1,]",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b"\xff\xfe",
        '{"a": "绍兴"}'.encode("gbk"),
        b'{"a": "\x00"}',
        b"[" * 100_000,
        b"[" * 100 + b"]" * 100,
        b'{"a":' * 40 + b"1" + b"}" * 40,
    ],
)
def test_what_is_not_plain_json_is_refused(body: bytes) -> None:
    with pytest.raises(exceptions.ParseError):
        read_json(body)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (rb'{"name": "a\u0000b"}', "name"),
        (rb'{"name": "\ud800"}', "name"),
        (rb'{"lines": [{"batch": "\udfff!"}]}', "lines.0.batch"),
        (rb'{"custom": {"a\u0000": 1}}', "custom"),
    ],
)
def test_text_that_cannot_be_stored_is_refused_by_field(body: bytes, field: str) -> None:
    with pytest.raises(exceptions.ValidationError) as refused:
        read_json(body)
    assert list(refused.value.detail) == [field]


def test_whole_characters_beyond_the_first_plane_are_fine() -> None:
    assert read_json(rb'{"a": "\ud83d\ude00"}') == {"a": "😀"}
    assert read_json(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}
