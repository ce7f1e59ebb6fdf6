"""Counts and adjustments on the customer's timeline (P2, P23)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from customers.timeline import collect
from tests.factories import (
    local,
    make_adjustment,
    make_customer,
    make_product,
    make_stock_line,
    make_stock_report,
)

pytestmark = pytest.mark.django_db


def test_p2_counts_and_adjustments_are_told_once_and_in_words(as_, rep) -> None:
    shop = make_customer(owner=rep)
    oil = make_product(name="Oil", unit="box")
    report = make_stock_report(shop, {oil: 5}, source="dealer", note="Back room")
    make_stock_line(report, oil, "2.5", batch="A")
    for name in ("Soy", "Salt", "Tea"):
        make_stock_line(report, make_product(name=name, unit="bag"), 1)
    make_stock_report(shop, {oil: 9}, source="visit")  # told with its visit
    make_adjustment(shop, oil, -3, note="Wet")
    make_adjustment(shop, oil, 4, cause="transfer")
    with translation.override("en"):
        counts = collect(shop, before=None, kind="stock_report").entries
        moved = collect(shop, before=None, kind="adjustment").entries
    (told,) = counts
    assert (told.title, told.url) == (
        "4 products counted",
        reverse("orders:stock-report", args=[report.pk]),
    )
    assert told.text == "told by the dealer · Oil 7.5 box, Salt 1 bag, Soy 1 bag, … · Back room"
    assert [entry.title for entry in moved] == [
        "4 box of Oil came into stock",
        "3 box of Oil left the stock",
    ]
    assert moved[1].text == "damaged or expired · Wet"
    page = as_(rep).get(reverse("customers:timeline", args=[shop.pk]), {"kind": "trade"})
    assert "4 products counted" in page.content.decode()


def test_it_is_paged_by_time_and_costs_the_same(rep) -> None:
    shop, oil = make_customer(owner=rep), make_product()
    at = local(2026, 6, 1)

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            collect(shop, before=None, kind="stock_report")
        return len(queries)

    make_stock_report(shop, {oil: 1}, reported_at=at)
    few = cost()
    for day in range(1, 20):
        make_stock_report(shop, {oil: day, make_product(): 1}, reported_at=at + timedelta(days=day))
    assert cost() == few
    found = collect(shop, before=at + timedelta(days=1), kind="stock_report").entries
    assert [entry.at for entry in found] == [at]
