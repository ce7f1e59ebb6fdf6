"""Products and orders in bulk: what each record becomes."""

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
from orders.models import Order, OrderLine, OrderStatus, Product
from tests.factories import (
    local,
    make_customer,
    make_key,
    make_order,
    make_product,
)

ORDERS = "/api/v1/orders/sync/"
PRODUCTS = "/api/v1/products/sync/"
COUNTS = ("created", "updated", "unchanged", "stale", "rejected")

pytestmark = pytest.mark.django_db


def sync(client: APIClient, records: list[Any], url: str = ORDERS) -> dict[str, Any]:
    answer = client.post(url, records, format="json", HTTP_ACCEPT_LANGUAGE="en")
    assert answer.status_code == 200, answer.content
    body: dict[str, Any] = answer.json()
    assert body["received"] == len(records) == sum(body[name] for name in COUNTS)
    return body


def became(client: APIClient, *records: Any, url: str = ORDERS) -> dict[str, int]:
    """The counts that are not zero."""
    answer = sync(client, list(records), url)
    return {name: answer[name] for name in COUNTS if answer[name]}


def refused(client: APIClient, record: Any, url: str = ORDERS) -> dict[str, list[str]]:
    """The errors of the only record."""
    (error,) = sync(client, [record], url)["errors"]
    return dict(error["errors"])


def order(number: str = "SO-1", **values: Any) -> dict[str, Any]:
    return {
        "external_id": number,
        "customer": "C-1",
        "ordered_at": "2026-06-01T10:00:00+08:00",
        "amount": "100.00",
        **values,
    }


def line(number: int = 1, product: str = "P-1", quantity: Any = "2", price: Any = "3.50", **v: Any):
    return {"line_no": number, "product": product, "quantity": quantity, "unit_price": price, **v}


def lines_of(number: str = "SO-1") -> list[tuple[Any, ...]]:
    found = OrderLine.objects.filter(order__external_id=number).order_by("line_no")
    return list(
        found.values_list("line_no", "product__external_id", "quantity", "unit_price", "batch")
    )


@pytest.fixture(autouse=True)
def wares(db: None) -> None:
    make_customer(external_id="C-1")
    make_customer(external_id="C-2")
    make_product(external_id="P-1")
    make_product(external_id="P-2")


# --- products


def test_a_product_is_created_and_changed_by_its_sku(erp):
    record = {"external_id": "P-9", "name": "Rice wine", "dealer_price": "12.5", "active": False}
    assert became(erp, record, url=PRODUCTS) == {"created": 1}
    changed = {"external_id": "P-9", "unit": "box", "unit_cost": "8.25"}
    assert became(erp, changed, url=PRODUCTS) == {"updated": 1}
    assert became(erp, {"external_id": "P-9", "unit": "box"}, url=PRODUCTS) == {"unchanged": 1}
    product = Product.objects.get(external_id="P-9")
    assert product.unit_cost == Decimal("8.25")
    assert (product.name, product.unit, product.dealer_price, product.active) == (
        "Rice wine",
        "box",
        Decimal("12.50"),
        False,
    )
    assert product.version == 2


def test_null_empties_a_field_of_a_product(erp):
    record = {"external_id": "P-1", "dealer_price": None, "unit": None, "launched_on": None}
    became(erp, record, url=PRODUCTS)
    product = Product.objects.get(external_id="P-1")
    assert (product.dealer_price, product.unit, product.launched_on) == (None, "", None)
    assert product.retail_price == Decimal("68.00")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"dealer_price": "-0.01"}, "dealer_price"),
        ({"dealer_price": "1.005"}, "dealer_price"),
        ({"retail_price": "12345678901"}, "retail_price"),
        ({"unit_cost": "-1"}, "unit_cost"),
        ({"launched_on": "2026-02-29"}, "launched_on"),
        ({"launched_on": "0001-01-01"}, "launched_on"),
        ({"active": "yes"}, "active"),
        ({"unit": "x" * 21}, "unit"),
    ],
)
def test_a_wrong_product_is_rejected_by_field(erp, values, field):
    record = {"external_id": "P-9", "name": "Rice wine", **values}
    assert list(refused(erp, record, PRODUCTS)) == [field]


