"""Suppliers and months as people write them into one cell (P1, P7)."""

from __future__ import annotations

import pytest
from django.utils import translation

from accounts.models import AuditEntry
from customers.importing import profile_words
from customers.importing.reasons import Refused
from customers.models import Customer, Profile, Supplier
from tests.customers.importing.playing import checked, codes, csv, filed, press, row_of


@pytest.mark.parametrize(
    ("text", "months"),
    [
        ("1、3、9月", [1, 3, 9]),
        ("1,3,9", [1, 3, 9]),
        ("3-5", [3, 4, 5]),
        ("3月－5月", [3, 4, 5]),
        ("１～３月，12月", [1, 2, 3, 12]),
        ("11-2", [1, 2, 11, 12]),
        ("一月、三月和十二月", [1, 3, 12]),
        ("十月至十二月份", [10, 11, 12]),
        ("Jan, Mar and September", [1, 3, 9]),
        ("Nov to Feb", [1, 2, 11, 12]),
        ("全年", list(range(1, 13))),
        ("9 9 3", [3, 9]),
    ],
)
def test_months_are_read_as_people_write_them(text: str, months: list[int]) -> None:
    assert profile_words.months(text) == months


@pytest.mark.parametrize("text", ["13", "0", "2026-03-05", "春季", "1.3E+1", "139", "、"])
def test_what_names_no_month_is_refused(text: str) -> None:
    with pytest.raises(Refused), translation.override("en"):
        profile_words.months(text)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("恒信粮油", [["恒信粮油", None, None]]),
        ("恒信粮油（8）、光明食品(10分)", [["恒信粮油", None, 8], ["光明食品", None, 10]]),
        ("恒信粮油：8；光明食品 7分", [["恒信粮油", None, 8], ["光明食品", None, 7]]),
        ("恒信粮油 · 调味品 · 8", [["恒信粮油", "调味品", 8]]),
        ("恒信粮油（绍兴）", [["恒信粮油（绍兴）", None, None]]),
        ("Seven 11, Seven 11", [["Seven 11", None, None]]),
    ],
)
def test_suppliers_are_read_as_people_write_them(text: str, lines: list[list[object]]) -> None:
    assert profile_words.suppliers(text) == lines


@pytest.mark.parametrize("text", ["恒信（11）", " · 8", "长" * 201, ",".join(map(str, range(31)))])
def test_what_names_no_supplier_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        profile_words.suppliers(text)


HEAD = "编号,名称,采购月份,主要供应商,供应商满意度"


def lines_of(customer: Customer) -> list[str]:
    return [one.in_words for one in Supplier.objects.filter(customer=customer)]


@pytest.mark.django_db
def test_suppliers_and_months_come_with_a_new_customer_and_go_with_it(as_, rep) -> None:
    browser = as_(rep)
    run = checked(browser, csv(HEAD, "N-1,甲,1、3月,恒信粮油、光明食品,8、7", "N-2,乙,,三江,"))
    page = browser.get(f"/customers/imports/{run.pk}/?rows=create").content.decode()
    assert "恒信粮油 · 8, 光明食品 · 7" in page
    press(browser, run, "apply")
    customer = Customer.objects.get(external_id="N-1")
    assert lines_of(customer) == ["恒信粮油 · 8", "光明食品 · 7"]
    assert customer.profile.purchase_months == [1, 3]
    entry = AuditEntry.objects.of(customer.profile).get()
    assert entry.after["suppliers"] == ["恒信粮油 · 8", "光明食品 · 7"]
    assert lines_of(Customer.objects.get(external_id="N-2")) == ["三江"]
    press(browser, run, "undo")
    assert (run.counts["undone"], run.counts["kept"]) == (2, 0)
    assert not Supplier.objects.exists()
    assert not Profile.objects.exists()


@pytest.mark.django_db
def test_suppliers_on_file_keep_what_a_row_does_not_say_and_come_back(as_, rep) -> None:
    browser = as_(rep)
    customer = filed(owner=rep, external_id="C-1", name="甲")
    Profile.objects.create(customer=customer)
    for name, supplies, mark in (("恒信", "调味品", 5), ("光明", "奶", 6), ("三江", "", None)):
        Supplier.objects.create(customer=customer, name=name, supplies=supplies, satisfaction=mark)
    data = csv(HEAD, "C-1,甲,,新来的、光明（9）、恒信,")
    run = checked(browser, data)
    page = browser.get(f"/customers/imports/{run.pk}/?rows=update").content.decode()
    assert "恒信 · 调味品 · 5, 光明 · 奶 · 6, 三江" in page
    press(browser, run, "apply")
    assert lines_of(customer) == ["恒信 · 调味品 · 5", "光明 · 奶 · 9", "新来的"]
    customer.profile.refresh_from_db()
    assert customer.profile.version == 2
    entry = AuditEntry.objects.of(customer.profile).latest("pk")
    assert entry.before == {"suppliers": ["恒信 · 调味品 · 5", "光明 · 奶 · 6", "三江"]}
    assert checked(browser, data).counts["unchanged"] == 1
    press(browser, run, "undo")
    assert sorted(lines_of(customer)) == sorted(["恒信 · 调味品 · 5", "光明 · 奶 · 6", "三江"])


@pytest.mark.django_db
def test_a_customer_with_a_new_supplier_since_is_kept(as_, rep) -> None:
    run = press(as_(rep), checked(as_(rep), csv(HEAD, "N-1,甲,,三江,")), "apply")
    customer = Customer.objects.get()
    Supplier.objects.create(customer=customer, name="后来的")
    customer.profile.save()  # as whoever adds one does
    press(as_(rep), run, "undo")
    assert run.counts["kept"] == 1
    assert Customer.objects.count() == 1


@pytest.mark.django_db
def test_marks_without_their_suppliers_and_wrong_months_are_refused(as_, rep) -> None:
    run = checked(
        as_(rep),
        csv(HEAD, "N-1,甲,13月,,", "N-2,乙,,三江,8、9", "N-3,丙,,三江,好"),
    )
    assert codes(run, 2) == {"profile.purchase_months": ["months"]}
    assert codes(run, 3) == {"profile.supplier_scores": ["supplier_scores"]}
    assert codes(run, 4) == {"profile.supplier_scores": ["number"]}
    assert row_of(run, 2).errors["profile.purchase_months"][0][1] == {"text": "13月"}
    sheet = b"".join(as_(rep).get(f"/customers/imports/{run.pk}/rejected/?format=csv")).decode()
    assert "Satisfaction with main suppliers: 2 marks for 1 suppliers: write one for each." in sheet


@pytest.mark.django_db
def test_empty_cells_take_suppliers_and_months_out_only_where_asked_for(as_, rep) -> None:
    customer = filed(owner=rep, external_id="C-1", name="甲")
    Profile.objects.create(customer=customer, purchase_months=[3])
    Supplier.objects.create(customer=customer, name="三江")
    data = csv(HEAD, "C-1,甲,,,")
    assert checked(as_(rep), data).counts["unchanged"] == 1
    press(as_(rep), checked(as_(rep), data, clears="on"), "apply")
    customer.profile.refresh_from_db()
    assert (lines_of(customer), customer.profile.purchase_months) == ([], [])


@pytest.mark.django_db
def test_categories_beyond_what_a_profile_holds_are_refused(as_, rep) -> None:
    many = "、".join(f"品类{n}" for n in range(21))
    run = checked(as_(rep), csv("编号,名称,过去经营品类", f"N-1,甲,{many}", "N-2,乙,酱油、醋"))
    assert codes(run, 2) == {"profile.past_categories": ["list"]}
    assert codes(run, 3) == {}
