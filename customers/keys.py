"""Keys that two files of one company share, however its name, phone and address are written (P5).

A key is compared for equality. "" means that there is nothing to compare.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from typing import NamedTuple

from customers import divisions
from customers.names import fold

_BRACKETED = re.compile(
    r"[(\[{〔【〈《「『]([^()\[\]{}〔〕【】〈〉《》「」『』]*)[)\]}〕】〉》」』]"
)
_JUNK = re.compile(r"[\W_]+")

# --- names

#: What a firm is by law, at the end of its name: says nothing about which firm it is.
_LEGAL = re.compile(
    r"(?:股份有限公司|有限责任公司|有限责任|有限公司|股份公司|责任公司|集团公司|总公司|公司|集团|股份"
    r"|个体工商户|个体户|个体|普通合伙|有限合伙|合伙企业|个人独资企业|合作社"
    r"|商行|商号|批发|经营部|经营处|经销部|经销处|经销商|批发部|批发行|批发商行|门市部|供应站|供销社|商店)$"
)
_LEGAL_ENGLISH = frozenset(
    re.findall(
        r"\w+",
        "co company ltd limited inc incorporated llc llp lp corp corporation plc gmbh ag sa srl pte"
        " pty the and of",
    )
)
#: Words for a trade: a name of nothing but a place and these is told apart by its place.
_TRADE = re.compile(
    "|".join(
        sorted(
            re.findall(
                r"\w+",
                "副食品 副食 食品 粮油 粮食 商贸 贸易 工贸 经贸 调味品 调味 南北货 批发 零售 平价"
                " 超市 便利店 便利 生鲜 食杂 杂货 百货 日用品 日化 烟酒 酒业 酒水 饮料 乳业 冷饮"
                " 水产 蔬菜 水果 农产品 农贸 土特产 特产 配送 供应链 物流 仓储 餐饮"
                " 酒店 酒楼 饭店 食堂"
                " 职工 学校 实验 物业 服务 管理 纺织 机械 制造 电子 科技 信息 建设 建筑 材料 新材料"
                " 实业 发展 投资 进出口 福利 采购 商会 有限 公司 市场 中心 商场 连锁 店"
                " 厂 行 部 市",
            ),
            key=len,
            reverse=True,
        )
    )
)
#: One of several outlets of a firm: …超市柯桥店, …公司绍兴分公司, …2号店.
_BRANCH = (
    re.compile(r"^(.+(?:公司|集团))([^公司]{1,8}?(?:分公司|分店|分部|办事处|营业部|门店|店))$"),
    re.compile(
        r"^(.+(?:超市|便利|商场|商城|百货|药房|酒店|酒楼|饭店|餐厅|商行|广场|生鲜|卖场|购物中心))"
        r"([^超市]{1,8}?(?:店|分部|门市部?))$"
    ),
    re.compile(r"^(.{2,}?)(第?[0-9一二三四五六七八九十]{1,3}号?(?:分店|门店|店|分公司|门市部))$"),
)
_BRANCH_INSIDE = re.compile(r"(?:店|分公司|分部|办事处|门市部?|营业部|总部)$")
#: In brackets, but nothing that tells firms apart.
_SAYS_NOTHING = frozenset(("中国", "集团", "大陆", "china", "prc"))


class NameParts(NamedTuple):
    """What a company's name consists of: 越州副食品, 绍兴, and which outlet or owner ("")."""

    core: str
    place: str
    branch: str


def name_key(name: str) -> str:
    """The name without legal form and punctuation: `core@place#branch`, as far as there are some.

    绍兴越州副食品有限公司 and 越州副食品（绍兴）商行 give 越州副食品@绍兴; 柯桥越州副食品 does not.
    """
    core, place, branch = name_parts(name)
    tail = f"@{place}" if place or branch else ""
    return f"{core}{tail}{branch and '#' + branch}"[:200]


def split_name_key(key: str) -> NameParts:
    """The parts that `name_key` put together."""
    rest, _sign, branch = key.partition("#")
    core, _sign, place = rest.partition("@")
    return NameParts(core, place, branch)