def test_a_new_product_needs_a_name(erp):
    assert refused(erp, {"external_id": "P-9"}, PRODUCTS) == {"name": ["This field is required."]}


# --- orders


def test_an_order_comes_in_with_its_lines(erp):
    record = order(
        amount="8.33",
        status="shipped",
        delivery_address="解放南路 1 号",
        delivery_division="330602",
        payment_method="bank",
        promotion="618",
        lines=[line(2, quantity=1, price="0"), line(1, quantity="2.5", price="3.33", batch="L7")],
        source_updated_at="2026-06-01T12:00:00+08:00",
    )
    assert became(erp, record) == {"created": 1}
    stored = Order.objects.get()
    assert stored.customer.external_id == "C-1"
    assert stored.ordered_at == local(2026, 6, 1, 10)
    assert (stored.status, stored.amount, stored.held, stored.version) == (
        "shipped",
        Decimal("8.33"),
        False,
        1,
    )
    assert stored.source_updated_at == local(2026, 6, 1, 12)
    assert lines_of() == [
        (1, "P-1", Decimal("2.500"), Decimal("3.33"), "L7"),
        (2, "P-1", Decimal("1.000"), Decimal("0.00"), ""),
    ]


def test_lines_decide_the_amount_where_none_is_sent(erp):
    became(erp, order(amount=None, lines=[line(quantity="2.5", price="3.33"), line(2)]))
    assert Order.objects.get().amount == Decimal("15.33")


def test_lines_without_numbers_are_numbered_by_their_place(erp):
    bare = [{"product": "P-1", "quantity": 1, "unit_price": 2} for _ in range(2)]
    became(erp, order(amount=4, lines=bare))
    assert [number for number, *_rest in lines_of()] == [1, 2]


@pytest.mark.parametrize(
    ("values", "errors"),
    [
        ({"customer": "C-404"}, {"customer": ["No customer has external_id 'C-404'."]}),
        ({"customer": None}, {"customer": ["This field cannot be empty."]}),
        ({"ordered_at": None}, {"ordered_at": ["This field cannot be empty."]}),
        ({"amount": None}, {"amount": ["An order without lines needs an amount."]}),
        ({"amount": "-1"}, {"amount": ["Only a returned order may have a negative amount."]}),
        ({"amount": "0.001"}, {"amount": ["At most 2 digits after the point."]}),
        ({"amount": "1000000000000"}, {"amount": ["At most 12 digits before the point."]}),
        (
            {"amount": "7.01", "lines": [line()]},
            {"amount": ["The lines come to 7.00, not to 7.01."]},
        ),
        ({"lines": [line(product="X")]}, {"lines.0.product": ["No product has external_id 'X'."]}),
        ({"lines": [line(quantity=0)]}, {"lines.0.quantity": ["A quantity is not zero."]}),
        (
            {"lines": [line(quantity=-1)]},
            {"lines.0.quantity": ["A quantity is above zero; a return has its status."]},
        ),
        ({"lines": [line(price=-1)]}, {"lines.0.unit_price": ["A price is not negative."]}),
        ({"lines": [line(), line()]}, {"lines.1.line_no": ["Line 1 stands twice."]}),
        ({"lines": [line(0)]}, {"lines.0.line_no": ["Give at least 1."]}),
        (
            {"lines": [line(quantity="1e-4")]},
            {"lines.0.quantity": ["At most 3 digits after the point."]},
        ),
        (
            {"amount": None, "lines": [line(quantity="99999999999", price="9999999999")]},
            {"amount": ["The amount is too large."]},
        ),
        (
            {"status": "lost"},
            {
                "status": [
                    "“lost” is not one of: "
                    "draft, confirmed, shipped, completed, cancelled, returned."
                ]
            },
        ),
        (
            {"delivery_division": "123456"},
            {"delivery_division": ["No division has the code “123456”."]},
        ),
        (
            {"ordered_at": "2200-01-01T00:00:00Z"},
            {"ordered_at": ["The year lies between 1970 and 2199."]},
        ),
    ],
)
def test_a_wrong_order_is_rejected_with_the_reason(erp, values, errors):
    assert refused(erp, order(**values)) == errors
    assert not Order.objects.exists()


