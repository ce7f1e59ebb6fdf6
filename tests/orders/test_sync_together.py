"""Several syncs and people writing the same orders at the same time, on PostgreSQL."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from rest_framework.test import APIClient

from customers.models import Customer
from orders.models import Order, OrderLine
from tests.factories import make_customer, make_key, make_product

BEGIN = datetime(2026, 6, 1, tzinfo=UTC)
ORDERS = "/api/v1/orders/sync/"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def secret(transactional_db: None) -> str:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time: there is nothing to interleave")
    make_customer(external_id="C-1")
    make_product(external_id="P-1")
    _key, secret = make_key()
    return secret


def together(*works: Callable[[], Any]) -> list[Any]:
    """Run all works at the same moment, each on a connection of its own."""
    start = threading.Barrier(len(works))

    def run(work: Callable[[], Any]) -> Any:
        try:
            start.wait(10)
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return [future.result(120) for future in [pool.submit(run, work) for work in works]]


def order(number: int, stamp: int) -> dict[str, Any]:
    """Everything in the order says which stamp it came with."""
    return {
        "external_id": f"SO-{number:03}",
        "customer": "C-1",
        "ordered_at": BEGIN.isoformat(),
        "lines": [
            {"line_no": n, "product": "P-1", "quantity": stamp, "unit_price": "1.00"}
            for n in range(1, 3)
        ],
        "amount": f"{2 * stamp}.00",
        "source_updated_at": (BEGIN + timedelta(minutes=stamp)).isoformat(),
    }


def post(secret: str, records: list[dict[str, Any]]) -> tuple[int, Any]:
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    answer = client.post(ORDERS, records, format="json")
    return answer.status_code, answer.json()


def test_eight_syncs_of_the_same_orders_fail_nothing_and_lose_nothing(secret):
    newest: dict[str, int] = {}
    works: list[Callable[[], Any]] = []
    for worker in range(8):
        dice = random.Random(worker)
        batches = []
        for _round in range(4):
            numbers = dice.sample(range(60), 40)
            records = [order(n, dice.randint(1, 500)) for n in numbers]
            batches.append(records)
            for record in records:
                stamp = int(Decimal(record["amount"]) / 2)
                name = record["external_id"]
                newest[name] = max(newest.get(name, 0), stamp)
        works.append(partial(lambda some: [post(secret, records) for records in some], batches))
    answers = [answer for answers in together(*works) for answer in answers]
    assert {status for status, _body in answers} == {200}
    assert sum(body["rejected"] for _status, body in answers) == 0
    assert sum(body["created"] for _status, body in answers) == len(newest)
    stored = {o.external_id: o for o in Order.objects.prefetch_related("lines")}
    assert {name: int(o.amount / 2) for name, o in stored.items()} == newest
    for o in stored.values():
        assert [line.quantity for line in o.lines.all()] == [o.amount / 2] * 2
        assert o.source_updated_at == BEGIN + timedelta(minutes=int(o.amount / 2))


def test_people_and_syncs_do_not_undo_each_other(secret):
    post(secret, [order(n, 1) for n in range(20)])

    def person(seed: int) -> int:
        dice, edits = random.Random(seed), 0
        for _edit in range(30):
            with transaction.atomic():
                one = Order.objects.select_for_update().get(
                    external_id=f"SO-{dice.randrange(20):03}"
                )
                one.promotion = str(int(one.promotion or 0) + 1)
                one.save()
                edits += 1
        return edits

    def erp(first: int) -> list[tuple[int, Any]]:
        return [post(secret, [order(n, stamp) for n in range(20)]) for stamp in range(first, 30, 2)]

    *edits, even, odd = together(
        lambda: person(1), lambda: person(2), lambda: erp(2), lambda: erp(3)
    )
    assert {status for status, _body in even + odd} == {200}
    assert sum(int(o.promotion or 0) for o in Order.objects.all()) == sum(edits)
    assert set(Order.objects.values_list("amount", flat=True)) == {Decimal(58)}
    assert set(OrderLine.objects.values_list("quantity", flat=True)) == {Decimal(29)}


def test_a_deadlock_with_somebody_else_is_tried_again(secret):
    post(secret, [order(n, 1) for n in range(2)])
    holding = threading.Event()

    def somebody() -> str:
        """Locks the second order, then wants the first: the other way round than a sync."""
        try:
            with transaction.atomic():
                Order.objects.filter(external_id="SO-001").update(promotion="618")
                holding.set()
                threading.Event().wait(0.5)
                Order.objects.filter(external_id="SO-000").update(promotion="618")
        except OperationalError:
            return "gave way"
        return "went through"

    def erp() -> tuple[int, Any]:
        holding.wait(10)
        return post(secret, [order(n, 2) for n in range(2)])

    _somebody, (status, body) = together(somebody, erp)
    assert status == 200
    assert body["updated"] == 2
    assert set(Order.objects.values_list("amount", flat=True)) == {Decimal(4)}


def test_an_order_that_a_person_enters_meanwhile_is_changed_not_refused(secret):
    entered = threading.Event()

    def person() -> None:
        with transaction.atomic():
            Order.objects.create(
                external_id="SO-000",
                customer=Customer.objects.get(),
                ordered_at=BEGIN,
                amount=Decimal(1),
                promotion="618",
            )
            entered.set()
            threading.Event().wait(0.5)

    def erp() -> tuple[int, Any]:
        entered.wait(10)
        return post(secret, [order(0, 2)])

    _person, (status, body) = together(person, erp)
    assert (status, body["updated"]) == (200, 1)
    stored = Order.objects.get()
    assert (stored.amount, stored.promotion) == (Decimal(4), "618")


def test_a_customer_that_goes_meanwhile_is_named_not_broken(secret):
    going = make_customer(external_id="C-2")
    gone = threading.Event()

    def person() -> None:
        with transaction.atomic():
            going.delete()
            gone.set()
            threading.Event().wait(0.5)

    def erp() -> tuple[int, Any]:
        gone.wait(10)
        return post(secret, [{**order(0, 1), "customer": "C-2"}, order(1, 1)])

    _person, (status, body) = together(person, erp)
    assert status == 200
    assert (body["created"], body["rejected"]) == (1, 1)
    assert list(body["errors"][0]["errors"]) == ["customer"]
