"""What the columns of a file are taken for (P7)."""

from __future__ import annotations

import io

import pytest
from openpyxl import Workbook

from accounts.models import User
from customers.models import ColumnMapping, ImportState
from tests.customers.importing.playing import (
    checked,
    choose,
    csv,
    upload,
)

pytestmark = pytest.mark.django_db


def test_columns_are_remembered_by_their_heads_in_any_order(as_, rep) -> None:
    browser = as_(rep)
    checked(
        browser,
        csv("名称,老编码,仓库", "甲商行,A1,800"),
        column_1="external_id",
        column_2="custom",
        key="external_id",
    )
    again = upload(browser, "next.csv", csv("仓库,名称,老编码", "900,乙商行,A2"))
    assert again.mapping == {"0": "custom", "1": "name", "2": "external_id"}
    assert again.key == "external_id"
    assert ColumnMapping.objects.count() == 1


def test_a_mapping_that_makes_no_sense_is_said_beside_its_field(as_, rep) -> None:
    browser = as_(rep)
    run = upload(browser, "list.csv", csv("名称,电话", "甲,13800138000"))
    url = f"/customers/imports/{run.pk}/columns/"
    twice = browser.post(
        url, {"column_0": "name", "column_1": "name", "key": "name", "mode": "both"}
    )
    assert twice.status_code == 422
    assert "“名称” is the Name already." in twice.content.decode()
    no_key = browser.post(url, {"column_0": "name", "key": "tax_id", "mode": "both"})
    assert "No column is the Tax number." in no_key.content.decode()
    nameless = browser.post(url, {"column_1": "phone", "key": "phone", "mode": "both"})
    assert "New customers need a column for the Name." in nameless.content.decode()
    run.refresh_from_db()
    assert run.state == ImportState.UPLOADED


def test_another_sheet_of_the_workbook_can_be_chosen(as_, rep) -> None:
    book = Workbook()
    assert book.active is not None
    book.active.append(["notes", "only"])
    book.active.append(["a", "b"])
    book.create_sheet("dealers").append(["customer name", "phone"])
    book["dealers"].append(["Yongtai", "13800138000"])
    file = io.BytesIO()
    book.save(file)
    browser = as_(rep)
    run = upload(browser, "two.xlsx", file.getvalue())
    browser.post(f"/customers/imports/{run.pk}/columns/", {"sheet": "dealers"})
    run.refresh_from_db()
    assert run.mapping == {"0": "name", "1": "phone"}


def test_the_template_file_comes_back_in_as_it_is(as_, rep) -> None:
    browser = as_(rep)
    for language in ("en", "zh-hans"):
        User.objects.filter(pk=rep.pk).update(language=language)
        data = browser.get("/customers/imports/template/").getvalue()
        run = choose(browser, upload(browser, "template.xlsx", data))
        assert run.counts["create"] == 1, list(run.rows.values_list("errors", flat=True))
