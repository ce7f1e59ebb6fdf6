"""Public order data through the whole product: synced over HTTP, tiered, every number compared.

A live server answers real HTTP requests of a client with a key, as an ERP would send them. The
expected results were computed independently, from the same files (shared/data/README.md).
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db.models import Case, F, Sum, When
from django.db.models.functions import TruncMonth

from accounts.models import AuditEntry, SyncCall
from customers.models import Customer
from orders.models import Order, OrderLine, OrderStatus
from tests.api.erp import dealers, rows, wholesaler
from tests.factories import SHANGHAI
from tiers.models import TierPolicy, TierRun

pytestmark = [pytest.mark.data, pytest.mark.django_db(transaction=True)]


def tier_everything(as_of: date) -> TierRun:
    """A run over the whole history: the references do not know windows."""
    TierPolicy.objects.create(name="Whole history", effective_from=as_of, window_months=60)
    call_command("recompute_tiers", as_of=as_of.isoformat())
    return TierRun.objects.latest("id")


def check_tiers(folder: Path, run: TierRun) -> None:
    """Every customer's tier and amount, and the sums by tier."""
    reference = json.loads((folder / "reference.json").read_text(), parse_float=Decimal)
    expected = {r["external_id"]: r for r in rows(folder, "rfm.csv")}
    amounts: dict[str, Decimal] = defaultdict(Decimal)
    counts: Counter[str] = Counter()
    for customer in Customer.objects.all():
        row = expected.get(customer.external_id or "", {"abc_crossing": "", "monetary": "0"})
        assert customer.abc == (row["abc_crossing"] or None), customer.external_id
        assert (customer.net_amount or 0) == Decimal(row["monetary"]), customer.external_id
        if customer.abc:
            counts[customer.abc] += 1
            amounts[customer.abc] += customer.net_amount or 0
    for tier, told in reference["abc"]["crossing"].items():
        assert (counts[tier], amounts[tier]) == (told["customers"], told["amount"])
        assert run.counts[tier] == told["customers"]
    assert sum(amounts.values()) == run.ranked_amount == reference["abc"]["ranked_total"]
    assert run.counts["unranked"] == Customer.objects.count() - reference["abc"]["ranked_customers"]
    top = Customer.objects.exclude(net_amount=None).order_by("-net_amount", "external_id")[:10]
    assert [{"external_id": c.external_id, "total": c.net_amount} for c in top] == reference[
        "top10_customers"
    ]


def check_months(folder: Path) -> None:
    """Net amounts by month of the company, recounted by the database."""
    reference = json.loads((folder / "reference.json").read_text(), parse_float=Decimal)
    signed = Case(When(status=OrderStatus.RETURNED, then=-F("amount")), default=F("amount"))
    recounted = (
        Order.objects.annotate(month=TruncMonth("ordered_at", tzinfo=SHANGHAI))
        .values_list("month")
        .annotate(total=Sum(signed))
        .order_by("month")
    )
    # SQLite adds up in binary: a sum may be off by less than a millionth.
    months = {f"{month:%Y-%m}": round(Decimal(total), 2) for month, total in recounted}
    assert months == reference["monthly_amount"]
    assert sum(months.values()) == reference["totals"]["amount_total"]


def test_dealers_with_order_lines(remote_erp, data_dir):
    folder = data_dir / "adventureworks_resellers"
    sent = dealers(folder)
    for resource, records in sent.items():
        counts = remote_erp.send(resource, records)
        assert counts == {"received": len(records), "created": len(records)}
    assert (len(sent["orders"]), OrderLine.objects.count()) == (3616, 57851)
    assert AuditEntry.objects.filter(through="sync").count() == sum(map(len, sent.values()))

    run = tier_everything(date(2020, 5, 31))
    check_tiers(folder, run)
    check_months(folder)
    frequency = {r["external_id"]: int(r["frequency"]) for r in rows(folder, "rfm.csv")}
    for customer in Customer.objects.all():
        assert customer.order_count == frequency.get(customer.external_id or "", 0)

    before = list(Order.objects.order_by("id").values_list("id", "version", "updated_at"))
    for resource, records in sent.items():
        counts = remote_erp.send(resource, records, by_line=True)
        assert counts == {"received": len(records), "unchanged": len(records)}
    assert before == list(Order.objects.order_by("id").values_list("id", "version", "updated_at"))
    assert SyncCall.objects.filter(rejected__gt=0).count() == 0


def test_a_wholesaler_with_returns(remote_erp, data_dir):
    folder = data_dir / "online_retail"
    sent = wholesaler(folder)
    sold = Counter(o["customer"] for o in sent["orders"] if o["status"] == "completed")
    for resource, records in sent.items():
        counts = remote_erp.send(resource, records)
        assert counts == {"received": len(records), "created": len(records)}
    returns = Order.objects.filter(status=OrderStatus.RETURNED)
    assert (len(sent["orders"]), returns.count()) == (22190, 3654)
    assert not returns.filter(amount__lt=0).exists()

    run = tier_everything(date(2011, 12, 9))
    check_tiers(folder, run)
    check_months(folder)
    assert {c.external_id: c.order_count for c in Customer.objects.all()} == {
        c["external_id"]: sold[c["external_id"]] for c in sent["customers"]
    }
    assert remote_erp.send("orders", sent["orders"]) == {"received": 22190, "unchanged": 22190}
