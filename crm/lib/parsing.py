"""Reading a JSON body strictly: what PostgreSQL or another system could not hold is refused."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import IO, Any

from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.parsers import BaseParser

from crm.lib.problems import TooLarge

DEEPEST = 32
MEBIBYTE = 1024 * 1024


class StrictJSONParser(BaseParser):
    """UTF-8 JSON of at most `max_bytes`; no NaN or Infinity, no NUL, no half characters."""

    media_type = "application/json"
    max_bytes = MEBIBYTE

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        body = stream.read(self.max_bytes + 1)
        if len(body) > self.max_bytes:
            raise TooLarge
        return read_json(body)


def read_json(body: bytes) -> Any:
    """The value of `body`; raises ParseError or ValidationError (400) with the reason."""
    try:
        value = json.loads(
            body.decode("utf-8-sig"), parse_constant=_no_constant, parse_float=_finite
        )
    except UnicodeDecodeError as bad:
        raise exceptions.ParseError(_("The body is not UTF-8.")) from bad
    except RecursionError as bad:
        raise exceptions.ParseError(_too_deep()) from bad
    except json.JSONDecodeError as bad:
        raise exceptions.ParseError(
            _("The body is not JSON: see line %(line)d, column %(column)d.")
            % {"line": bad.lineno, "column": bad.colno}
        ) from bad
    except ValueError as bad:
        raise exceptions.ParseError(_("A number in the body is not finite or too long.")) from bad
    check_value(value)
    return value


def check_value(value: Any, path: str = "", depth: int = 0) -> None:
    """Refuse text that cannot be stored, and nesting that no record has, naming the field."""
    if depth > DEEPEST:
        raise exceptions.ParseError(_too_deep())
    if isinstance(value, str):
        if "\x00" in value:
            raise _refused(path, _("Text cannot hold NUL characters."))
        if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
            raise _refused(path, _("Text holds half of a surrogate pair."))
    elif isinstance(value, dict):
        for name, inner in value.items():
            check_value(name, path, depth)
            check_value(inner, f"{path}.{name}" if path else name, depth + 1)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            check_value(inner, f"{path}.{index}" if path else str(index), depth + 1)


def _refused(path: str, message: str) -> exceptions.APIException:
    return exceptions.ValidationError({path: [message]} if path else [message])


def _too_deep() -> str:
    return _("The body is nested too deeply.")


def _no_constant(name: str) -> float:
    raise ValueError(name)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number
