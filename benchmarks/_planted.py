"""Companies made up with pairs of files that are one company, and others that only look like it.

The spellings are made here and share no code with what the product compares by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, TypeAlias, cast

Place: TypeAlias = tuple[str, str, str, str]
#: City, district, code of the district, dialling code.
PLACES: tuple[Place, ...] = (
    ("绍兴市", "越城区", "330602", "0575"), ("绍兴市", "柯桥区", "330603", "0575"),
    ("绍兴市", "上虞区", "330604", "0575"), ("绍兴市", "诸暨市", "330681", "0575"),
    ("杭州市", "上城区", "330102", "0571"), ("杭州市", "西湖区", "330106", "0571"),
    ("杭州市", "萧山区", "330109", "0571"), ("宁波市", "海曙区", "330203", "0574"),
    ("宁波市", "鄞州区", "330212", "0574"), ("宁波市", "慈溪市", "330282", "0574"),
    ("温州市", "鹿城区", "330302", "0577"), ("温州市", "乐清市", "330382", "0577"),
    ("嘉兴市", "南湖区", "330402", "0573"), ("嘉兴市", "桐乡市", "330483", "0573"),
    ("金华市", "婺城区", "330702", "0579"), ("金华市", "义乌市", "330782", "0579"),
    ("台州市", "椒江区", "331002", "0576"), ("台州市", "温岭市", "331081", "0576"),
    ("苏州市", "姑苏区", "320508", "0512"), ("苏州市", "昆山市", "320583", "0512"),
    ("无锡市", "梁溪区", "320213", "0510"), ("南京市", "玄武区", "320102", "025"),
    ("南通市", "崇川区", "320613", "0513"), ("合肥市", "庐阳区", "340103", "0551"),
)  # fmt: skip
PROVINCES = {"33": "浙江省", "32": "江苏省", "34": "安徽省"}
#: What a shop is called by: two of these, sometimes three.
SYLLABLES = (
    "越恒鸿永德聚金佳益万福满瑞顺宏祥富鑫味鲜盛嘉源双喜乐美众和裕昌隆正信诚明珠龙"
    "惠民丰桥康玉泉锦程广天春晖稻香品青吉汇鼎宝荣华新利群大成谷百联泽茂"
)
TRADES = (
    "副食品", "食品", "粮油", "商贸", "调味品", "南北货", "酒业", "饮料", "农产品", "百货",
    "超市", "生鲜", "食品批发", "烟酒", "水产",
)  # fmt: skip
FORMS = ("有限公司", "商行", "经营部", "有限责任公司", "批发部", "")
ROADS = (
    "解放北路", "中兴中路", "人民西路", "胜利东路", "鉴湖路", "钱陶公路", "凤林西路", "育才路",
    "建设一路", "迎宾大道", "环城南路", "滨江大道", "学士街", "府山横街", "市场路", "兴工路",
    "振兴东路", "长江路", "文化路", "工人路", "龙山大道", "东湖街", "南门巷", "新桥路",
)  # fmt: skip
#: Traditional characters of some of the above.
TRADITIONAL = dict(zip(
    "绍兴鸿圣万满顺鑫鲜盛双乐众丰桥锦广宝荣华谷联泽烟贸调业饮产货农粮龙",
    "紹興鴻聖萬滿順鑫鮮盛雙樂眾豐橋錦廣寶榮華穀聯澤煙貿調業飲產貨農糧龍", strict=True,
))  # fmt: skip
#: Characters that are typed for one another: they sound the same.
HOMOPHONES = dict(zip(
    "恒鸿永德聚金佳益万福瑞宏祥富鑫味鲜嘉源喜美和裕正信诚明珠惠民丰玉泉锦程晖品吉宝荣利大成茂",
    "衡宏勇得具今家义玩富睿鸿翔付新位先佳原洗镁合玉政芯成名株慧敏风裕全金成辉频即保容力达城贸",
    strict=True,
))  # fmt: skip


@dataclass(frozen=True)
class Firm:
    """One file; `core` is what the firm itself is called."""

    core: str
    trade: str
    form: str
    place: Place
    name: str
    phone: str = ""
    address: str = ""
    tax_id: str = ""
    division: str = ""


@dataclass
class Planted:
    """Files, the pairs of their positions that are one company by kind, and near misses by kind."""

    firms: list[Firm] = field(default_factory=list)
    pairs: dict[tuple[int, int], str] = field(default_factory=dict)
    apart: dict[int, str] = field(default_factory=dict)

    def add(self, firm: Firm, apart: str = "") -> int:
        self.firms.append(firm)
        if apart:
            self.apart[len(self.firms) - 1] = apart
        return len(self.firms) - 1


class Maker:
    """Makes firms none of which is another one by accident."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.taken: set[tuple[str, str, str]] = set()
        self.number = 0

    def is_free(self, core: str, trade: str, place: Place) -> bool:
        return (place[0], core, trade) not in self.taken

    def firm(self, *, core: str = "", trade: str = "", place: Place | None = None) -> Firm:
        rng = self.rng
        while True:
            where = place or rng.choice(PLACES)
            own = core or "".join(rng.sample(SYLLABLES, 3 if rng.random() < 0.2 else 2))
            does = trade or rng.choice(TRADES)
            if self.is_free(own, does, where):
                break
        self.taken.add((where[0], own, does))
        firm = Firm(core=own, trade=does, form=rng.choice(FORMS), place=where, name="")
        return replace(
            firm,
            name=self.spell(firm),
            phone=self.phone(where) if rng.random() < 0.9 else "",
            address=self.address(where) if rng.random() < 0.9 else "",
            tax_id=self.tax_id(where) if rng.random() < 0.3 else "",
            division=where[2] if rng.random() < 0.85 else "",
        )

    def long_core(self) -> str:
        return "".join(self.rng.sample(SYLLABLES, 4))

    def spell(self, firm: Firm) -> str:
        lead = self.rng.choice((firm.place[0][:2], firm.place[0][:2], firm.place[0], ""))
        return f"{lead}{firm.core}{firm.trade}{firm.form}"

    def phone(self, place: tuple[str, ...]) -> str:
        self.number += 1
        if self.rng.random() < 0.3:
            return f"{place[3]}-8{self.number:07}"
        return f"13{self.rng.randrange(10)}{self.number:08}"

    def address(self, place: tuple[str, ...]) -> str:
        rng = self.rng
        inner = rng.choice(("", "", f"{rng.randrange(1, 30)}幢", f"{rng.randrange(1, 9)}楼"))
        room = f"{rng.randrange(101, 1999)}室" if inner and rng.random() < 0.7 else ""
        front = PROVINCES[place[2][:2]] + place[0] + place[1]
        return f"{front}{rng.choice(ROADS)}{rng.randrange(1, 999)}号{inner}{room}"

    def tax_id(self, place: tuple[str, ...]) -> str:
        self.number += 1
        return f"91{place[2]}MA{self.number:08}"


