"""What webhooks hear of orders and payments, from the sync, the API and by hand."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import delivering
from accounts.models import Delivery, Event
from orders import crediting
from orders.actions import move_order, take_back_move
from orders.models import Order, OrderStatus
from orders.payments import enter_payment, reverse_payment
from tests.accounts.receiver import receiving, slowly
from tests.factories import (
    local,
    make_credit,
    make_customer,
    make_order,
    make_product,
    make_webhook,
)
from tests.orders.sending import line, order, sync
from tests.syncing import Bulk

pytestmark = pytest.mark.django_db
NOW = local(2026, 6, 16, 12)
ALL = (
    *("order.created", "order.updated", "order.held", "order.released"),
    *("payment.received", "payment.updated"),
)


def told() -> list[tuple[str, Any]]:
    """Every event so far with what it says, in the order of the deliveries."""
    rows = Delivery.objects.select_related("event").order_by("pk")
    return [(row.event.name, row.event.data) for row in rows]


@pytest.fixture
def known(rep) -> Any:
    """The customer and the products that the ERP's orders name."""
    make_product(external_id="P-1")
    return make_customer(
        external_id="C-1", owner=rep, name="绍兴越州副食品有限公司", phone="+8613800001234"
    )


class TestSync:
    def test_an_order_that_is_created_changed_and_sent_again(self, erp, known) -> None:
        make_webhook(*ALL)
        sync(erp, [order(amount="100.00")])
        one = Order.objects.get()
        facts = {
            "id": one.pk, "external_id": "SO-1", "customer_id": known.pk, "customer": "C-1",
            "status": "confirmed", "amount": "100.00", "held": False,
            "url": f"http://127.0.0.1:8000/api/v1/orders/{one.pk}/",
        }  # fmt: skip
        assert told() == [("order.created", facts)]
        assert Event.objects.get().occurred_at == one.updated_at
        sync(erp, [order(amount="100.00")])
        assert len(told()) == 1, "unchanged"
        sync(erp, [order(status="shipped", delivery_address="x", lines=[line(1, price="50")])])
        changed = ["delivery_address", "lines", "status"]
        assert told()[1] == ("order.updated", {**facts, "status": "shipped", "changed": changed})

    def test_a_time_of_the_erp_alone_is_no_event(self, erp, known) -> None:
        sync(erp, [order()])
        make_webhook(*ALL)
        sync(erp, [order(source_updated_at="2026-06-02T00:00:00Z")])
        assert told() == []

    def test_names_and_phones_are_not_told(self, erp, known) -> None:
        make_webhook(*ALL)
        sync(erp, [order(delivery_address="浙江省绍兴市人民路18号")])
        said = json.dumps(told(), ensure_ascii=False)
        for secret in (known.name, "13800001234", "人民路"):
            assert secret not in said

    def test_a_rejected_body_that_is_all_or_nothing_tells_nothing(self, erp, known) -> None:
        make_webhook(*ALL)
        body = [order("SO-1"), order("SO-2", customer="C-404")]
        erp.post("/api/v1/orders/sync/?atomic=true", body, format="json")
        assert not Order.objects.exists()
        assert told() == []

    def test_the_cost_is_one_query_where_nobody_listens_and_fixed_where_somebody_does(
        self, erp, known
    ) -> None:
        def cost(size: int, start: int) -> int:
            records = [order(f"SO-{start + n}") for n in range(size)]
            with CaptureQueriesContext(connection) as queries:
                sync(erp, records)
            asked = [one["sql"] for one in queries if "accounts_webhook" in one["sql"]]
            assert len(asked) == 1
            return len(queries)

        sync(erp, [order("SO-0")])
        nobody = cost(500, 1000)
        make_webhook("tier.changed")
        assert cost(500, 2000) == nobody
        make_webhook(*ALL)
        somebody = cost(500, 3000)
        assert somebody == cost(10, 4000)
        assert somebody - nobody <= 3, "facts, events, deliveries"
        assert Event.objects.count() == 510

    def test_a_receiver_is_not_asked_while_the_sync_runs(self, erp, known, own_network) -> None:
        with receiving(answer=slowly(5)) as slow:
            make_webhook(*ALL, url=slow.url)
            begun = timezone.now()
            sync(erp, [order(f"SO-{n}") for n in range(50)])
            assert (timezone.now() - begun).total_seconds() < 4
            assert slow.arrived == []
        assert Delivery.objects.waiting().count() == 50

    def test_payments(self, erp, known) -> None:
        make_webhook(*ALL)
        sync(erp, [order()])
        bulk = Bulk("/api/v1/payments/sync/")
        payment = {
            "external_id": "PAY-1", "customer": "C-1", "order": "SO-1", "amount": "60",
            "paid_at": "2026-06-10T10:00:00+08:00",
        }  # fmt: skip
        bulk.sync(erp, payment)
        bulk.sync(erp, {**payment, "amount": "70"})
        bulk.sync(erp, {**payment, "amount": "70"})
        (_order, received, corrected) = told()
        assert received[0] == "payment.received"
        assert (received[1]["amount"], received[1]["order"]) == ("60.00", "SO-1")
        assert (received[1]["customer"], received[1]["reverses"]) == ("C-1", None)
        assert corrected[0] == "payment.updated"
        assert (corrected[1]["amount"], corrected[1]["changed"]) == ("70.00", ["amount"])