@lru_cache(maxsize=4096)
def name_parts(name: str) -> NameParts:
    """The parts of a company's name; the core is "" only where the name has no letter at all."""
    text = unicodedata.normalize("NFKC", name)
    place, branch = "", ""
    inside = [_plain(part) for part in _BRACKETED.findall(text)]
    main = _plain(_BRACKETED.sub(" ", text))
    if not main:
        inside, main = [], _plain(text)
    for part in inside:
        if found := _whole_place(part):
            place = found
        elif part and part not in _SAYS_NOTHING and _without_legal(part):
            branch += part
    if main.isascii():
        return NameParts(_english(_BRACKETED.sub(" ", text)) or main, place, branch)
    for pattern in _BRANCH:
        if not branch and (split := pattern.match(main)) and split.group(1) != main:
            main, branch = split.group(1), split.group(2)
            break
    main = _without_legal(main) or main
    main, led_by = _without_places(main, place)
    return NameParts(main, led_by or place, _short_branch(branch))


def _plain(text: str) -> str:
    """Folded letters and digits only; at and hash signs are ours."""
    return _JUNK.sub("", fold(text))


def _without_legal(text: str) -> str:
    while (shorter := _LEGAL.sub("", text)) != text:
        if len(shorter) < 2:
            return text if len(text) > 2 and shorter else ""
        text = shorter
    return text


def _english(text: str) -> str:
    words = [word for word in _JUNK.sub(" ", fold(text.replace("&", " and "))).split() if word]
    while len(words) > 1 and words[-1] in _LEGAL_ENGLISH:
        words.pop()
    return "".join(word for word in words if word not in ("the", "and")) or "".join(words)


def _short_branch(branch: str) -> str:
    """柯桥 for 柯桥店, 柯桥分店 and 柯桥分公司; what else there may be stays."""
    shorter = re.sub(r"(?:分公司|分店|门店|店|分部|门市部?|办事处|营业部)$", "", branch)
    return (_whole_place(shorter) or shorter) or branch


# --- places


@cache
def _places() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Every way to call a division → (its short name, the codes it may be): 绍兴市, 绍兴."""
    found: dict[str, tuple[str, set[str]]] = {}
    for code, title in divisions.titles().items():
        short = _short_place(title)
        for word in {title, short}:
            if len(word) > 1:
                found.setdefault(word, (short, set()))[1].add(code)
    return {word: (short, tuple(sorted(codes))) for word, (short, codes) in found.items()}


_ENDS = re.compile(
    r"(?:(?:[一-龥]{1,4}族)*自治[区州县旗]|维吾尔自治区|特别行政区|林区|地区|[省市区县旗盟])$"
)


def _short_place(title: str) -> str:
    short = _ENDS.sub("", title)
    return short if len(short) > 1 else title


def place_codes(place: str) -> tuple[str, ...]:
    """The codes (prefixes) of the divisions that `place` may mean; none for what is no place."""
    return _places().get(place, ("", ()))[1]


def _whole_place(text: str) -> str:
    """The short name of the place that `text` is, from the last of 浙江省绍兴市; else ""."""
    last = ""
    while text:
        word = _leading_place(text, ())
        if not word:
            return ""
        last, text = _places()[word][0], text[len(word) :]
    return last


def _leading_place(text: str, above: tuple[str, ...]) -> str:
    """The longest name of a division that `text` begins with; below `above` where that is given."""
    places = _places()
    for size in range(min(len(text), 12), 1, -1):
        if known := places.get(text[:size]):
            inside = not above or any(
                code.startswith(top) or top.startswith(code) for code in known[1] for top in above
            )
            if inside:
                return text[:size]
    return ""


def _without_places(text: str, place: str) -> tuple[str, str]:
    """(what follows the leading places, the last of them): (越州副食品, 绍兴).

    A place stays where only words of a trade would be left (绍兴粮油), and 永泰 of 绍兴永泰 is
    not the county in Fujian.
    """
    above = place_codes(place)
    last = ""
    while word := _leading_place(text, above):
        rest = text[len(word) :]
        if not _tells_apart(rest):
            if not last and word != _places()[word][0]:
                text = _places()[word][0] + rest
            break
        last, codes = _places()[word]
        above, text = codes, rest
    return text, last


def _tells_apart(rest: str) -> bool:
    return len(trade_free(rest)) > 1


def trade_free(core: str) -> str:
    """What of a name is the firm's own: 越州 of 越州副食品."""
    return _TRADE.sub("", core)


# --- phones

_PHONE = re.compile(r"\+?\d[\d\-().·\s]{4,}\d")


