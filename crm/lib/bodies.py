"""Reading a bulk body as a whole: into its raw records, one bad of which spoils no other."""

from __future__ import annotations

import codecs
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec
from django.utils.translation import gettext as _
from msgspec import Raw

MOST_RECORDS = 10_000
MOST_BYTES = 32 * 1024 * 1024
#: More commas than any sensible body has: then count while reading, not after.
_MANY_COMMAS = 2_000_000


class BodyError(ValueError):
    """The body as a whole cannot be read; the message is for the caller."""


class TooManyRecords(ValueError):
    """The body holds more than MOST_RECORDS records."""


def split_body(body: bytes, *, by_line: bool) -> Sequence[bytes | Raw]:
    """The raw records of a JSON array, or of NDJSON (`by_line`), in their order.

    Raises BodyError where there is no such list, TooManyRecords above MOST_RECORDS.
    """
    body = body.removeprefix(b"\xef\xbb\xbf")
    if not _is_utf8(body):
        raise BodyError(_("The body is not UTF-8."))
    if by_line:
        return _limited(line.strip() for line in io.BytesIO(body) if not line.isspace())
    if body.count(b",") < _MANY_COMMAS:
        try:
            return _limited(_ARRAY.decode(body))
        except (msgspec.MsgspecError, RecursionError):
            pass  # the plain reader below gets past what spoils one record only, or says where
    return _limited(_split_text(body.decode()))


_ARRAY = msgspec.json.Decoder(list[Raw])


def _is_utf8(body: bytes) -> bool:
    """Decodes it piece by piece: as one text, a body may take four times its room."""
    decode = codecs.getincrementaldecoder("utf-8")().decode
    piece = 1024 * 1024
    try:
        for start in range(0, len(body), piece):
            decode(body[start : start + piece])
        decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _limited(raws: Iterable[bytes | Raw]) -> list[bytes | Raw]:
    kept: list[bytes | Raw] = []
    for raw in raws:
        if len(kept) == MOST_RECORDS:
            raise TooManyRecords
        kept.append(raw)
    return kept


def _split_text(text: str) -> Iterator[bytes]:
    """The elements of the array in `text`, read one by one.

    NaN and half surrogate pairs pass here, so that they cost only the record they stand in.
    """
    read, space = json.JSONDecoder().raw_decode, re.compile(r"[ \t\r\n]*").match
    at = _after(space, text, 0)
    try:
        if text[at : at + 1] != "[":
            json.loads(text)
            raise BodyError(_("The body is not a JSON array."))
        at = _after(space, text, at + 1)
        more = text[at : at + 1] != "]"
        while more:
            try:
                _value, end = read(text, at)
            except RecursionError:
                end = _end_of(text, at)
            yield text[at:end].encode()
            at = _after(space, text, end)
            more = text[at : at + 1] == ","
            if more:
                at = _after(space, text, at + 1)
        if text[at : at + 1] != "]":
            raise json.JSONDecodeError("", text, at)
        if (end := _after(space, text, at + 1)) != len(text):
            raise json.JSONDecodeError("", text, end)
    except json.JSONDecodeError as bad:
        raise BodyError(
            _("The body is not JSON: see line %(line)d, column %(column)d.")
            % {"line": bad.lineno, "column": bad.colno}
        ) from bad
    except RecursionError as bad:
        raise BodyError(_("The body is nested too deeply.")) from bad
    except ValueError as bad:
        if isinstance(bad, (BodyError, TooManyRecords)):
            raise
        raise BodyError(_("A number in the body is not finite or too long.")) from bad


def _end_of(text: str, at: int) -> int:
    """Where the list or object that begins at `at` ends, however deep; else RecursionError."""
    depth = 0
    for found in _MARKS.finditer(text, at):
        mark = found.group()
        depth += (mark in "[{") - (mark in "]}")
        if not depth:
            return found.end()
    raise RecursionError


#: Texts, and what opens or closes a list or an object.
_MARKS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)


def _after(space: Callable[[str, int], re.Match[str] | None], text: str, at: int) -> int:
    found = space(text, at)
    return found.end() if found else at
