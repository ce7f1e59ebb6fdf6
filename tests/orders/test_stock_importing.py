"""Counts and sell-outs from a file: looked through, written, rejected rows taken home (P23)."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from openpyxl import Workbook

from accounts.models import AuditEntry, JobRun, SyncCall
from customers.models import Alias, Customer
from orders import stock_importing
from orders.models import Product, SellOut, StockImport, StockLine, StockReport
from orders.tasks import clear_stock_imports, import_stock
from tests.factories import (
    local,
    make_customer,
    make_product,
    make_stock_report,
    make_user,
)

pytestmark = pytest.mark.django_db
LIST = "/orders/stock-imports/"
HEAD = "客户,产品,批次,生产日期,数量,盘点日期"


@pytest.fixture(autouse=True)
def shop(rep) -> Customer:
    return make_customer(external_id="C-1", owner=rep, name="江阴粮油")


@pytest.fixture(autouse=True)
def oil() -> Product:
    make_product(external_id="SOY", name="头道酱油")
    return make_product(external_id="OIL", name="压榨菜籽油 5L")


def upload(
    client: Client, *lines: str, kind: str = "counts", name: str = "盘点.csv", **values: Any
) -> Any:
    file = SimpleUploadedFile(name, "\n".join(lines).encode())
    return client.post(LIST, {"kind": kind, "file": file, **values})


def latest() -> StockImport:
    return StockImport.objects.latest("pk")


def write(client: Client) -> None:
    client.post(reverse("orders:stock-import-write", args=[latest().pk]))


def counted() -> list[tuple[Any, ...]]:
    rows = StockLine.objects.values_list("product__external_id", "batch", "produced_on", "quantity")
    return sorted(rows, key=lambda row: row[:2])


class TestCounts:
    ROWS = (
        'C-1,OIL,260402,2026-04-02,"1,027.5",2026-06-12',
        "江阴粮油,压榨菜籽油 5L,260318,2026年3月18日,3,2026/6/12",
        "C-1,SOY,,,0,2026-06-12",
    )

    def test_p23_nothing_is_written_until_one_has_seen_it(self, as_, rep, shop):
        client = as_(rep)
        answer = upload(client, HEAD, *self.ROWS)
        assert latest().counts == {"created": 3}
        assert not StockReport.objects.exists()
        assert not SyncCall.objects.exists()
        assert "Write" in client.get(answer["Location"]).content.decode()
        write(client)
        report = StockReport.objects.get()
        assert (report.customer, report.source) == (shop, "import")
        assert report.reported_at == local(2026, 6, 12, 12)
        assert counted() == [
            ("OIL", "260318", date(2026, 3, 18), Decimal(3)),
            ("OIL", "260402", date(2026, 4, 2), Decimal("1027.5")),
            ("SOY", "", None, Decimal(0)),
        ]
        entry = AuditEntry.objects.of(report).get()
        assert {line["product"] for line in entry.after["lines"]} == {"OIL", "SOY"}
        assert latest().state == "done"

    def test_the_same_file_again_changes_nothing_and_a_mended_one_what_differs(self, as_, rep):
        client = as_(rep)
        upload(client, HEAD, *self.ROWS)
        write(client)
        upload(client, HEAD, *self.ROWS)
        assert latest().counts == {"unchanged": 3}
        write(client)
        assert latest().state == "checked"  # there is nothing to write
        upload(client, HEAD, *self.ROWS[:2], "C-1,SOY,,,8,2026-06-12")
        assert latest().counts == {"updated": 3}
        write(client)
        assert [row[3] for row in counted()] == [Decimal(3), Decimal("1027.5"), Decimal(8)]
        assert StockReport.objects.count() == 1

    @pytest.mark.parametrize(
        ("row", "words"),
        [
            ("C-404,OIL,,,1,2026-06-12", "Unknown: customer “C-404”."),
            (",OIL,,,1,2026-06-12", "customer is missing."),
            ("C-2,NO,,,1,2026-06-12", "Unknown: product “NO”."),
            ("C-2,OIL,,,-1,2026-06-12", "less than nothing"),
            ("C-2,OIL,,,NaN,2026-06-12", "NaN"),
            ("C-2,OIL,,,1e999,2026-06-12", "digits before the point"),
            ("C-2,OIL,,,1.0001,2026-06-12", "digits after the point"),
            ("C-2,OIL,,,,2026-06-12", ""),
            ("C-2,OIL,,,1,2026-02-30", "2026-02-30"),
            ("C-2,OIL,,,1,2099-01-01", "not come yet"),
            ("C-2,OIL,,2026-06-13,1,2026-06-12", "after the day"),
            ("C-2,OIL,,,1", ""),
            ("Twins,OIL,,,1,2026-06-12", "Several have this name"),
            ("Hidden,OIL,,,1,2026-06-12", "Unknown: customer “Hidden”."),
        ],
    )
    def test_a_bad_row_says_why_and_stops_no_other_count(self, as_, rep, row, words):
        make_customer(external_id="C-2", owner=rep)
        make_customer(owner=rep, name="Twins")
        make_customer(owner=rep, name="Twins")
        make_customer(owner=make_user(), name="Hidden")
        client = as_(rep)
        upload(client, HEAD, *self.ROWS, row)
        assert latest().counts == {"created": 3, "rejected": 1}
        became, why = latest().outcomes[3]
        assert became == "rejected"
        assert why
        assert words in why
        write(client)
        assert StockReport.objects.count() == 1

    def test_with_one_bad_row_the_whole_count_of_that_day_waits(self, as_, rep):
        """What is left of a count would say that the rest is gone."""
        client = as_(rep)
        upload(client, HEAD, *self.ROWS, "C-1,OIL,X,,many,2026-06-12", "C-1,OIL,,,4,2026-06-13")
        assert [became for became, _why in latest().outcomes] == ["rejected"] * 4 + ["created"]
        assert "Another row of this count" in latest().outcomes[0][1]
        upload(client, HEAD, *self.ROWS, "江阴粮油,OIL,260402,,1,2026-06-12")
        assert latest().counts == {"rejected": 4}
        assert "counted twice" in latest().outcomes[3][1]

    def test_all_or_nothing(self, as_, rep):
        client = as_(rep)
        upload(client, HEAD, *self.ROWS, "C-404,OIL,,,1,2026-06-12", atomic="on")
        page = client.get(reverse("orders:stock-import", args=[latest().pk])).content.decode()
        assert "All or nothing was asked for" in page
        write(client)
        assert not StockReport.objects.exists()
        upload(client, HEAD, *self.ROWS, atomic="on")
        write(client)
        assert StockReport.objects.exists()

    def test_a_count_that_became_impossible_meanwhile_is_not_half_written(self, as_, rep):
        client = as_(rep)
        upload(client, HEAD, *self.ROWS, atomic="on")
        Product.objects.filter(external_id="SOY").update(external_id="GONE", name="Gone")
        write(client)
        assert not StockReport.objects.exists()
        assert latest().state == "checked"
        assert latest().counts == {"rejected": 3}

    def test_an_excel_file_and_the_number_of_a_merged_file(self, as_, rep, shop):
        Alias.objects.create(customer=shop, external_id="C-OLD")
        book = Workbook()
        assert book.active is not None
        book.active.append(["Customer number", "SKU", "Qty", "Counted on", "Remark"])
        book.active.append(["C-OLD", "OIL", 12.5, date(2026, 6, 12), "=1+1"])
        held = io.BytesIO()
        book.save(held)
        client = as_(rep)
        file = SimpleUploadedFile("stock.xlsx", held.getvalue())
        client.post(LIST, {"kind": "counts", "file": file})
        write(client)
        assert StockReport.objects.get().customer == shop
        assert counted() == [("OIL", "", None, Decimal("12.5"))]

    def test_pressed_twice_it_is_written_once(self, as_, rep):
        client = as_(rep)
        upload(client, HEAD, *self.ROWS)
        write(client)
        write(client)
        assert SyncCall.objects.count() == 1


class TestSales:
    HEAD = "单号,客户,产品,数量,销售日期,售价,买方地区"

    def test_p23_sales_come_in_and_the_same_row_is_the_same_sale(self, as_, rep, shop, oil):
        rows = (
            "A-1,C-1,OIL,3,2026-06-12 15:30,68,浙江省绍兴市越城区",
            ",C-1,OIL,-1,2026-06-12,,",
            ",C-1,OIL,-1,2026-06-12,,",
        )
        client = as_(rep)
        upload(client, self.HEAD, *rows, kind="sales")
        assert latest().counts == {"created": 3}
        write(client)
        sold = SellOut.objects.get(external_id="A-1")
        assert (sold.customer, sold.product, sold.quantity) == (shop, oil, Decimal(3))
        assert (sold.sold_at, sold.unit_price) == (local(2026, 6, 12, 15, 30), Decimal(68))
        assert sold.buyer_division == "330602"
        assert SellOut.objects.filter(quantity=-1, sold_at=local(2026, 6, 12, 12)).count() == 2
        upload(client, self.HEAD, *rows[::-1], ",C-1,OIL,-2,2026-06-12,,", kind="sales")
        assert latest().counts == {"unchanged": 3, "created": 1}
        upload(client, self.HEAD, rows[0].replace(",3,", ",4,"), kind="sales")
        write(client)
        sold.refresh_from_db()
        assert sold.quantity == 4

    @pytest.mark.parametrize(
        ("row", "words"),
        [
            (",C-1,OIL,0,2026-06-12,,", "not zero"),
            (",C-1,OIL,1,2026-06-12,-1,", "not negative"),
            (",C-1,OIL,1,2026-06-12,x,", "x"),
            (",C-1,OIL,1,2026-06-12,,Atlantis", "No single area"),
        ],
    )
    def test_a_bad_row_says_why(self, as_, rep, row, words):
        upload(as_(rep), self.HEAD, row, kind="sales")
        ((became, why),) = latest().outcomes
        assert became == "rejected"
        assert words in why


class TestPages:
    @pytest.mark.parametrize(
        ("lines", "words"),
        [
            ((), "empty"),
            ((HEAD,), "empty"),
            (("a,b,c", "1,2,3"), "The first row names no column"),
            (("客户,产品", "C-1,OIL"), "The first row names no column"),
            (("\x89PNG\r\n",), ""),
        ],
    )
    def test_a_file_that_is_none_is_refused_politely(self, as_, rep, lines, words):
        answer = upload(as_(rep), *lines)
        assert answer.status_code == 422
        assert words in answer.content.decode()
        assert not StockImport.objects.exists()

    def test_too_many_rows_and_too_large_a_file_are_refused(self, as_, rep, monkeypatch):
        monkeypatch.setattr(stock_importing, "MOST_ROWS", 2)
        answer = upload(as_(rep), HEAD, *TestCounts.ROWS)
        assert "more than 2 rows" in answer.content.decode()
        monkeypatch.setattr(stock_importing, "MOST_BYTES", 10)
        assert upload(as_(rep), HEAD, *TestCounts.ROWS).status_code == 422
        assert not StockImport.objects.exists()

    def test_rejected_rows_leave_as_a_file_that_comes_in_again(self, as_, rep):
        client = as_(rep)
        upload(client, HEAD, "=C-404,OIL,,,1,2026-06-12", *TestCounts.ROWS)
        url = reverse("orders:stock-import-rejected", args=[latest().pk])
        sheet = client.get(url, {"format": "csv"})
        text = b"".join(sheet.streaming_content).decode("utf-8-sig")
        head, row = csv.reader(io.StringIO(text))
        assert head[:6] == HEAD.split(",")
        assert (row[0], row[6]) == ("'=C-404", "Unknown: customer “=C-404”.")
        make_customer(external_id="=C-404", owner=rep)
        upload(client, *text.splitlines())
        assert latest().counts == {"created": 1}

    @pytest.mark.parametrize("kind", ["counts", "sales"])
    def test_the_template_comes_in_as_it_is(self, as_, rep, kind):
        make_product(external_id="SKU-1")
        client = as_(rep)
        sheet = client.get(reverse(f"orders:stock-import-template-{kind}"), {"format": "csv"})
        text = b"".join(sheet.streaming_content).decode("utf-8-sig")
        upload(client, *text.splitlines(), kind=kind)
        assert latest().counts == {"created": 1}

    def test_a_long_file_goes_to_a_worker_and_shows_its_progress(self, as_, rep, monkeypatch):
        monkeypatch.setattr(stock_importing, "MOST_AT_ONCE", 2)
        monkeypatch.setattr(stock_importing, "CHUNK", 1)
        client = as_(rep)
        answer = upload(client, HEAD, *TestCounts.ROWS, "C-1,OIL,,,4,2026-06-13")
        assert latest().state == "checking"
        assert "A worker has it." in client.get(answer["Location"]).content.decode()
        job = JobRun.objects.get()
        import_stock(job_id=job.pk)
        import_stock(job_id=job.pk)
        assert latest().counts == {"created": 4}
        assert not StockReport.objects.exists()
        write(client)
        import_stock(job_id=JobRun.objects.latest("pk").pk)
        assert StockReport.objects.count() == 2
        job = JobRun.objects.latest("pk")
        assert (job.state, job.done, job.total) == ("done", 2, 2)

    def test_only_who_uploaded_it_writes_it_and_managers_look(self, as_, rep, manager, stranger):
        upload(as_(rep), HEAD, *TestCounts.ROWS)
        page, push = (
            reverse(f"orders:{name}", args=[latest().pk])
            for name in ("stock-import", "stock-import-write")
        )
        assert as_(manager).get(page).status_code == 200
        assert as_(manager).post(push).status_code == 403
        assert as_(stranger).get(page).status_code == 404
        assert as_(stranger).post(push).status_code == 404
        assert not StockReport.objects.exists()

    def test_who_may_not_write_stock_imports_none(self, as_, finance):
        assert as_(finance).get(LIST).status_code == 403
        assert upload(as_(finance), HEAD, *TestCounts.ROWS).status_code == 403

    def test_the_queries_do_not_grow_with_the_file(self, rep, django_assert_max_num_queries):
        rows = "\n".join(
            [HEAD, *(f"C-1,OIL,B{n},,{n},2026-06-{day:02}" for n in range(30) for day in (1, 2, 3))]
        )
        with django_assert_max_num_queries(30):
            stock_importing.upload(
                file=io.BytesIO(rows.encode()), name="x.csv", kind="counts", atomic=False, by=rep,
                now=timezone.now(),
            )  # fmt: skip
        assert latest().counts == {"created": 90}


@pytest.mark.parametrize(
    ("state", "uploaded", "written", "stays"),
    [
        ("checked", 29, None, True),
        ("checked", 31, None, False),
        ("done", 300, 179, True),
        ("done", 300, 181, False),
        ("checking", 300, None, True),
        ("writing", 300, None, True),
    ],
)
def test_old_files_go_and_what_they_wrote_stays(
    rep, shop, state: str, uploaded: int, written: int | None, stays: bool
) -> None:
    now = timezone.now()
    make_stock_report(shop)
    StockImport.objects.create(
        by=rep,
        kind="counts",
        name="盘点.csv",
        state=state,
        created_at=now - timedelta(days=uploaded),
        written_at=None if written is None else now - timedelta(days=written),
    )
    clear_stock_imports()
    assert StockImport.objects.exists() == stays
    assert StockReport.objects.count() == 1
