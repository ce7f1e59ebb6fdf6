"""The products and orders resources: lines, amounts, returns."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import AuditEntry
from orders.models import Order, OrderLine, Product
from tests.factories import make_customer, make_order, make_product

pytestmark = pytest.mark.django_db
Body = dict[str, Any]
ORDERS, PRODUCTS = "/api/v1/orders/", "/api/v1/products/"


@pytest.fixture(autouse=True)
def _english(erp: APIClient) -> None:
    erp.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"


def line(number: int, product: Product | str, quantity: str = "1", price: str = "50.00") -> Body:
    sku = product if isinstance(product, str) else product.external_id
    return {
        "line_no": number,
        "product": sku,
        "quantity": quantity,
        "unit_price": price,
        "batch": f"B{number}",
    }


@pytest.fixture
def order_body(customer) -> Body:
    return {
        "external_id": "SO-1",
        "customer": customer.external_id,
        "ordered_at": "2026-06-01T10:00:00+08:00",
        "status": "confirmed",
        "delivery_address": "越城区",
        "delivery_division": "330602",
        "payment_method": "transfer",
        "promotion": "P-1",
        "lines": [
            line(1, make_product(), "10.000"),
            line(2, make_product(), "0.333", "1.00"),
        ],
        "amount": "500.33",
        "source_updated_at": "2026-06-01T10:00:00+08:00",
    }


def test_an_order_comes_back_as_it_was_sent(erp, order_body) -> None:
    answer = erp.post(ORDERS, order_body)
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert {name: body[name] for name in order_body} == order_body
    assert (body["findings"], body["held"]) == ([], False)
    assert erp.get(answer["Location"]).json() == body


def test_lines_alone_decide_the_amount(erp, order_body) -> None:
    del order_body["amount"]
    assert erp.post(ORDERS, order_body).json()["amount"] == "500.33"


def test_the_amount_alone_is_enough(erp, order_body) -> None:
    del order_body["lines"]
    body = erp.post(ORDERS, {**order_body, "amount": 12.5}).json()
    assert (body["amount"], body["lines"]) == ("12.50", [])


@pytest.mark.parametrize("sign", ["", "-"])
def test_a_return_is_stored_without_a_sign(erp, order_body, sign) -> None:
    order_body |= {"status": "returned", "amount": f"{sign}500.33"}
    assert erp.post(ORDERS, order_body).json()["amount"] == "500.33"
    assert Order.objects.get().net == Decimal("-500.33")


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"amount": "500.34"}, {"amount"}),
        ({"amount": "-500.33"}, {"amount"}),
        ({"amount": "500.333"}, {"amount"}),
        ({"amount": None}, {"amount"}),
        ({"amount": "1e20"}, {"amount"}),
        ({"amount": "NaN"}, {"amount"}),
        ({"lines": [], "amount": "-1"}, {"amount"}),
        ({"lines": None}, {"lines"}),
        ({"lines": [line(1, "SKU-404")]}, {"lines.0.product"}),
        ({"lines": [line(1, "SKU-404", "0")]}, {"lines.0.quantity", "lines.0.product"}),
        ({"lines": [line(1, "SKU-404", "1", "-1")]}, {"lines.0.unit_price", "lines.0.product"}),
        ({"lines": [line(1, "SKU-404", "1.2345")]}, {"lines.0.quantity"}),
        ({"lines": ["x"]}, {"lines.0"}),
        ({"lines": {"a": 1}}, {"lines"}),
        ({"lines": [line(n, "SKU-404") for n in range(1001)]}, {"lines"}),
        ({"customer": "C-404"}, {"customer"}),
        ({"customer": None}, {"customer"}),
        ({"ordered_at": "2026-06-01"}, {"ordered_at"}),
        ({"ordered_at": "0001-01-01T00:00:00Z"}, {"ordered_at"}),
        ({"status": "lost"}, {"status"}),
        ({"delivery_division": "000000"}, {"delivery_division"}),
    ],
)
def test_a_wrong_order_is_refused_under_its_field(erp, order_body, change, fields) -> None:
    answer = erp.post(ORDERS, order_body | change)
    assert answer.status_code == 400, answer.content
    assert set(answer.json()["errors"]) == fields
    assert not Order.objects.exists()


def test_a_line_number_stands_once(erp, order_body) -> None:
    order_body["lines"][1]["line_no"] = 1
    errors = erp.post(ORDERS, order_body).json()["errors"]
    assert errors == {"lines.1.line_no": ["Line 1 stands twice."]}


def test_a_return_may_come_with_negative_quantities(erp, order_body) -> None:
    lines = [sent | {"quantity": f"-{sent['quantity']}"} for sent in order_body["lines"]]
    body = erp.post(
        ORDERS, order_body | {"status": "returned", "lines": lines, "amount": "-500.33"}
    ).json()
    assert (body["amount"], body["lines"]) == ("500.33", order_body["lines"])


def test_the_lines_of_a_return_have_one_sign(erp, order_body) -> None:
    order_body["lines"][1]["quantity"] = "-0.333"
    answer = erp.post(ORDERS, order_body | {"status": "returned"})
    assert list(answer.json()["errors"]) == ["lines.1.quantity"]


def test_lines_without_numbers_are_numbered_by_their_place(erp, order_body) -> None:
    for sent in order_body["lines"]:
        del sent["line_no"]
    body = erp.post(ORDERS, order_body).json()
    assert [line["line_no"] for line in body["lines"]] == [1, 2]


def test_an_order_without_lines_and_amount_is_refused(erp, order_body) -> None:
    del order_body["lines"], order_body["amount"]
    errors = erp.post(ORDERS, order_body).json()["errors"]
    assert errors == {"amount": ["An order without lines needs an amount."]}


def test_a_product_that_is_not_there_is_named(erp, order_body) -> None:
    order_body["lines"] = [line(1, "SKU-404")]
    errors = erp.post(ORDERS, order_body).json()["errors"]
    assert errors == {"lines.0.product": ["No product has external_id 'SKU-404'."]}


def test_new_lines_take_the_place_of_the_old_ones(erp, order_body) -> None:
    url = erp.post(ORDERS, order_body)["Location"]
    product = make_product()
    answer = erp.patch(url, {"lines": [line(7, product, "2")]})
    assert answer.status_code == 200, answer.content
    assert (answer.json()["amount"], answer["ETag"]) == ("100.00", '"v2"')
    assert list(OrderLine.objects.values_list("line_no", flat=True)) == [7]
    before, after = (
        [sent["line_no"] for sent in lines["lines"]]
        for entry in [AuditEntry.objects.latest("id")]
        for lines in (entry.before, entry.after)
    )
    assert (before, after) == ([1, 2], [7])


def test_a_batch_alone_can_be_corrected(erp, order_body) -> None:
    url = erp.post(ORDERS, order_body)["Location"]
    order_body["lines"][0]["batch"] = "NEW"
    answer = erp.patch(url, {"lines": order_body["lines"]})
    assert (answer["ETag"], answer.json()["lines"][0]["batch"]) == ('"v2"', "NEW")


def test_an_amount_must_still_fit_the_lines_it_keeps(erp, order_body) -> None:
    url = erp.post(ORDERS, order_body)["Location"]
    assert erp.patch(url, {"amount": "1.00"}).status_code == 400
    assert erp.patch(url, {"status": "shipped"}).json()["status"] == "shipped"
    assert erp.patch(url, {"lines": [], "amount": "1.00"}).json()["amount"] == "1.00"


def test_an_order_sent_again_unchanged_is_not_written(erp, order_body) -> None:
    url = erp.post(ORDERS, order_body)["Location"]
    entries = AuditEntry.objects.count()
    answer = erp.put(url, erp.get(url).json())
    assert (answer.status_code, answer["ETag"]) == (200, '"v1"')
    assert AuditEntry.objects.count() == entries


def test_an_order_of_a_customer_out_of_sight_is_out_of_sight(customer, stranger) -> None:
    order = make_order(customer)
    client = APIClient()
    client.force_login(stranger)
    assert client.get(f"{ORDERS}{order.pk}/").status_code == 404
    assert client.get(ORDERS).json()["results"] == []


def test_a_rep_reads_orders_but_writes_none(customer, rep) -> None:
    order = make_order(customer)
    client = APIClient()
    client.force_login(rep)
    assert client.get(f"{ORDERS}{order.pk}/").status_code == 200
    assert client.patch(f"{ORDERS}{order.pk}/", {"status": "shipped"}).status_code == 403


def test_a_list_of_orders_costs_the_same_for_one_and_for_many(
    erp, customer, settings, django_assert_num_queries
) -> None:
    settings.API_RATE_PER_MINUTE = 0  # its counter has queries of its own

    def order() -> None:
        lines = [(make_product(), "1", "5.00"), (make_product(), "2", "5.00")]
        make_order(make_customer(), lines=lines)

    order()
    erp.get(ORDERS)  # notes that the key was used
    with django_assert_num_queries(5) as few:  # key, page, customers, lines, products
        erp.get(ORDERS)
        needed = len(few)
    for _ in range(5):
        order()
    erp.get(ORDERS)  # notes that the key was used
    with django_assert_num_queries(needed):
        assert len(erp.get(ORDERS).json()["results"]) == 6


def test_a_post_costs_the_same_for_one_line_and_for_many(
    erp, order_body, settings, django_assert_max_num_queries
) -> None:
    settings.API_RATE_PER_MINUTE = 0
    products = [make_product() for _ in range(30)]
    order_body |= {"lines": [line(n, product) for n, product in enumerate(products)]}
    del order_body["amount"]
    with django_assert_max_num_queries(24):
        assert erp.post(ORDERS, order_body).status_code == 201


def test_a_product_comes_back_as_it_was_sent(erp) -> None:
    sent = {
        "external_id": "SKU-1",
        "name": "腐乳 500g",
        "category": "调味品",
        "unit": "箱",
        "dealer_price": "62.00",
        "retail_price": "88.00",
        "launched_on": "2026-03-01",
        "active": True,
    }
    answer = erp.post(PRODUCTS, sent)
    assert answer.status_code == 201
    assert {name: answer.json()[name] for name in sent} == sent
    assert erp.patch(answer["Location"], {"active": False}).json()["active"] is False


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("external_id", None),
        ("external_id", ""),
        ("dealer_price", "-1"),
        ("retail_price", "1.234"),
        ("dealer_price", "99999999999"),
        ("launched_on", "soon"),
    ],
)
def test_a_wrong_product_is_refused_under_its_field(erp, field, value) -> None:
    answer = erp.post(PRODUCTS, {"external_id": "S", "name": "x", field: value})
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]


def test_filters_of_products_and_orders(erp, customer) -> None:
    product = make_product(category="酒")
    make_product(category="茶", active=False)
    order = make_order(customer, status="shipped")
    make_order(status="draft")
    for url, pk in (
        (f"{PRODUCTS}?category=酒", product.pk),
        (f"{PRODUCTS}?active=true", product.pk),
        (f"{ORDERS}?status=shipped", order.pk),
        (f"{ORDERS}?customer={customer.external_id}", order.pk),
        (f"{ORDERS}?customer_id={customer.pk}", order.pk),
    ):
        assert [row["id"] for row in erp.get(url).json()["results"]] == [pk], url
    for bad in ("customer_id=x", f"customer_id={10**30}", "ordered_from=0001-01-01", "held=x"):
        assert erp.get(f"{ORDERS}?{bad}").status_code in {200, 400}, bad
