"""The pages of orders and products."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import translation
from openpyxl import load_workbook

from accounts.models import AuditEntry, User
from customers.models import Customer
from orders.models import Order, Product
from tests.factories import local, make_customer, make_order, make_product

HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


def numbers(answer: Any) -> list[str]:
    return [row["external_id"] for row in answer.context["rows"]]


@pytest.fixture
def many(customer: Customer) -> list[Order]:
    product = make_product()
    return [
        make_order(
            customer,
            external_id=f"SO-{number:03}",
            ordered_at=local(2026, 1 + number // 25, 1 + number % 25, 0, 30),
            lines=[(product, "1", "10.00"), (product, "2", "5.50")],
            status="returned" if number == 5 else "completed",
        )
        for number in range(60)
    ]


def test_the_list_is_flat_in_queries_and_pages(
    as_, rep: User, many: list[Order], django_assert_max_num_queries
) -> None:
    client = as_(rep)
    with django_assert_max_num_queries(8):
        first = client.get("/orders/")
    assert numbers(first) == [f"SO-{number:03}" for number in range(59, 9, -1)]
    second = client.get(first.context["next_url"])
    assert numbers(second) == [f"SO-{number:03}" for number in range(9, -1, -1)]
    assert numbers(client.get(second.context["previous_url"])) == numbers(first)
    assert "−21.00" in second.content.decode()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=so-00", [f"SO-00{number}" for number in range(9, -1, -1)]),
        ("status=returned", ["SO-005"]),
        ("ordered_from=2026-03-09", ["SO-059", "SO-058"]),
        ("ordered_to=2026-01-02", ["SO-001", "SO-000"]),
        ("ordered_from=2026-01-02&ordered_to=2026-01-02", ["SO-001"]),
        ("held=true", []),
        ("owner=rep&q=SO-001", ["SO-001"]),
        ("customer_id=999999", []),
    ],
)
def test_filters_find_what_they_say(
    as_, manager: User, many: list[Order], query: str, found: list[str]
) -> None:
    assert numbers(as_(manager).get(f"/orders/?{query}")) == found


@pytest.mark.parametrize(
    "query",
    [
        "status=x", "ordered_from=0001-01-01", "ordered_to=9999-12-31", "ordered_from=x",
        "customer_id=99999999999999999999", "customer_id=x", "customer_id=NaN", "team=x",
        "owner=stranger", "q=%00", "sort=x", "cursor=x",
    ],
)  # fmt: skip
def test_odd_filters_show_a_page(as_, rep: User, many: list[Order], query: str) -> None:
    client = as_(rep)
    assert client.get(f"/orders/?{query}").status_code == 200
    assert client.get(f"/orders/?{query}", headers=HTMX).status_code == 200
    export = client.get(f"/orders/export/?{query}&format=csv")
    assert export.status_code == 200
    b"".join(export.streaming_content)


def test_orders_out_of_sight_are_not_there(
    as_, stranger: User, rep: User, many: list[Order]
) -> None:
    client = as_(stranger)
    assert numbers(client.get("/orders/")) == []
    assert client.get(f"/orders/{many[0].pk}/").status_code == 404
    assert client.get(f"/orders/of-customer/{many[0].customer_id}/").status_code == 404
    assert numbers(client.get(f"/orders/?customer_id={many[0].customer_id}")) == []
    assert numbers(client.get(f"/orders/?owner={rep.username}")) == []
    assert rep.display_name not in client.get("/orders/").content.decode()


@pytest.mark.parametrize("path", ["", "export/", "products/", "products/new/", "1/"])
def test_the_anonymous_are_asked_to_sign_in(client: Client, db: None, path: str) -> None:
    assert client.get(f"/orders/{path}")["Location"].startswith("/login/")


def test_the_export_holds_the_filtered_list(
    as_, rep: User, many: list[Order], django_assert_max_num_queries
) -> None:
    many[5].delivery_address = "=cmd()"
    many[5].delivery_division = "330602"
    many[5].save()
    client = as_(rep)
    with django_assert_max_num_queries(5):
        answer = client.get("/orders/export/?q=SO-00&sort=ordered_at")
        sheet = load_workbook(io.BytesIO(b"".join(answer.streaming_content))).active
    rows = list(sheet.iter_rows(values_only=True))
    assert len(rows) == 11
    row = dict(zip(rows[0], rows[6], strict=True))
    assert row["Order number"] == "SO-005"
    assert row["Status"] == "Returned"
    assert row["Amount"] == 21
    assert row["Delivery area"] == "绍兴市 越城区"
    assert row["Delivery address"] == "'=cmd()"


def test_an_order_shows_its_lines_and_changes(
    as_, rep: User, customer: Customer, django_assert_max_num_queries
) -> None:
    lines = [(make_product(name=f"Oil {number}"), "1.5", "10.01") for number in range(30)]
    order = make_order(customer, lines=lines, status="confirmed")
    order.lines.filter(line_no=1).update(batch="L7")
    order.status = "shipped"
    order.save()
    client = as_(rep)
    with django_assert_max_num_queries(8):
        body = client.get(f"/orders/{order.pk}/").content.decode()
    assert "Oil 29" in body
    assert body.count("L7") == 2  # in its column, and beside the quantity on a phone
    assert "15.02" in body
    assert "Confirmed" in body


def test_an_order_without_lines_says_so(as_, rep: User, customer: Customer) -> None:
    body = as_(rep).get(f"/orders/{make_order(customer).pk}/").content.decode()
    assert "This order came without lines" in body


def test_a_customers_orders_are_a_page_and_a_part_of_the_file(
    as_, rep: User, many: list[Order], django_assert_max_num_queries
) -> None:
    client = as_(rep)
    url = f"/orders/of-customer/{many[0].customer_id}/"
    with django_assert_max_num_queries(8):
        page = client.get(url)
    assert len(page.context["rows"]) == 50
    part = client.get(url, headers=HTMX)
    assert len(part.context["rows"]) == 5
    assert b"<html" not in part.content
    assert "HX-Request" in part["Vary"]


# --- products


def product_data(**changes: Any) -> dict[str, Any]:
    return {"name": "压榨菜籽油 5L", "external_id": "OIL-5", "active": "on"} | changes


def test_products_are_listed_for_all_and_changed_by_few(
    as_, rep: User, finance: User, django_assert_max_num_queries
) -> None:
    for number in range(60):
        make_product(name=f"Oil {number:02}", category="oil")
    client = as_(rep)
    with django_assert_max_num_queries(6):
        answer = client.get("/orders/products/")
    assert len(answer.context["page"].rows) == 50
    assert "/orders/products/new/" not in answer.content.decode()
    product = Product.objects.first()
    assert product is not None
    assert client.get(f"/orders/products/{product.pk}/").status_code == 200
    assert client.get(f"/orders/products/{product.pk}/edit/").status_code == 403
    assert client.post("/orders/products/new/", product_data()).status_code == 403
    assert as_(finance).get(f"/orders/products/{product.pk}/edit/").status_code == 200
    found = client.get("/orders/products/?q=oil+07", headers=HTMX)
    assert [row["name"] for row in found.context["page"].rows] == ["Oil 07"]


def test_a_product_is_made_and_changed_with_its_prices(as_, finance: User) -> None:
    client = as_(finance)
    client.post(
        "/orders/products/new/",
        product_data(
            dealer_price="50.00", retail_price="68", unit_cost="31.5", launched_on="2026-05-01"
        ),
    )
    product = Product.objects.get()
    assert (product.dealer_price, product.retail_price) == (Decimal("50.00"), Decimal("68.00"))
    assert product.launched_on == date(2026, 5, 1)
    url = f"/orders/products/{product.pk}/"
    assert "31.50" in client.get(url).content.decode()
    client.post(f"{url}edit/", product_data(dealer_price="52.5", version=product.version))
    assert "52.50" in client.get(url).content.decode()
    assert AuditEntry.objects.of(product).count() == 2


def test_what_a_product_costs_us_is_not_for_reps(as_, finance: User, rep: User) -> None:
    client = as_(finance)
    client.post("/orders/products/new/", product_data(unit_cost="31.57"))
    product = Product.objects.get()
    url = f"/orders/products/{product.pk}/"
    client.post(f"{url}edit/", product_data(unit_cost="32.58", version=product.version))
    product.refresh_from_db()
    client.post(
        f"{url}edit/",
        product_data(unit_cost="33.59", retail_price="77.75", version=product.version),
    )
    page = client.get(url).content.decode()
    assert all(cost in page for cost in ("31.57", "32.58", "33.59"))
    page = as_(rep).get(url).content.decode()
    assert not any(cost in page for cost in ("31.57", "32.58", "33.59"))
    assert "77.75" in page
    assert len(as_(rep).get(url).context["changes"]) == 2  # made, and the retail price
    address = f"/api/v1/products/{product.pk}/"
    assert as_(rep).get(address).json()["unit_cost"] is None
    assert as_(finance).get(address).json()["unit_cost"] == "33.59"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "x" * 201}, "name"),
        ({"external_id": "TAKEN"}, "external_id"),
        ({"dealer_price": "-1"}, "dealer_price"),
        ({"dealer_price": "NaN"}, "dealer_price"),
        ({"dealer_price": "99999999999"}, "dealer_price"),
        ({"retail_price": "1.234"}, "retail_price"),
        ({"unit_cost": "-0.01"}, "unit_cost"),
        ({"launched_on": "x"}, "launched_on"),
    ],
)
def test_wrong_input_is_named_and_kept(
    as_, finance: User, changes: dict[str, str], field: str
) -> None:
    make_product(external_id="TAKEN")
    answer = as_(finance).post("/orders/products/new/", product_data(**changes))
    form = answer.context["form"]
    assert field in form.errors
    assert form[field].value() == changes[field]
    assert Product.objects.count() == 1


def test_two_editors_of_a_product_are_told_of_each_other(as_, finance: User) -> None:
    product = make_product(external_id="OIL-5", name="Old")
    stale = product.version
    product.name = "Theirs"
    product.save()
    client = as_(finance)
    url = f"/orders/products/{product.pk}/edit/"
    answer = client.post(url, product_data(name="Mine", version=stale))
    assert "Theirs" in answer.content.decode()
    product.refresh_from_db()
    assert product.name == "Theirs"
    again = answer.context["form"]["version"].value()
    assert client.post(url, product_data(name="Mine", version=again)).status_code == 302


def test_an_empty_house_says_so(as_, rep: User) -> None:
    make_customer(owner=rep)
    assert "No orders yet" in as_(rep).get("/orders/").content.decode()
    assert "No products yet" in as_(rep).get("/orders/products/").content.decode()


def test_the_amount_of_an_order_bears_its_currency(as_, rep: User, customer: Customer) -> None:
    sold = make_order(customer, lines=[(make_product(), "2", "1000.00")])
    back = make_order(customer, lines=[(make_product(), "1", "5.00")], status="returned")
    assert "<b>¥2,000.00</b>" in as_(rep).get(f"/orders/{sold.pk}/").content.decode()
    assert "<b>−¥5.00</b>" in as_(rep).get(f"/orders/{back.pk}/").content.decode()
