"""Public order data as an ERP team would try the sync with it (P16, P23, P39): sent from an empty
database, reconciled to the cent, sent again, sent with broken records among the good ones; and
what the pages of one dealer say of it, recounted from the files."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEntry, RejectedRecord, User
from customers.models import Customer
from orders import tasks
from orders.models import Order, OrderLine, StockPosition
from tests.api.erp import Erp, Record, dealers, rows, wholesaler
from tests.factories import SHANGHAI

pytestmark = [pytest.mark.data, pytest.mark.django_db(transaction=True)]
CENT = Decimal("0.01")
#: The day after the last order of the dealers.
TODAY = date(2020, 6, 1)


def sums_in(orders: list[Record]) -> dict[tuple[str, str], tuple[int, Decimal]]:
    """How many orders of each day and status there are, and what they come to."""
    found: dict[tuple[str, str], tuple[int, Decimal]] = defaultdict(lambda: (0, Decimal(0)))
    for order in orders:
        key = order["ordered_at"][:10], order["status"]
        number, amount = found[key]
        sign = -1 if order["status"] == "returned" else 1
        found[key] = number + 1, amount + sign * abs(Decimal(order["amount"]))
    return dict(found)


def sums_told(remote_erp: Erp, first: str, last: str) -> dict[tuple[str, str], tuple[int, Decimal]]:
    told = remote_erp.get("reports/reconciliation/", **{"from": first, "to": last})
    return {(one["day"], one["status"]): (one["orders"], Decimal(one["amount"])) for one in told}


# --- broken records: each takes a good order and says which field the answer must name

Breaker = Callable[[Record], str]


def _with(name: str, value: Any, field: str = "") -> Breaker:
    def breaks(order: Record) -> str:
        order[name] = value
        return field or name

    return breaks


def _amount_off_by_a_cent(order: Record) -> str:
    order["amount"] = str(Decimal(order["amount"]) + CENT)
    return "amount"


def _line_with(name: str, value: Any) -> Breaker:
    def breaks(order: Record) -> str:
        order["lines"] = [{**order["lines"][0], name: value}, *order["lines"][1:]]
        return f"lines.0.{name}"

    return breaks


def _line_number_twice(order: Record) -> str:
    order["lines"] = [*order["lines"], order["lines"][0]]
    return f"lines.{len(order['lines']) - 1}.line_no"


WITHOUT_LINES: tuple[Breaker, ...] = (
    _with("customer", "nobody-404"),
    _with("ordered_at", "2019-02-29T00:00:00+08:00"),
    _with("status", "sold"),
    _with("amount", "1e999"),
    _with("amount", "NaN"),
    _with("amount", "12.345"),
    _with("amount", None),
    _with("delivery_division", "999999"),
    _with("payment_method", "x" * 51),
    _with("promotion", "a\x00b"),
    _with("delivery_address", ["a", "list"]),
    _with("customer", None),
)
WITH_LINES: tuple[Breaker, ...] = (
    _amount_off_by_a_cent,
    _line_with("product", "SKU-404"),
    _line_with("quantity", "-1"),
    _line_with("quantity", "0"),
    _line_with("quantity", "1e999"),
    _line_with("unit_price", "-0.01"),
    _line_with("unit_price", "cheap"),
    _line_number_twice,
    *WITHOUT_LINES[:3],
    *WITHOUT_LINES[-4:],
)


def broken(
    orders: list[Record], breakers: tuple[Breaker, ...]
) -> tuple[list[Record], dict[int, str]]:
    """The orders with every hundredth broken, and the field at fault by its place."""
    records, at_fault = [dict(order) for order in orders], {}
    for turn, place in enumerate(range(50, len(records), 100)):
        at_fault[place] = breakers[turn % len(breakers)](records[place])
    return records, at_fault


@pytest.mark.parametrize(
    ("folder", "made", "breakers", "first", "last"),
    [
        ("adventureworks_resellers", dealers, WITH_LINES, "2017-07-01", "2020-05-31"),
        ("online_retail", wholesaler, WITHOUT_LINES, "2010-12-01", "2011-12-09"),
    ],
)
def test_one_per_cent_of_broken_records_costs_only_themselves(
    remote_erp: Erp,
    data_dir: Path,
    folder: str,
    made: Callable[[Path], dict[str, list[Record]]],
    breakers: tuple[Breaker, ...],
    first: str,
    last: str,
) -> None:
    sent = made(data_dir / folder)
    orders = sent.pop("orders")
    reference = json.loads((data_dir / folder / "reference.json").read_text(), parse_float=Decimal)
    for resource, records in sent.items():
        remote_erp.send(resource, records)
    records, at_fault = broken(orders, breakers)
    assert len(at_fault) == round(len(orders) / 100)

    counts, rejected = remote_erp.try_to_send("orders", records)
    assert {place: set(errors) for place, errors in rejected.items()} == {
        place: {field} for place, field in at_fault.items()
    }
    assert counts == {
        "received": len(orders),
        "created": len(orders) - len(at_fault),
        "rejected": len(at_fault),
    }
    good = [order for place, order in enumerate(orders) if place not in at_fault]
    assert sums_told(remote_erp, first, last) == sums_in(good)
    assert RejectedRecord.objects.count() == len(at_fault)

    # mended, everything goes through; only what was missing is written
    before = set(Order.objects.values_list("id", "version", "updated_at"))
    assert remote_erp.send("orders", orders, by_line=True) == {
        "received": len(orders),
        "created": len(at_fault),
        "unchanged": len(good),
    }
    assert before <= set(Order.objects.values_list("id", "version", "updated_at"))
    told = sums_told(remote_erp, first, last)
    assert told == sums_in(orders)
    assert sum(amount for _n, amount in told.values()) == reference["totals"]["amount_total"]
    assert sum(number for number, _a in told.values()) == reference["totals"]["distinct_orders"]

    # once more, broken again: the stored orders stay as they are
    entries = AuditEntry.objects.count()
    counts, rejected = remote_erp.try_to_send("orders", records)
    assert (set(rejected), counts["unchanged"]) == (set(at_fault), len(good))
    assert AuditEntry.objects.count() == entries
    assert sums_told(remote_erp, first, last) == told


# --- the pages of a dealer


def paid_by(orders: list[Record]) -> list[Record]:
    """Payments as the dealers of the test make them: most in full after 35 days, some by half,
    some never; every tenth names its order, the others leave it to the ledger."""
    payments: list[Record] = []
    for turn, order in enumerate(orders):
        share = (Decimal(1), Decimal(1), Decimal("0.5"), Decimal(0))[turn % 4]
        amount = (Decimal(order["amount"]) * share).quantize(CENT, ROUND_HALF_UP)
        at = datetime.fromisoformat(order["ordered_at"]) + timedelta(days=35)
        if amount and at.date() < TODAY:
            payments.append(
                {
                    "external_id": f"P-{order['external_id']}",
                    "customer": order["customer"],
                    "order": order["external_id"] if turn % 10 == 0 else None,
                    "paid_at": at.isoformat(),
                    "amount": str(amount),
                    "method": "transfer",
                }
            )
    return payments


def owed_at(orders: list[Record], payments: list[Record], *, terms: int) -> dict[str, Decimal]:
    """What is open today by age, counted by hand: named payments first, then the oldest order."""
    open_ = {order["external_id"]: Decimal(order["amount"]) for order in orders}
    free = Decimal(0)
    for payment in payments:
        named = payment["order"]
        used = min(open_[named], Decimal(payment["amount"])) if named else Decimal(0)
        if named:
            open_[named] -= used
        free += Decimal(payment["amount"]) - used
    ages = dict.fromkeys(
        ("not_due", "overdue_30", "overdue_60", "overdue_90", "overdue_over_90"), Decimal(0)
    )
    for order in sorted(orders, key=lambda one: (one["ordered_at"], one["external_id"])):
        used = min(free, open_[order["external_id"]])
        free -= used
        days = (TODAY - date.fromisoformat(order["ordered_at"][:10])).days - terms
        age = (
            "not_due"
            if days <= 0
            else "overdue_30"
            if days <= 30
            else "overdue_60"
            if days <= 60
            else "overdue_90"
            if days <= 90
            else "overdue_over_90"
        )
        ages[age] += open_[order["external_id"]] - used
    return {**ages, "on_account": free}


def prices_for(folder: Path) -> tuple[list[Record], dict[str, tuple[Decimal, Decimal]]]:
    """A price list: each product's dearest price ever paid is its dealer price, half as much
    again its retail price."""
    dearest: dict[str, Decimal] = {}
    for line in rows(folder, "order_lines.csv"):
        product, paid = line["product_external_id"], Decimal(line["unit_price"])
        dearest[product] = max(dearest.get(product, paid), paid)
    uniform = {
        product: (price, (price * Decimal("1.5")).quantize(CENT, ROUND_HALF_UP))
        for product, price in dearest.items()
    }
    return [
        {
            "external_id": f"PL-{product}",
            "product": product,
            "valid_from": "2017-01-01",
            "dealer_price": str(dealer),
            "retail_price": str(retail),
        }
        for product, (dealer, retail) in uniform.items()
    ], uniform


COUNTED_ON = tuple(date(year, month, 15) for year in (2018, 2019, 2020) for month in (3, 6, 9, 12))[
    :9
]
Bought = dict[str, list[tuple[date, Decimal]]]


def bought_of(orders: list[Record]) -> Bought:
    """What one dealer bought of each product, by day."""
    found: Bought = defaultdict(list)
    for order in orders:
        for line in order["lines"]:
            day = date.fromisoformat(order["ordered_at"][:10])
            found[line["product"]].append((day, Decimal(line["quantity"])))
    return found


def counts_of(number: str, bought: Bought) -> tuple[list[Record], dict[str, list[Decimal]]]:
    """Counts of the three products that the dealer bought most often, on nine days: a part of
    what came since the last one is left each time. Also the quantities, by product."""
    often = sorted(bought, key=lambda product: (-len(bought[product]), product))[:3]
    left: dict[str, list[Decimal]] = {product: [] for product in often}
    records: list[Record] = []
    before = date(2000, 1, 1)
    for turn, day in enumerate(COUNTED_ON):
        for product in often:
            came = sum((n for on, n in bought[product] if before < on <= day), Decimal(0))
            there = (left[product][-1] if left[product] else Decimal(0)) + came
            left[product].append(there // (2 + turn % 3))
        records.append(
            {
                "external_id": f"ST-{number}-{day}",
                "customer": number,
                "reported_at": f"{day}T18:00:00+08:00",
                "lines": [
                    {"product": product, "quantity": str(left[product][-1])} for product in often
                ],
            }
        )
        before = day
    return records, left


def test_what_the_pages_of_a_dealer_say_is_what_the_files_say(
    remote_erp: Erp, data_dir: Path, director: User
) -> None:
    folder = data_dir / "adventureworks_resellers"
    sent = dealers(folder)
    cost = {
        r["external_id"]: Decimal(r["standard_cost"]).quantize(CENT)
        for r in rows(folder, "products.csv")
        if r["standard_cost"]
    }
    for product in sent["products"]:
        if product["external_id"] in cost:
            product["unit_cost"] = str(cost[product["external_id"]])
    sent["prices"], uniform = prices_for(folder)
    orders = sent["orders"]
    sent["payments"] = paid_by(orders)
    sent["prices"], sent["payments"] = list(sent["prices"]), list(sent["payments"])
    for resource, records in sent.items():
        assert remote_erp.send(resource, records)["created"] == len(records)
    for resource, records in sent.items():
        assert remote_erp.send(resource, records) == {
            "received": len(records),
            "unchanged": len(records),
        }
    assert OrderLine.objects.count() == 57851

    by_amount: dict[str, Decimal] = defaultdict(Decimal)
    for order in orders:
        by_amount[order["customer"]] += Decimal(order["amount"])
    ranked = sorted(by_amount, key=lambda number: -by_amount[number])
    browser = Client()
    largest = bought_of([order for order in orders if order["customer"] == ranked[0]])
    counts, left = counts_of(ranked[0], largest)
    assert remote_erp.send("stock-reports", counts) == {"received": 9, "created": 9}
    assert remote_erp.send("stock-reports", counts) == {"received": 9, "unchanged": 9}
    browser.force_login(director)
    with time_machine.travel(datetime(2020, 6, 1, 9, tzinfo=SHANGHAI), tick=False):
        for number in (ranked[0], ranked[99], ranked[400]):
            customer = Customer.objects.get(external_id=number)
            own = [order for order in orders if order["customer"] == number]
            paid = [payment for payment in sent["payments"] if payment["customer"] == number]

            page = browser.get(reverse("orders:credit", args=[customer.pk]))
            expected = owed_at(own, paid, terms=30)
            owed = page.context["owed"]
            ages = ("overdue_30", "overdue_60", "overdue_90", "overdue_over_90")
            assert owed.not_due == expected["not_due"]
            assert owed.overdue_by_age == tuple(expected[age] for age in ages)
            assert owed.on_account == expected["on_account"]
            assert owed.ordered == 0

            page = browser.get(
                reverse("orders:margin", args=[customer.pk]),
                {"first": "2017-07-01", "last": "2020-05-31"},
            )
            margin = page.context["told"].margin
            lines = [line for order in own for line in order["lines"]]

            def worth(line: Record, unit: Decimal) -> Decimal:
                return (Decimal(line["quantity"]) * unit).quantize(CENT, ROUND_HALF_UP)

            assert margin.lines == len(lines)
            assert margin.paid == by_amount[number]
            at_list = sum(worth(line, uniform[line["product"]][0]) for line in lines)
            at_retail = sum(worth(line, uniform[line["product"]][1]) for line in lines)
            assert margin.deviation == by_amount[number] - at_list
            assert margin.dealer == at_retail - by_amount[number]
            known = [line for line in lines if line["product"] in cost]
            earned = sum(
                worth(line, Decimal(line["unit_price"])) - worth(line, cost[line["product"]])
                for line in known
            )
            assert margin.own == earned

        tasks.settle()
        position = StockPosition.objects.filter(customer__external_id=ranked[0])
        assert set(position.values_list("product__external_id", flat=True)) == set(left)
        for sku, there in left.items():
            one = position.get(product__external_id=sku)
            page = browser.get(reverse("orders:stock-position", args=[one.pk]))
            found = [row["it"] for row in page.context["intervals"]][::-1]
            closed = list(pairwise(zip(COUNTED_ON, there, strict=True)))
            assert len(found) == len(closed) + 1
            for told, ((since, opening), (until, closing)) in zip(found, closed, strict=False):
                came = sum((n for on, n in largest[sku] if since < on <= until), Decimal(0))
                assert (told.opening.quantity, told.sell_in) == (opening, came)
                assert told.derived == opening + came - closing
            since = COUNTED_ON[-1]
            came = sum((n for on, n in largest[sku] if on > since), Decimal(0))
            assert found[-1].sell_in == came
            assert one.quantity == there[-1]
