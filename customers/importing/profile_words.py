"""Suppliers and months as people write them into one cell: 恒信粮油（8）、光明; 1、3、9月; 3-5."""

from __future__ import annotations

import calendar
import re
import unicodedata

from customers.forms.profile import MOST_SUPPLIERS
from customers.importing.reasons import Refused
from customers.models import Supplier

#: A supplier as rows keep it: name, what it supplies (None: not said), satisfaction (None: same).
Line = list[str | int | None]

_BETWEEN = re.compile(r"[,，、;；|/\n]")
#: 恒信粮油（8分）, 恒信粮油：8, 恒信粮油 8分
_SCORED = re.compile(
    r"(?P<name>.+?)(?:\s*[(（]\s*(?P<a>\d{1,2})\s*分?\s*[)）]"
    r"|\s*[:：]\s*(?P<b>\d{1,2})\s*分?|\s+(?P<c>\d{1,2})\s*分)"
)
_SIGNS = {sign: number for number, sign in enumerate("一二三四五六七八九十", start=1)}
_CHINESE_MONTH = re.compile(r"十[一二]?|[一二三四五六七八九]")
_ENGLISH_MONTH = re.compile(r"[a-z]+")
_NAMED = {
    word.lower(): number
    for number in range(1, 13)
    for word in (calendar.month_name[number], calendar.month_abbr[number])
} | {"sept": 9}
_WHOLE_YEAR = frozenset(("全年", "每月", "每个月", "常年", "all year", "all", "every month"))
_MONTHS = re.compile(r"(\d{1,2})(?:-(\d{1,2}))?")


def suppliers(text: str) -> list[Line]:
    """The suppliers in a cell: each alone, with a mark, or as 恒信粮油 · 调味品 · 8.

    Raises Refused.
    """
    lines: dict[str, Line] = {}
    for part in filter(None, (word.strip() for word in _BETWEEN.split(text))):
        line = _line(part)
        lines.setdefault(str(line[0]), line)
    if len(lines) > MOST_SUPPLIERS:
        raise Refused("suppliers", limit=MOST_SUPPLIERS)
    return list(lines.values())


def _line(part: str) -> Line:
    name, *details = (word.strip() for word in part.split("·"))
    supplies: str | None = None
    score: int | None = None
    for detail in filter(None, details):
        number = detail.removesuffix("分")
        if number.isdecimal():
            score = mark(number)
        else:
            supplies = detail
    if not details and (found := _SCORED.fullmatch(name)):
        name, score = found["name"], mark(found["a"] or found["b"] or found["c"])
    for word in (name, supplies or ""):
        limit = Supplier._meta.get_field("name").max_length or 0
        if len(word) > limit:
            raise Refused("long", limit=limit, number=len(word))
    if not name:
        raise Refused("supplier_name", text=part[:60])
    return [name, supplies, score]


def marks(text: str) -> list[int]:
    """The marks in a cell, in the order of the suppliers beside them. Raises Refused."""
    return [mark(one.strip().removesuffix("分")) for one in _BETWEEN.split(text) if one.strip()]


def mark(text: str) -> int:
    """A mark from 1 to 10. Raises Refused."""
    if not text.isdecimal():
        raise Refused("number", text=text[:60])
    if not 1 <= int(text) <= 10:
        raise Refused("range", text=text[:60], least="1", most="10")
    return int(text)


def months(text: str) -> list[int]:
    """The months in a cell as numbers in their order; 11-2 goes over the turn of the year.

    Raises Refused.
    """
    plain = unicodedata.normalize("NFKC", text).lower().strip()
    if plain in _WHOLE_YEAR:
        return list(range(1, 13))
    plain = _CHINESE_MONTH.sub(lambda found: f" {_number(found.group())} ", plain)
    plain = re.sub(r"[和与及]|\band\b|&", ",", re.sub(r"月份?", " ", plain))
    plain = re.sub(r"\s*(?:[-~–—−至到]|\bto\b)\s*", "-", plain)
    plain = _ENGLISH_MONTH.sub(lambda found: str(_NAMED.get(found.group(), found.group())), plain)
    found: set[int] = set()
    for part in filter(None, re.split(r"[,、;/|\s.]+", plain)):
        match = _MONTHS.fullmatch(part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if not (1 <= first <= 12 and 1 <= last <= 12):
            raise Refused("months", text=text[:60])
        found.update((first + step - 1) % 12 + 1 for step in range((last - first) % 12 + 1))
    if not found:
        raise Refused("months", text=text[:60])
    return sorted(found)


def _number(words: str) -> int:
    """十二 → 12."""
    _tens, ten, ones = words.rpartition("十")
    return _SIGNS[ones] if not ten else 10 + (_SIGNS[ones] if ones else 0)
