"""The people at the demo's customers: who decides, who buys, and when they have their birthdays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from random import Random
from typing import Any, TypeAlias

from crm.demo.naming import person
from crm.demo.writing import Writer
from customers.models import BuyingRole, Contact, Customer, Gender, Kind

#: Id, kind, own fields, on file since.
File: TypeAlias = tuple[int, str, dict[str, str], datetime]

BOSS, ADVISER, BUYER, USER = (
    BuyingRole.DECISION_MAKER.value,
    BuyingRole.INFLUENCER.value,
    BuyingRole.PURCHASER.value,
    BuyingRole.USER.value,
)
COLUMNS = (
    "id", "customer_id", "name", "gender", "title", "phone", "wechat", "birthday_calendar",
    "birth_year", "birth_month", "birth_day", "birthday_leap", "buying_role", "rapport", "likes",
    "has_left", "created_at", "updated_at",
)  # fmt: skip

#: Customers known from the manual: name → name, title, role, rapport, birthday, likes.
KNOWN_PEOPLE: dict[str, list[tuple[str, str, str, int, tuple[Any, ...], str]]] = {
    "绍兴越州副食品有限公司": [
        ("王建国", "总经理", BOSS, 82, ("lunar", 1968, 5, 3, False), "喝龙井，爱听越剧"),
        ("李秀兰", "采购经理", BUYER, 68, ("solar", None, None, None, False), ""),
        ("金永康", "副总经理", ADVISER, 31, ("lunar", 1971, 5, 12, True), "钓鱼"),
        ("赵鹏", "仓储主管", USER, 45, ("solar", 1986, 9, 8, False), "打羽毛球"),
    ],
    "柯桥永泰粮油商行": [
        ("刘永泰", "老板", BOSS, 74, ("lunar", None, 8, 15, False), "黄酒"),
    ],
}  # fmt: skip
_TITLES: dict[Kind, dict[str, tuple[str, ...]]] = {
    Kind.DISTRIBUTOR: {
        BOSS: ("总经理", "董事长"),
        ADVISER: ("副总经理", "财务经理", "销售经理"),
        BUYER: ("采购经理", "采购主管"),
        USER: ("仓储主管", "配送主管"),
    },
    Kind.DEALER: {
        BOSS: ("老板", "负责人", "经理"),
        ADVISER: ("老板娘", "合伙人"),
        BUYER: ("采购员", "店长"),
        USER: ("库管", "司机"),
    },
    Kind.OUTLET: {
        BOSS: ("店主", "店长"),
        ADVISER: ("老板娘",),
        BUYER: ("店长",),
        USER: ("营业员",),
    },
    Kind.GROUP_BUYER: {
        BOSS: ("工会主席", "行政总监"),
        ADVISER: ("办公室主任", "财务主管"),
        BUYER: ("采购专员", "行政主管"),
        USER: ("食堂主任", "福利专员"),
    },
}
#: Who is known beside the one who decides, from the most usual on.
_OTHERS: dict[Kind, tuple[tuple[str, float], ...]] = {
    Kind.DISTRIBUTOR: ((BUYER, 0.85), (ADVISER, 0.5), (USER, 0.4)),
    Kind.DEALER: ((ADVISER, 0.35), (BUYER, 0.3)),
    Kind.OUTLET: ((ADVISER, 0.2),),
    Kind.GROUP_BUYER: ((BUYER, 0.8), (ADVISER, 0.4), (USER, 0.3)),
}
_LIKES = (
    "喝茶",
    "钓鱼",
    "黄酒",
    "越剧",
    "篮球",
    "书法",
    "自驾游",
    "孙子在读小学",
    "不喝酒",
    "跑步",
)
#: Leap months (year, month) that people at work today were born in.
_LEAPS = ((1968, 7), (1971, 5), (1974, 4), (1976, 8), (1979, 6), (1984, 10), (1990, 5), (1995, 8))


def write_contacts(writer: Writer, rng: Random) -> None:
    """Write the people of all customers that are stored."""
    customers = Customer.objects.order_by("pk")
    known = dict(customers.filter(name__in=KNOWN_PEOPLE).values_list("pk", "name"))
    # Read to the end first: the rows are made while the connection is busy writing them.
    files = list(customers.values_list("pk", "kind", "custom", "created_at"))
    writer.write(Contact, COLUMNS, _rows(rng, files, known, first=writer.next_id(Contact)))


def _rows(
    rng: Random, files: Iterable[File], known: Mapping[int, str], *, first: int
) -> Iterator[tuple[Any, ...]]:
    pk = first
    for customer, kind, custom, since in files:
        found = _known(rng, known[customer]) if customer in known else _people(rng, kind, custom)
        for one in found:
            yield (pk, customer, *one, since, since)
            pk += 1


def _known(rng: Random, customer: str) -> Iterator[tuple[Any, ...]]:
    for name, title, role, rapport, birthday, likes in KNOWN_PEOPLE[customer]:
        gender = Gender.FEMALE.value if name[-1] == "兰" else Gender.MALE.value
        yield (name, gender, title, mobile(rng), "", *birthday, role, rapport, likes, False)


def _people(rng: Random, kind: str, custom: dict[str, str]) -> Iterator[tuple[Any, ...]]:
    chance = rng.random
    if chance() < 0.06:
        return  # nobody asked yet
    titles = _TITLES[Kind(kind)]
    roles = [BOSS, *(role for role, often in _OTHERS[Kind(kind)] if chance() < often)]
    for role in roles:
        boss = role == BOSS
        yield (
            (boss and custom.get("负责人")) or person(rng),
            (Gender.FEMALE.value if chance() < 0.35 else Gender.MALE.value)
            if chance() < 0.8
            else "",
            rng.choice(titles[role]),
            mobile(rng) if chance() < 0.9 else "",
            f"demo-{rng.randrange(10**6):06d}" if chance() < 0.4 else "",
            *_birthday(rng, 0.7 if boss else 0.4),
            role if chance() < 0.9 else "",
            min(100, max(0, round(rng.gauss(58, 20)))) if chance() < 0.8 else None,
            rng.choice(_LIKES) if chance() < 0.3 else "",
            not boss and chance() < 0.06,
        )


def _birthday(rng: Random, known: float) -> tuple[Any, ...]:
    """Calendar, year, month, day, leap month; older people keep the lunar calendar."""
    chance = rng.random()
    if chance > known:
        return ("solar", None, None, None, False)
    year = rng.randint(1956, 1998)
    if chance < 0.01:
        return ("lunar", *rng.choice(_LEAPS), rng.randint(1, 29), True)
    calendar = "lunar" if rng.random() < (0.7 if year < 1975 else 0.3) else "solar"
    month, day = rng.randint(1, 12), rng.randint(1, 28)
    return (calendar, year if rng.random() < 0.7 else None, month, day, False)


def mobile(rng: Random) -> str:
    """A mobile number that nobody has: no network was given the range 161."""
    return f"+86161{rng.randrange(10**8):08d}"
