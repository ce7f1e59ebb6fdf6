"""Rows that look like a customer on file: they are found, shown masked, and chosen for (P5, P7)."""

from __future__ import annotations

import pytest

from customers.alikes import alike, alike_among, traits_written
from customers.models import Contact, Customer, Import, ImportState
from tests.customers.importing.playing import (
    checked,
    codes,
    csv,
    filed,
    press,
    row_of,
    work,
)
from tests.factories import make_user

pytestmark = pytest.mark.django_db
HEAD = "编号,名称,电话,税号,上级客户"
YUEZHOU = "绍兴越州副食品有限公司"


def choose_row(browser, run: Import, row: int, choice: str) -> str:
    url = f"/customers/imports/{run.pk}/choice/"
    answer = browser.post(url, {"row": row, "choice": choice, "rows": "alike"}, follow=True)
    run.refresh_from_db()
    return str(answer.content.decode())


def choose_all(browser, run: Import, choice: str) -> None:
    browser.post(f"/customers/imports/{run.pk}/choice/", {"choice": choice})
    work()
    run.refresh_from_db()
    assert run.state == ImportState.CHECKED


def told(run: Import, row: int) -> list[str]:
    return codes(run, row).get("", [])


@pytest.fixture
def yuezhou(rep) -> Customer:
    return filed(owner=rep, external_id="C-1", name=YUEZHOU, phone="+8613800138000")


def test_what_looks_like_a_customer_is_shown_with_the_reason(as_, rep, yuezhou) -> None:
    run = checked(as_(rep), csv(HEAD, "N-1,越州副食品（绍兴）商行,,,", "N-2,完全不同的店,,,"))
    assert run.counts["create"] == 2
    assert run.counts["alike"] == 1
    assert (told(run, 2), told(run, 3)) == (["alike"], [])
    first = row_of(run, 2).errors[""][0][1]
    assert (first["customer"], first["score"] >= 50) == (yuezhou.pk, True)
    page = as_(rep).get(f"/customers/imports/{run.pk}/?rows=alike").content.decode()
    assert f"Looks like {YUEZHOU}" in page
    assert "same name" in page
    assert "The same" in page
    assert "1 new row looks like a customer on file." in page


def test_of_several_that_it_looks_like_each_can_be_taken(as_, rep, yuezhou) -> None:
    other = filed(owner=rep, external_id="C-2", name="绍兴市越州副食品有限公司")
    run = checked(as_(rep), csv(HEAD, "N-1,绍兴越州副食品,,,"))
    page = as_(rep).get(f"/customers/imports/{run.pk}/?rows=alike").content.decode()
    assert f"It is {YUEZHOU}" in page
    assert f"It is {other.name}" in page
    choose_row(as_(rep), run, 2, f"same:{other.pk}")
    assert row_of(run, 2).customer_id == other.pk
    choose_row(as_(rep), run, 2, f"same:{yuezhou.pk}")
    assert row_of(run, 2).customer_id == yuezhou.pk


def test_one_out_of_sight_is_masked_and_cannot_be_taken(as_, rep, stranger, manager) -> None:
    hidden = filed(owner=stranger, external_id="C-9", name="别人的副食品", tax_id="T7")
    run = checked(as_(rep), csv(HEAD, "N-1,新的店,,T7,"))
    assert told(run, 2) == ["alike_hidden"]
    for who in (rep, manager):
        page = as_(who).get(f"/customers/imports/{run.pk}/?rows=alike").content.decode()
        assert "It looks like a customer of Stranger" in page
        assert hidden.name not in page
        assert f"same:{hidden.pk}" not in page
    said = choose_row(as_(rep), run, 2, f"same:{hidden.pk}")
    assert "The row does not look like this customer." in said
    choose_all(as_(rep), run, "same")
    assert (row_of(run, 2).outcome, row_of(run, 2).choice) == ("create", "create")
    press(as_(rep), run, "apply")
    hidden.refresh_from_db()
    assert (hidden.version, hidden.name) == (1, "别人的副食品")


def test_a_customer_that_went_out_of_sight_is_no_longer_named(as_, rep, stranger, yuezhou) -> None:
    run = checked(as_(rep), csv(HEAD, "N-1,绍兴越州副食品,,,"))
    Customer.objects.filter(pk=yuezhou.pk).update(owner=stranger)
    page = as_(rep).get(f"/customers/imports/{run.pk}/?rows=alike").content.decode()
    assert YUEZHOU not in page


def test_a_row_is_taken_as_the_customer_left_out_or_made_after_all(as_, rep, yuezhou) -> None:
    browser = as_(rep)
    run = checked(browser, csv(HEAD + ",联系人", "N-1,绍兴越州副食品,0575-85123456,T1,,王五"))
    choose_row(browser, run, 2, "leave")
    assert (run.counts["left"], run.counts["create"]) == (1, 0)
    choose_row(browser, run, 2, "create")
    assert (run.counts.get("left"), run.counts["create"]) == (None, 1)
    page = choose_row(browser, run, 2, f"same:{yuezhou.pk}")
    assert (run.counts["create"], run.counts["update"], run.counts["alike"]) == (0, 1, 1)
    assert 'aria-pressed="true"' in page
    row = row_of(run, 2)
    assert set(row.before) == {"name", "phone", "tax_id", "contact.name"}
    press(browser, run, "apply")
    stored = Customer.objects.get()
    # The number that it has in the ERP stays its own.
    assert (stored.external_id, stored.tax_id, stored.version) == ("C-1", "T1", 2)
    assert stored.owner == rep
    assert Contact.objects.get().name == "王五"
    press(browser, run, "undo")
    yuezhou.refresh_from_db()
    assert (yuezhou.name, yuezhou.tax_id) == (YUEZHOU, "")


