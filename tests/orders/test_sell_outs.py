"""Sell-outs that people enter: the form, the list, taking back (P23)."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry
from customers.models import Customer
from orders.models import Product, SellOut
from tests.factories import local, make_customer, make_product, make_sell_out

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(rep) -> Customer:
    return make_customer(external_id="C-1", owner=rep, name="江阴粮油")


@pytest.fixture(autouse=True)
def oil() -> Product:
    return make_product(external_id="OIL", name="压榨菜籽油 5L")


def sent(**values: Any) -> dict[str, Any]:
    return {
        "product": "OIL",
        "direction": "sold",
        "quantity": "3",
        "unit_price": "",
        "sold_at": "2026-06-12T10:00",
        "buyer_division": "",
        "client_id": str(uuid4()),
        **values,
    }


def post(client: Any, shop: Customer, **values: Any) -> Any:
    return client.post(reverse("orders:sell-out-new", args=[shop.pk]), sent(**values))


def test_p23_what_a_dealer_sold_is_entered_and_taken_back_with_undo(as_, rep, shop, oil):
    client = as_(rep)
    answer = post(client, shop, quantity="1,200.5", unit_price="68", buyer_division="511025")
    sold = SellOut.objects.get()
    assert (sold.customer, sold.product, sold.external_id) == (shop, oil, None)
    assert (sold.quantity, sold.unit_price) == (Decimal("1200.5"), Decimal(68))
    assert (sold.sold_at, sold.buyer_division) == (local(2026, 6, 12, 10), "511025")
    undo = f"{reverse('orders:sell-out-back', args=[sold.pk])}?version=1"
    assert undo in client.get(answer["Location"]).content.decode()
    answer = client.post(undo)
    assert not SellOut.objects.exists()
    restore = reverse("orders:sell-out-restore", args=[sold.pk])
    assert restore in client.get(answer["Location"]).content.decode()
    client.post(restore)
    back = SellOut.objects.get()
    assert (back.pk, back.quantity, back.unit_price) == (sold.pk, sold.quantity, sold.unit_price)
    assert [e.action for e in AuditEntry.objects.of(sold)] == ["create", "delete", "create"]


def test_what_came_back_counts_below_zero(as_, rep, shop):
    post(as_(rep), shop, direction="back", quantity="2")
    assert SellOut.objects.get().quantity == -2


def test_an_area_is_known_by_its_name(as_, rep, shop):
    post(as_(rep), shop, buyer_division="浙江省绍兴市越城区")
    assert SellOut.objects.get().buyer_division == "330602"


def test_pressed_twice_it_is_there_once(as_, rep, shop):
    mark = str(uuid4())
    for _press in range(2):
        assert post(as_(rep), shop, client_id=mark).status_code == 302
    assert SellOut.objects.count() == 1


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"quantity": "0"}, "0.001"),
        ({"quantity": "-1"}, "0.001"),
        ({"quantity": "1e999"}, "no more than"),
        ({"quantity": ""}, "required"),
        ({"unit_price": "-1"}, "greater than or equal to 0"),
        ({"product": "NOTHING"}, "No product is called"),
        ({"product": ""}, "required"),
        ({"sold_at": "2099-01-01T00:00"}, "This moment has not come yet."),
        ({"buyer_division": "Atlantis"}, "No single area has this name."),
        ({"direction": "x"}, "Select a valid choice"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(as_, rep, shop, values, words):
    answer = post(as_(rep), shop, **values)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not SellOut.objects.exists()


def test_what_a_system_sent_and_what_others_entered_stays(as_, rep, manager, shop):
    sold = make_sell_out(shop, quantity=5)
    AuditEntry.objects.of(sold).update(actor=rep, at=timezone.now())
    url = reverse("orders:sell-out-back", args=[sold.pk])
    as_(rep).post(url, {"version": 1})
    post(as_(rep), shop)
    own = SellOut.objects.get(external_id=None)
    as_(manager).post(reverse("orders:sell-out-back", args=[own.pk]), {"version": 1})
    as_(rep).post(reverse("orders:sell-out-back", args=[own.pk]), {"version": 2})
    assert SellOut.objects.count() == 2


def test_who_may_not_write_or_see_does_neither(as_, finance, stranger, shop):
    assert post(as_(finance), shop).status_code == 403
    assert post(as_(stranger), shop).status_code == 404
    assert not SellOut.objects.exists()


def test_the_list_is_filtered_counted_and_exported(as_, rep, shop, oil):
    other = make_customer(owner=rep, name="=1+1")
    make_sell_out(shop, oil, 1, sold_at=local(2026, 6, 1), buyer_division="330602")
    make_sell_out(
        other, make_product(external_id="SOY"), -2, sold_at=local(2026, 6, 3), external_id=None
    )
    make_sell_out(make_customer(), oil, 9)
    client, url = as_(rep), reverse("orders:sell-outs")

    def found(**asked: Any) -> list[int]:
        return [int(row["quantity"]) for row in client.get(url, asked).context["page"].rows]

    assert found() == [-2, 1]
    assert found(sort="sold_at") == [1, -2]
    assert found(customer_id=shop.pk) == found(q="江阴") == found(product="OIL") == [1]
    assert found(buyer_division="3306") == found(source="sent") == [1]
    assert found(source="hand") == found(sold_from="2026-06-02") == [-2]
    assert "越城区" in client.get(url).content.decode()
    sheet = client.get(reverse("orders:sell-outs-export"), {"format": "csv"})
    text = b"".join(sheet.streaming_content).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))[1:]
    assert [(row[3], row[5], Decimal(row[7])) for row in rows] == [
        ("'=1+1", "SOY", Decimal(-2)),
        ("江阴粮油", "OIL", Decimal(1)),
    ]


def test_the_list_costs_the_same_however_long_and_is_paged(as_, rep, shop, oil):
    client, url = as_(rep), reverse("orders:sell-outs")
    make_sell_out(shop, oil)
    with CaptureQueriesContext(connection) as few:
        client.get(url)
    for _n in range(60):
        make_sell_out(shop, make_product())
    with CaptureQueriesContext(connection) as many:
        page = client.get(url)
    assert len(many) <= len(few)
    assert page.context["page"].next
