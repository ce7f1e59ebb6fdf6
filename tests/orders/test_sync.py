"""Products and orders in bulk: what each record becomes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from accounts import sync_parts
from accounts.history import described
from accounts.models import AuditEntry, SyncCall
from orders.models import Order, OrderLine, Product, Unsettled
from tests.factories import (
    local,
)
from tests.orders.sending import PRODUCTS, became, line, lines_of, order, refused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("wares")]


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
        (  # the others of the order are not to blame
            {"lines": [line(quantity=-1), line(2)]},
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


def test_null_cannot_empty_the_amount_of_an_order_without_lines(erp):
    became(erp, order())
    assert refused(erp, order(amount=None)) == {
        "amount": ["An order without lines needs an amount."]
    }
    assert became(erp, order(amount=None, lines=[line()])) == {"updated": 1}
    assert became(erp, {"external_id": "SO-1", "amount": None}) == {"unchanged": 1}


def test_the_lines_that_changed_stand_in_the_audit_log(erp):
    became(erp, order(amount=None, lines=[line(1), line(2), line(3, batch="L7")]))
    became(erp, order(amount=None, lines=[line(1), line(2, "P-2", 4), line(4)]))
    entry = AuditEntry.objects.filter(through="sync", action="update").get()
    two = {"line_no": 2, "product": "P-1", "quantity": "2.000", "unit_price": "3.50"}
    three = {"line_no": 3, "product": "P-1", "quantity": "2.000", "unit_price": "3.50"}
    four = {"line_no": 4, "product": "P-1", "quantity": "2.000", "unit_price": "3.50"}
    assert entry.before == {"amount": "21.00", "lines": [two, {**three, "batch": "L7"}]}
    assert entry.after == {
        "amount": "28.00",
        "lines": [{**two, "product": "P-2", "quantity": "4.000"}, four],
    }
    (told,) = [c for c in described([entry])[0].changes if c.field == "明细"]
    assert told.before == "2 · P-1 · 2.000 · 3.50; 3 · P-1 · 2.000 · 3.50 · L7"


class TestLargeBody:
    """A body that is worked on in parts becomes what it would become as a whole."""

    @pytest.fixture(autouse=True)
    def small_parts(self, monkeypatch):
        monkeypatch.setattr(sync_parts, "PART_BYTES", 400)

    def batch(self, quantity: int = 2) -> list[dict[str, Any]]:
        lines = [line(1, quantity=quantity), line(2, "P-2", quantity)]
        return [order(f"SO-{n:02}", amount=None, lines=lines) for n in range(15)]

    def test_new_changed_unchanged_and_rivals(self, erp):
        older = order("SO-03", amount=5, source_updated_at="2026-06-01T00:00:00+08:00")
        newer = order("SO-03", amount=6, source_updated_at="2026-06-02T00:00:00+08:00")
        wrong = order("SO-90", customer="C-0")
        first = became(erp, newer, *self.batch()[4:], wrong, older)
        assert first == {"created": 12, "stale": 1, "rejected": 1}
        assert Order.objects.get(external_id="SO-03").amount == 6
        second = became(erp, *self.batch()[2:])
        assert second == {"created": 1, "updated": 1, "unchanged": 11}
        assert became(erp, *self.batch(3)) == {"created": 2, "updated": 13}
        assert set(OrderLine.objects.values_list("quantity", flat=True)) == {3}
        assert OrderLine.objects.count() == 30

    def test_with_atomic_a_rejection_in_the_last_part_leaves_nothing(self, erp):
        wrong = order("SO-99", customer="C-0")
        also = order("SO-00", customer="C-0")
        answer = erp.post(
            "/api/v1/orders/sync/?atomic=true", [*self.batch()[1:], wrong, also], format="json"
        )
        assert answer.status_code == 422
        assert [error["index"] for error in answer.json()["errors"]] == [14, 15]
        assert not Order.objects.exists()
        assert not Unsettled.objects.exists()
        assert SyncCall.objects.get().rejected == 2
        answer = erp.post("/api/v1/orders/sync/?atomic=true", self.batch(), format="json")
        assert answer.json()["created"] == 15 == Order.objects.count()