def test_what_is_chosen_for_all_holds_for_every_row(as_, rep, stranger, yuezhou) -> None:
    filed(owner=stranger, external_id="C-9", name="别人的副食品", tax_id="T7")
    data = csv(HEAD, "N-1,绍兴越州副食品,,,", "N-2,新的店,,T7,", "N-3,完全不同,,,")
    browser = as_(rep)
    run = checked(browser, data)
    choose_all(browser, run, "leave")
    assert (run.counts["left"], run.counts["create"]) == (2, 1)
    page = browser.get(f"/customers/imports/{run.pk}/?rows=left").content.decode()
    assert "Left out" in page
    choose_all(browser, run, "same")
    assert (run.counts["update"], run.counts["create"]) == (1, 2)
    choose_all(browser, run, "create")
    assert run.counts["create"] == 3
    choose_all(browser, run, "same")
    press(browser, run, "apply")
    assert Customer.objects.count() == 4
    yuezhou.refresh_from_db()
    assert yuezhou.name == "绍兴越州副食品"


def test_two_rows_are_not_taken_as_one_customer(as_, rep, yuezhou) -> None:
    browser = as_(rep)
    data = csv(HEAD, "N-1,绍兴越州副食品,,,", "N-2,越州副食品（绍兴）,,,")
    run = checked(browser, data)
    choose_row(browser, run, 2, f"same:{yuezhou.pk}")
    choose_row(browser, run, 3, f"same:{yuezhou.pk}")
    assert codes(run, 3)["external_id"] == ["same_key"]
    choose_row(browser, run, 3, "create")
    assert row_of(run, 3).outcome == "create"
    run = checked(browser, data)
    choose_all(browser, run, "same")
    assert (row_of(run, 2).outcome, row_of(run, 3).outcome) == ("update", "rejected")


def test_rows_that_name_a_row_taken_for_a_customer_hang_on_that_one(as_, rep, yuezhou) -> None:
    top = filed(owner=rep, external_id="D-1", name="总代理")
    browser = as_(rep)
    run = checked(browser, csv(HEAD, "N-1,绍兴越州副食品,,,D-1", "N-2,一家小店,,,N-1"))
    choose_row(browser, run, 2, f"same:{yuezhou.pk}")
    assert row_of(run, 2).before["parent_id"] is None
    press(browser, run, "apply")
    shop = Customer.objects.get(external_id="N-2")
    yuezhou.refresh_from_db()
    assert (shop.parent, yuezhou.parent) == (yuezhou, top)
    press(browser, run, "undo")
    assert run.counts["kept"] == 0
    # Left out, it takes along who names it.
    run = checked(browser, csv(HEAD, "N-1,绍兴越州副食品,,,D-1", "N-2,一家小店,,,N-1"))
    choose_row(browser, run, 2, "leave")
    press(browser, run, "apply")
    assert codes(run, 3) == {"parent": ["tie_rejected"]}


def test_a_choice_comes_too_late_once_it_is_written(as_, rep, yuezhou) -> None:
    browser = as_(rep)
    run = press(browser, checked(browser, csv(HEAD, "N-1,绍兴越州副食品,,,")), "apply")
    choose_row(browser, run, 2, "leave")
    choose_row(browser, run, 2, f"same:{yuezhou.pk}")
    browser.post(f"/customers/imports/{run.pk}/choice/", {"choice": "same"})
    run.refresh_from_db()
    assert (run.state, run.alike, run.counts["create"]) == (ImportState.DONE, "create", 1)


@pytest.mark.parametrize("choice", ["", "other", "same", "same:x", "same:99999999999", "same:0"])
def test_a_choice_that_makes_no_sense_changes_nothing(choice: str, as_, rep, yuezhou) -> None:
    run = checked(as_(rep), csv(HEAD, "N-1,绍兴越州副食品,,,"))
    for row in ("2", "99", "0", "999999999999", "x²"):
        as_(rep).post(f"/customers/imports/{run.pk}/choice/", {"row": row, "choice": choice})
    row = row_of(run, 2)
    assert (row.outcome, row.choice) == ("create", "create")


def test_many_are_found_like_one_and_with_as_many_queries(rep, django_assert_num_queries) -> None:
    """Many at once find what each finds alone."""
    people = [rep, make_user("mate")]
    names = ("绍兴越州副食品有限公司", "越州副食品", "柯桥越州副食品", "永泰商贸2号店", "永泰商贸")
    for n, name in enumerate(names):
        phone = f"+86138001380{n // 2:02}"
        filed(owner=people[n % 2], name=name, phone=phone, address=f"绍兴市解放路{n % 2 + 1}号")
    wanted = [
        traits_written(name=name, phone=phone, address=address, division=division)
        for name in ("越州副食品（绍兴）", "永泰商贸有限公司", "三江")
        for phone in ("", "13800138000")
        for address in ("", "解放路1号")
        for division in ("", "330602")
    ]
    singly = [[(one.customer.pk, one.score) for one in alike(traits)] for traits in wanted]
    with django_assert_num_queries(5):
        together = alike_among(wanted)
    assert [[(pk, one.score) for pk, one in some] for some in together] == singly
    assert sum(map(bool, singly)) >= 10