# --- a second file of the same company


def other_form(firm: Firm, make: Maker) -> Firm:
    """另一种后缀: 商行, 有限公司."""
    form = make.rng.choice([form for form in FORMS if form != firm.form])
    return replace(firm, name=f"{firm.place[0][:2]}{firm.core}{firm.trade}{form}")


def place_in_brackets(firm: Firm, make: Maker) -> Firm:
    left, right = make.rng.choice(("()", "（）"))
    place = make.rng.choice((firm.place[0], firm.place[0][:2]))
    return replace(firm, name=f"{firm.core}{firm.trade}{left}{place}{right}{firm.form}")


def province_before(firm: Firm, make: Maker) -> Firm:
    front = PROVINCES[firm.place[2][:2]] + firm.place[0]
    return replace(firm, name=f"{front}{firm.core}{firm.trade}{firm.form}")


def wide_letters(firm: Firm, make: Maker) -> Firm:
    phone = "".join(chr(ord(c) + 0xFEE0) if c.isdigit() else c for c in firm.phone)
    core = firm.core
    return replace(firm, name=f"{firm.place[0][:2]}　{core} {firm.trade}{firm.form}", phone=phone)


def traditional(firm: Firm, make: Maker) -> Firm:
    name = f"{firm.place[0][:2]}{firm.core}{firm.trade}{firm.form}"
    return replace(firm, name="".join(TRADITIONAL.get(one, one) for one in name))


