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
from customers.models import DivisionFound

MOST_CANDIDATES = 20

#: What follows the bare name of a division in the name of a road, a place or a firm: 北京东路.
_NAMES_SOMETHING_ELSE = re.compile(
    r"[东西南北中前后上下新老一二三四]{0,2}(?:大道|大街|路|街(?!道)|道|巷|弄|胡同|高速|国道|公路|高架|高铁)"
    r"|[山湖河江海桥城园站](?:[东西南北中]?路|街(?!道)|大道|$|\s)"
    r"|街道|镇|乡|村|苏木|门|公园|广场|大厦|大楼|大学|学院|中学|小学|医院|饭店|酒店|宾馆|商场|市场|市民"
    r"|商会|银行|小吃|饭庄|菜馆|人家|会馆|花园|小区|大酒店|公寓|国际|汽车|机场|码头"
)
#: What follows the name of a town or road that a lone bare name stands before: 绍兴解放北路.
_GOES_ON = re.compile(
    r"\s|[^\s\d]{1,6}?(?:街道|镇|乡|村|路|大道|大街|街|巷|弄|苏木|团)"
    r"|[^\s\d]{0,8}?(?:开发区|高新区|经开区|工业园|产业园|新区|园区)"
)
_ZONE = re.compile(
    r"[^\s\d]{0,10}?(?:技术开发区|产业开发区|开发区|高新区|经开区|新区|工业园区?|产业园区?|管委会)"
)
_FILLER = re.compile(
    r"\s*(?:(?:(?:省|自治区)?直辖县级(?:行政区划|行政单位)|市辖区|市辖县|生产建设兵团|兵团"
    r"|第?[一二三四五六七八九十\d]{1,3}师(?!范))\s*)*"
)
_BREAKS = re.compile(r"[\s,、/|_·.。;:()\[\]【】<>《》“”\"'~+-]+")
_LABEL = re.compile(r"(?:^|(?<=\s))(?:[一-龥]{0,4}地址|邮编|电话|收件人)\s*")
_NUMBERS = re.compile(r"(?<!\d)(?:\d{11}|\d{6})(?!\d)")
_COUNTRY = re.compile(r"(?:^|(?<=\s))(?:中华人民共和国|中国)(?=\s*[一-龥])")
_SUFFIXES = ("特别行政区", "维吾尔自治区", "自治区", "自治州", "自治县", "自治旗", "地区", "新区")
_PEOPLES = re.compile(
    r"(?:各族|[蒙古回藏苗彝壮侗瑶白傣黎佤水羌土满]族|布依族|土家族|哈尼族|傈僳族|仡佬族|拉祜族|朝鲜族"
    r"|纳西族|景颇族|柯尔克孜族?|哈萨克族?|塔吉克族?|锡伯族?|蒙古族?|畲族|毛南族|仫佬族|布朗族|独龙族"
    r"|怒族|普米族|裕固族|保安族|东乡族|撒拉族|达斡尔族|鄂温克族|壮)+$"
)
#: Names of parts of a town: on their own they say nothing, even with their suffix.
_COMMON = frozenset(
    [
        "城区",
        "郊区",
        "矿区",
        "东区",
        "西区",
        "南区",
        "北区",
        "市中",
        "城中",
        "城关",
        "新城",
        "城东",
        "城西",
        "城北",
        "城南",
    ]
)

#: Bare names that stand for the city, though a district elsewhere is called so too.
_CITIES_FIRST = frozenset(("西安", "大同", "中山", "资阳"))
#: Bare names that are words or firms at the beginning of an address (东方明珠, 阿里巴巴).
_WORDS = frozenset(("东方", "阿里"))

#: Units that are no more, and common ways to write others: the divisions that they may mean.
_FORMER: dict[str, tuple[str, ...]] = {
    "绍兴县": ("330603", "330602"),
    "吴县": ("320506", "320507"),
    "吴县市": ("320506", "320507"),
    "锡山市": ("320205", "320206", "320211"),
    "武进市": ("320412", "320411"),
    "丹徒县": ("321112",),
    "江浦县": ("320111",),
    "通县": ("110112",),
    "崇文区": ("110101",),
    "宣武区": ("110102",),
    "卢湾区": ("310101",),
    "闸北区": ("310106",),
    "南汇区": ("310115",),
    "南汇县": ("310115",),
    "塘沽区": ("120116",),
    "汉沽区": ("120116",),
    "大港区": ("120116",),
    "江干区": ("330102", "330113", "330114"),
    "下城区": ("330105",),
    "江东区": ("330212",),
    "鄞县": ("330212", "330203"),
    "东山区": ("440104",),
    "萝岗区": ("440112",),
    "芳村区": ("440103",),
    "思茅市": ("530802",),
    "襄樊": ("4206",),
    "襄樊市": ("4206",),
    "雄安新区": ("130629", "130632", "130638"),
    "西咸新区": ("6101", "6104"),
}
_MORE_NAMES: dict[str, str] = {
    "前郭县": "220721", "喀左县": "211324", "土左旗": "150121", "土右旗": "150221",
    "科左中旗": "150521", "科左后旗": "150522", "科右前旗": "152221", "科右中旗": "152222",
    "莫旗": "150722", "鄂温克旗": "150724", "东乌旗": "152525", "西乌旗": "152526",
    "台北市": "71", "新北市": "71", "桃园市": "71", "台中市": "71", "台南市": "71",
    "高雄市": "71", "内蒙": "15", "香港": "81", "九龙": "81", "澳门": "82", "港岛": "81",
}  # fmt: skip


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


