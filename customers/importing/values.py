"""One row of cells as values in the form in which they are stored, or why a cell is refused.

Values are what JSON can hold: money and days as text, choices by their code, own fields under
custom.<head>. Nothing here looks into the database; people are named as the cell names them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models

from customers import divisions, phones
from customers.birthdays import Birthday
from customers.forms.customer import LONGEST_OWN_FIELD, LONGEST_TAG, MOST_TAGS
from customers.importing import birthday_words, profile_words
from customers.importing.fields import (
    FIELDS,
    NEVER_EMPTIED,
    OWN,
    Field,
    in_every_language,
    plain,
)
from customers.importing.reasons import Reasons, Refused
from customers.models.profile import LONGEST_CATEGORY, MOST_CATEGORIES
from customers.serializers import MOST_CUSTOM

Values = dict[str, Any]
SUPPLIERS, SCORES = "profile.suppliers", "profile.supplier_scores"

LONGEST_NAME = 200
YES = {"yes", "y", "true", "1", "是", "有", "对", "√", "✓", "v", "买断"}
NO = {"no", "n", "false", "0", "否", "无", "不", "×", "x", "不是"}
TOTALS = {"合计", "总计", "小计", "共计", "total", "totals", "subtotal", "sum", "grand total"}
#: 1.38E+10, as a spreadsheet writes a long number that it takes for a quantity.
_SHORTENED = re.compile(r"([0-9])(?:\.([0-9]+))?[eE]\+?([0-9]{1,3})")
_DAY = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*[日号]?(?:[ T].*)?")
_PACKED_DAY = re.compile(r"(\d{4})(\d{2})(\d{2})")
#: #N/A, #REF!, #DIV/0!, #VALUE!, #NAME?, as a text file has them.
_ERROR = re.compile(r"#(?:N/A|REF!|DIV/0!|VALUE!|NAME\?|NULL!|NUM!)")
_UNITS = {
    "万": Decimal(10**4),
    "万元": Decimal(10**4),
    "亿": Decimal(10**8),
    "亿元": Decimal(10**8),
}
_MONEY = re.compile(
    r"(?:[¥￥$€]|RMB|CNY)?\s*([-−]?[0-9][0-9,，]*(?:\.[0-9]+)?)\s*(万元?|亿元?|元)?", re.I
)


def read_row(
    cells: Sequence[str], mapping: Mapping[int, str], heads: Sequence[str], *, clears: bool
) -> tuple[Values, Reasons]:
    """The values of a row and what is wrong with its cells, by field.

    An empty cell says nothing, or with `clears` empties the field.
    """
    values: Values = {}
    errors: Reasons = {}
    for column, name in mapping.items():
        text = cells[column] if column < len(cells) else ""
        key = f"{OWN}.{heads[column]}"[: len(OWN) + 1 + LONGEST_OWN_FIELD] if name == OWN else name
        if not text:
            if clears and name not in NEVER_EMPTIED:
                values.update(_emptied(key))
            continue
        try:
            if _ERROR.fullmatch(text):
                raise Refused("cell_error", text=text)
            values.update(_read_own(key, text) if name == OWN else _read(FIELDS[name], text))
        except Refused as no:
            errors[key] = [[no.code, no.parameters]]
    _put_marks_beside_suppliers(values, errors)
    if str(values.get("name", "")).lower() in TOTALS:
        errors["name"] = [["total", {}]]
    own = {name: value for name, value in values.items() if name.startswith(f"{OWN}.")}
    if own and len(json.dumps(own)) > MOST_CUSTOM:
        errors[OWN] = [["own_fields", {}]]
    if not values.get("contact.name") and any(
        value and name.startswith("contact.") for name, value in values.items()
    ):
        values = {n: v for n, v in values.items() if not n.startswith("contact.")}
        errors["contact.name"] = [["nameless", {}]]
    return values, errors


def _put_marks_beside_suppliers(values: Values, errors: Reasons) -> None:
    """Give each supplier its mark, where a column of its own holds them."""
    marks = values.pop(SCORES, None)
    if not marks or SUPPLIERS in errors:
        return
    lines = values.get(SUPPLIERS) or []
    if len(lines) != len(marks):
        errors[SCORES] = [["supplier_scores", {"marks": len(marks), "suppliers": len(lines)}]]
        return
    values[SUPPLIERS] = [[*line[:2], mark] for line, mark in zip(lines, marks, strict=True)]


def _emptied(name: str) -> Values:
    """The field `name` with nothing in it."""
    if name == "contact.birthday":
        return _birthday_parts(None)
    if name.startswith(f"{OWN}."):
        return {name: None}
    return {name: blank(name)}


@cache
def _blank(name: str) -> Any:
    if name in (SUPPLIERS, SCORES):
        return "[]"
    column = FIELDS[name].column
    if isinstance(column, models.JSONField):
        return "[]"
    return None if column.null else ""


def blank(name: str) -> Any:
    """What the field holds while nothing is known; None where the text "" is nothing, too."""
    if name not in FIELDS or name == "owner":
        return None
    value = _blank(name)
    return [] if value == "[]" else value


def _read_own(name: str, text: str) -> Values:
    return {name: _within(text, LONGEST_OWN_FIELD)}


def _read(field: Field, text: str) -> Values:
    if field.kind == "birthday":
        try:
            return _birthday_parts(birthday_words.parse(text))
        except ValidationError as fault:
            raise Refused("birthday", text=text[:60]) from fault
    return {field.name: _READERS[field.kind](field, text)}


def _birthday_parts(birthday: Birthday | None) -> Values:
    """A birthday as the contact keeps it, in parts; all empty for None."""
    return {
        "contact.birthday_calendar": birthday.calendar if birthday else "solar",
        "contact.birth_year": birthday.year if birthday else None,
        "contact.birth_month": birthday.month if birthday else None,
        "contact.birth_day": birthday.day if birthday else None,
        "contact.birthday_leap": birthday.leap if birthday else False,
    }


def _within(text: str, limit: int | None) -> str:
    if limit and len(text) > limit:
        raise Refused("long", limit=limit, number=len(text))
    return text


def _text(field: Field, text: str) -> str:
    return _within(" ".join(_whole(text).split()), field.column.max_length)


def _code(field: Field, text: str) -> str:
    """Digits and letters without the spaces that people put between groups."""
    return _within(re.sub(r"\s+", "", _whole(text)).upper(), field.column.max_length)


def _whole(text: str) -> str:
    """A number that a spreadsheet wrote as 1.38E+10 in full; refused where digits are lost."""
    match = _SHORTENED.fullmatch(text)
    if not match:
        return text
    digits = f"{match[1]}{match[2] or ''}"
    length = int(match[3]) + 1
    if length > 15 or len(digits.rstrip("0")) >= 15 or len(digits) < length:
        raise Refused("shortened", text=text)
    return digits[:length]


def _phone(field: Field, text: str) -> str:
    text = _whole(text)
    try:
        return _within(phones.parse(text), field.column.max_length)
    except ValidationError as fault:
        raise Refused("phone", text=text[:60]) from fault


def _email(field: Field, text: str) -> str:
    try:
        validate_email(text)
    except ValidationError as fault:
        raise Refused("email", text=text[:60]) from fault
    return _within(text, field.column.max_length)


@cache
def _choices(name: str) -> dict[str, str]:
    """Plain word → code, in every language of the product."""
    found = {}
    for code, label in FIELDS[name].column.flatchoices:
        for words in (code, *in_every_language(label)):
            found[plain(words)] = code
    return found


#: Other words for choices, as dealers' lists have them.
_ALSO = {
    "kind": {"一级经销商": "distributor", "总代理": "distributor", "代理商": "distributor",
             "二批": "dealer", "二级经销商": "dealer", "批发商": "dealer", "门店": "outlet",
             "零售": "outlet", "零售店": "outlet", "团购": "group_buyer", "store": "outlet"},
    "status": {"合作中": "active", "正常": "active", "停止合作": "lost"},
}  # fmt: skip


def _choice(field: Field, text: str) -> str:
    word = plain(text)
    found = _choices(field.name).get(word) or _ALSO.get(field.name, {}).get(word)
    if not found:
        raise Refused("choice", text=text[:60], choices=field.name)
    return found


def _flag(field: Field, text: str) -> bool:
    word = text.lower()
    if word in YES:
        return True
    if word in NO:
        return False
    raise Refused("flag", text=text[:60])


def _date(field: Field, text: str) -> str:
    return read_day(text).isoformat()


def read_day(text: str) -> date:
    """The day that a cell holds; raises Refused."""
    match = _DAY.fullmatch(text) or _PACKED_DAY.fullmatch(text)
    try:
        if match:
            found = date(*(int(part) for part in match.groups()))
            if 1800 <= found.year <= 2200:
                return found
    except ValueError:
        pass
    raise Refused("date", text=text[:60])


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation as bad:
        raise Refused("number", text=text[:60]) from bad
    if not number.is_finite() or number.adjusted() > 30:
        raise Refused("number", text=text[:60])
    return number


def _money(field: Field, text: str) -> str:
    number = read_money(text)
    if number < 0:
        raise Refused("range", text=text[:60], least="0", most="99,999,999,999,999")
    return str(number)


def read_money(text: str) -> Decimal:
    """The amount that a cell holds, with its sign, to the cent; raises Refused."""
    match = _MONEY.fullmatch(text)
    if match:
        digits = match[1].replace(",", "").replace("，", "").replace("−", "-")
        number = _decimal(digits) * _UNITS.get(match[2] or "", Decimal(1))
    else:
        number = _decimal(text)
    if number.adjusted() > 13:
        raise Refused("digits", text=text[:60])
    return number.quantize(Decimal("0.01"))


def read_integer(text: str, least: int, most: int) -> int:
    """The whole number that a cell holds; raises Refused."""
    number = _decimal(text.replace(",", "").removesuffix("人"))
    if number != number.to_integral_value():
        raise Refused("number", text=text[:60])
    if not least <= number <= most:
        raise Refused("range", text=text[:60], least=str(least), most=f"{most:,}")
    return int(number)


def _degrees(field: Field, text: str) -> str:
    most = 90 if field.name == "latitude" else 180
    number = _decimal(text.removesuffix("°"))
    if abs(number) > most:
        raise Refused("range", text=text[:60], least=f"−{most}", most=str(most))
    return str(number.quantize(Decimal("0.000001")))


def _words(text: str) -> list[str]:
    return list(dict.fromkeys(w.strip() for w in re.split(r"[,，、;；|/\n]", text) if w.strip()))


def _tags(field: Field, text: str) -> list[str]:
    tags = _words(text)
    if len(tags) > MOST_TAGS or any(len(tag) > LONGEST_TAG for tag in tags):
        raise Refused("tags", limit=MOST_TAGS, longest=LONGEST_TAG)
    return tags


def _categories(field: Field, text: str) -> list[str]:
    words = _words(text)
    if len(words) > MOST_CATEGORIES or any(len(word) > LONGEST_CATEGORY for word in words):
        raise Refused("list", limit=MOST_CATEGORIES, longest=LONGEST_CATEGORY)
    return words


def _tie(field: Field, text: str) -> str:
    """The number or the name of another customer, as the cell has it."""
    return _within(" ".join(_whole(text).split()), LONGEST_NAME)


def _division(field: Field, text: str) -> str:
    code = text.split(" ", 1)[0]
    if divisions.is_known(code):
        return code
    found = () if code.isdecimal() else divisions.called(text)
    if len(found) != 1:
        raise Refused("division", text=text[:60])
    return found[0].ljust(6, "0")


_READERS: dict[str, Callable[[Field, str], Any]] = {
    "text": _text,
    "code": _code,
    "phone": _phone,
    "email": _email,
    "choice": _choice,
    "flag": _flag,
    "date": _date,
    "money": _money,
    "count": lambda field, text: read_integer(text, 0, 2_147_483_647),
    "score": lambda field, text: read_integer(text, 1, 10),
    "degrees": _degrees,
    "tags": _tags,
    "list": _categories,
    "months": lambda field, text: profile_words.months(text),
    "suppliers": lambda field, text: profile_words.suppliers(text),
    "scores": lambda field, text: profile_words.marks(text),
    "tie": _tie,
    "division": _division,
    "owner": lambda field, text: " ".join(text.split())[:150],
}