def typed_wrongly(firm: Firm, make: Maker) -> Firm:
    """A slip in the name; the phone is the same."""
    core, rng = firm.core + firm.trade, make.rng
    known = [at for at, one in enumerate(firm.core) if one in HOMOPHONES]
    if known and rng.random() < 0.7:
        at = rng.choice(known)
        core = core[:at] + HOMOPHONES[core[at]] + core[at + 1 :]
    elif rng.random() < 0.5:
        at = rng.randrange(1, len(core))
        core = core[:at] + core[at - 1] + core[at:]
    else:
        core = core[1] + core[0] + core[2:]
    return replace(firm, name=f"{firm.place[0][:2]}{core}{firm.form}")


def moved(firm: Firm, make: Maker) -> Firm:
    return replace(firm, address=make.address(firm.place))


def address_respelt(firm: Firm, make: Maker) -> Firm:
    """The same house, the city left out, 号楼 for 幢; and another phone."""
    text = firm.address
    for part in (PROVINCES[firm.place[2][:2]], firm.place[0], make.rng.choice(("", firm.place[1]))):
        text = text.replace(part, "", 1)
    text = text.replace("幢", make.rng.choice(("号楼", "栋", "幢"))).replace("室", "")
    text = text.replace("楼", "F") if "号楼" not in text and make.rng.random() < 0.5 else text
    return replace(firm, address=text, phone=make.phone(firm.place))


def phone_respelt(firm: Firm, make: Maker) -> Firm:
    phone = firm.phone
    if phone.startswith("1"):
        phone = make.rng.choice((f"+86 {phone[:3]} {phone[3:7]} {phone[7:]}", f"0086{phone}"))
    else:
        phone = make.rng.choice(
            (phone.replace("-", ""), f"+86{phone[1:]}", f"({phone[:4]}){phone[5:]}")
        )
    return replace(other_form(firm, make), phone=phone)


def slip_alone(firm: Firm, make: Maker) -> Firm:
    """A slip in a name of four characters; nothing else is shared, a phone perhaps differs."""
    own, rng = firm.core, make.rng
    at = rng.randrange(len(own))
    slip = rng.choice(("wrong", "missing", "swapped"))
    if slip == "wrong":
        own = own[:at] + rng.choice([one for one in SYLLABLES if one not in own]) + own[at + 1 :]
    elif slip == "missing":
        own = own[:at] + own[at + 1 :]
    else:
        at = min(at, len(own) - 2)
        own = own[:at] + own[at + 1] + own[at] + own[at + 2 :]
    return replace(
        firm,
        name=f"{firm.place[0][:2]}{own}{firm.trade}{rng.choice(FORMS)}",
        phone=rng.choice(("", make.phone(firm.place))),
        address="",
        tax_id="",
    )


Variant = Callable[[Firm, Maker], Firm]
#: The kinds of second spellings, and what of the first file the second one must have.
VARIANTS: dict[str, tuple[Variant, tuple[str, ...]]] = {
    "other legal form": (other_form, ("phone",)),
    "place in brackets": (place_in_brackets, ("phone",)),
    "province before": (province_before, ("address",)),
    "wide letters": (wide_letters, ("phone",)),
    "traditional": (traditional, ("address",)),
    "slip in the name, same phone": (typed_wrongly, ("phone",)),
    "moved": (moved, ("phone", "address")),
    "address respelt, other phone": (address_respelt, ("address",)),
    "phone respelt, other form": (phone_respelt, ("phone",)),
    "slip in a long name alone": (slip_alone, ("name",)),
}


