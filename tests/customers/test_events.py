"""What webhooks hear of customers' files, whichever way they change."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Delivery
from customers.actions import change_customer
from customers.assigning import assign
from customers.merging import merge
from customers.models import Customer
from customers.tagging import add_tag
from customers.unmerging import undo
from tests.factories import local, make_customer, make_user, make_webhook
from tests.syncing import Bulk

pytestmark = pytest.mark.django_db
NOW = local(2026, 6, 16, 12)
ALL = ("customer.created", "customer.updated", "customer.merged", "customer.deleted")


def told() -> list[tuple[str, Any]]:
    rows = Delivery.objects.select_related("event").order_by("pk")
    return [(row.event.name, row.event.data) for row in rows]


def changes() -> list[tuple[int, list[str]]]:
    """The customers that changed, each with its fields; clears the list."""
    found = [(data["id"], data["changed"]) for name, data in told() if name == "customer.updated"]
    Delivery.objects.all().delete()
    return found


def test_from_the_sync(erp) -> None:
    make_webhook(*ALL)
    bulk = Bulk("/api/v1/customers/sync/")
    record = {"external_id": "C-1", "name": "绍兴越州副食品有限公司", "phone": "13800001234"}
    bulk.sync(erp, record)
    bulk.sync(erp, record)
    one = Customer.objects.get()
    facts = {
        "id": one.pk, "external_id": "C-1", "kind": "dealer", "status": "prospect",
        "url": f"http://127.0.0.1:8000/api/v1/customers/{one.pk}/",
    }  # fmt: skip
    assert told() == [("customer.created", facts)]
    bulk.sync(
        erp,
        {**record, "status": "active", "phone": "13800001235"},
        {"external_id": "C-2", "name": "Outlet", "parent": "C-1"},
    )
    by_name = dict(told()[1:])
    assert by_name["customer.created"]["external_id"] == "C-2"
    assert by_name["customer.updated"] == {
        **facts, "status": "active", "changed": ["phone", "status"]
    }  # fmt: skip
    said = json.dumps(told(), ensure_ascii=False)
    assert "越州" not in said
    assert "1380000" not in said


def test_by_the_api_and_by_hand(erp, administrator) -> None:
    make_webhook(*ALL)
    made = erp.post("/api/v1/customers/", {"name": "New"}, format="json").json()
    assert [(name, data["id"]) for name, data in told()] == [("customer.created", made["id"])]
    one = Customer.objects.get()
    owner = make_user()
    change_customer(customer=one, values={"owner": owner, "name": "Newer"}, now=NOW)
    assert changes() == [(one.pk, ["name", "owner"])]
    change_customer(customer=one, now=NOW)
    assert changes() == []
    some = Customer.objects.filter(pk=one.pk)
    add_tag(some, "x", by=administrator, now=NOW)
    assign(some, to=make_user(), by=administrator, now=NOW)
    assert changes() == [(one.pk, ["tags"]), (one.pk, ["owner"])]


def test_p5_a_merge_and_its_undoing(administrator) -> None:
    into = make_customer(phone="")
    gone = make_customer(phone="+8613800001234")
    make_webhook(*ALL)
    record = merge(gone_id=gone.pk, into_id=into.pk, by=administrator, now=timezone.now())
    merged, updated = told()
    assert merged[0] == "customer.merged"
    assert (merged[1]["id"], merged[1]["external_id"]) == (gone.pk, gone.external_id)
    assert (merged[1]["into_id"], merged[1]["into"]) == (into.pk, into.external_id)
    assert (updated[0], updated[1]["changed"]) == ("customer.updated", ["phone"])
    undo(merge_id=record.pk, by=administrator, now=timezone.now())
    assert [(name, data["id"]) for name, data in told()[2:]] == [
        ("customer.created", gone.pk),
        ("customer.updated", into.pk),
    ]
