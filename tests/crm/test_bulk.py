"""Set-based writing: PostgreSQL's way and the plain one give the same rows."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import DataError, IntegrityError, OperationalError, connection, transaction

from accounts.models import AuditEntry
from crm.lib import bulk
from customers.models import Customer
from orders.models import OrderLine
from tests.factories import local, make_customer, make_order, make_product, make_user

pytestmark = pytest.mark.django_db

NOW = local(2026, 6, 16, 9, 30)
LATER = local(2026, 6, 17, 9, 30)
SAME = {"created_at": NOW, "updated_at": NOW, "key_account": False, "order_count": 0}


def row(number: int, **values: Any) -> dict[str, Any]:
    return {
        "external_id": f"C-{number}",
        "name": f"客户 {number} \"'\\ %s",
        "kind": "dealer",
        "status": "active",
        "parent_id": None,
        "owner_id": None,
        "division": "",
        "address": "",
        "latitude": Decimal("30.123456"),
        "longitude": None,
        "phone": "",
        "email": "",
        "tax_id": "",
        "founded_on": date(1987, 2, 28),
        "buyout": True,
        "tags": ["a", "\n“b”"],
        "custom": {"n": 1.5, "deep": {"x": None, "y": [True]}},
        "source_updated_at": NOW,
        "version": 1,
        **values,
    }


def stored() -> list[dict[str, Any]]:
    names = [f.attname for f in Customer._meta.concrete_fields if f.attname != "id"]
    return list(Customer.objects.order_by("external_id").values(*names))


def write(rows: list[dict[str, Any]], at=NOW) -> dict[str, int]:
    return bulk.upsert(
        Customer,
        rows,
        key="external_id",
        same={**SAME, "created_at": at, "updated_at": at},
        keep=("created_at",),
    )


@pytest.fixture(params=["json", "plain"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways on PostgreSQL; SQLite has the plain one only."""
    if request.param == "json" and connection.vendor != "postgresql":
        pytest.skip("the JSON way needs PostgreSQL")
    if request.param == "plain":
        monkeypatch.setattr(bulk, "unpacks_json", lambda: False)
    return str(request.param)


def test_new_rows_are_inserted_as_they_are(way):
    ids = write([row(2), row(1)])
    assert ids == dict(Customer.objects.values_list("external_id", "pk"))
    for kept, given in zip(stored(), [row(1), row(2)], strict=True):
        assert {name: kept[name] for name in given} == given
        assert kept["created_at"] == kept["updated_at"] == NOW


def test_stored_rows_are_overwritten_and_keep_what_is_to_be_kept(way):
    first = write([row(1), row(2)])
    again = write([row(1, version=2, name="New", tags=[], custom={}, latitude=None)], at=LATER)
    assert again == {"C-1": first["C-1"]}
    one, two = stored()
    assert (one["name"], one["tags"], one["custom"], one["latitude"]) == ("New", [], {}, None)
    assert (one["version"], one["created_at"], one["updated_at"]) == (2, NOW, LATER)
    assert (two["version"], two["updated_at"]) == (1, NOW)


def test_a_row_that_moved_on_is_left_alone_and_missing_in_the_answer(way):
    write([row(1)])
    Customer.objects.filter(external_id="C-1").update(version=5, name="By a person")
    assert write([row(1, version=2), row(2)]).keys() == {"C-2"}
    assert Customer.objects.get(external_id="C-1").name == "By a person"


def test_a_row_that_appeared_meanwhile_is_left_alone(way):
    make_customer(external_id="C-1", name="By a person")
    assert write([row(1)]) == {}
    assert Customer.objects.get().name == "By a person"


def test_rows_go_in_order_of_their_keys(way):
    ids = write([row(number) for number in (5, 3, 9, 1)])
    assert sorted(ids, key=ids.__getitem__) == ["C-1", "C-3", "C-5", "C-9"]


def test_update_writes_the_named_columns_only(way):
    ids = write([row(1), row(2), row(3)])
    bulk.update(Customer, [{"id": ids["C-2"], "parent_id": ids["C-1"]}])
    assert list(Customer.objects.exclude(parent=None).values_list("external_id", "name")) == [
        ("C-2", row(2)["name"])
    ]


