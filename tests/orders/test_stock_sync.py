"""Counts and sell-outs of dealers as another system sends them and reads them (P23)."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from accounts.history import described
from accounts.models import AuditEntry, SyncCall
from customers.models import Alias, Customer
from orders.models import Product, SellOut, StockLine, StockReport
from tests.factories import (
    local,
    make_customer,
    make_key,
    make_product,
    make_sell_out,
    make_stock_line,
    make_stock_report,
    make_user,
)
from tests.syncing import Bulk

COUNTS, SALES = "/api/v1/stock-reports/sync/", "/api/v1/sell-outs/sync/"
counts, sales = Bulk(COUNTS), Bulk(SALES)
pytestmark = pytest.mark.django_db


@pytest.fixture
def one(rep) -> Customer:
    return make_customer(external_id="C-1", owner=rep)


@pytest.fixture(autouse=True)
def oil() -> Product:
    make_product(external_id="SOY", name="头道酱油")
    return make_product(external_id="OIL", name="压榨菜籽油 5L")


def line(product: str = "OIL", quantity: Any = "27", **values: Any) -> dict[str, Any]:
    return {"product": product, "quantity": quantity, **values}


def count(number: str = "ST-1", *lines: dict[str, Any], **values: Any) -> dict[str, Any]:
    return {
        "external_id": number,
        "customer": "C-1",
        "reported_at": "2026-06-12T10:00:00+08:00",
        "lines": list(lines) or [line()],
        **values,
    }


def sale(number: str = "SELL-1", **values: Any) -> dict[str, Any]:
    return {
        "external_id": number,
        "customer": "C-1",
        "product": "OIL",
        "sold_at": "2026-06-11T10:00:00+08:00",
        "quantity": "3",
        **values,
    }


def stored_lines(report: StockReport) -> list[tuple[Any, ...]]:
    rows = StockLine.objects.filter(report=report)
    found = rows.values_list("product__external_id", "batch", "produced_on", "quantity")
    return sorted(found, key=lambda row: row[:2])


class TestCounts:
    def test_p23_every_field_comes_in_and_a_second_sending_changes_nothing(self, erp, one):
        sent = count(
            "ST-1",
            line("SOY", "0.5", batch=" 260318 ", produced_on="2026-03-18"),
            line("OIL", 12),
            line("OIL", "15.250", batch="260402", produced_on="2026-04-02"),
            source_updated_at="2026-06-12T03:00:00Z",
        )
        assert counts.became(erp, sent) == {"created": 1}
        report = StockReport.objects.get()
        assert (report.customer, report.source) == (one, "api")
        assert report.reported_at == local(2026, 6, 12, 10)
        assert stored_lines(report) == [
            ("OIL", "", None, Decimal(12)),
            ("OIL", "260402", date(2026, 4, 2), Decimal("15.25")),
            ("SOY", "260318", date(2026, 3, 18), Decimal("0.5")),
        ]
        ids = set(StockLine.objects.values_list("pk", flat=True))
        assert counts.became(erp, sent) == {"unchanged": 1}
        sent["lines"] = sent["lines"][::-1]
        assert counts.became(erp, sent) == {"unchanged": 1}
        assert StockReport.objects.get().version == 1
        assert set(StockLine.objects.values_list("pk", flat=True)) == ids
        entry = AuditEntry.objects.of(report).get()
        assert (entry.action, entry.through, entry.object_name) == ("create", "sync", "ST-1")
        told = [(line["product"], line["quantity"]) for line in entry.after["lines"]]
        assert told == [("SOY", "0.500"), ("OIL", "12.000"), ("OIL", "15.250")]
        assert SyncCall.objects.values_list("resource", "created")[0] == ("stock-reports", 0)

    def test_p23_only_the_lines_that_differ_are_written(self, erp, one):
        counts.became(
            erp,
            count("ST-1", line("OIL", 1, batch="A"), line("OIL", 2, batch="B"), line("SOY", 3)),
        )
        report = StockReport.objects.get()
        ids = dict(StockLine.objects.values_list("batch", "pk"))
        changed = count(
            "ST-1", line("OIL", 1, batch="A"), line("OIL", 5, batch="B"), line("SOY", 3, batch="C")
        )
        assert counts.became(erp, changed) == {"updated": 1}
        assert stored_lines(report) == [
            ("OIL", "A", None, Decimal(1)),
            ("OIL", "B", None, Decimal(5)),
            ("SOY", "C", None, Decimal(3)),
        ]
        now = dict(StockLine.objects.values_list("batch", "pk"))
        assert (now["A"], now["B"]) == (ids["A"], ids["B"])
        entry = AuditEntry.objects.of(report).first()
        assert entry is not None
        assert set(entry.before) == set(entry.after) == {"lines"}
        (told,) = described([entry])[0].changes
        assert told.before == "SOY · 3.000; OIL · B · 2.000"
        assert told.after == "SOY · C · 3.000; OIL · B · 5.000"

    def test_what_is_left_out_stays(self, erp, one):
        counts.became(erp, count())
        moved = {"external_id": "ST-1", "reported_at": "2026-06-13T10:00:00+08:00"}
        assert counts.became(erp, moved) == {"updated": 1}
        report = StockReport.objects.get()
        assert report.reported_at == local(2026, 6, 13, 10)
        assert stored_lines(report) == [("OIL", "", None, Decimal(27))]

    def test_an_older_record_is_stale(self, erp, one):
        counts.became(erp, count(source_updated_at="2026-06-12T03:00:00Z"))
        old = count("ST-1", line("OIL", 4), source_updated_at="2026-06-12T02:00:00Z")
        assert counts.became(erp, old) == {"stale": 1}
        assert StockLine.objects.get().quantity == 27

    @pytest.mark.parametrize(
        ("values", "field", "words"),
        [
            ({"lines": []}, "lines", "at least one product; one that is gone is counted with 0"),
            ({"lines": [line(quantity="-0.001")]}, "lines.0.quantity", "less than nothing"),
            ({"lines": [line("NO")]}, "lines.0.product", "No product has external_id 'NO'."),
            ({"lines": [line(), line()]}, "lines.1.batch", "counted twice"),
            ({"lines": [line(batch=" A"), line(batch="A ")]}, "lines.1.batch", "counted twice"),
            ({"lines": [line(produced_on="2026-06-13")]}, "lines.0.produced_on", "after the day"),
            ({"customer": "C-404"}, "customer", "No customer has external_id 'C-404'."),
        ],
    )
    def test_a_wrong_count_is_rejected_by_field_and_stops_no_other(
        self, erp, one, values, field, words
    ):
        answer = counts.sync(erp, count("BAD", **values), count("GOOD"))
        assert (answer["created"], answer["rejected"]) == (1, 1)
        (error,) = answer["errors"]
        assert set(error["errors"]) == {field}
        assert words in str(error["errors"][field])
        assert StockLine.objects.count() == 1

    def test_a_day_later_it_cannot_be_before_its_batches(self, erp, one):
        counts.became(erp, count("ST-1", line(produced_on="2026-06-12")))
        earlier = {"external_id": "ST-1", "reported_at": "2026-06-11T23:00:00+08:00"}
        assert set(counts.refused(erp, earlier)["ST-1"]) == {"reported_at"}

    @pytest.mark.parametrize("bulk", [counts, sales], ids=["counts", "sales"])
    def test_another_clock_may_be_a_day_ahead_and_no_more(self, erp, one, bulk):
        name, make = ("reported_at", count) if bulk is counts else ("sold_at", sale)
        now = timezone.now()
        near, far = (
            make(str(h), **{name: (now + timedelta(hours=h)).isoformat()}) for h in (23, 25)
        )
        answer = bulk.sync(erp, near, far)
        assert answer["created"] == 1
        assert answer["errors"][0]["errors"] == {name: ["This moment has not come yet."]}

    def test_the_number_of_a_merged_file_means_the_one_that_survived(self, erp, one):
        Alias.objects.create(customer=one, external_id="C-OLD")
        assert counts.became(erp, count(customer="C-OLD")) == {"created": 1}
        assert sales.became(erp, sale(customer="C-OLD")) == {"created": 1}
        assert StockReport.objects.get().customer == SellOut.objects.get().customer == one

    def test_a_key_in_a_reps_name_reaches_her_customers_alone(self, one, rep):
        _key, secret = make_key(rep)
        client = APIClient(headers={"Authorization": f"Bearer {secret}"})
        hidden = make_customer(external_id="C-2", owner=make_user())
        make_stock_report(hidden, external_id="ST-2")
        answer = counts.refused(client, count("ST-1", customer="C-2"), count("ST-2"))
        assert set(answer["ST-1"]) == {"customer"}
        assert set(answer["ST-2"]) == {"external_id"}
        assert not StockLine.objects.exists()

    @pytest.mark.parametrize("url", [COUNTS, SALES])
    def test_with_atomic_one_rejection_writes_nothing(self, erp, one, url):
        make = count if url == COUNTS else sale
        sent = [make("A"), make("B", customer="C-404")]
        answer = erp.post(f"{url}?atomic=true", sent, format="json")
        assert answer.status_code == 422
        assert not StockReport.objects.exists()
        assert not SellOut.objects.exists()

    @pytest.mark.parametrize("scopes", [["orders:write"], ["stock:read"]])
    def test_it_takes_the_scope_of_stock(self, one, scopes):
        _key, secret = make_key(scopes=scopes)
        client = APIClient(headers={"Authorization": f"Bearer {secret}"})
        for url, sent in ((COUNTS, count()), (SALES, sale())):
            assert client.post(url, [sent], format="json").status_code == 403

    def test_the_number_of_queries_does_not_grow_with_the_batch(self, erp, one):
        def cost(batch: range, quantity: int = 1) -> int:
            records = [
                count(f"ST-{n}", line("OIL", quantity, batch=f"B{n}"), line("SOY", quantity))
                for n in batch
            ]
            with CaptureQueriesContext(connection) as queries:
                answer = counts.sync(erp, *records)
            assert answer["created"] + answer["updated"] == len(records)
            return len(queries)

        cost(range(1))
        assert cost(range(3, 80)) == cost(range(1, 3))
        assert cost(range(3, 80), 2) == cost(range(1, 3), 2)

    @settings(
        max_examples=40,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(
        bodies=st.lists(
            st.lists(
                st.tuples(
                    st.integers(1, 3),
                    st.dictionaries(
                        st.tuples(st.sampled_from(["OIL", "SOY"]), st.sampled_from(["", "A", "b"])),
                        st.integers(0, 9000),
                        min_size=1,
                        max_size=5,
                    ),
                ),
                max_size=4,
            ),
            max_size=4,
        )
    )
    def test_p23_whatever_is_sent_the_last_count_of_each_number_stands(self, erp, one, bodies):
        """Recounted with dicts: the body's last record of a number wins, lines are replaced."""
        StockReport.objects.all().delete()
        expected: dict[str, dict[tuple[str, str], Decimal]] = {}
        for body in bodies:
            records = []
            for number, counted in body:
                expected[f"ST-{number}"] = {
                    key: Decimal(milli) / 1000 for key, milli in counted.items()
                }
                records.append(
                    count(
                        f"ST-{number}",
                        *(line(sku, f"{m / 1000:.3f}", batch=b) for (sku, b), m in counted.items()),
                    )
                )
            counts.sync(erp, *records)
        stored: dict[str, dict[tuple[str, str], Decimal]] = defaultdict(dict)
        for number, sku, batch, quantity in StockLine.objects.values_list(
            "report__external_id", "product__external_id", "batch", "quantity"
        ):
            stored[str(number)][sku, batch] = quantity
        assert stored == expected


