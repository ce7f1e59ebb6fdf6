"""The kept figures of dealers' stock: worked out after every change, and every night (P24).

What was synced, entered or merged asks for it by `orders.settling.settle_later`, so that one
message does for credit and stock.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from crm.lib import bulk
from crm.lib.days import day_start
from orders.models import StockPosition, StockReport, StockRules
from orders.settling import send
from orders.stock.gathering import histories
from orders.stock.judging import Judgement, judge
from orders.stock.movements import History

#: Customers to a statement.
CHUNK = 500
LOCK = "stock"
TENTH, TEN_THOUSANDTH = Decimal("0.1"), Decimal("0.0001")
MOST_COVER = Decimal(10) ** 9

Row = dict[str, Any]


@transaction.atomic
def set_rules(*, rules: StockRules) -> StockRules:
    """Store how stock is judged from a day on; everything is judged again at once."""
    rules.save()
    transaction.on_commit(lambda: send("orders.tasks.restock_nightly"))
    return rules


def restock(*, customer_ids: Iterable[int], today: date) -> None:
    """Work out what these customers have."""
    ids = sorted(set(customer_ids))
    for at in range(0, len(ids), CHUNK):
        refresh(ids[at : at + CHUNK], today=today)


def restock_all(*, today: date) -> None:
    """The same for everybody who counted once, or of whom figures are kept."""
    for ids in _chunks_of_all():
        refresh(ids, today=today)


def _chunks_of_all() -> Iterator[Sequence[int]]:
    last = 0
    while True:
        some: set[int] = set()
        for model in (StockReport, StockPosition):
            rows: Any = model._default_manager.filter(customer__gt=last).order_by("customer")
            some.update(rows.values_list("customer", flat=True).distinct()[:CHUNK])
        if not some:
            return
        ids = sorted(some)[:CHUNK]
        yield ids
        last = ids[-1]


@transaction.atomic
def refresh(customer_ids: Collection[int], *, today: date) -> None:
    """Write what differs of the positions of these customers; at most CHUNK of them."""
    bulk.lock(LOCK)
    rules = StockRules.objects.on(today)
    names = [f.attname for f in StockPosition._meta.concrete_fields if f.attname != "id"]
    stored = {
        (row["customer_id"], row["product_id"]): row
        for row in StockPosition.objects.filter(customer__in=customer_ids).values("id", *names)
    }
    start = day_start(today - timedelta(days=rules.demand_days))
    new: list[Row] = []
    changed: list[Row] = []
    for history in histories(customer_ids, start=start):
        row = _row(history, judge(history, rules, today=today), today)
        old = stored.pop((history.customer_id, history.product_id), None)
        if old is None:
            new.append(row)
        elif any(row[name] != old[name] for name in names if name != "as_of"):
            changed.append({"id": old["id"], **row})
    bulk.insert(StockPosition, new)
    bulk.update(StockPosition, changed)
    bulk.delete(StockPosition, [row["id"] for row in stored.values()])


def _row(history: History, found: Judgement, today: date) -> Row:
    demand, plan = found.demand, found.plan
    return {
        "customer_id": history.customer_id,
        "product_id": history.product_id,
        "counted_at": found.last.opening.at,
        "quantity": found.last.opening.quantity,
        "as_of": today,
        "expected": found.expected,
        "is_estimated": found.is_estimated,
        "on_the_way": found.on_the_way,
        "per_day": demand and demand.per_day.quantize(TEN_THOUSANDTH),
        "cover_days": None if found.cover is None else min(found.cover, MOST_COVER).quantize(TENTH),
        "safety_stock": plan and plan.safety,
        "reorder_point": plan and plan.reorder_point,
        "suggestion": plan and plan.suggestion,
        "is_slow": found.is_slow,
        "exchange_by": found.deadline and found.deadline.apply_by,
        "oldest_on": found.oldest_on,
        "is_impossible": found.is_impossible,
    }
