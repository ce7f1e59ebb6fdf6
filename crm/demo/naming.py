"""Names for customers: a real place, a plausible word, and what the business is."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from crm.demo.places import Place, city_of
from customers.models import Kind

#: Two characters each.
_WORDS = (
    "恒信鸿泰永泰德润聚丰金穗佳味益民万福福满同福瑞丰顺达宏盛祥和富源永鑫百味鲜味源丰盛德"
    "嘉禾广源东升双喜乐家美佳众和恒丰泰和裕丰昌盛隆兴正和信诚明珠龙腾惠民丰收和顺金桥康乐"
    "四季玉泉三江锦程广聚天和安泰兴隆春晖稻香一品长青吉祥汇丰鼎盛万和庆丰合众宝利荣华新民"
    "利群同盛大成谷丰味香百合盈丰联盛丰泽茂源"
)
_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
_GIVEN = "建国秀兰永泰美凤志强丽萍海燕国华小红文斌金永晓东春梅卫东雪芳立军佳慧"
_NICKNAMES = "老阿小"
_BUSINESS: dict[str, tuple[str, ...]] = {
    Kind.DISTRIBUTOR: (
        "副食品有限公司", "商贸有限公司", "食品有限公司", "粮油贸易有限公司", "调味品有限公司",
        "供应链有限公司",
    ),
    Kind.DEALER: (
        "粮油商行", "食品商行", "副食批发部", "调味品经营部", "南北货商行", "粮油经营部",
        "食品批发部", "商行",
    ),
    Kind.OUTLET: ("超市", "平价超市", "便利店", "副食店", "粮油店", "生鲜超市", "食杂店"),
    Kind.GROUP_BUYER: (
        "纺织集团有限公司", "机械制造有限公司", "电子科技有限公司", "建设集团有限公司",
        "酒店有限公司", "物业服务有限公司", "新材料有限公司", "实验学校食堂", "商会福利采购",
        "职工食堂",
    ),
}  # fmt: skip


def _two(rng: Random, pairs: str) -> str:
    at = rng.randrange(0, len(pairs), 2)
    return pairs[at : at + 2]


def person(rng: Random) -> str:
    """王建国, 沈美凤."""
    return rng.choice(_SURNAMES) + _two(rng, _GIVEN)


class Names:
    """Hands out customer names, none of them twice."""

    def __init__(self, rng: Random, taken: Iterable[str] = ()) -> None:
        self._rng = rng
        self._taken = set(taken)

    def name(self, kind: str, place: Place, town: str) -> str:
        """A name nobody has yet for a customer of `kind` in `town`."""
        for _attempt in range(40):
            name = self._compose(kind, place, town)
            if name not in self._taken:
                self._taken.add(name)
                return name
        # A small town has run out of plain names: the owner's name makes the difference.
        while (longer := f"{name}（{person(self._rng)}）") in self._taken:
            name = self._compose(kind, place, town)
        self._taken.add(longer)
        return longer

    def _compose(self, kind: str, place: Place, town: str) -> str:
        rng = self._rng
        word, business = _two(rng, _WORDS), rng.choice(_BUSINESS[kind])
        village = town.removesuffix("街道").removesuffix("镇")
        if town.endswith(("区", "县", "市")) or len(village) < 2:
            village = place.short
        if kind == Kind.DISTRIBUTOR:
            return rng.choice((city_of(place.code), place.short)) + word + business
        if kind == Kind.DEALER:
            where = place.short if village == place.short else place.short + village
            return rng.choice((where, village, place.short)) + word + business
        if kind == Kind.GROUP_BUYER:
            return place.short + word + business
        if rng.random() < 0.25:
            word = rng.choice(_NICKNAMES) + rng.choice(_SURNAMES)
        elif rng.random() < 0.12:
            word = rng.choice(_SURNAMES) + "记"
        return village + word + business
