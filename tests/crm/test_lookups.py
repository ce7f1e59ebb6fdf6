"""`among` finds what `in` finds, with one parameter on PostgreSQL."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import Customer
from orders.models import Order
from tests.factories import make_customer, make_order

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "names",
    [
        [],
        ["C-1"],
        ["C-1", "C-1", "C-3", "nobody"],
        {"C-2", "it's", 'a "quoted" one', "{1,2}", "反斜杠\\", "%s"},
    ],
)
def test_among_finds_what_in_finds(names):
    for number in ("C-1", "C-2", "C-3", "it's", 'a "quoted" one', "{1,2}", "反斜杠\\", "%s"):
        make_customer(external_id=number)
    found = Customer.objects.filter(external_id__among=names)
    expected = Customer.objects.filter(external_id__in=names)
    assert set(found.values_list("pk", flat=True)) == set(expected.values_list("pk", flat=True))
    assert found.count() == expected.count()


def test_among_follows_a_relation_without_joining_it():
    orders = [make_order() for _n in range(3)]
    wanted = [order.customer_id for order in orders[:2]]
    with CaptureQueriesContext(connection) as asked:
        found = list(Order.objects.filter(customer__id__among=wanted).order_by("pk"))
    assert found == orders[:2]
    assert "JOIN" not in asked[0]["sql"]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL only")
def test_postgresql_gets_the_values_as_one_parameter():
    sql, parameters = Order.objects.filter(
        external_id__among=["a", "b", "c"]
    ).query.sql_with_params()
    assert "= ANY(%s)" in sql
    assert parameters == (["a", "b", "c"],)
