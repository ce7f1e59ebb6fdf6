"""Orders in bulk that were sent before: again, older, twice in a body, in any sequence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from accounts.models import AuditEntry
from orders.models import Order, OrderLine, OrderStatus
from tests.factories import (
    make_key,
    make_order,
)
from tests.orders.sending import became, line, order, sync
from tests.syncing import COUNTS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("wares")]


def batch(size: int) -> list[dict[str, Any]]:
    return [
        order(
            f"SO-{n}",
            customer=f"C-{1 + n % 2}",
            amount=None,
            lines=[line(1), line(2, "P-2", n + 1)],
        )
        for n in range(size)
    ]


def test_sent_twice_nothing_is_rewritten(erp):
    sync(erp, batch(20))
    rows = list(Order.objects.order_by("id").values())
    lines = list(OrderLine.objects.order_by("id").values())
    entries = AuditEntry.objects.count()
    with CaptureQueriesContext(connection) as queries:
        assert became(erp, *batch(20)) == {"unchanged": 20}
    writes = [q["sql"] for q in queries if q["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
    assert not [sql for sql in writes if "orders_" in sql or "auditentry" in sql]
    assert list(Order.objects.order_by("id").values()) == rows
    assert list(OrderLine.objects.order_by("id").values()) == lines
    assert AuditEntry.objects.count() == entries


@pytest.mark.parametrize("again", [False, True], ids=["new", "sent again"])
def test_the_number_of_queries_does_not_grow_with_the_batch(erp, again):
    became(erp, order("SO-warm"))

    def queries(size: int, first: int) -> int:
        records = [{**r, "external_id": f"N{first}-{r['external_id']}"} for r in batch(size)]
        if again:
            sync(erp, records)
        with CaptureQueriesContext(connection) as captured:
            sync(erp, records)
        return len(captured)

    assert queries(10, 1) == queries(500, 2) <= 20


def test_changed_orders_take_as_many_queries_whatever_their_number(erp):
    def queries(size: int) -> int:
        records = batch(size)
        sync(erp, records)
        changed = [{**r, "status": "shipped", "lines": [line(1, "P-2", 9)]} for r in records]
        with CaptureQueriesContext(connection) as captured:
            assert sync(erp, changed)["updated"] == size
        return len(captured)

    assert queries(10) == queries(500) <= 22


def test_an_older_record_never_overwrites(erp):
    new, old = "2026-06-02T00:00:00Z", "2026-06-01T00:00:00Z"
    became(erp, order(amount=2, source_updated_at=new))
    assert became(erp, order(amount=1, source_updated_at=old)) == {"stale": 1}
    assert Order.objects.get().amount == 2
    assert became(erp, order(amount=3, source_updated_at=new)) == {"updated": 1}
    assert became(erp, order(amount=4)) == {"updated": 1}
    assert became(erp, order(amount=5, source_updated_at=old)) == {"stale": 1}


def test_an_older_record_is_stale_before_it_is_wrong(erp):
    became(erp, order(source_updated_at="2026-06-02T00:00:00Z"))
    late = order(customer="C-404", source_updated_at="2026-06-01T00:00:00Z")
    assert became(erp, late) == {"stale": 1}


@pytest.mark.parametrize(
    ("times", "winner"),
    [
        ([None, None], 1),
        (["02", "01"], 0),
        (["01", "02"], 1),
        (["02", "02"], 1),
        (["02", None], 1),
        ([None, "01"], 1),
        (["02", None, "01"], 1),
        (["01", "03", "02"], 1),
    ],
)
def test_of_two_in_one_body_the_newer_wins_then_the_later(erp, times, winner):
    records = [
        order(amount=number, **({"source_updated_at": f"2026-06-{t}T00:00:00Z"} if t else {}))
        for number, t in enumerate(times)
    ]
    assert became(erp, *records) == {"created": 1, "stale": len(times) - 1}
    assert Order.objects.get().amount == winner


def test_a_rejected_rival_leaves_the_place_to_the_other(erp):
    assert became(erp, order(amount=1), order(amount=2, customer="C-404")) == {
        "created": 1,
        "rejected": 1,
    }
    assert Order.objects.get().amount == 1


def test_an_order_out_of_sight_of_the_key_is_not_touched(stranger, administrator):
    key, secret = make_key(administrator)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    make_order(external_id="SO-1", amount=5)
    assert became(client, order(amount=6)) == {"updated": 1}
    assert AuditEntry.objects.filter(through="sync").get().actor_name == key.name


NUMBERS = st.sampled_from(["SO-1", "SO-2", "SO-3"])
TIMES = st.sampled_from([None, 1, 2, 3])
WARES = st.lists(st.tuples(st.sampled_from(["P-1", "P-2", "P-404"]), st.integers(1, 3)), max_size=2)
STATES = st.sampled_from([OrderStatus.CONFIRMED, OrderStatus.SHIPPED, OrderStatus.RETURNED])
RECORDS = st.tuples(NUMBERS, TIMES, STATES, WARES)
BEGIN = datetime(2026, 6, 1, tzinfo=UTC)


def as_record(number: str, at: int | None, state: str, wares: list[tuple[str, int]]):
    record = order(number, status=str(state), amount="5.00", lines=[])
    if wares:
        lines = [line(n, sku, count, "2.00") for n, (sku, count) in enumerate(wares, 1)]
        record |= {"lines": lines, "amount": f"{2 * sum(count for _s, count in wares)}.00"}
    if at is not None:
        record["source_updated_at"] = (BEGIN + timedelta(days=at)).isoformat()
    return record


class Model:
    """What the contract says, one record after the other, over a dict."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[Any, int | None]] = {}

    def take(self, records: list[tuple[Any, ...]]) -> dict[str, int]:
        counts = dict.fromkeys(COUNTS, 0)
        by_number: dict[str, list[tuple[Any, ...]]] = {}
        for record in records:
            by_number.setdefault(record[0], []).append(record)
        for number, rivals in by_number.items():
            newest, ranked = 0, []
            for place, record in enumerate(rivals):
                newest = max(newest, record[1] or newest) if record[1] else newest
                ranked.append((record[1] or newest, place, record))
            taken = False
            for _rank, _place, (_number, at, state, wares) in sorted(ranked, reverse=True):
                stored = self.rows.get(number)
                if taken or (stored and at and stored[1] and at < stored[1]):
                    counts["stale"] += 1
                elif any(sku == "P-404" for sku, _count in wares):
                    counts["rejected"] += 1
                else:
                    taken = True
                    now = ((state, tuple(wares)), at or (stored[1] if stored else None))
                    counts[
                        "created" if not stored else "unchanged" if stored == now else "updated"
                    ] += 1
                    self.rows[number] = now
        return counts


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(batches=st.lists(st.lists(RECORDS, max_size=6), min_size=1, max_size=4))
def test_any_sequence_of_batches_does_what_the_contract_says(erp, batches):
    Order.objects.all().delete()
    model = Model()
    for records in batches:
        answer = sync(erp, [as_record(*record) for record in records])
        assert {name: answer[name] for name in COUNTS} == model.take(records)
    stored = {
        o.external_id: (
            (
                o.status,
                tuple((one.product.external_id, int(one.quantity)) for one in o.lines.all()),
            ),
            (o.source_updated_at - BEGIN).days if o.source_updated_at else None,
        )
        for o in Order.objects.prefetch_related("lines__product")
    }
    assert stored == model.rows
    for one in Order.objects.prefetch_related("lines"):
        total = sum((x.quantity * x.unit_price for x in one.lines.all()), Decimal(0))
        assert one.amount == (total or Decimal("5.00"))
