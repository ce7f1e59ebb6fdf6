"""What the reps of the demo learned about the market, whom they told it, and what they suggested
(P26); newspapers, people and competitors are made up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random

from django.utils import timezone

from accounts.models import User
from crm.demo.season import workday
from crm.demo.writing import Writer
from crm.lib.days import day_bounds
from crm.lib.formats import local_day
from customers.models import Contact, Customer
from orders.models import COUNTED, OrderLine
from visits.informing import audience
from visits.models import (
    MarketInformation,
    Outcome,
    Sending,
    Source,
    Suggestion,
    SuggestionState,
    Way,
)


@dataclass(frozen=True, slots=True)
class Tiding:
    """A piece of information: how many days ago it was learned, how long it helped, whom."""

    title: str
    text: str
    source: Source
    where: str
    days_ago: int
    lasts: int | None
    by: str
    rules: dict[str, list[str]] = field(default_factory=dict)


TIDINGS = (
    Tiding(
        "菜籽收购价上涨，食用油下月可能调价",
        "产区菜籽收购价两周涨了 6 %。下月起新批次的成本会上来，这个月按现价备货划算。",
        Source.READ, "粮油市场周报", 5, 25, "chenli", {"categories": ["食用油"]},
    ),
    Tiding(
        "三家连锁超市下周起酱油做满减",
        "城区三家连锁超市下周起做调味品满 60 减 15，持续十天。周边门店提前把陈列调到入口。",
        Source.HEARD, "连锁超市采购经理", 3, 14, "chenli",
        {"kinds": ["dealer", "outlet"], "categories": ["酱油"], "areas": ["3306"]},
    ),
    Tiding(
        "学校食堂食材统一招标，两周后截止",
        "区教育局网站公布学校食堂食材统一招标，调味品和食用油各一个包，两周后截止报名。",
        Source.READ, "区教育局网站", 8, 12, "sunhao", {"kinds": ["group_buyer", "distributor"]},
    ),
    Tiding(
        "农贸市场东门封路改造三个月",
        "东门从下月起封闭施工三个月，送货车要走西门，早上七点前不限时。",
        Source.SEEN, "农贸市场公告栏", 12, 100, "linxiaowei",
        {"areas": ["33"], "kinds": ["outlet"]},
    ),
    Tiding(
        "竞品菜籽油 5L 降到 58 元，买二送一",
        "金穗花菜籽油 5L 挂牌 58 元，买二送一到月底。用小榨浓香和它错开，不跟价。",
        Source.SEEN, "城区五家门店", 20, 10, "zhengnan",
        {"categories": ["食用油"], "tiers": ["A", "B"]},
    ),
    Tiding(
        "礼盒纸箱提前涨价",
        "纸箱厂下下月起涨 8 %。这个月定下礼盒数量，可以锁住现在的包装价。",
        Source.HEARD, "包装厂业务员", 15, 30, "zhoumin", {"tiers": ["A", "B"]},
    ),
    Tiding(
        "餐饮协会办美食节，酱料用量会上来",
        "下月县餐饮协会办美食节，六十家餐馆参加，豆瓣酱和料酒用量估计翻倍。",
        Source.HEARD, "餐饮协会秘书长", 26, 30, "xujing", {"areas": ["32"]},
    ),
    Tiding(
        "社区团购平台要求外箱喷码清晰",
        "平台本月起抽查，喷码不清的整车退回。收货时先看外箱日期，不清的当天找我们换。",
        Source.READ, "平台商家通知", 40, None, "majun", {"kinds": ["distributor", "dealer"]},
    ),
    Tiding(
        "仓库整改检查，酱油和醋要离墙存放",
        "街道下周查仓库：离墙十公分、离地有托盘、先进先出。今天就能对着改。",
        Source.READ, "街道办通知", 6, 20, "heyong", {"areas": ["34"]},
    ),
    Tiding(
        "物流园搬迁，送货时效慢一天",
        "城北物流园月底搬到高速口，搬迁那周送货慢一天，急货请提前一天下单。",
        Source.HEARD, "物流公司调度", 33, 20, "wangyang", {},
    ),
    Tiding(
        "零添加标签新规征求意见",
        "新规要求写明“零添加”指什么。现有库存可以卖到过渡期结束，不用急着换标。",
        Source.READ, "中国食品报", 55, 365, "fangzhiyuan", {"categories": ["酱油"]},
    ),
    Tiding(
        "早餐店用油量逐月上升",
        "去年这两个月早餐店用油多三成，去年缺货的店今年可以提前备两周的量。",
        Source.SEEN, "去年同期的订单", 70, 120, "chenli", {"categories": ["食用油"]},
    ),
)  # fmt: skip
#: Customers that each piece reached at most, and those it is chosen among.
REACHED, AMONG = 14, 120
WAYS = (
    *((Way.MESSAGE.value,) * 8), *((Way.VISIT.value,) * 5), *((Way.CALL.value,) * 4),
    *((Way.LETTER.value,) * 2), Way.EMAIL.value, Way.MEETING.value,
)  # fmt: skip
ANSWERS = {
    Outcome.TAKEN_UP: (
        "提前订了一个月的量", "调了陈列，说谢谢提醒", "报了名，要我们的资质文件", "换了送货时间",
        "",
    ),
    Outcome.NOT_TAKEN_UP: ("资金紧，先不备货", "说他们早就知道了", "仓库放不下", ""),
    Outcome.WAITING: ("",),
}  # fmt: skip
HOW_OFTEN = {Outcome.TAKEN_UP: 45, Outcome.NOT_TAKEN_UP: 20, Outcome.WAITING: 35}

SUGGESTED = (
    ("把%s摆到收银台旁的端架", "一个月多卖两成", "端架换上了，动销明显"),
    ("%s改成每月一次整车进货", "省运费，价格按整车算", "第一车已经下单"),
    ("试进 20 箱%s，配试吃", "补上同类里的空缺", "试吃两天卖掉六箱，追加了"),
    ("节前把%s备到四周的量", "不断货，不用临时加运费", "按建议备了货"),
    ("%s和料酒捆绑卖", "客单价高三成", "捆绑装下周开始卖"),
)
DECLINED = ("说利润太薄", "老板想先看同行卖得怎样", "没有冷库位", "今年不加新品")
GENERAL = (
    ("门头灯箱换成我们的主视觉", "夜里也看得见", "下月装"),
    ("早上七点前收货，避开堵车", "每车省一个小时", "已经改了时间"),
    ("收银台旁贴会员码，记住老顾客", "回头客看得见", "贴上了"),
)
#: So many suggestions are made.
SUGGESTIONS = 30


def write_tidings(writer: Writer, rng: Random, *, today: date) -> None:
    """Write the information, whom it was sent to, and the suggestions, each with its outcome."""
    people = dict(User.objects.values_list("username", "pk"))
    first = writer.next_id(MarketInformation)
    known = [_information(first + number, one, people, today) for number, one in enumerate(TIDINGS)]
    columns = (
        "id", "title", "text", "source", "where", "learned_on", "valid_until", "kinds", "tiers",
        "categories", "areas", "tags", "by_id", "created_at", "updated_at",
    )  # fmt: skip
    told = [[getattr(row, name) for name in columns] for row in known]
    writer.write(MarketInformation, columns, told)
    start = writer.next_id(Sending)
    sent = [row for one in known for row in _sendings(rng, one, today)]
    writer.write(
        Sending,
        (
            "id", "information_id", "customer_id", "contact_id", "sent_at", "by_id", "way",
            "outcome", "outcome_words", "outcome_on", "created_at", "updated_at",
        ),
        ((start + number, *row) for number, row in enumerate(sent)),
    )  # fmt: skip
    start = writer.next_id(Suggestion)
    made = list(_suggestions(rng, today))
    writer.write(
        Suggestion,
        (
            "id", "customer_id", "text", "product_id", "expected", "made_on", "by_id",
            "follow_up_on", "state", "outcome_words", "outcome_on", "created_at", "updated_at",
        ),
        ((start + number, *row) for number, row in enumerate(made)),
    )  # fmt: skip


def _information(pk: int, one: Tiding, people: dict[str, int], today: date) -> MarketInformation:
    learned = today - timedelta(days=one.days_ago)
    row = MarketInformation(
        pk=pk,
        title=one.title,
        text=one.text,
        source=one.source.value,
        where=one.where,
        learned_on=learned,
        valid_until=None if one.lasts is None else learned + timedelta(days=one.lasts),
        by_id=people[one.by],
        **one.rules,
    )
    row.created_at = row.updated_at = _moment(learned, time(17, 40))
    return row


def _sendings(
    rng: Random, information: MarketInformation, today: date
) -> Iterator[tuple[object, ...]]:
    """To whom it was sent in the days after it was learned; yesterday at the latest."""
    owned = Customer.objects.exclude(owner=None).exclude(abc=None)
    fitting = audience(information, owned, today=today).order_by("pk")
    found = list(fitting.values_list("pk", "owner_id")[:AMONG])
    chosen = sorted(rng.sample(found, min(len(found), rng.randint(REACHED // 2, REACHED))))
    contacts = Contact.objects.filter(customer__in=[pk for pk, _owner in chosen]).order_by("-pk")
    people = dict(contacts.values_list("customer_id", "pk"))  # the first person of each
    for customer, owner in chosen:
        days = (today - information.learned_on).days
        sent_on = information.learned_on + timedelta(days=rng.randint(1, max(min(days - 1, 9), 1)))
        sent_at = _moment(sent_on, time(rng.randint(9, 17), rng.randrange(60)))
        outcome = rng.choices(list(HOW_OFTEN), list(HOW_OFTEN.values()))[0]
        after = sent_on + timedelta(days=rng.randint(1, 12))
        if after >= today:
            outcome = Outcome.WAITING
        words = rng.choice(ANSWERS[outcome])
        on = None if outcome == Outcome.WAITING else after
        contact = people.get(customer) if rng.random() < 0.6 else None
        yield (
            information.pk, customer, contact, sent_at, owner, rng.choice(WAYS), outcome.value,
            words, on, sent_at, sent_at,
        )  # fmt: skip


def _suggestions(rng: Random, today: date) -> Iterator[tuple[object, ...]]:
    """Two thirds about a product that the customer has bought in the last months."""
    start, end = day_bounds(today - timedelta(days=110), today - timedelta(days=3))
    lines = (
        OrderLine.objects.filter(
            order__status__in=COUNTED,
            order__ordered_at__gte=start,
            order__ordered_at__lt=end,
            order__customer__abc__in=["A", "B"],
            order__customer__owner__isnull=False,
        )
        .order_by("pk")
        .values_list(
            "order__customer_id",
            "order__customer__owner_id",
            "product_id",
            "product__name",
            "order__ordered_at",
        )[:5000]
    )
    for number, (customer, owner, product, name, ordered_at) in enumerate(
        rng.sample(list(lines), SUGGESTIONS)
    ):
        bought = local_day(ordered_at)
        made_on = bought - timedelta(days=rng.randint(1, 12))
        while not workday(made_on):
            made_on -= timedelta(days=1)
        state = rng.choice(SuggestionState.values)
        about_product = number % 3 != 0
        text, expected, words = rng.choice(SUGGESTED if about_product else GENERAL)
        follow_up = made_on + timedelta(days=14)
        said_on = min(follow_up, today - timedelta(days=1))
        if state == SuggestionState.OPEN:
            # Two in three are still to come; the others wait to be asked about.
            ahead = rng.randint(1, 20) if rng.random() < 0.66 else -rng.randint(0, 6)
            words, follow_up = "", max(today + timedelta(days=ahead), made_on)
        elif state == SuggestionState.DECLINED:
            words = rng.choice(DECLINED)
        at = _moment(made_on, time(rng.randint(9, 17), rng.randrange(60)))
        yield (
            customer, text % name.split(" ")[0] if about_product else text,
            product if about_product else None, expected, made_on, owner, follow_up, state, words,
            None if state == SuggestionState.OPEN else said_on, at, at,
        )  # fmt: skip


def _moment(day: date, clock: time) -> datetime:
    return timezone.make_aware(datetime.combine(day, clock), timezone.get_default_timezone())