def derive(division: str, address: str, given: bool) -> tuple[str, str]:
    """`division` and `division_found` of a file whose address is `address`.

    A division that was `given` stays; an empty address says nothing about itself.
    """
    if (given and division) or not address.strip():
        return division if given else "", ""
    found = find(address)
    return found.code, found.state


def find(address: str) -> Found:
    """The division in which `address` lies, or those it may lie in."""
    text = _tidied(address)
    strong, weak = [], []
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
    text = unicodedata.normalize("NFKC", address)
    if not _is_simplified(text):
        from customers.names import fold  # loads its dictionaries, which few addresses need

        text = fold(text)
    text = _BREAKS.sub(" ", _NUMBERS.sub(" ", text))
    text = _LABEL.sub(" ", text)
    return _COUNTRY.sub(" ", text).strip()


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
        if said in _CITIES_FIRST:
            prefixes = [prefix for prefix in prefixes if len(prefix) == 4]
        if said in _WORDS:
            sure = False
        elif all(reading.bare for reading in current):
            sure = start == 0 and bool(end == len(text) or _GOES_ON.match(text, end))
        elif said in _COMMON:
            sure = False
    return _Best(end, prefixes, sure)


def _readings(text: str, so_far: _Reading) -> Iterator[_Reading]:
    """Every way to go on from `so_far`, down to the last division that is named."""
    begin = _FILLER.match(text, so_far.end).end() if so_far.prefix else so_far.end  # type: ignore[union-attr]
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
    if not found and len(so_far.prefix) == 4 and (zone := _ZONE.match(text, begin)):
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
        if text[end - 1] == "市" and text[end : end + 1] == "场":
            return None
        if text[end - 1] == "县" and text[end : end + 1] == "城" and not so_far.prefix:
            return None
        return _Reading(end, name.prefix, so_far.full + 1, so_far.bare)
    if text[end : end + 1] in ("县", "区", "市") and not _goes_down(text, end, name.prefix):
        after = text[end : end + 2]
        if after not in ("市场", "市民", "区间", "区域") and len(name.prefix) > 2:
            return _Reading(end + 1, "", so_far.full, so_far.bare + 1, (name.prefix,))
        return None
    if _NAMES_SOMETHING_ELSE.match(text, end) and not _goes_down(text, end, name.prefix):
        return None
    return _Reading(end, name.prefix, so_far.full, so_far.bare + 1)


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
        if len(short) < 2 or short in _COMMON or short == title:
            continue
        forms.setdefault(short, []).append(_Name(prefix, bare=True))
        for alias in _shortened(prefix, title, short):
            forms.setdefault(alias, []).append(_Name(prefix))
    for title, prefix in _MORE_NAMES.items():
        if all(name.prefix != prefix for name in forms.get(title, ())):
            forms.setdefault(title, []).append(_Name(prefix, bare=len(title) == 2))
    for title, codes in _FORMER.items():
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
    for suffix in _SUFFIXES:
        if title.endswith(suffix):
            bare = title.removesuffix(suffix)
            if bare == "内蒙古":
                return bare
            return _PEOPLES.sub("", bare) or bare.removesuffix("族")
    return title[:-1] if title[-1] in "省市区县盟旗州" else title


@cache
def _provinces() -> re.Pattern[str]:
    titles = [title for prefix, title in divisions.all_names().items() if len(prefix) == 2]
    return re.compile("|".join(titles) + "|" + "|".join(f"{_short(t)}省" for t in titles))


@cache
def _cities_of(province: str) -> list[str]:
    """What stands directly below a province; nothing where a municipality is a city itself."""
    if province in divisions.MUNICIPALITIES:
        return []
    return [
        part.prefix for area in divisions.tree() if area.prefix == province for part in area.parts
    ]
