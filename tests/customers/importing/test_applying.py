"""Writing what the preview showed, and nothing else (P7)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.models import AuditEntry
from customers.importing import applying
from customers.models import Contact, Customer, Import, ImportState, Profile, Supplier
from tests.customers.importing.playing import (
    checked,
    codes,
    csv,
    filed,
    press,
    work,
)

pytestmark = pytest.mark.django_db
#: Statements for one chunk of rows, however many; SQLite's ids come by insert, a thousand at once.
WRITING = 40


def test_what_somebody_changed_after_the_preview_is_not_overwritten(as_, rep) -> None:
    moved = filed(owner=rep, external_id="C-1", name="永泰", email="old@x.cn")
    touched = filed(owner=rep, external_id="C-2", name="三江", email="old@x.cn")
    gone = filed(owner=rep, external_id="C-3", name="同福", email="old@x.cn")
    run = checked(
        as_(rep), csv("编号,名称,邮箱", *(f"C-{n},,new@x.cn" for n in (1, 2, 3)), "C-4,新的,")
    )
    assert run.counts["update"] == 3
    moved.email = "newer@x.cn"
    moved.save()
    touched.address = "elsewhere"
    touched.save()
    gone.delete()
    filed(owner=rep, external_id="C-4", name="抢先")
    press(as_(rep), run, "apply")
    assert codes(run, 2) == {"email": ["moved"]}
    assert codes(run, 4) == {"": ["not_there"]}
    assert codes(run, 5) == {"external_id": ["now_on_file"]}
    assert run.counts == {"create": 0, "update": 1, "unchanged": 0, "rejected": 3}
    moved.refresh_from_db()
    touched.refresh_from_db()
    assert (moved.email, touched.email, touched.address) == ("newer@x.cn", "new@x.cn", "elsewhere")


def test_what_somebody_changed_in_profile_people_and_suppliers_is_noticed_too(as_, rep) -> None:
    """None of these moves the customer's own version."""
    files = [filed(owner=rep, external_id=f"C-{n}", name=f"客户{n}") for n in range(6)]
    for one in files[:4]:
        Profile.objects.create(customer=one, capital=Decimal(100), purchase_months=[1])
        Contact.objects.create(customer=one, name="王五", title="店长")
    data = csv(
        "编号,注册资本,采购月份,供应商,联系人,职务",
        *(f"C-{n},500,1、2月,三江,王五,经理" for n in range(6)),
    )
    run = checked(as_(rep), data, mode="update")
    assert run.counts["update"] == 6
    Profile.objects.filter(customer=files[0]).update(capital=Decimal(300))
    Profile.objects.filter(customer=files[1]).update(purchase_months=[7])
    Supplier.objects.create(customer=files[2], name="光明")
    Contact.objects.filter(customer=files[3]).update(title="老板")
    Contact.objects.create(customer=files[4], name="王五", title="老板")
    Profile.objects.create(customer=files[5], capital=Decimal(900))
    press(as_(rep), run, "apply")
    assert [codes(run, n + 2) for n in range(6)] == [
        {"profile.capital": ["moved"]},
        {"profile.purchase_months": ["moved"]},
        {"profile.suppliers": ["moved"]},
        {"contact.title": ["moved"]},
        {"contact.title": ["moved"]},
        {"profile.capital": ["moved"]},
    ]
    assert not Profile.objects.filter(capital=Decimal(500)).exists()
    assert not Contact.objects.filter(title="经理").exists()


def test_what_somebody_changed_to_the_same_or_elsewhere_does_not_hinder(as_, rep) -> None:
    one = filed(owner=rep, external_id="C-1", name="甲")
    Profile.objects.create(customer=one, capital=Decimal(100))
    person = Contact.objects.create(customer=one, name="王五", title="店长")
    data = csv("编号,注册资本,联系人,职务", "C-1,500,王五,经理")
    run = checked(as_(rep), data, mode="update")
    Profile.objects.filter(customer=one).update(capital=Decimal(500), staff_count=9)
    Contact.objects.filter(pk=person.pk).update(email="a@x.cn")
    press(as_(rep), run, "apply")
    person.refresh_from_db()
    assert (person.title, person.email) == ("经理", "a@x.cn")
    assert run.counts["update"] == 1


def test_a_person_who_left_after_the_preview_is_not_written(as_, rep) -> None:
    one = filed(owner=rep, external_id="C-1", name="甲")
    person = Contact.objects.create(customer=one, name="王五", title="店长")
    run = checked(as_(rep), csv("编号,联系人,职务", "C-1,王五,经理"), mode="update")
    Contact.objects.filter(pk=person.pk).update(has_left=True)
    press(as_(rep), run, "apply")
    assert codes(run, 2)["contact.title"] == ["moved"]
    assert Contact.objects.count() == 1


def test_writing_asks_no_more_for_more_rows(as_, rep, django_assert_max_num_queries) -> None:
    for many in (3, 200):
        lines = [f"C{many}-{n},客户{many}甲{n},1{n},王五" for n in range(many)]
        run = checked(as_(rep), csv("编号,名称,注册资本,联系人", *lines))
        Import.objects.filter(pk=run.pk).update(state=ImportState.APPLYING)
        run.refresh_from_db()
        with django_assert_max_num_queries(WRITING):
            assert applying.apply_chunk(run, rep, now=timezone.now()) == many


def test_pressed_twice_it_is_written_once(as_, rep) -> None:
    browser = as_(rep)
    run = checked(browser, csv("名称", "甲", "乙"))
    for _press in range(2):
        assert browser.post(f"/customers/imports/{run.pk}/apply/").status_code == 302
    work()
    press(browser, run, "apply")
    assert Customer.objects.count() == 2


def test_an_import_whose_worker_died_goes_on_where_it_stood(as_, rep, monkeypatch) -> None:
    monkeypatch.setattr(applying, "CHUNK", 2)
    browser = as_(rep)
    run = checked(browser, csv("名称", *(f"客户{n}" for n in range(5))))
    browser.post(f"/customers/imports/{run.pk}/apply/")
    run.refresh_from_db()
    applying.apply_chunk(run, rep, now=timezone.now())  # and here the power failed
    assert Customer.objects.count() == 2
    Import.objects.filter(pk=run.pk).update(stepped_at=timezone.now() - timedelta(minutes=6))
    page = browser.get(f"/customers/imports/{run.pk}/").content.decode()
    assert "Go on from there" in page
    browser.post(f"/customers/imports/{run.pk}/again/")
    work()
    run.refresh_from_db()
    assert (run.state, run.done) == (ImportState.DONE, 5)
    assert Customer.objects.count() == 5
    assert AuditEntry.objects.filter(model="customers.customer", action="create").count() == 5


def test_two_imports_of_one_list_put_nobody_on_file_twice(as_, rep, manager) -> None:
    data = csv("名称,电话", "甲商行,13800138000", "乙商行,13900139000")
    one, two = checked(as_(rep), data), checked(as_(manager), data)
    press(as_(rep), one, "apply")
    press(as_(manager), two, "apply")
    assert Customer.objects.count() == 2
    assert two.counts["rejected"] == 2