class TestSales:
    def test_p23_every_field_comes_in_and_a_second_sending_changes_nothing(self, erp, one, oil):
        sent = sale(
            quantity="-2.5",
            unit_price="68.5",
            buyer_division="511025",
            source_updated_at="2026-06-11T03:00:00Z",
        )
        assert sales.became(erp, sent) == {"created": 1}
        stored = SellOut.objects.get()
        assert (stored.customer, stored.product) == (one, oil)
        assert (stored.quantity, stored.unit_price) == (Decimal("-2.5"), Decimal("68.50"))
        assert (stored.sold_at, stored.buyer_division) == (local(2026, 6, 11, 10), "511025")
        assert sales.became(erp, sent) == {"unchanged": 1}
        assert SellOut.objects.get().version == 1
        entry = AuditEntry.objects.of(stored).get()
        assert (entry.action, entry.through, entry.object_name) == ("create", "sync", "SELL-1")

    def test_null_empties_and_what_is_left_out_stays(self, erp, one):
        sales.became(erp, sale(unit_price="68.5", buyer_division="511025"))
        assert sales.became(erp, {"external_id": "SELL-1", "unit_price": None}) == {"updated": 1}
        stored = SellOut.objects.get()
        assert (stored.unit_price, stored.buyer_division) == (None, "511025")
        assert sales.became(erp, {"external_id": "SELL-1", "buyer_division": ""}) == {"updated": 1}

    def test_an_older_record_is_stale(self, erp, one):
        sales.became(erp, sale(source_updated_at="2026-06-12T03:00:00Z"))
        old = sale(quantity=9, source_updated_at="2026-06-12T02:00:00Z")
        assert sales.became(erp, old) == {"stale": 1}
        assert SellOut.objects.get().quantity == 3

    def test_the_number_of_queries_does_not_grow_with_the_batch(self, erp, one):
        def cost(batch: range) -> int:
            records = [sale(f"SELL-{n}") for n in batch]
            with CaptureQueriesContext(connection) as queries:
                assert sales.became(erp, *records) == {"created": len(records)}
            return len(queries)

        cost(range(1))
        assert cost(range(3, 80)) == cost(range(1, 3))


