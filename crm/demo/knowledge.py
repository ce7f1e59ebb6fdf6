"""What the reps found out about the demo's customers, and what some teams never ask (P1, P4)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

from crm.demo.catalogue import RANGE
from crm.demo.writing import Row, Writer
from customers.models import Customer, Kind, Profile, Supplier, Tier
from customers.models.profile import CreditStanding, PromotionAttitude, PurchaseRhythm

#: The share of a tier's customers of whom something was found out, and of what is then noted.
_KNOWN = {Tier.A.value: (1.0, 0.93), Tier.B.value: (0.92, 0.8), Tier.C.value: (0.6, 0.62),
          None: (0.25, 0.5)}  # fmt: skip
#: What hardly anybody in a team asks: the gaps that the report of the manager shows.
_NEVER_ASKED = (
    frozenset({"past_categories"}),
    frozenset({"capital", "staff_count", "suppliers"}),
    frozenset({"product_satisfaction", "service_satisfaction", "purchase_months"}),
)
#: How often a team notes what it never asks.
_SLIPS = 0.06
_RIVALS = (
    "味千里", "老灶台", "金谷禾", "晒场里", "一品坊", "江南味业", "鲜有记", "禾丰粮油", "百香酿造",
    "三味堂",
)  # fmt: skip
_MONTHS = {
    Kind.GROUP_BUYER.value: ([1, 9], [1, 5, 9], [5, 9], [1]),
    Kind.OUTLET.value: ([1, 2, 9, 10], [6, 7, 8], [1, 9, 12]),
    Kind.DEALER.value: ([1, 8, 9], [1, 4, 9], [9, 12], [1, 5, 9]),
    Kind.DISTRIBUTOR.value: ([1, 8, 12], [4, 8, 12], [1, 8]),
}
_SUGGESTIONS = (
    "礼盒起订量再低一些", "外箱加厚，路上压坏过", "促销期提前半个月通知", "送货前打个电话",
    "对账单每月 5 号前给", "出 2.5 升的小瓶油", "多派人来店里做试吃", "返点改按季度结",
)  # fmt: skip
_COLUMNS = (
    "id", "customer_id", "capital", "staff_count", "yearly_sales", "credit_standing", "buys",
    "yearly_purchase", "purchase_rhythm", "purchase_months", "favourites", "past_categories",
    "promotion_attitude", "suggestions", "product_satisfaction", "service_satisfaction",
    "created_at", "updated_at",
)  # fmt: skip
_CATEGORIES = tuple(RANGE)
_PRODUCTS = tuple(
    name.split(" ")[0] for _prefix, products in RANGE.values() for name, *_ in products
)


def write_knowledge(writer: Writer, rng: Random) -> None:
    """Write profiles and suppliers of the customers on file; the tiers must be known."""
    #: Team → what it never asks.
    habits: dict[str, frozenset[str]] = {}
    profiles: list[Row] = []
    suppliers: list[Row] = []
    next_profile, next_supplier = writer.next_id(Profile), writer.next_id(Supplier)
    customers = Customer.objects.order_by("pk").values_list(
        "pk", "kind", "abc", "net_amount", "owner__team__name"
    )
    for pk, kind, tier, net, team in customers.iterator(chunk_size=5000):
        known, share = _KNOWN[tier]
        if team is None or rng.random() > known:
            continue
        never = habits.setdefault(team, _NEVER_ASKED[len(habits) % len(_NEVER_ASKED)])
        asked_at = writer.now - timedelta(days=rng.randint(5, 400))
        told = _told(rng, kind, float(net or 0))
        kept = {
            name: value
            for name, value in told.items()
            if rng.random() < (_SLIPS if name in never else share)
        }
        profiles.append(
            (
                next_profile + len(profiles),
                pk,
                *(kept.get(name, _EMPTY[name]) for name in _COLUMNS[2:-2]),
                asked_at,
                asked_at,
            )
        )
        if rng.random() < (_SLIPS if "suppliers" in never else share):
            for row in _rivals(rng):
                suppliers.append((next_supplier + len(suppliers), pk, *row, asked_at, asked_at))
    writer.write(Profile, _COLUMNS, profiles)
    writer.write(
        Supplier,
        ("id", "customer_id", "name", "supplies", "satisfaction", "created_at", "updated_at"),
        suppliers,
    )


_EMPTY: dict[str, Any] = {
    **dict.fromkeys(
        ("capital", "staff_count", "yearly_sales", "yearly_purchase", "product_satisfaction",
         "service_satisfaction")
    ),
    **dict.fromkeys(
        ("credit_standing", "buys", "purchase_rhythm", "favourites", "promotion_attitude",
         "suggestions"),
        "",
    ),
    "purchase_months": [],
    "past_categories": [],
}  # fmt: skip


def _told(rng: Random, kind: str, net: float) -> dict[str, Any]:
    """Everything that a customer of this kind and net amount could have told."""
    bought = max(net, 3_000.0)
    purchase = bought / rng.uniform(0.25, 0.95)
    sales = purchase * rng.uniform(2.5, 9)
    weekly = bought > 150_000 and kind != Kind.GROUP_BUYER
    return {
        "capital": _round(sales * rng.uniform(0.05, 0.4), 10_000),
        "staff_count": max(1, round(sales / 450_000 * rng.uniform(0.6, 1.8))),
        "yearly_sales": _round(sales, 10_000),
        "credit_standing": rng.choices(CreditStanding.values, (70, 24, 6))[0],
        "buys": "、".join(rng.sample(_CATEGORIES, rng.choice((1, 2, 2, 3)))),
        "yearly_purchase": _round(purchase, 1_000),
        "purchase_rhythm": rng.choices(
            PurchaseRhythm.values, (45, 35, 10, 5, 5) if weekly else (10, 45, 20, 15, 10)
        )[0],
        "purchase_months": list(rng.choice(_MONTHS[kind])),
        "favourites": "、".join(rng.sample(_PRODUCTS, rng.choice((1, 2, 3)))),
        "past_categories": sorted(rng.sample(_CATEGORIES, rng.choice((1, 1, 2)))),
        "promotion_attitude": rng.choices(PromotionAttitude.values, (34, 40, 18, 8))[0],
        "suggestions": rng.choice(_SUGGESTIONS) if rng.random() < 0.4 else "",
        "product_satisfaction": min(10, max(1, round(rng.gauss(7.6, 1.3)))),
        "service_satisfaction": min(10, max(1, round(rng.gauss(7.1, 1.7)))),
    }


def _rivals(rng: Random) -> Iterator[tuple[str, str, int | None]]:
    for name in rng.sample(_RIVALS, rng.choice((1, 1, 2, 3))):
        mark = min(10, max(1, round(rng.gauss(6.6, 1.6)))) if rng.random() < 0.75 else None
        yield name, rng.choice(_CATEGORIES), mark


def _round(amount: float, step: int) -> Decimal:
    return Decimal(max(1, round(amount / step)) * step)
