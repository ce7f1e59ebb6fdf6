"""What becomes of rows beside what is on file (P7)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from accounts.models import AuditEntry, User
from customers.models import Contact, Customer, Outcome, Profile
from tests.customers.importing.playing import (
    checked,
    codes,
    csv,
    filed,
    press,
    row_of,
)

pytestmark = pytest.mark.django_db


def test_rows_meet_customers_by_the_key_and_change_only_what_they_say(as_, rep) -> None:
    customer = filed(owner=rep, external_id="C-1", name="永泰", phone="+8613800138000", tags=["老"])
    before = customer.version
    data = csv("编号,名称,电话,税号,标签", "C-1,永泰商贸,,91330602X,", "C-2,三江,13900139000,,新")
    run = checked(as_(rep), data)
    assert run.counts == {"create": 1, "update": 1, "unchanged": 0, "rejected": 0}
    assert row_of(run, 2).before == {"name": "永泰", "tax_id": ""}
    page = as_(rep).get(f"/customers/imports/{run.pk}/?rows=update").content.decode()
    assert '<s class="t3">永泰</s> → 永泰商贸' in page
    press(as_(rep), run, "apply")
    customer.refresh_from_db()
    assert (customer.name, customer.phone, customer.tags) == ("永泰商贸", "+8613800138000", ["老"])
    assert customer.version == before + 1
    entry = AuditEntry.objects.of(customer).latest("pk")
    assert entry.before == {"name": "永泰", "tax_id": ""}
    assert entry.after == {"name": "永泰商贸", "tax_id": "91330602X"}
    assert (entry.actor, entry.through) == (rep, "job")
    again = checked(as_(rep), data)
    assert again.counts == {"create": 0, "update": 0, "unchanged": 2, "rejected": 0}


def test_empty_cells_empty_a_field_only_where_asked_for(as_, rep) -> None:
    customer = filed(owner=rep, external_id="C-1", name="永泰", tax_id="9133", tags=["老"])
    data = csv("编号,名称,税号,标签", "C-1,,,")
    assert checked(as_(rep), data, mode="update").counts["unchanged"] == 1
    run = press(as_(rep), checked(as_(rep), data, mode="update", clears="on"), "apply")
    customer.refresh_from_db()
    assert (customer.name, customer.tax_id, customer.tags) == ("永泰", "", [])
    press(as_(rep), run, "undo")
    customer.refresh_from_db()
    assert (customer.tax_id, customer.tags) == ("9133", ["老"])


@pytest.mark.parametrize(
    ("mode", "wanted"), [("create", ("rejected", "create")), ("update", ("update", "rejected"))]
)
def test_the_mode_says_what_is_taken(mode: str, wanted: tuple[str, str], as_, rep) -> None:
    filed(owner=rep, external_id="C-1", name="永泰")
    run = checked(as_(rep), csv("编号,名称", "C-1,永泰商贸", "C-2,三江"), mode=mode)
    assert tuple(run.rows.order_by("number").values_list("outcome", flat=True)) == wanted


def test_a_customer_out_of_sight_is_refused_and_not_described(as_, rep, stranger) -> None:
    filed(owner=stranger, external_id="C-9", name="顺发商贸", phone="+8613800138000", tax_id="T9")
    browser = as_(rep)
    for key, line in (
        ("external_id", "C-9,甲,,"),
        ("tax_id", ",乙,,T9"),
        ("phone", ",丙,13800138000,"),
        ("name", ",顺发商贸有限公司,,"),
    ):
        run = checked(browser, csv("编号,名称,电话,税号", line), key=key)
        assert codes(run, 2) == {key: ["hidden"]}
        assert row_of(run, 2).customer_id is None
        page = browser.get(f"/customers/imports/{run.pk}/").content.decode()
        assert "A customer that you do not see has it" in page
        assert "顺发商贸<" not in page
    # A number is everybody's, whatever files are found by.
    run = checked(browser, csv("编号,名称", "C-9,新来的"), key="name")
    assert codes(run, 2) == {"external_id": ["number_taken"]}


def test_a_key_that_hits_several_is_refused_unless_one_has_the_very_name(as_, rep) -> None:
    for name in ("永泰商贸有限公司", "永泰商贸"):
        filed(owner=rep, name=name)
    run = checked(as_(rep), csv("名称,税号", "永泰商贸,T1", "永泰商贸公司,T2"), key="name")
    assert row_of(run, 2).outcome == Outcome.UPDATE
    assert codes(run, 3) in ({"name": ["several"]}, {"name": ["same_key"]})


def test_rows_of_one_customer_name_the_row_before(as_, rep) -> None:
    run = checked(
        as_(rep), csv("编号,名称", "1,甲", "1,乙", "２,丙", "2,丁", ",戊"), key="external_id"
    )
    assert row_of(run, 3).errors == {"external_id": [["same_key", {"row": 2}]]}
    assert codes(run, 6) == {"external_id": ["no_key"]}


def test_cells_are_read_as_people_write_them_or_refused_with_the_reason(as_, rep) -> None:
    heads = "编号,名称,电话,税号,成立日期,买断,客户类型,注册资本,员工人数,"
    heads += "产品满意度,生日,联系人,邮箱,区域"
    good = "1,甲,0575 8512 3456转801,0913 3060,2010年3月5日,是,二批,500万,1200,"
    good += "8,闰四月十五,王五,a@b.cn,绍兴市 越城区"
    bad = "2,乙,138001380,9.13E+17,2010-13-05,也许,外星,很多,3.5,11,13月5日,李四,a@,不知道"
    run = checked(as_(rep), csv(heads, good, bad))
    assert codes(run, 2) == {}
    assert codes(run, 3) == {
        "phone": ["phone"], "tax_id": ["shortened"], "founded_on": ["date"], "buyout": ["flag"],
        "kind": ["choice"], "profile.capital": ["number"], "profile.staff_count": ["number"],
        "profile.product_satisfaction": ["range"], "contact.birthday": ["birthday"],
        "email": ["email"], "division": ["division"],
    }  # fmt: skip
    press(as_(rep), run, "apply")
    customer = Customer.objects.get()
    assert (customer.phone, customer.tax_id) == ("+8657585123456;ext=801", "09133060")
    assert (str(customer.founded_on), customer.buyout, customer.kind) == (
        "2010-03-05",
        True,
        "dealer",
    )
    assert (customer.division, customer.division_found) == ("330602", "")
    profile = Profile.objects.get()
    assert (profile.capital, profile.staff_count, profile.product_satisfaction) == (
        Decimal(5_000_000),
        1200,
        8,
    )
    contact = Contact.objects.get()
    assert (contact.birthday_calendar, contact.birth_month, contact.birthday_leap) == (
        "lunar",
        4,
        True,
    )


def test_reasons_are_told_in_the_readers_language(as_, rep) -> None:
    browser = as_(rep)
    run = checked(browser, csv("名称,电话", "甲,1380013800"))
    assert (
        "A mobile number has 11 digits, now 10."
        in browser.get(f"/customers/imports/{run.pk}/").content.decode()
    )
    User.objects.filter(pk=rep.pk).update(language="zh-hans")
    assert (
        "手机号应为 11 位，现在 10 位"
        in browser.get(f"/customers/imports/{run.pk}/").content.decode()
    )