def second_file(firm: Firm, variant: Variant, needs: tuple[str, ...], make: Maker) -> Firm:
    """Another file of `firm`: spelt otherwise, some of what is not needed left out."""
    second = variant(firm, make)
    for name in {"phone", "address", "tax_id", "division"} - set(needs):
        if make.rng.random() < 0.35:
            second = replace(second, **cast("dict[str, Any]", {name: ""}))
    return second


# --- files that only look alike


def a_chain(make: Maker) -> Iterator[Firm]:
    """Branches of one supermarket: one name, often one phone, several houses."""
    head = make.firm(trade="超市")
    for place in make.rng.sample(PLACES, 5):
        branch = f"{place[1][:2]}"
        name = make.rng.choice((f"{head.core}超市({branch}店)", f"{head.core}超市{branch}店"))
        yield replace(head, name=name, place=place, division=place[2], address=make.address(place))


def a_building(make: Maker) -> Iterator[Firm]:
    """Different firms in one house."""
    first = make.firm()
    for _n in range(4):
        firm = make.firm(place=first.place)
        yield replace(firm, address=first.address or make.address(first.place))


def an_agent(make: Maker) -> Iterator[Firm]:
    """Clients of one bookkeeper, who put down her phone."""
    first = make.firm()
    phone = make.phone(first.place)
    for _n in range(12):
        yield replace(make.firm(place=first.place), phone=phone)


def namesakes(make: Maker) -> Iterator[Firm]:
    """One name in several cities."""
    first = make.firm()
    cities = {place[0]: place for place in PLACES if place[0] != first.place[0]}
    for place in make.rng.sample(sorted(cities.values()), 3):
        if not make.is_free(first.core, first.trade, place):
            continue
        firm = make.firm(core=first.core, trade=first.trade, place=place)
        yield replace(firm, name=f"{place[0][:2]}{firm.core}{firm.trade}{firm.form}")


def neighbours(make: Maker) -> Iterator[Firm]:
    """Names of one city that differ in one character: 恒信粮油 and 恒泰粮油."""
    first = make.firm()
    for last in make.rng.sample(SYLLABLES, 3):
        core = first.core[0] + last
        if make.is_free(core, first.trade, first.place):
            yield make.firm(core=core, trade=first.trade, place=first.place)


def numbered(make: Maker) -> Iterator[Firm]:
    """Long names of one city that differ in what tells them apart: 东区, 西区; 第一, 第二."""
    first = make.firm(core=make.long_core())
    one_of = make.rng.choice(("东西南北", "一二三四", "上下"))
    for which in one_of[:3]:
        core = f"{first.core}{which}"
        if make.is_free(core, first.trade, first.place):
            yield make.firm(core=core, trade=first.trade, place=first.place)


APART = {
    "branches of a chain": a_chain,
    "one building": a_building,
    "one agent's phone": an_agent,
    "namesakes elsewhere": namesakes,
    "neighbours by name": neighbours,
    "numbered": numbered,
}


def plant(customers: int, *, seed: int = 1) -> Planted:
    """`customers` files: every twentieth has a second one, every fifth is a near miss."""
    rng = Random(seed)
    make, planted = Maker(rng), Planted()
    while len(planted.firms) < customers * 0.2:
        kind = rng.choice(sorted(APART))
        for firm in APART[kind](make):
            planted.add(firm, apart=kind)
    kinds = sorted(VARIANTS)
    for number in range(customers // 20):
        variant, needs = VARIANTS[kinds[number % len(kinds)]]
        core = make.long_core() if variant is slip_alone else ""
        firm = make.firm(core=core)
        while not all(getattr(firm, name) for name in needs):
            firm = make.firm(core=core)
        first = planted.add(firm)
        second = planted.add(second_file(firm, variant, needs, make))
        planted.pairs[first, second] = kinds[number % len(kinds)]
    while len(planted.firms) < customers:
        planted.add(make.firm())
    return planted
