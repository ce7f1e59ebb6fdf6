"""How a customer buys, as its orders tell (P1)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.utils import timezone

from accounts.models import User
from customers.models import Customer
from orders import purchase
from tests.factories import local, make_order, make_product

TODAY = date(2026, 6, 16)


def test_p1_the_orders_say_what_how_much_how_often_and_when(
    customer: Customer, django_assert_num_queries
) -> None:
    soy = make_product(name="Soy", category="Sauces")
    oil = make_product(name="Oil", category="Oils")
    for day in (date(2025, 9, 5), date(2026, 1, 5), date(2026, 2, 5)):
        make_order(customer, ordered_at=local(day.year, day.month, day.day),
                   lines=[(soy, "30", "10.00"), (oil, "1", "100.00")])  # fmt: skip
    make_order(customer, 400, ordered_at=local(2026, 2, 6), status="cancelled")
    make_order(ordered_at=local(2026, 2, 6))
    with django_assert_num_queries(3):
        habits = purchase.of_customer(customer, today=TODAY)
    assert habits is not None
    assert (habits.net_amount, habits.orders) == (Decimal(1200), 3)
    assert [(one.name, one.share) for one in habits.favourites] == [
        ("Soy", Decimal("0.75")),
        ("Oil", Decimal("0.25")),
    ]
    assert [one.name for one in habits.categories] == ["Sauces", "Oils"]
    assert habits.strong_months == [1, 2, 9]
    assert round(sum(share for _month, share in habits.months), 9) == 1


def test_an_even_buyer_has_no_strong_months(customer: Customer) -> None:
    for month in range(1, 13):
        make_order(customer, 100, ordered_at=local(2025, month, 20))
    habits = purchase.of_customer(customer, today=TODAY)
    assert habits is not None
    assert habits.strong_months == []
    assert habits.favourites == []


def test_no_orders_say_nothing(customer: Customer) -> None:
    make_order(customer, ordered_at=local(2020, 1, 1))
    assert purchase.of_customer(customer, today=TODAY) is None


def test_the_page_and_its_part(
    as_, rep: User, stranger: User, customer: Customer, django_assert_max_num_queries
) -> None:
    url = f"/orders/of-customer/{customer.pk}/purchase/"
    assert "No orders in two years" in as_(rep).get(url).content.decode()
    make_order(customer, ordered_at=timezone.now(), lines=[(make_product(name="Soy"), "1", "5")])
    client = as_(rep)
    with django_assert_max_num_queries(16):
        assert "<html" in client.get(url).content.decode()
    part = client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert "Soy" in part
    assert "<html" not in part
    assert as_(stranger).get(url).status_code == 404
