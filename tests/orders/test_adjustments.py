"""Goods that came or went without a delivery or a sale: entering it, taking it back (P23)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry
from customers.models import Customer
from orders.models import Product, StockAdjustment
from tests.factories import local, make_customer, make_product

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(rep) -> Customer:
    return make_customer(owner=rep)


@pytest.fixture(autouse=True)
def oil() -> Product:
    return make_product(external_id="OIL", name="压榨菜籽油 5L")


def post(client: Any, shop: Customer, **values: Any) -> Any:
    data = {
        "product": "OIL",
        "direction": "went",
        "quantity": "3",
        "cause": "damage",
        "batch": "A",
        "adjusted_at": "2026-06-12T10:00",
        "note": " 受潮 ",
        "client_id": str(uuid4()),
        **values,
    }
    return client.post(reverse("orders:adjustment-new", args=[shop.pk]), data)


@pytest.mark.parametrize(("direction", "sign"), [("went", -1), ("came", 1)])
def test_p23_goods_that_came_or_went_are_noted_with_their_cause(
    as_, rep, shop, oil, direction, sign
):
    client = as_(rep)
    answer = post(client, shop, direction=direction, quantity="2.5")
    made = StockAdjustment.objects.get()
    assert (made.customer, made.product, made.batch) == (shop, oil, "A")
    assert (made.quantity, made.cause, made.note) == (sign * Decimal("2.5"), "damage", "受潮")
    assert made.adjusted_at == local(2026, 6, 12, 10)
    page = client.get(answer["Location"]).content.decode()
    assert "damaged or expired" in page
    undo = f"{reverse('orders:adjustment-back', args=[made.pk])}?version=1"
    assert undo in page
    client.post(undo)
    assert not StockAdjustment.objects.exists()
    client.post(reverse("orders:adjustment-restore", args=[made.pk]))
    assert StockAdjustment.objects.get().quantity == made.quantity


def test_pressed_twice_it_is_there_once(as_, rep, shop):
    mark = str(uuid4())
    for _press in range(2):
        assert post(as_(rep), shop, client_id=mark).status_code == 302
    assert StockAdjustment.objects.count() == 1


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"quantity": "0"}, "0.001"),
        ({"quantity": "-1"}, "0.001"),
        ({"cause": "magic"}, "Select a valid choice"),
        ({"cause": ""}, "required"),
        ({"adjusted_at": "2099-01-01T00:00"}, "This moment has not come yet."),
        ({"batch": "x" * 51}, "at most 50 characters"),
        ({"note": "x" * 301}, "at most 300 characters"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(as_, rep, shop, values, words):
    answer = post(as_(rep), shop, **values)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not StockAdjustment.objects.exists()


def test_only_who_entered_it_takes_it_back_and_only_today(as_, rep, manager, shop):
    post(as_(rep), shop)
    made = StockAdjustment.objects.get()
    url = reverse("orders:adjustment-back", args=[made.pk])
    as_(manager).post(url, {"version": 1})
    AuditEntry.objects.update(at=timezone.now() - timedelta(days=1))
    as_(rep).post(url, {"version": 1})
    assert StockAdjustment.objects.exists()


def test_who_may_not_write_or_see_does_neither(as_, finance, stranger, shop):
    assert post(as_(finance), shop).status_code == 403
    assert post(as_(stranger), shop).status_code == 404
    assert not StockAdjustment.objects.exists()
