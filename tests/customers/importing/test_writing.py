"""Rows that are written together get their ids in the order they came in."""

from __future__ import annotations

import pytest
from django.utils import timezone

from customers.importing import writing
from customers.models import Customer

pytestmark = pytest.mark.django_db


def test_inserted_rows_get_ids_in_their_order_and_the_defaults_of_the_rest() -> None:
    now = timezone.now()
    rows = [
        {"name": f"客户{n}\t“{n}”\\", "tags": [str(n)], "founded_on": "2010-03-05"}
        for n in range(5)
    ]
    ids = writing.insert(Customer, rows, now=now)
    stored = Customer.objects.in_bulk(ids)
    assert [stored[pk].name for pk in ids] == [row["name"] for row in rows]
    assert [stored[pk].tags for pk in ids] == [row["tags"] for row in rows]
    assert {(c.version, c.kind, c.buyout, c.division_found) for c in stored.values()} == {
        (1, "dealer", False, "")
    }
    later = Customer.objects.create(name="later")
    assert later.pk > max(ids)
