"""Reading the records of a bulk body: each into a typed struct, or what is wrong with it.

One bad record never stops the others. Decoding and checking types is msgspec's work; only a record
that it refuses is looked at again, field by field, to tell the caller everything that is wrong.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Context, Decimal, Inexact, InvalidOperation
from functools import cache
from typing import Annotated, Any, Generic, TypeAlias, TypeVar, get_args, get_type_hints

import msgspec
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from msgspec import UNSET, Meta, Raw, UnsetType
from rest_framework.settings import api_settings

from crm.lib.fields import check_day, check_moment

#: What is wrong with a record: field (`lines.0.quantity`) → messages in the caller's language.
Errors: TypeAlias = dict[str, list[str]]
#: The key of what is wrong with a record as a whole.
WHOLE = api_settings.NON_FIELD_ERRORS_KEY or "non_field_errors"

_DEEPEST_VALUE = 8
#: Beyond this a float is written differently by every system that passes it on.
_LARGEST_FLOAT = 2.0**53

Moment: TypeAlias = Annotated[datetime, Meta(tz=True)]
Key: TypeAlias = Annotated[str, Meta(min_length=1, max_length=100)]


class SyncRecord(msgspec.Struct, kw_only=True):
    """What every record of a bulk body has. A field left out stays as it is stored (UNSET)."""

    external_id: Key
    source_updated_at: Moment | UnsetType | None = UNSET


R = TypeVar("R", bound=SyncRecord)


@dataclass(slots=True)
class Reading(Generic[R]):
    """One record of the body: where it stood, and either the record or what is wrong with it.

    `raw` is the record as it was sent, `size` its bytes; `above` are the names of the records
    above it, by field, where the resource has such.
    """

    index: int
    external_id: str | None
    record: R | None
    errors: Errors = field(default_factory=dict)
    raw: bytes | Raw = b""
    size: int = 0
    above: Mapping[str, str | None] = field(default_factory=dict)


class Reader(Generic[R]):
    """Turns raw records of one resource into structs of the type `R`."""

    def __init__(self, struct: type[R]) -> None:
        self.struct = struct
        self._decode = msgspec.json.Decoder(struct).decode
        hints = get_type_hints(struct, include_extras=True)
        self._texts = [name for name, hint in hints.items() if _holds(hint, str)]
        self._moments = [name for name, hint in hints.items() if _holds(hint, datetime)]
        self._days = [name for name, hint in hints.items() if _holds(hint, date)]

    def read(self, raws: Iterable[bytes | Raw]) -> Iterator[Reading[R]]:
        for index, raw in enumerate(raws):
            reading = self._read(index, raw)
            reading.raw, reading.size = raw, memoryview(raw).nbytes
            yield reading

    def again(self, reading: Reading[R]) -> R:
        """The record of a reading that was in order, read once more."""
        record = self._decode(reading.raw)
        self._clean(record)
        return record

    def _read(self, index: int, raw: bytes | Raw) -> Reading[R]:
        try:
            record = self._decode(raw)
            # An escaped NUL is rare: only then look where it stands.
            errors = _unclean(json.loads(bytes(raw))) if b"\\u0000" in bytes(raw) else {}
            errors = errors or self._clean(record)
        except (msgspec.MsgspecError, RecursionError, ValueError) as bad:
            return self._explain(index, raw, bad)
        if errors:
            named = "external_id" not in errors
            return Reading(index, record.external_id if named else None, None, errors)
        return Reading(index, record.external_id, record)

    def _clean(self, record: R) -> Errors:
        """Trim the texts, bring the times to UTC; the errors of times that cannot be meant."""
        errors: Errors = {}
        for name in self._texts:
            value = getattr(record, name)
            if type(value) is str:
                trimmed = value.strip()
                if trimmed != value:
                    setattr(record, name, trimmed)
        if not record.external_id:
            errors["external_id"] = [_("This field is required.")]
        for name in self._moments:
            value = getattr(record, name)
            if type(value) is datetime:
                try:
                    setattr(record, name, check_moment(value).astimezone(UTC))
                except (ValueError, OverflowError) as bad:
                    errors[name] = [str(bad)]
        for name in self._days:
            value = getattr(record, name)
            if type(value) is date:
                try:
                    check_day(value)
                except ValueError as bad:
                    errors[name] = [str(bad)]
        return errors

    def _explain(self, index: int, raw: bytes | Raw, bad: Exception) -> Reading[R]:
        """What is wrong with a record that could not be decoded, field by field."""
        try:
            value = json.loads(bytes(raw))
        except RecursionError:
            return Reading(index, None, None, {WHOLE: [_("The record is nested too deeply.")]})
        except json.JSONDecodeError:
            return Reading(index, None, None, {WHOLE: [_("The record is not JSON.")]})
        except ValueError:
            return Reading(index, None, None, {WHOLE: [_too_long()]})
        if not isinstance(value, dict):
            return Reading(index, None, None, {WHOLE: [_("A record is a JSON object.")]})
        errors = _unclean(value)
        external_id = value.get("external_id")
        if not isinstance(external_id, str) or "external_id" in errors:
            external_id = ""
        if not errors:
            for known in _fields(self.struct):
                if known.encode_name not in value:
                    if known.required:
                        errors[known.encode_name] = [_("This field is required.")]
                    continue
                errors |= _errors_of(value[known.encode_name], known.type, known.encode_name)
        errors = errors or {WHOLE: [_wording(str(bad))]}
        return Reading(index, external_id[:100] or None, None, errors)


@cache
def _fields(struct: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(struct)


def _holds(hint: Any, kind: type) -> bool:
    """Whether the type hint is `kind`, or allows it beside null and UNSET."""
    return hint is kind or any(
        _holds(inner, kind) for inner in get_args(hint) if not isinstance(inner, Meta)
    )


def _errors_of(value: Any, kind: Any, name: str) -> Errors:
    """Every fault of one field; the elements of a list are looked at one by one."""
    element = _struct_in_list(kind)
    if element is not None and isinstance(value, list):
        errors: Errors = {}
        for number, inner in enumerate(value):
            errors |= _errors_of_element(inner, element, f"{name}.{number}")
            if len(errors) >= 20:
                break
        if errors:
            return errors
    try:
        msgspec.convert(value, kind)
    except (msgspec.ValidationError, OverflowError, ValueError) as bad:
        return {name: [_wording(str(bad))]}
    return {}


def _errors_of_element(value: Any, struct: type[msgspec.Struct], path: str) -> Errors:
    if not isinstance(value, dict):
        return {path: [_("Give an object.")]}
    errors: Errors = {}
    for known in _fields(struct):
        if known.encode_name in value:
            errors |= _errors_of(
                value[known.encode_name], known.type, f"{path}.{known.encode_name}"
            )
        elif known.required:
            errors[f"{path}.{known.encode_name}"] = [_("This field is required.")]
    return errors


def _struct_in_list(kind: Any) -> type[msgspec.Struct] | None:
    if getattr(kind, "__origin__", None) is list:
        (inner,) = get_args(kind)
        return inner if isinstance(inner, type) and issubclass(inner, msgspec.Struct) else None
    for inner in get_args(kind):
        if not isinstance(inner, Meta) and (found := _struct_in_list(inner)):
            return found
    return None


def _unclean(value: dict[str, Any]) -> Errors:
    """Fields that hold what no database or other system could take."""
    errors: Errors = {}
    for name, inner in value.items():
        fault = value_fault(name) or value_fault(inner)
        if fault:
            errors[name if not value_fault(name) else WHOLE] = [fault]
    return errors


_SURROGATE = re.compile("[\ud800-\udfff]")


def value_fault(value: Any, depth: int = 0) -> str:
    """Why a JSON value cannot be stored as it is; "" where it can."""
    if isinstance(value, str):
        if "\x00" in value:
            return _("Text cannot hold NUL characters.")
        if not value.isascii() and _SURROGATE.search(value):
            return _("Text holds half of a surrogate pair.")
    elif isinstance(value, float):
        if not math.isfinite(value):
            return _("Give a finite number.")
    elif isinstance(value, (dict, list)):
        if depth > _DEEPEST_VALUE:
            return _("The value is nested too deeply.")
        inner = [*value, *value.values()] if isinstance(value, dict) else value
        return next((fault for item in inner if (fault := value_fault(item, depth + 1))), "")
    return ""


def number_fault(value: Any) -> str:
    """Why the numbers in a JSON value would not come back as they were sent; "" if they would."""
    if isinstance(value, float) and abs(value) >= _LARGEST_FLOAT:
        return _too_long()
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return _too_long()
    if isinstance(value, (dict, list)):
        inner = value.values() if isinstance(value, dict) else value
        return next((fault for item in inner if (fault := number_fault(item))), "")
    return ""


def _too_long() -> str:
    return _("A number has too many digits; send it as text.")


_STEPS = {places: Decimal(1).scaleb(-places) for places in range(7)}
_BOUNDS = {digits: Decimal(10) ** digits for digits in range(20)}
#: Rounds nothing, and takes no more than so many digits.
_EXACT = {
    digits: Context(prec=digits, traps=[Inexact, InvalidOperation]) for digits in range(1, 20)
}


def fixed(value: Decimal, *, digits: int, places: int) -> Decimal:
    """`value` with exactly `places` decimals; raises ValueError where the column cannot hold it."""
    try:
        exact = value.quantize(_STEPS[places], context=_EXACT[digits])
    except (Inexact, InvalidOperation):
        pass
    else:
        if not exact.is_nan():
            return exact
    if not value.is_finite():
        raise ValueError(_("Give a finite number."))
    bound = _BOUNDS[digits - places]
    if -bound < value < bound:
        raise ValueError(
            ngettext(
                "At most %(places)d digit after the point.",
                "At most %(places)d digits after the point.",
                places,
            )
            % {"places": places}
        )
    raise ValueError(_("At most %(digits)d digits before the point.") % {"digits": digits - places})


_LIMIT = re.compile(r"^Expected `(\w+)` (of length )?(<=|>=) (\d+)")
_EXPECTED = re.compile(r"^Expected `(\w+)")


def _wording(message: str) -> str:
    """msgspec's message in our words and the caller's language."""
    if limit := _LIMIT.match(message):
        kind, length, sign, number = limit.groups()
        return _limit_wording(kind, bool(length), sign, int(number))
    if "datetime" in message:
        return _("Give a time with its offset, like 2026-06-30T18:00:00+08:00.")
    if "RFC3339 encoded date" in message:
        return _("Give a day that exists, like 2026-06-30.")
    if message.endswith("got `null`"):
        return _("This field cannot be empty.")
    if "decimal" in message.lower():
        return _("Give a number.")
    expected = _EXPECTED.match(message)
    kinds = {
        "str": _("Give a text."),
        "bool": _("Give true or false."),
        "int": _("Give a whole number."),
        "date": _("Give a day that exists, like 2026-06-30."),
        "array": _("Give a list."),
        "object": _("Give an object."),
    }
    return kinds.get(expected.group(1) if expected else "", _("This value is not valid."))


def _limit_wording(kind: str, length: bool, sign: str, number: int) -> str:
    if not length:
        if sign == "<=":
            return _("Give at most %(number)d.") % {"number": number}
        return _("Give at least %(number)d.") % {"number": number}
    if kind == "array":
        return ngettext(
            "Give at most %(number)d entry.", "Give at most %(number)d entries.", number
        ) % {"number": number}
    if sign == ">=":
        return _("This field is required.")
    return ngettext(
        "Give at most %(number)d character.", "Give at most %(number)d characters.", number
    ) % {"number": number}