def test_by_the_api(erp, known) -> None:
    make_webhook(*ALL)
    made = erp.post("/api/v1/orders/", order("SO-7"), format="json").json()
    url = f"/api/v1/orders/{made['id']}/"
    erp.patch(url, {"status": "shipped"}, format="json")
    erp.patch(url, {"status": "shipped"}, format="json")
    erp.patch(url, {"lines": [line(1, price="50")]}, format="json")
    assert [(name, data.get("changed")) for name, data in told()] == [
        ("order.created", None),
        ("order.updated", ["status"]),
        ("order.updated", ["lines"]),
    ]


def test_by_hand(known, finance) -> None:
    one = make_order(known, "10.00", external_id=None, status=OrderStatus.CONFIRMED)
    make_webhook(*ALL)
    from accounts.audit import Through, acting

    with acting(user=finance, through=Through.PAGE):
        move_order(order=Order.objects.get(), to=OrderStatus.SHIPPED)
        take_back_move(order=Order.objects.get(), by=finance, today=timezone.localdate())
    payment = enter_payment(
        customer=known, order=one, paid_at=NOW, amount=Decimal(5), method="", note="",
        client_id=uuid4(), now=NOW,
    )  # fmt: skip
    reverse_payment(payment=payment, reason="typo", now=NOW)
    said = told()
    assert [(name, data.get("status")) for name, data in said[:2]] == [
        ("order.updated", "shipped"),
        ("order.updated", "confirmed"),
    ]
    assert [(name, data["amount"], data["reverses"]) for name, data in said[2:]] == [
        ("payment.received", "5.00", None),
        ("payment.received", "-5.00", payment.pk),
    ]


def test_p39_an_order_that_waits_is_released_and_waits_again(known, finance) -> None:
    make_webhook("order.held", "order.released")
    make_credit(known, limit=50, hold_at="limit")
    one = make_order(known, "60.00", status=OrderStatus.CONFIRMED)

    def settle() -> None:
        crediting.settle_credit(customer_ids=[known.pk], today=date(2026, 6, 16), now=NOW)

    settle()
    settle()
    assert [(name, data["external_id"], data["held"]) for name, data in told()] == [
        ("order.held", one.external_id, True)
    ]
    one.refresh_from_db()
    crediting.release(order=one, by=finance, reason="agreed", now=NOW)
    crediting.hold_again(order=one, now=NOW)
    Order.objects.update(status=OrderStatus.CANCELLED)
    settle()
    assert [(name, data["held"]) for name, data in told()[1:]] == [
        ("order.released", False),
        ("order.held", True),
        ("order.released", False),
    ]


def test_from_the_sync_to_the_receiver(erp, known, own_network) -> None:
    """The whole way, with the body that a receiver reads."""
    with receiving() as receiver:
        webhook = make_webhook(*ALL, url=receiver.url)
        sync(erp, [order(f"SO-{n}") for n in range(3)])
        delivering.deliver(webhook_id=webhook.pk, now=timezone.now())
        assert receiver.events() == ["order.created"] * 3
        for got in receiver.arrived:
            answer = erp.get(got.said["data"]["url"].removeprefix("http://127.0.0.1:8000"))
            assert answer.status_code == 200
            assert answer.json()["external_id"] == got.said["data"]["external_id"]