def phone_key(phone: str) -> str:
    """The national digits of the first number, without trunk zero and extension.

    +86 138 0000 0000, 0086-13800000000 and 13800000000 give the same; a foreign number keeps
    its plus sign.
    """
    text = unicodedata.normalize("NFKC", phone).replace("—", "-").replace("–", "-")
    text = re.sub(r"(?<=\d)\s*(?:转|分机|ext\.?|x|#).*$", "", text, flags=re.IGNORECASE)
    found = _PHONE.search(text)
    if not found:
        return ""
    written = found.group()
    if (tail := re.search(r"(?<=\d{7})-(\d{1,4})$", written)) and tail.start() > 7:
        written = written[: tail.start()]
    digits = re.sub(r"\D", "", written)
    if digits.startswith("00"):
        digits, written = digits[2:], "+" + digits[2:]
    if digits.startswith("86") and len(digits) >= 12:
        return digits[2:].lstrip("0")[:32]
    if written.startswith("+"):
        return f"+{digits}"[:32]
    digits = digits.lstrip("0")
    return digits[:32] if len(digits) >= 7 else ""


# --- addresses

_DIGITS = "零一二三四五六七八九"
_COUNTED = re.compile(
    rf"[{_DIGITS}十百〇两]+(?=号楼|号|弄|幢|栋|座|楼|层|单元|室|组|村民小组|期|区)"
)
_TOWN = re.compile(r"^[一-龥]{2,4}?(?:街道|镇|乡)(?=[一-龥])")
_STOREY = re.compile(r"(?<=\d)f(?![a-z])")
_NUMBER = re.compile(r"\d+|(?<![a-z])[a-z](?![a-z])")
_WHERE_TO = re.compile(
    r"[一-龥]{0,10}?(?:大道|大街|公路|路|街|道|巷|弄|里|村|庄|桥头|市场|园区|工业区|工业园|小区|花园"
    r"|新村|广场|大厦|中心)"
)
_VILLAGE = re.compile(r"[一-龥]{1,6}(?:村|庄|屯)")
#: After the bare name of a city: then it was the name of a road.
_GOES_ON = re.compile(r"[东西南北中]?(?:大道|大街|路|街|道|巷|里|村|\d)")
_NEAR = re.compile(r"(?:附近|对面|旁边?|隔壁|斜对面|路口|交叉口|交汇处).*$")


def address_key(address: str) -> str:
    """Road or village and the numbers after it: `解放北路|123-2-501`.

    Province, city, district, town and the spelling of the numbers (一百二十三号, 2号楼, 2幢, No. 2)
    make no difference. "" where there is neither a number nor a village: half a city lives there.
    """
    text = _BRACKETED.sub(" ", unicodedata.normalize("NFKC", address))
    text = fold(text)
    text = re.sub(r"\bno\.?\s*(?=\d)|号码?:", "", text)
    text = _JUNK.sub("", re.sub(r"(?<=[0-9a-z])[\s\-–—~,、/.]+(?=[0-9a-z])", "之", text))
    if text.replace("之", "").isascii():
        words = re.sub("之", "", text)
        return words[:300] if any(c.isdigit() for c in words) else ""
    text = _COUNTED.sub(lambda found: str(_counted(found.group())), text)
    text = _without_leading_divisions(text)
    while (town := _TOWN.match(text)) and len(text) > town.end() + 1:
        text = text[town.end() :]
    text = _NEAR.sub("", text) if not re.match(r"^\D*\d", text) else text
    first = re.search(r"\d", text)
    if first is None:
        village = _VILLAGE.search(text)
        return village.group()[:300] if village else ""
    where, rest = text[: first.start()], text[first.start() :]
    numbers = _NUMBER.findall(_STOREY.sub("楼", rest))
    roads = _WHERE_TO.findall(where)
    where = roads[-1] if roads and len(roads[-1]) > 1 else where
    plain = (str(int(number)) if number.isdecimal() else number for number in numbers[:8])
    return f"{where.removesuffix('第')}|{'-'.join(plain)}"[:300]


def _without_leading_divisions(text: str) -> str:
    above: tuple[str, ...] = ()
    while word := _leading_place(text, above):
        known = _places()[word]
        rest = text[len(word) :]
        # 中山路 and 新华街 are roads, whatever cities there are.
        bare = word == known[0]
        if not rest or (bare and _GOES_ON.match(rest)):
            break
        above, text = known[1], rest
    return text


def _counted(words: str) -> int | str:
    """一百二十三 → 123; digits in a row (五〇一) are read one by one."""
    words = words.replace("两", "二").replace("〇", "零")
    if "十" not in words and "百" not in words:
        return "".join(str(_DIGITS.index(one)) for one in words)
    total, digit = 0, 0
    for one in words:
        if one == "百":
            total, digit = total + (digit or 1) * 100, 0
        elif one == "十":
            total, digit = total + (digit or 1) * 10, 0
        else:
            digit = _DIGITS.index(one)
    return total + digit
