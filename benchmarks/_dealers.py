"""The words of a list of dealers: what a column is called, and what its cells are made of."""

from __future__ import annotations

HEADS = (
    "客户编号", "客户名称（必填）", "联系电话", "详细地址", "统一社会信用代码", "联系人", "职务",
    "手机", "生日", "注册资本", "仓库面积",
)  # fmt: skip
#: Where dealers have their shop, and the code of that division.
PLACES = (
    ("浙江省绍兴市越城区", "330602"),
    ("浙江省杭州市西湖区", "330106"),
    ("四川省成都市武侯区", "510107"),
    ("广东省深圳市南山区", "440305"),
    ("江苏省苏州市昆山市", "320583"),
)
BRANDS = (
    "越州", "永泰", "同福", "顺发", "鑫源", "宏达", "百味", "佳园", "裕丰", "天成", "三江", "五福",
    "兴隆", "聚源", "恒通", "瑞祥",
)  # fmt: skip
TRADES = ("副食品", "粮油", "商贸", "食品", "调味品", "酒业")
SURNAMES = "王李张刘陈杨赵黄周吴"
BIRTHDAYS = ("农历五月初三", "1968-05-03", "", "5月3日")


def in_characters(number: int) -> str:
    """A number as characters, so that no two names are alike."""
    return "".join("甲乙丙丁戊己庚辛壬癸"[int(digit)] for digit in str(number))