class TestReading:
    def test_a_count_is_read_in_the_shape_of_the_contract(self, erp, one, oil):
        report = make_stock_report(one, external_id="ST-9", note="Back room")
        make_stock_line(report, oil, "12.5", batch="260402", produced_on=date(2026, 4, 2))
        answer = erp.get(f"/api/v1/stock-reports/{report.pk}/")
        shown = answer.json()
        assert (shown["customer"], shown["reported_at"]) == ("C-1", "2026-06-12T10:00:00+08:00")
        assert shown["lines"] == [
            {
                "product": "OIL",
                "batch": "260402",
                "produced_on": "2026-04-02",
                "quantity": "12.500",
            }
        ]
        assert answer["ETag"]

    def test_they_are_read_only(self, erp, one):
        assert erp.post("/api/v1/stock-reports/", count(), format="json").status_code == 405
        assert erp.post("/api/v1/sell-outs/", sale(), format="json").status_code == 405

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("stock-reports/?customer=C-1", "A B"),
            ("stock-reports/?customer=C-404", ""),
            ("stock-reports/?product=OIL", "A"),
            ("stock-reports/?product=SOY", "B"),
            ("stock-reports/?source=visit", "B"),
            ("stock-reports/?reported_from=2026-06-13", "B"),
            ("stock-reports/?reported_to=2026-06-12", "A"),
            ("stock-reports/?external_id=A", "A"),
            ("stock-reports/?search=a", "A"),
            ("stock-reports/?updated_since=2099-01-01T00:00:00Z", ""),
            ("sell-outs/?customer=C-1", "A B"),
            ("sell-outs/?product=SOY", "B"),
            ("sell-outs/?sold_from=2026-06-13", "B"),
            ("sell-outs/?sold_to=2026-06-12", "A"),
            ("sell-outs/?buyer_division=51", "B"),
            ("sell-outs/?source=sent", "A B"),
            ("sell-outs/?source=hand", ""),
            ("sell-outs/?updated_since=2020-01-01T00:00:00Z", "A B"),
        ],
    )
    def test_filters(self, erp, one, oil, query, found):
        soy = Product.objects.get(external_id="SOY")
        late = local(2026, 6, 13)
        make_stock_report(one, {oil: 1}, external_id="A", reported_at=late - timedelta(minutes=1))
        make_stock_report(one, {soy: 1}, external_id="B", reported_at=late, source="visit")
        make_sell_out(one, oil, external_id="A", sold_at=late - timedelta(minutes=1))
        make_sell_out(one, soy, external_id="B", sold_at=late, buyer_division="511025")
        answer = erp.get(f"/api/v1/{query}")
        assert answer.status_code == 200, answer.content
        assert [row["external_id"] for row in answer.json()["results"]] == found.split()

    @pytest.mark.parametrize("name", ["stock-reports", "sell-outs"])
    def test_a_page_costs_the_same_however_long(self, erp, one, oil, name):
        def make(customer: Customer, product: Product) -> None:
            if name == "stock-reports":
                make_stock_report(customer, {product: 1})
            else:
                make_sell_out(customer, product)

        def cost() -> int:
            with CaptureQueriesContext(connection) as queries:
                assert erp.get(f"/api/v1/{name}/?page_size=100").status_code == 200
            return len(queries)

        for _n in range(2):
            make(one, oil)
        cost()  # the key is used for the first time
        few = cost()
        for _n in range(30):
            make(make_customer(), make_product())
        assert cost() == few
