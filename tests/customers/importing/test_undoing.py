"""What comes back: rejected rows, and imports that are taken back (P7)."""

from __future__ import annotations

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import load_workbook

from customers.models import Customer, Import, ImportState
from tests.customers.importing.playing import (
    checked,
    csv,
    filed,
    press,
    upload,
    work,
)
from tests.factories import make_order

pytestmark = pytest.mark.django_db


def test_rejected_rows_come_back_with_the_reason_and_without_formulas(as_, rep) -> None:
    browser = as_(rep)
    run = checked(browser, csv("名称,电话,备注", "甲,1380013800,=1+1", "乙,13800138000,x"))
    table = load_workbook(
        io.BytesIO(browser.get(f"/customers/imports/{run.pk}/rejected/").getvalue())
    ).active
    rows = list(table.iter_rows(values_only=True))
    assert rows == [
        ("名称", "电话", "备注", "Row in the file", "Why it was rejected"),
        ("甲", "1380013800", "'=1+1", 2, "Phone: A mobile number has 11 digits, now 10."),
    ]
    text = b"".join(browser.get(f"/customers/imports/{run.pk}/rejected/?format=csv")).decode(
        "utf-8-sig"
    )
    mended = upload(
        browser,
        "mended.csv",
        text.replace("1380013800,", "13800138001,").encode(),
        f"/customers/imports/{run.pk}/mended/",
    )
    work()
    mended.refresh_from_db()
    assert (mended.state, mended.counts["create"]) == (ImportState.CHECKED, 1)
    assert mended.rows.get().cells[2] == "=1+1"


def test_a_mended_file_of_other_columns_is_refused(as_, rep) -> None:
    browser = as_(rep)
    run = checked(browser, csv("名称,电话", "甲,1380013800"))
    file = SimpleUploadedFile("other.csv", csv("姓名,年龄", "a,1"))
    answer = browser.post(f"/customers/imports/{run.pk}/mended/", {"file": file}, follow=True)
    assert "other heads" in answer.content.decode()
    assert Import.objects.count() == 1


def test_undo_keeps_what_somebody_has_gone_on_with(as_, rep) -> None:
    old = filed(owner=rep, external_id="C-1", name="永泰", email="a@x.cn", tax_id="T1")
    data = csv("编号,名称,邮箱,税号", "C-1,,b@x.cn,T2", "N-1,有订单,,", "N-2,改过,,", "N-3,没动,,")
    browser = as_(rep)
    run = press(browser, checked(browser, data), "apply")
    old.refresh_from_db()
    old.email = "c@x.cn"
    old.save()
    make_order(Customer.objects.get(external_id="N-1"))
    edited = Customer.objects.get(external_id="N-2")
    edited.address = "新地址"
    edited.save()
    press(browser, run, "undo")
    old.refresh_from_db()
    assert (old.email, old.tax_id) == ("c@x.cn", "T1")
    assert set(Customer.objects.values_list("external_id", flat=True)) == {"C-1", "N-1", "N-2"}
    assert (run.counts["undone"], run.counts["kept"]) == (1, 3)
    page = browser.get(f"/customers/imports/{run.pk}/?rows=kept").content.decode()
    assert "there is more on it now: order" in page
    assert "It was changed after the import: kept." in page