def test_lines_are_inserted_updated_and_deleted_by_id(way):
    product = make_product()
    order = make_order(lines=[(product, "1", "2.00"), (product, "3", "4.00")])
    lines = OrderLine.objects.filter(order=order)
    price = Decimal("5.00")
    bulk.update(OrderLine, [{"id": lines[1].pk, "quantity": Decimal("7.125"), "unit_price": price}])
    line = {"order_id": order.pk, "product_id": product.pk, "unit_price": price}
    bulk.insert(
        OrderLine, [{**line, "line_no": 3, "quantity": Decimal("9.000")}], same={"batch": "L1"}
    )
    assert list(lines.values_list("line_no", "quantity", "unit_price", "batch")) == [
        (1, Decimal("1.000"), Decimal("2.00"), ""),
        (2, Decimal("7.125"), Decimal("5.00"), ""),
        (3, Decimal("9.000"), Decimal("5.00"), "L1"),
    ]
    bulk.delete(OrderLine, [lines[0].pk, lines[2].pk])
    assert list(lines.values_list("line_no", flat=True)) == [2]


def test_a_line_that_stands_already_is_not_inserted_again(way):
    product = make_product()
    order = make_order(lines=[(product, "1", "2.00")])
    line = {"order_id": order.pk, "product_id": product.pk, "line_no": 1, "batch": ""}
    with pytest.raises(IntegrityError):
        bulk.insert(OrderLine, [{**line, "quantity": Decimal(1), "unit_price": Decimal(1)}])


@pytest.mark.parametrize(
    "text", ["", "NULL", "\\N", "\\.", "tab\there", "a\nb\rc", "\\t \\\\ %s '\"", "中文 🙂", "\x01"]
)
def test_appended_rows_come_back_as_they_were_given(way, text):
    values = {"t": text, text: [1, 1.5, True, None, Decimal("2.50"), NOW, date(2026, 6, 1)]}
    entry = {"object_id": 7, "object_name": text, "before": {}, "after": values, "key_id": None}
    same = {"at": NOW, "actor_id": None, "actor_name": text, "through": "sync"}
    bulk.append(AuditEntry, [entry, entry], same={**same, "action": "update", "model": "x"})
    for kept in AuditEntry.objects.filter(model="x"):
        assert (kept.object_name, kept.actor_name, kept.at) == (text, text, NOW)
        assert (kept.before, kept.actor_id, kept.key_id) == ({}, None, None)
        assert kept.after["t"] == text
        assert kept.after[text][:5] == [1, 1.5, True, None, "2.50"]


def test_a_text_that_is_too_long_is_refused_and_not_cut_off(way):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite knows no length of texts")
    ids = write([row(1)])
    with pytest.raises(DataError), transaction.atomic():
        write([row(2, name="长" * 201)])
    with pytest.raises(DataError), transaction.atomic():
        bulk.update(Customer, [{"id": ids["C-1"], "name": "长" * 201}])
    assert Customer.objects.get().name == row(1)["name"]


def test_rows_are_appended_whole_or_not_at_all(way):
    empty: dict[str, Any] = {}
    entry = {"object_name": "", "before": empty, "after": empty, "key_id": None, "at": NOW}
    same = {"actor_id": None, "actor_name": "", "through": "", "action": "", "model": "x"}

    def broken():
        yield from ({**entry, "object_id": number} for number in range(3000))
        raise LookupError("no such line")

    with (
        pytest.raises((LookupError, OperationalError), match="no such line"),
        transaction.atomic(),
    ):
        bulk.append(AuditEntry, broken(), same=same)
    assert not AuditEntry.objects.filter(model="x").exists()


def test_nothing_to_do_asks_nothing(way, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert write([]) == {}
        bulk.insert(OrderLine, [])
        bulk.append(AuditEntry, [])
        bulk.update(Customer, [])
        bulk.delete(OrderLine, [])


def test_both_ways_give_the_same_rows(monkeypatch, django_assert_num_queries):
    if connection.vendor != "postgresql":
        pytest.skip("there is one way only on SQLite")
    owner = make_user()
    batch = [row(n, owner_id=owner.pk, custom={"n": n, "t": "中" * n}) for n in range(50)]
    with django_assert_num_queries(1):
        write(batch)
    by_json = stored()
    Customer.objects.all().delete()
    monkeypatch.setattr(bulk, "unpacks_json", lambda: False)
    write(batch)
    assert stored() == by_json
