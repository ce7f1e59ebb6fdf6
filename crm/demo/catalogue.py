"""What the demo company makes: about sixty products in eight categories."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.utils import timezone

from crm.demo.writing import Writer
from orders.models import Product

#: category → [(name, dealer price of a case, suggested retail price of a case)], yuan.
RANGE: dict[str, tuple[str, list[tuple[str, str, str]]]] = {
    "食用油": (
        "OIL",
        [
            ("压榨菜籽油 5L×4", "236.00", "279.60"),
            ("压榨菜籽油 1.8L×6", "138.00", "167.40"),
            ("小榨浓香菜籽油 5L×4", "268.00", "319.60"),
            ("小榨浓香菜籽油 900ml×12", "162.00", "201.60"),
            ("压榨花生油 5L×4", "448.00", "519.60"),
            ("压榨花生油 1.8L×6", "252.00", "298.80"),
            ("非转基因大豆油 5L×4", "186.00", "215.60"),
            ("玉米胚芽油 5L×4", "228.00", "267.60"),
            ("葵花籽油 5L×4", "242.00", "283.60"),
            ("冷榨亚麻籽油 500ml×12", "396.00", "478.80"),
        ],
    ),
    "酱油": (
        "SOY",
        [
            ("头道酱油 1L×12", "142.00", "178.80"),
            ("头道酱油 500ml×12", "88.00", "118.80"),
            ("金标生抽 1.6L×6", "72.00", "95.40"),
            ("金标生抽 500ml×12", "66.00", "90.00"),
            ("草菇老抽 500ml×12", "74.00", "98.40"),
            ("零添加酱油 500ml×12", "126.00", "165.60"),
            ("蒸鱼豉油 410ml×12", "92.00", "118.80"),
            ("减盐生抽 500ml×12", "104.00", "138.00"),
        ],
    ),
    "食醋": (
        "VIN",
        [
            ("米醋 5度 500ml×12", "54.00", "70.80"),
            ("陈酿香醋 500ml×12", "78.00", "102.00"),
            ("三年陈醋 500ml×12", "98.00", "130.80"),
            ("白醋 500ml×12", "42.00", "54.00"),
            ("饺子醋 250ml×20", "86.00", "116.00"),
            ("苹果醋饮 260ml×15", "75.00", "102.00"),
        ],
    ),
    "酱类": (
        "PST",
        [
            ("黄豆酱 800g×12", "118.00", "154.80"),
            ("黄豆酱 300g×20", "96.00", "130.00"),
            ("郫县风味豆瓣酱 500g×20", "136.00", "178.00"),
            ("红油豆瓣酱 1kg×12", "144.00", "190.80"),
            ("香菇酱 210g×24", "168.00", "235.20"),
            ("香菇酱 原味 100g×24", "104.00", "144.00"),
            ("甜面酱 400g×20", "92.00", "124.00"),
            ("蒜蓉辣酱 230g×24", "138.00", "189.60"),
            ("火锅蘸料 120g×48", "196.00", "268.80"),
            ("牛肉拌饭酱 220g×24", "252.00", "345.60"),
        ],
    ),
    "调味料": (
        "SEA",
        [
            ("料酒 500ml×12", "58.00", "78.00"),
            ("葱姜料酒 1L×12", "96.00", "126.00"),
            ("蚝油 510g×12", "84.00", "112.80"),
            ("鸡精 454g×20", "212.00", "276.00"),
            ("鸡汁 500g×12", "138.00", "178.80"),
            ("花椒油 200ml×20", "186.00", "250.00"),
            ("酸菜鱼调料 300g×30", "195.00", "267.00"),
        ],
    ),
    "腌菜与罐头": (
        "PIC",
        [
            ("霉干菜 250g×30", "186.00", "255.00"),
            ("下饭榨菜 80g×100", "118.00", "160.00"),
            ("香辣萝卜干 400g×20", "108.00", "148.00"),
            ("红方腐乳 300g×20", "122.00", "164.00"),
            ("糖水黄桃罐头 425g×24", "134.00", "180.00"),
            ("油焖笋罐头 397g×24", "198.00", "268.80"),
        ],
    ),
    "饮料": (
        "DRK",
        [
            ("核桃植物奶 240ml×20", "62.00", "85.00"),
            ("冰糖雪梨 500ml×15", "36.00", "52.50"),
            ("无糖乌龙茶 500ml×15", "42.00", "60.00"),
            ("酸梅汤 1L×12", "54.00", "76.80"),
            ("山楂果汁 300ml×15", "48.00", "67.50"),
            ("气泡苏打水 380ml×15", "39.00", "57.00"),
        ],
    ),
    "礼盒": (
        "GFT",
        [
            ("五谷丰登粮油礼盒", "98.00", "138.00"),
            ("菜籽油双瓶礼盒 1.8L×2", "86.00", "118.00"),
            ("江南四味酱礼盒", "72.00", "108.00"),
            ("中秋团圆礼盒", "118.00", "168.00"),
            ("端午时令礼盒", "92.00", "132.00"),
            ("年货大礼盒", "168.00", "238.00"),
            ("亚麻籽油健康礼盒", "148.00", "208.00"),
        ],
    ),
}
#: Products introduced lately: name → days since launch.
NEW = {
    "香菇酱 原味 100g×24": 52,
    "减盐生抽 500ml×12": 38,
    "无糖乌龙茶 500ml×15": 24,
    "酸菜鱼调料 300g×30": 11,
}
#: Launched within the two years of orders: name → days since launch.
RECENT = {
    "牛肉拌饭酱 220g×24": 410,
    "气泡苏打水 380ml×15": 300,
    "零添加酱油 500ml×12": 560,
    "亚麻籽油健康礼盒": 230,
}
#: No longer made: name → days since the last case was sold.
ENDED = {"山楂果汁 300ml×15": 150, "玉米胚芽油 5L×4": 210}

#: What making a case costs, as a share of the dealer price; what boxes cost nobody has worked out.
COSTS = {
    "食用油": "0.86", "酱油": "0.68", "食醋": "0.64", "酱类": "0.62", "礼盒": None,
}  # fmt: skip
USUAL_COST = "0.74"


@dataclass(frozen=True, slots=True)
class Item:
    """A product as the orders see it; prices in yuan, days inclusive."""

    id: int
    sku: str
    name: str
    category: str
    price: Decimal
    sold_from: date
    sold_to: date


def write_products(writer: Writer, *, today: date) -> list[Item]:
    """Write the whole range and return it."""
    items: list[Item] = []
    rows: list[tuple[object, ...]] = []
    pk = writer.next_id(Product)
    for category, (prefix, products) in RANGE.items():
        for number, (name, dealer, retail) in enumerate(products, start=1):
            age = NEW.get(name) or RECENT.get(name) or 900 + (pk * 137) % 4000
            launched = today - timedelta(days=age)
            ended = today - timedelta(days=ENDED[name]) if name in ENDED else date.max
            sku = f"YL-{prefix}-{number:02}"
            items.append(Item(pk, sku, name, category, Decimal(dealer), launched, ended))
            known_at = timezone.make_aware(datetime.combine(launched, time(9)))
            share = COSTS.get(category, USUAL_COST)
            cost = (Decimal(dealer) * Decimal(share)).quantize(Decimal("0.01")) if share else None
            rows.append(
                (pk, sku, name, category, "盒" if category == "礼盒" else "箱", Decimal(dealer),
                 Decimal(retail), cost, launched, ended == date.max, known_at, known_at, known_at)
            )  # fmt: skip
            pk += 1
    writer.write(
        Product,
        (
            "id", "external_id", "name", "category", "unit", "dealer_price", "retail_price",
            "unit_cost", "launched_on", "active", "source_updated_at", "created_at", "updated_at",
        ),
        rows,
    )  # fmt: skip
    return items
