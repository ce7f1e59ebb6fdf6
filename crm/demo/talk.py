"""What is said on visits: purposes, answers to the follow-up questions, the customers' words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from random import Random
from typing import Any

from crm.demo.catalogue import Item
from crm.demo.season import festival_ahead

_PURPOSES = (
    "例行拜访", "例行拜访", "例行拜访", "补货与订单", "陈列与海报检查", "库存盘点", "新品介绍",
    "对账与回款", "价签检查", "了解竞品动向", "换货处理", "培训导购",
)  # fmt: skip
_A_PURPOSES = ("月度拜访", "月度拜访", "月度拜访，对账", "季度计划沟通")
_FESTIVAL = {
    "spring_festival": ("年货备货", "春节问候与礼盒订单"),
    "mid_autumn": ("中秋礼盒订货", "中秋堆头布置"),
    "dragon_boat": ("端午备货", "端午堆头检查"),
}
_FESTIVAL_WORDS = {
    "spring_festival": (
        "年货大礼盒多给我留两百盒，去年腊月二十就断了。",
        "春节前最后一车货什么时候发？我这边小年以后就没人卸货了。",
        "油价要是年前还涨，先跟我说一声。",
    ),
    "mid_autumn": (
        "中秋礼盒外面印不印公司名字？厂里工会要统一的。",
        "团圆礼盒去年卖得好，今年起订量能不能低一点？",
        "中秋堆头我留好位置了，海报早点送来。",
    ),
    "dragon_boat": (
        "端午油走得快，礼盒再给我留 40 箱，别像去年断货。",
        "端午堆头摆到门口，效果比去年好。",
    ),
}
_WORDS = (
    "菜籽油一直稳，就是 5 升的桶盖有两个压得不严。",
    "香菇酱能不能出小瓶，我们这边老人多，210 克吃不完。",
    "隔壁店金穗花菜籽油卖 58，买二送一，你们有没有活动？",
    "头道酱油的回头客多，1 升装再送 20 箱来。",
    "黄豆酱走得慢，去年那批还剩十几箱，能不能换货？",
    "送货比上个月准时多了，就是司机不肯帮忙搬进仓。",
    "学校开学食堂要大桶油，你们有没有 20 升的？",
    "价签掉了几个，下次带一卷过来。",
    "现在年轻人要零添加的，那款酱油多介绍介绍。",
    "月结能不能改到 45 天？最近压货多，手头紧。",
    "海报还是去年的，和新包装对不上。",
    "豆瓣酱做火锅底料的那几家都在要，价格别动就行。",
    "收银说两个品扫不出价格，条码麻烦查一下。",
    "你们业务员来得勤，别家半年不见人。",
    "苏打水夏天好卖，冰柜能不能给我配一个？",
    "米醋瓶子这批标签有气泡，顾客挑。",
    "这边新开了两家饭店，鸡精和蚝油量大，我去谈谈看。",
    "上次说的返点什么时候到账？",
    "料酒搭着卖效果好，一瓶油送一小瓶料酒。",
    "乡下办酒席的多，十月份油要备足。",
    "拌饭酱孩子喜欢，就是辣了点，出个不辣的。",
    "最近客流少，先不多进，卖完再说。",
    "榨菜整箱太大，能不能拆半箱？",
    "年轻人都在群里买，社区团购那边价格比我进价还低。",
    "腐乳坛装的有没有？老客户问了好几回。",
    "无糖茶放进冷柜一周卖了三箱，再补五箱。",
)
_SALES = {"very_good": 24, "normal": 52, "slow": 18, "stuck": 6}
_SALES_NOTES = {
    "very_good": (
        "菜籽油走得快，一周要补两次。",
        "头道酱油和香菇酱动销好，端架已扩到 6 个排面。",
        "礼盒预订超过去年同期。",
        "换了门口堆头以后，5 升油一周多卖 20 桶。",
        "饭店渠道起量，蚝油和鸡精要提前备货。",
        "零添加酱油复购多，店主主动要求加排面。",
    ),
    "normal": (
        "油和酱油正常，酱类略慢。",
        "库存合理，按周补货。",
        "饮料随天气走，其余平稳。",
        "与上月持平，油占大头。",
        "批发客稳定，散客少一些。",
        "米醋和料酒补货两次，其他一次。",
        "价签齐全，先进先出做得好。",
        "",
        "",
        "",
    ),
    "slow": (
        "黄豆酱去年 9 月那批还剩 14 箱，建议先出旧批次。",
        "隔壁开了量贩店，客流少了两成。",
        "货架位置被挤到下层，已请店主调整。",
        "竞品买二送一，5 升油受影响。",
        "店主回老家一周，补货断了。",
        "苏打水过了季节，剩 9 箱。",
    ),
    "stuck": (
        "山楂果汁基本不动，准备申请换货。",
        "店面装修，半个月没有进货。",
        "罐头压了三个月，建议搭赠清货。",
    ),
}
_NEEDS = (
    "食堂要 20 升大桶菜籽油，请报价。",
    "想要小规格香菇酱，配礼品装。",
    "需要中秋礼盒报价和起订量。",
    "希望配一台冷柜放饮料。",
    "要求增加社区团购专供规格。",
    "想参加下一次订货会。",
    "需要统一门头，申请费用支持。",
    "要酸菜鱼调料的试吃装。",
)


def purpose(rng: Random, day: date, abc: str | None) -> str:
    """Why the rep goes there."""
    occasion = festival_ahead(day, within=35)
    if occasion and rng.random() < 0.45:
        return rng.choice(_FESTIVAL[occasion])
    return rng.choice(_A_PURPOSES if abc == "A" and rng.random() < 0.6 else _PURPOSES)


def answers(rng: Random, day: date, launched: Sequence[Item]) -> dict[str, Any]:
    """The four follow-up questions, answered (P27); `launched` are the products new by then."""
    sales = rng.choices(list(_SALES), list(_SALES.values()))[0]
    given: dict[str, Any] = {"sales": sales, "new_need": rng.random() < 0.22}
    shown = rng.sample(launched, min(len(launched), rng.choice((0, 1, 1, 2))))
    given["new_products"] = [item.sku for item in shown]
    care = [kind for kind, chance in (("met", 0.75), ("gift", 0.08)) if rng.random() < chance]
    if festival_ahead(day, within=15):
        care.insert(1 if "met" in care else 0, "greeting")
    given["care"] = care
    if note := rng.choice(_SALES_NOTES[sales]):
        given["sales_note"] = note
    if given["new_need"]:
        given["new_need_note"] = rng.choice(_NEEDS)
    return given


def words(rng: Random, day: date) -> str:
    """What the customer said, or nothing."""
    occasion = festival_ahead(day, within=35)
    if occasion and rng.random() < 0.35:
        return rng.choice(_FESTIVAL_WORDS[occasion])
    return rng.choice(_WORDS) if rng.random() < 0.5 else ""
