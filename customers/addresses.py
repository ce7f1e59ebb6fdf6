"""The division that an address lies in: read from its words, never guessed (P1).

An address is read from the left, from the province down, as people write it: with and without
suffixes (浙江省绍兴市, 浙江绍兴), with levels left out (诸暨市大唐街道), after a label or a name.
Where more than one division fits, or one fits by its bare name only (朝阳, 北海公园), the
candidates are given and nobody decides for the reader.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from customers import divisions
from customers.address_words import (
    BREAKS,
    CITIES_FIRST,
    COMMON,
    COUNTRY,
    FILLER,
    FORMER,
    GOES_ON,
    LABEL,
    MORE_NAMES,
    NAMES_SOMETHING_ELSE,
    NUMBERS,
    PEOPLES,
    PLAIN_WORDS,
    SUFFIXES,
    ZONE,
)
from customers.models import Customer, DivisionFound
from customers.names import fold

MOST_CANDIDATES = 20


class Found(NamedTuple):
    """What an address says: a 6-digit `code` or "", the codes it may mean, and how it came."""

    code: str
    candidates: tuple[str, ...] = ()
    state: str = DivisionFound.UNKNOWN.value


class _Name(NamedTuple):
    """A way to write a division; a bare one lacks its suffix, a former one is no more."""

    prefix: str
    bare: bool = False
    former: tuple[str, ...] = ()


class _Reading(NamedTuple):
    """One way to read an address: how far it goes, where it leads, on what evidence."""

    end: int
    prefix: str
    full: int = 0
    bare: int = 0
    former: tuple[str, ...] = ()


class Area(NamedTuple):
    """What a file says about its place; `found` is "" where the division was given."""

    division: str = ""
    found: str = ""
    address: str = ""

    @classmethod
    def of(cls, customer: Customer | None) -> Area:
        """The place of a file; nowhere for one that is being made."""
        if customer is None:
            return cls()
        return cls(customer.division, customer.division_found, customer.address)


#: The place of a file that is being made.
NOWHERE = Area()


def settled(before: Area, *, division: str | None, address: str) -> Area:
    """The place of a file that was `before`, once `division` is said (None: nothing) of `address`.

    What people or the ERP gave stays until they give another; what was read from the address
    follows the address. An empty `division` asks to look for it.
    """
    if division:
        same = division == before.division and address == before.address
        return before if same else Area(division, "", address)
    if division is None:
        was_given = bool(before.division) and not before.found
        if was_given or address == before.address:
            return before._replace(address=address)
    if not address.strip():
        return Area("", "", address)
    found = find(address)
    return Area(found.code, found.state, address)


def find(address: str) -> Found:
    """The division in which `address` lies, or those it may lie in."""
    text = _tidied(address)
    strong: list[str] = []
    weak: list[str] = []
    behind = 0
    for start in _starts(text):
        if start < behind or (reading := _best(text, start)) is None:
            continue
        behind = reading.end
        (strong if reading.sure else weak).extend(reading.prefixes)
    prefixes = _narrowed(strong or weak)
    if len(prefixes) > 1:
        prefixes = _decided(text, prefixes)
    if not prefixes:
        return Found("")
    if not strong or len(prefixes) > 1:
        return _several(prefixes)
    (prefix,) = prefixes
    if len(prefix) == 2 and (cities := _cities_of(prefix)):
        return _several(cities)
    return Found(_code(prefix), (), DivisionFound.ADDRESS.value)


def _several(prefixes: list[str]) -> Found:
    candidates = tuple(_code(prefix) for prefix in prefixes[:MOST_CANDIDATES])
    return Found("", candidates, DivisionFound.AMBIGUOUS.value)


def _code(prefix: str) -> str:
    return prefix.ljust(6, "0")


def _tidied(address: str) -> str:
    """The address in one width and script, with one space for whatever stands between words."""
    text = BREAKS.sub(" ", NUMBERS.sub(" ", unicodedata.normalize("NFKC", address)))
    if not _is_simplified(text):
        text = " ".join(fold(word) for word in text.split())
    return COUNTRY.sub(" ", LABEL.sub(" ", text)).strip()


def _is_simplified(text: str) -> bool:
    try:
        text.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def _starts(text: str) -> Iterator[int]:
    """Where an address may begin: at each word, and where the full name of a province stands."""
    seen = {0, *(found.end() for found in re.finditer(" ", text))}
    seen.update(found.start() for found in _provinces().finditer(text))
    yield from sorted(seen)


class _Best(NamedTuple):
    """Where the longest reading ends, the divisions it may lead to, and whether it is sure."""

    end: int
    prefixes: list[str]
    sure: bool


def _best(text: str, start: int) -> _Best | None:
    """The longest reading from `start`; None where no division is named there.

    The bare name of one division alone is sure only at the beginning of the address, and where a
    town, a road or nothing follows it: 绍兴解放北路, but not 北海公园.
    """
    readings = list(_readings(text, _Reading(start, "")))
    if not readings:
        return None
    end = max(reading.end for reading in readings)
    readings = [reading for reading in readings if reading.end == end]
    current = [reading for reading in readings if not reading.former]
    if not current:
        former = dict.fromkeys(prefix for reading in readings for prefix in reading.former)
        return _Best(end, list(former), sure=False)
    provinces = [reading.prefix for reading in current if len(reading.prefix) == 2]
    prefixes = _widest(provinces or [reading.prefix for reading in current])
    sure = True
    if all(reading.full + reading.bare == 1 for reading in current):
        said = text[start:end]
        if said in CITIES_FIRST:
            prefixes = [prefix for prefix in prefixes if len(prefix) == 4]
        if said in PLAIN_WORDS:
            sure = False
        elif all(reading.bare for reading in current):
            sure = start == 0 and bool(end == len(text) or GOES_ON.match(text, end))
        elif said in COMMON:
            sure = False
    return _Best(end, prefixes, sure)


def _readings(text: str, so_far: _Reading) -> Iterator[_Reading]:
    """Every way to go on from `so_far`, down to the last division that is named."""
    filler = FILLER.match(text, so_far.end) if so_far.prefix else None
    begin = filler.end() if filler else so_far.end
    found = False
    for name, end in _names_at(text, begin, so_far.prefix):
        step = _step(text, so_far, name, end)
        if step is None:
            continue
        found = True
        if step.former:
            yield step
        else:
            yield from _readings(text, step)
    if not found and len(so_far.prefix) == 4 and (zone := ZONE.match(text, begin)):
        for name, end in _names_at(text, zone.end(), so_far.prefix):
            if not name.bare and not name.former and len(name.prefix) == 6:
                found = True
                yield _Reading(end, name.prefix, so_far.full + 1, so_far.bare)
    if so_far.prefix and not found:
        yield so_far


def _step(text: str, so_far: _Reading, name: _Name, end: int) -> _Reading | None:
    """`so_far` and one name more, where it is the name of a division and not of something else."""
    if name.former:
        return _Reading(end, "", so_far.full + 1, so_far.bare, name.former)
    if not name.bare:
        a_market = text[end - 1] == "市" and text[end : end + 1] == "场"
        a_town = text[end - 1] == "县" and text[end : end + 1] == "城" and not so_far.prefix
        if a_market or a_town:
            return None
        return _Reading(end, name.prefix, so_far.full + 1, so_far.bare)
    if not _goes_down(text, end, name.prefix):
        if text[end : end + 1] in ("县", "区", "市"):
            return _renamed(text, so_far, name, end)
        if NAMES_SOMETHING_ELSE.match(text, end):
            return None
    return _Reading(end, name.prefix, so_far.full, so_far.bare + 1)


def _renamed(text: str, so_far: _Reading, name: _Name, end: int) -> _Reading | None:
    """A name with the suffix of former times (上虞市 is 上虞区): what stands in its place."""
    if len(name.prefix) == 2 or text[end : end + 2] in ("市场", "市民", "区间", "区域"):
        return None
    return _Reading(end + 1, "", so_far.full, so_far.bare + 1, (name.prefix,))


def _goes_down(text: str, at: int, prefix: str) -> bool:
    """Whether a division below `prefix` is named right there: 台州|路桥区 is no road."""
    return any(
        len(name.prefix) > len(prefix) for name, _end in _names_at(text, at, prefix) if name.prefix
    )


def _names_at(text: str, at: int, prefix: str) -> Iterator[tuple[_Name, int]]:
    """The names that begin at `at`, of `prefix` itself or of what lies in it, the longest first."""
    forms, lengths = _forms()
    for length in lengths.get(text[at : at + 2], ()):
        if at + length > len(text):
            continue
        for name in forms.get(text[at : at + length], ()):
            inside = name.prefix or name.former[0]
            if inside.startswith(prefix):
                yield name, at + length


def _narrowed(prefixes: list[str]) -> list[str]:
    """`prefixes` without repetition and without those that another one says more exactly."""
    kept = list(dict.fromkeys(prefixes))
    return [
        prefix
        for prefix in kept
        if not any(other != prefix and other.startswith(prefix) for other in kept)
    ]


def _widest(prefixes: list[str]) -> list[str]:
    """`prefixes` without those inside another one: the bare name of a city and of a county in it
    means the city."""
    kept = list(dict.fromkeys(prefixes))
    return [
        prefix
        for prefix in kept
        if not any(other != prefix and prefix.startswith(other) for other in kept)
    ]


def _decided(text: str, prefixes: list[str]) -> list[str]:
    """Those of `prefixes` whose city or province the rest of the text names, if it names any."""
    words = set(text.split())
    named = [prefix for prefix in prefixes if _is_named(text, words, prefix)]
    return named or prefixes


def _is_named(text: str, words: set[str], prefix: str) -> bool:
    for size in (4, 2):
        above = prefix[:size]
        if len(prefix) <= size or (title := divisions.path(above)[-1:]) == ():
            continue
        if len(divisions.path(above)) != size // 2:
            continue
        if _short(title[0]) in words or re.search(re.escape(title[0]) + "(?!场)", text):
            return True
    return False


@cache
def _forms() -> tuple[dict[str, tuple[_Name, ...]], dict[str, tuple[int, ...]]]:
    """Every way to write a division, and how long those are that begin with two characters."""
    forms: dict[str, list[_Name]] = {}
    for prefix, title in divisions.all_names().items():
        forms.setdefault(title, []).append(_Name(prefix))
        short = _short(title)
        if len(short) < 2 or short in COMMON or short == title:
            continue
        forms.setdefault(short, []).append(_Name(prefix, bare=True))
        for alias in _shortened(prefix, title, short):
            forms.setdefault(alias, []).append(_Name(prefix))
    for title, prefix in MORE_NAMES.items():
        if all(name.prefix != prefix for name in forms.get(title, ())):
            forms.setdefault(title, []).append(_Name(prefix, bare=len(title) == 2))
    for title, codes in FORMER.items():
        if title not in forms:
            forms[title] = [_Name("", former=codes)]
    lengths: dict[str, set[int]] = {}
    for form in forms:
        lengths.setdefault(form[:2], set()).add(len(form))
    return (
        {form: tuple(names) for form, names in forms.items()},
        {head: tuple(sorted(some, reverse=True)) for head, some in lengths.items()},
    )


def _shortened(prefix: str, title: str, short: str) -> Iterator[str]:
    """The usual short forms that keep a suffix: 恩施州, 绍兴地区, 景宁县, 内蒙古自治区."""
    if title.endswith("自治州"):
        yield f"{short}州"
    elif title.endswith("自治县"):
        yield f"{short}县"
    elif title.endswith("自治区"):
        yield f"{short}自治区"
        yield f"{short}省"
    if len(prefix) == 4 and title.endswith("市"):
        yield f"{short}地区"


@cache
def _short(title: str) -> str:
    """A title without its suffix and the peoples in it: 恩施 of 恩施土家族苗族自治州."""
    for suffix in SUFFIXES:
        if title.endswith(suffix):
            bare = title.removesuffix(suffix)
            if bare == "内蒙古":
                return bare
            return PEOPLES.sub("", bare) or bare.removesuffix("族")
    return title[:-1] if title[-1] in "省市区县盟旗州" else title


@cache
def _provinces() -> re.Pattern[str]:
    titles = [title for prefix, title in divisions.all_names().items() if len(prefix) == 2]
    return re.compile("|".join(titles) + "|" + "|".join(f"{_short(t)}省" for t in titles))


@cache
def _cities_of(province: str) -> list[str]:
    """What stands directly below a province; nothing where it is a city itself."""
    if province in divisions.MUNICIPALITIES:
        return []
    (area,) = (area for area in divisions.tree() if area.prefix == province)
    return [part.prefix for part in area.parts]
