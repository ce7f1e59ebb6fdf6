"""What was promised to the demo's customers and said to them between visits, over the year."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from uuid import UUID

from django.utils import timezone

from crm.demo.season import festival_ahead, workday
from crm.demo.writing import Writer
from customers.models import Channel, Contact, Customer, Interaction, Promise, PromiseState, Tier
from customers.models.promises import Renegotiation

#: Contacts a year and promises a year of a customer, by tier.
_TALKS = {Tier.A.value: 9.0, Tier.B.value: 4.0, Tier.C.value: 1.2, None: 0.4}
_PROMISES = {Tier.A.value: 5.0, Tier.B.value: 2.0, Tier.C.value: 0.5, None: 0.1}
_CHANNELS = (
    *((Channel.CALL.value,) * 11), *((Channel.MESSAGE.value,) * 7), Channel.LETTER.value,
    Channel.RECEPTION.value, Channel.MEETING.value, Channel.MAGAZINE.value,
)  # fmt: skip
_SAID = {
    Channel.CALL: (
        "菜籽油还剩一周的量，问下周能不能到货", "对手的调和油降到 58 元，问我们有没有搭赠",
        "上次那批货外箱有压痕，里面没事", "催一下上个月的返点单", "问新品香菇酱什么时候能铺货",
        "店里换了收银员，陈列要重新讲一遍", "想把送货时间改到上午",
    ),
    Channel.MESSAGE: (
        "发来货架照片，端架已经空了", "确认订单数量，两百箱不变", "要一份最新的价格表",
        "问中秋礼盒起订量", "发来收货回单",
    ),
    Channel.LETTER: ("寄去感谢卡和产品服务两问", "寄去新年贺信"),
    Channel.RECEPTION: (
        "来公司看生产线，想谈明年的返点", "带采购来挑礼盒样品", "来对账，顺便看了新仓库",
    ),
    Channel.MEETING: ("经销商座谈会，提了物流时效", "订货会，现场订了礼盒"),
    Channel.MAGAZINE: ("内刊登了他们店的陈列", "寄去本期内刊"),
}  # fmt: skip
_CONTENT = (
    "送到陈列架 2 组", "答复黄豆酱换货批次", "给出中秋礼盒报价", "补齐缺货的香菇酱 20 箱",
    "带样品给食堂试用", "核对上月返点并给单据", "派促销员周末到店", "更换破损的价签",
    "申请新店的开业支持", "把送货时间改到上午", "给出明年的供货方案", "送端架海报",
    "预留礼盒 40 箱", "带经理上门谈年度目标",
)  # fmt: skip
_MOVED = ("仓库排不上车，客户同意顺延", "样品还没到，和客户说好了", "客户出差，约回来再办")
_WHY_BROKEN = ("缺货，客户改订别的规格", "支持没有批下来", "忘了跟进，已当面道歉")
#: Open promises to customers known from the manual: made so many days ago, due in so many days.
_OPEN = {
    "C-10001": (3, 2, "预留礼盒 40 箱"),
    "C-10003": (6, 0, "送到陈列架 2 组"),
    "C-10006": (4, 0, "答复黄豆酱换货批次"),
    "C-10009": (9, -2, "申请新店的开业支持"),
}
#: The share of a tier's customers that were promised something in the last days.
_LATELY = {Tier.A.value: 0.5, Tier.B.value: 0.22, Tier.C.value: 0.04, None: 0.0}


@dataclass(frozen=True, slots=True)
class Known:
    """A customer as far as talking to it goes."""

    id: int
    number: str
    abc: str | None
    owner: int
    since: date
    people: tuple[int, ...]


def known_customers() -> list[Known]:
    """All customers that somebody owns, in the order of their ids."""
    people: dict[int, list[int]] = {}
    for pk, customer in Contact.objects.order_by("pk").values_list("pk", "customer_id"):
        people.setdefault(customer, []).append(pk)
    rows = Customer.objects.exclude(owner=None).order_by("pk")
    return [
        Known(pk, number or "", abc, owner, timezone.localdate(since), tuple(people.get(pk, ())))
        for pk, number, abc, owner, since in rows.values_list(
            "pk", "external_id", "abc", "owner_id", "created_at"
        )
    ]


def write_dealings(writer: Writer, rng: Random, *, today: date, history_days: int) -> None:
    """Write the contacts and the promises of all owned customers, `history_days` back."""
    customers = known_customers()
    year = history_days / 365
    talks = writer.next_id(Interaction)
    writer.write(
        Interaction,
        (
            "id", "client_id", "customer_id", "contact_id", "channel", "inbound", "at", "by_id",
            "words", "created_at", "updated_at",
        ),
        (
            (talks + number, *row)
            for number, row in enumerate(_talks(rng, customers, today, year, history_days))
        ),
    )  # fmt: skip
    moved: list[tuple[object, ...]] = []
    first = writer.next_id(Promise)
    writer.write(
        Promise,
        (
            "id", "customer_id", "content", "owner_id", "due_on", "state", "made_at", "made_by_id",
            "settled_at", "outcome", "created_at", "updated_at",
        ),
        _promises(rng, customers, first, moved, today=today, days=history_days),
    )  # fmt: skip
    number = writer.next_id(Renegotiation)
    writer.write(
        Renegotiation,
        ("id", "promise_id", "due_before", "due_after", "reason", "by_id", "at"),
        ((number + i, *row) for i, row in enumerate(moved)),
    )


def _talks(
    rng: Random, customers: list[Known], today: date, year: float, days: int
) -> Iterator[tuple[object, ...]]:
    for one in customers:
        for _talk in range(_times(rng, _TALKS[one.abc] * year)):
            day = today - timedelta(days=rng.randint(1, days))
            if day < one.since or not workday(day):
                continue
            channel = rng.choice(_CHANNELS)
            at = _at(day, 510 + rng.randrange(560))
            yield (
                UUID(int=rng.getrandbits(128), version=4).hex, one.id,
                rng.choice(one.people) if one.people and rng.random() < 0.7 else None,
                channel, channel == Channel.RECEPTION or rng.random() < 0.4, at, one.owner,
                _words(rng, channel, day), at, at,
            )  # fmt: skip


def _words(rng: Random, channel: str, day: date) -> str:
    said = rng.choice(_SAID[Channel(channel)])
    if channel == Channel.CALL and festival_ahead(day) and rng.random() < 0.3:
        return "节前打电话问备货，" + said
    return said


def _promises(
    rng: Random,
    customers: list[Known],
    first: int,
    moved: list[tuple[object, ...]],
    *,
    today: date,
    days: int,
) -> Iterator[tuple[object, ...]]:
    """The promises; what was agreed anew about them is added to `moved`."""
    pk = first
    for one in customers:
        if one.number in _OPEN:
            ago, ahead, content = _OPEN[one.number]
            made_at, due = _at(today - timedelta(days=ago), 640), today + timedelta(days=ahead)
            yield (
                pk, one.id, content, one.owner, due, PromiseState.OPEN.value, made_at, one.owner,
                None, "", made_at, made_at,
            )  # fmt: skip
            pk += 1
        for made_on in _days_of_promises(rng, one, today, days):
            due = made_on + timedelta(days=rng.choice((2, 3, 5, 7, 7, 10, 14)))
            made_at = _at(made_on, 540 + rng.randrange(500))
            since = made_on
            if rng.random() < 0.14:
                agreed_on = made_on + timedelta(days=max((due - since).days - 1, 0))
                if agreed_on < today:
                    later = due + timedelta(days=rng.choice((3, 5, 7)))
                    why = rng.choice(_MOVED)
                    moved.append((pk, due, later, why, one.owner, _at(agreed_on, 1050)))
                    due, since = later, agreed_on
            state, settled_at, outcome = _fate(rng, since, due, today)
            touched = settled_at or made_at
            yield (
                pk, one.id, rng.choice(_CONTENT), one.owner, due, state, made_at, one.owner,
                settled_at, outcome, made_at, touched,
            )  # fmt: skip
            pk += 1


def _days_of_promises(rng: Random, one: Known, today: date, days: int) -> list[date]:
    """On which days something was promised: over the history, and lately a little more."""
    found = [
        today - timedelta(days=rng.randint(1, days))
        for _promise in range(_times(rng, _PROMISES[one.abc] * days / 365))
    ]
    if rng.random() < _LATELY[one.abc]:
        found.append(today - timedelta(days=rng.randint(1, 9)))
    return sorted(day for day in found if day >= one.since and workday(day))


def _fate(rng: Random, since: date, due: date, today: date) -> tuple[str, datetime | None, str]:
    """State, when it was settled (after `since`, when its day was agreed), what came of it."""
    chance = rng.random()
    if due >= today:  # most of what is still due is open
        if chance > 0.2 or (today - since).days < 2:
            return PromiseState.OPEN.value, None, ""
        settled = since + timedelta(days=1)
        return PromiseState.KEPT.value, _at(settled, 600 + rng.randrange(400)), ""
    if chance < 0.82:
        early = rng.randint(0, max((due - since).days - 1, 0))
        return PromiseState.KEPT.value, _at(due - timedelta(days=early), 990), ""
    late = due + timedelta(days=rng.randint(1, 5))
    if late >= today or (chance > 0.97 and (today - due).days < 30):
        return PromiseState.OPEN.value, None, ""
    if chance < 0.93:
        return PromiseState.KEPT.value, _at(late, 990), ""
    return PromiseState.BROKEN.value, _at(late, 1020), rng.choice(_WHY_BROKEN)


def _times(rng: Random, mean: float) -> int:
    """A whole number around `mean`."""
    return int(mean * rng.uniform(0.5, 1.5) + rng.random())


def _at(day: date, minute: int) -> datetime:
    at = datetime.combine(day, time.min) + timedelta(minutes=minute)
    return timezone.make_aware(at, timezone.get_default_timezone())