def test_a_new_order_needs_customer_time_and_amount(erp):
    assert set(refused(erp, {"external_id": "SO-1"})) == {"customer", "ordered_at"}
    assert set(refused(erp, {"external_id": "SO-1", "customer": "C-1"})) == {"ordered_at"}


@pytest.mark.parametrize("sign", [1, -1])
def test_a_return_is_kept_without_its_minus(erp, sign):
    record = order(status="returned", amount=sign * 7, lines=[line(quantity=sign * 2)])
    assert became(erp, record) == {"created": 1}
    stored = Order.objects.get()
    assert (stored.amount, stored.net) == (Decimal("7.00"), Decimal("-7.00"))
    assert lines_of() == [(1, "P-1", Decimal("2.000"), Decimal("3.50"), "")]
    assert became(erp, record) == {"unchanged": 1}


def test_the_lines_of_a_return_have_one_sign(erp):
    record = order(status="returned", amount=None, lines=[line(1), line(2, quantity=-1)])
    assert refused(erp, record) == {
        "lines.1.quantity": ["The lines of a return are all negative or all positive."]
    }


# --- changes


def test_what_is_left_out_stays_as_it_is(erp):
    became(erp, order(amount=7, lines=[line()], payment_method="bank"))
    assert became(erp, {"external_id": "SO-1", "status": "completed"}) == {"updated": 1}
    stored = Order.objects.get()
    assert (stored.status, stored.payment_method, stored.amount) == (
        "completed",
        "bank",
        Decimal(7),
    )
    assert len(lines_of()) == 1


def test_the_customer_of_an_order_may_change(erp):
    became(erp, order())
    assert became(erp, {"external_id": "SO-1", "customer": "C-2"}) == {"updated": 1}
    assert Order.objects.get().customer.external_id == "C-2"


def test_lines_are_replaced_by_those_sent(erp):
    became(erp, order(amount=None, lines=[line(1), line(2), line(3)]))
    kept = OrderLine.objects.get(line_no=3).pk
    became(erp, order(amount=None, lines=[line(1, "P-2"), line(3), line(4, batch="B")]))
    assert [(n, sku, batch) for n, sku, _q, _p, batch in lines_of()] == [
        (1, "P-2", ""),
        (3, "P-1", ""),
        (4, "P-1", "B"),
    ]
    assert OrderLine.objects.get(line_no=3).pk == kept


def test_a_new_amount_must_agree_with_the_stored_lines(erp):
    became(erp, order(amount=7, lines=[line()]))
    assert became(erp, {"external_id": "SO-1", "amount": "7.00"}) == {"unchanged": 1}
    assert refused(erp, {"external_id": "SO-1", "amount": 8}) == {
        "amount": ["The stored lines come to 7.00; send the new lines with the new amount."]
    }


def test_lines_are_taken_away_only_with_an_amount(erp):
    became(erp, order(amount=7, lines=[line()]))
    assert "amount" in refused(erp, {"external_id": "SO-1", "lines": []})
    assert became(erp, {"external_id": "SO-1", "lines": [], "amount": 9}) == {"updated": 1}
    assert (lines_of(), Order.objects.get().amount) == ([], Decimal(9))
    assert became(erp, {"external_id": "SO-1", "lines": None}) == {"unchanged": 1}


def test_changed_lines_stand_in_the_audit_log(erp):
    became(erp, order(amount=7, lines=[line()]))
    became(erp, {"external_id": "SO-1", "lines": [line(product="P-2", quantity=4)]})
    entry = AuditEntry.objects.filter(through="sync", action="update").get()
    assert entry.before == {
        "amount": "7.00",
        "lines": [
            {"line_no": 1, "product": "P-1", "quantity": "2.000", "unit_price": "3.50", "batch": ""}
        ],
    }
    assert entry.after["amount"] == "14.00"
    assert [one["product"] for one in entry.after["lines"]] == ["P-2"]


# --- sent again, older, twice


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

    assert queries(10) == queries(500) <= 20


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


# --- any sequence of batches, against a plain dict

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
