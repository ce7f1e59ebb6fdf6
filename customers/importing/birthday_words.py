"""Birthdays as people write them into lists: 1968-05-03, 5月3日, 农历五月初三, 闰四月十五."""

from __future__ import annotations

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from customers import birthdays
from customers.birthdays import Birthday, BirthdayCalendar

_LUNAR = re.compile(r"农历|阴历|旧历|古历|lunar", re.IGNORECASE)
_SOLAR = re.compile(r"公历|阳历|新历|solar", re.IGNORECASE)
_FIGURES = re.compile(r"(?:(\d{4})[-/.]?)?(\d{1,2})[-/.](\d{1,2})(?:[ T].*)?")
_PACKED = re.compile(r"(\d{4})(\d{2})(\d{2})")
_WITH_YEAR = re.compile(r"(?:(\d{4})年?)?(闰?)(\d{1,2})月(\d{1,2})[日号]?")
_WORDS = re.compile(
    r"(?:(\d{4}|[〇零一二三四五六七八九]{4})年?)?(闰?)(正|冬|腊|十[一二]?|[一二三四五六七八九])月"
    r"(初[一二三四五六七八九十]|[廿卅][一二三四五六七八九]?|[一二三]?十[一二三四五六七八九]?|[一二三四五六七八九])[日号]?"
)
_MONTHS = {"正": 1, "冬": 11, "腊": 12}
_DIGITS = {**{sign: number for number, sign in enumerate("零一二三四五六七八九")}, "〇": 0}


def parse(text: str) -> Birthday:
    """The birthday in `text`; a day in Chinese words (初三, 廿一, 闰四月) is a lunar one.

    Raises ValidationError that says what is wrong, in the reader's language.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    lunar = bool(_LUNAR.search(plain))
    plain = _SOLAR.sub("", _LUNAR.sub("", plain)).strip(" ()[]:,-生日")
    found = _in_words(plain, lunar) or _in_figures(plain, lunar)
    if found is None:
        raise ValidationError(
            _("“%(text)s” is no birthday; write 1968-05-03, 05-03 or 农历五月初三.")
            % {"text": text[:40]}
        )
    if fault := birthdays.fault(found):
        raise ValidationError(fault)
    return found


def _in_figures(plain: str, lunar: bool) -> Birthday | None:
    tight = re.sub(r"\s+(?=[-/.年月日])|(?<=[-/.年月日])\s+", "", plain)
    leap = False
    if match := _WITH_YEAR.fullmatch(tight):
        year, leap = match[1], bool(match[2])
        month, day = match[3], match[4]
    elif match := _PACKED.fullmatch(tight) or _FIGURES.fullmatch(tight):
        year, month, day = match[1], match[2], match[3]
    else:
        return None
    calendar = BirthdayCalendar.LUNAR if lunar or leap else BirthdayCalendar.SOLAR
    return Birthday(calendar.value, int(month), int(day), leap, int(year) if year else None)


def _in_words(plain: str, lunar: bool) -> Birthday | None:
    match = _WORDS.fullmatch(re.sub(r"\s+", "", plain))
    if match is None:
        return None
    year, leap, month, day = match.groups()
    # 五月三日 may be either; 初三, 廿一, 正月, 腊月 and leap months are the lunar calendar's.
    if not lunar and not leap and month not in _MONTHS and not re.search("[初廿卅]", day):
        return Birthday(
            BirthdayCalendar.SOLAR.value, _number(month), _number(day), False, _year(year)
        )
    return Birthday(
        BirthdayCalendar.LUNAR.value, _number(month), _number(day), bool(leap), _year(year)
    )


def _year(words: str | None) -> int | None:
    if not words:
        return None
    return int(words) if words.isdecimal() else int("".join(str(_DIGITS[sign]) for sign in words))


def _number(words: str) -> int:
    """正 → 1, 初三 → 3, 十二 → 12, 廿一 → 21, 三十 → 30."""
    if words in _MONTHS:
        return _MONTHS[words]
    words = words.removeprefix("初").replace("廿", "二十").replace("卅", "三十")
    tens, ten, ones = words.rpartition("十")
    if not ten:
        return _DIGITS[words]
    return (_DIGITS[tens] if tens else 1) * 10 + (_DIGITS[ones] if ones else 0)
