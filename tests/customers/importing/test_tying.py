"""The customers above in an imported file: who is meant, and what cannot be (P7, P25)."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import AuditEntry
from customers.importing import applying
from customers.models import Customer, Import, Outcome
from tests.customers.importing.playing import (
    checked,
    choose,
    codes,
    csv,
    filed,
    press,
    row_of,
    upload,
)
from tests.factories import make_customer

pytestmark = pytest.mark.django_db
HEAD = "编号,名称,上级客户"


def above(tie: str = "parent") -> dict[str, str | None]:
    """Who stands above whom, by number."""
    return dict(Customer.objects.values_list("external_id", f"{tie}__external_id"))


def outcomes(run: Import) -> list[str]:
    return list(run.rows.order_by("number").values_list("outcome", flat=True))


def test_heads_of_ties_and_of_the_profile_are_known_in_both_languages(as_, rep) -> None:
    for heads in (
        "客户编号,客户名称,上级经销商,所属集团,采购月份,主要供应商,供应商满意度",
        "customer no,customer name,supplied by,group head,buying months,main suppliers,"
        "supplier satisfaction",
    ):
        run = upload(as_(rep), "list.csv", csv(heads, "1,a,b,c,3,d,8"))
        assert list(run.mapping.values()) == [
            "external_id", "name", "parent", "group_head", "profile.purchase_months",
            "profile.suppliers", "profile.supplier_scores",
        ]  # fmt: skip


def test_one_above_is_named_by_number_or_name_on_file_or_in_the_file(as_, rep) -> None:
    filed(owner=rep, external_id="D-1", name="越州总代理")
    run = checked(
        as_(rep),
        csv(
            HEAD,
            "N-1,甲店,D-1",
            "N-2,乙店,越州总代理",
            "N-3,丙店,N-5",
            "N-4,丁店,新二批",
            "N-5,新二批,D-1",
        ),
    )
    assert outcomes(run) == ["create"] * 5
    page = as_(rep).get(f"/customers/imports/{run.pk}/?rows=create").content.decode()
    assert "越州总代理" in page
    assert "row 6: 新二批" in page
    press(as_(rep), run, "apply")
    assert above() == {
        "D-1": None, "N-1": "D-1", "N-2": "D-1", "N-3": "N-5", "N-4": "N-5", "N-5": "D-1",
    }  # fmt: skip
    shop = Customer.objects.get(external_id="N-3")
    entry = AuditEntry.objects.of(shop).get()
    assert entry.after["parent_id"] == shop.parent_id
    press(as_(rep), run, "undo")
    assert (run.counts["undone"], run.counts["kept"]) == (5, 0)
    assert above() == {"D-1": None}


def test_both_ties_of_a_row_go_where_their_columns_say(as_, rep) -> None:
    filed(owner=rep, external_id="D-1", name="越州总代理")
    filed(owner=rep, external_id="G-1", name="越州集团")
    run = checked(as_(rep), csv("编号,名称,上级客户,集团", "N-1,甲店,D-1,越州集团"))
    press(as_(rep), run, "apply")
    assert (above()["N-1"], above("group_head")["N-1"]) == ("D-1", "G-1")


def test_who_is_unknown_hidden_or_called_alike_is_refused_with_the_reason(
    as_, rep, stranger
) -> None:
    filed(owner=stranger, external_id="S-1", name="别人的总代理")
    for number in ("T-1", "T-2"):
        filed(owner=rep, external_id=number, name="同名商行")
    run = checked(
        as_(rep),
        csv(HEAD, "N-1,甲店,没有的", "N-2,乙店,S-1", "N-3,丙店,别人的总代理", "N-4,丁店,同名商行"),
    )
    for row in (2, 3, 4):
        assert codes(run, row) == {"parent": ["tie_unknown"]}
    assert row_of(run, 5).errors == {"parent": [["tie_several", {"number": 2, "text": "同名商行"}]]}
    page = as_(rep).get(f"/customers/imports/{run.pk}/?rows=rejected").content.decode()
    assert "2 customers are called “同名商行”: write the number." in page


def test_a_name_on_file_and_on_a_new_row_is_two_customers(as_, rep) -> None:
    filed(owner=rep, external_id="T-1", name="同名商行")
    run = checked(as_(rep), csv(HEAD, "N-1,同名商行,", "N-2,乙店,同名商行", "N-3,丙店,T-1"))
    assert codes(run, 3) == {"parent": ["tie_several"]}
    assert row_of(run, 4).outcome == Outcome.CREATE
    # Found by name it is one: the row changes the file.
    run = checked(as_(rep), csv("名称,上级客户", "同名商行,", "丙店,同名商行"), key="name")
    assert row_of(run, 3).outcome == Outcome.CREATE


def test_a_ring_is_refused_whether_the_file_or_the_database_closes_it(as_, rep) -> None:
    top = filed(owner=rep, external_id="A", name="甲")
    filed(owner=rep, external_id="B", name="乙", parent=top)
    run = checked(
        as_(rep),
        csv(HEAD, "A,甲,B", "N-1,丙,N-2", "N-2,丁,N-1", "N-3,戊,N-3", "N-4,己,N-1", "N-5,庚,A"),
    )
    for row in (2, 3, 4, 5):
        assert codes(run, row) == {"parent": ["ring"]}, row
    assert row_of(run, 6).errors == {"parent": [["tie_rejected", {"row": 3}]]}
    assert row_of(run, 7).outcome == Outcome.CREATE


def test_who_names_a_row_that_is_not_taken_learns_which(as_, rep) -> None:
    run = checked(as_(rep), csv(f"{HEAD},电话", "N-1,甲店,,138", "N-2,乙店,N-1,", "N-3,丙店,甲店,"))
    for row in (3, 4):
        assert row_of(run, row).errors == {"parent": [["tie_rejected", {"row": 2}]]}


def test_turning_a_chain_round_is_no_ring(as_, rep) -> None:
    top = filed(owner=rep, external_id="A", name="甲")
    filed(owner=rep, external_id="B", name="乙", parent=top)
    run = checked(as_(rep), csv(HEAD, "A,甲,B", "B,乙,"), clears="on", mode="update")
    assert outcomes(run) == ["update", "update"]
    assert row_of(run, 3).before == {"parent_id": top.pk}
    press(as_(rep), run, "apply")
    assert above() == {"A": "B", "B": None}
    press(as_(rep), run, "undo")
    assert above() == {"A": None, "B": "A"}


def test_an_empty_cell_leaves_one_above_that_is_out_of_sight(as_, rep, stranger) -> None:
    hidden = make_customer(owner=stranger, external_id="S-1", name="别人的总代理")
    shop = filed(owner=rep, external_id="A", name="甲", parent=hidden)
    filed(owner=rep, external_id="D-1", name="越州总代理")
    run = checked(as_(rep), csv(HEAD, "A,甲,"), clears="on", mode="update")
    assert row_of(run, 2).outcome == Outcome.UNCHANGED
    run = checked(as_(rep), csv(HEAD, "A,甲,D-1"), mode="update")
    assert codes(run, 2) == {"parent": ["tie_hidden"]}
    shop.refresh_from_db()
    assert shop.parent == hidden
    page = as_(rep).get(f"/customers/imports/{run.pk}/").content.decode()
    assert "别人的总代理" not in page


def test_more_rows_than_one_chunk_and_a_deep_chain_are_written_in_order(
    as_, rep, monkeypatch
) -> None:
    monkeypatch.setattr(applying, "CHUNK", 3)
    lines = [f"N-{n},客户{n},{f'N-{n + 1}' if n < 9 else ''}" for n in range(10)]
    run = checked(as_(rep), csv(HEAD, *lines))
    press(as_(rep), run, "apply")
    assert above() == {f"N-{n}": f"N-{n + 1}" if n < 9 else None for n in range(10)}
    press(as_(rep), run, "undo")
    assert not Customer.objects.exists()


def test_a_chain_deeper_than_any_is_refused(as_, rep) -> None:
    lines = [f"N-{n},客户{n},{f'N-{n - 1}' if n else ''}" for n in range(36)]
    run = checked(as_(rep), csv(HEAD, *lines))
    assert [row - 2 for row in range(2, 38) if codes(run, row)] == [33, 34, 35]
    assert codes(run, 35) == {"parent": ["tie_deep"]}


def test_what_became_a_ring_after_the_preview_is_refused(as_, rep) -> None:
    top, low = (filed(owner=rep, external_id=one, name=one) for one in ("A", "B"))
    run = checked(as_(rep), csv(HEAD, "A,A,B"))
    low.parent = top
    low.save()
    press(as_(rep), run, "apply")
    assert codes(run, 2) == {"parent": ["ring"]}


def test_one_above_that_went_or_moved_after_the_preview_is_not_written(as_, rep, stranger) -> None:
    gone, moved, kept = (
        filed(owner=rep, external_id=one, name=f"总代理{one}") for one in ("D", "E", "F")
    )
    shop = filed(owner=rep, external_id="A", name="甲", parent=kept)
    run = checked(as_(rep), csv(HEAD, "N-1,一店,D", "N-2,二店,E", "N-3,三店,N-1", "A,甲,E"))
    gone.delete()
    Customer.objects.filter(pk=moved.pk).update(owner=stranger)
    press(as_(rep), run, "apply")
    assert codes(run, 2) == codes(run, 3) == codes(run, 5) == {"parent": ["tie_gone"]}
    assert row_of(run, 4).errors == {"parent": [["tie_rejected", {"row": 2}]]}
    shop.refresh_from_db()
    assert shop.parent == kept


def test_undo_puts_no_ring_back(as_, rep) -> None:
    old = filed(owner=rep, external_id="B", name="乙")
    shop = filed(owner=rep, external_id="A", name="甲", parent=old)
    filed(owner=rep, external_id="C", name="丙")
    run = press(as_(rep), checked(as_(rep), csv(HEAD, "A,甲,C")), "apply")
    old.parent = shop
    old.save()
    press(as_(rep), run, "undo")
    assert above() == {"A": "C", "B": "A", "C": None}
    assert run.counts["kept"] == 1


def test_a_row_whose_only_news_is_its_tie_counts_as_changed(as_, rep) -> None:
    filed(owner=rep, external_id="A", name="甲")
    filed(owner=rep, external_id="D-1", name="越州总代理")
    run = checked(as_(rep), csv(HEAD, "A,甲,D-1"))
    assert run.counts["update"] == 1
    again = checked(as_(rep), csv(HEAD, "A,甲,"))
    assert again.counts["unchanged"] == 1


def test_ties_ask_no_more_for_more_rows(as_, rep, django_assert_max_num_queries) -> None:
    """The whole check of 300 rows, of which each names the one before."""
    filed(owner=rep, external_id="D-1", name="越州总代理")

    def check(many: int, most: int) -> None:
        lines: list[Any] = [f"M{many}-{n},店{many}甲{n},D-1" for n in range(many)]
        run = upload(as_(rep), "list.csv", csv(HEAD, *lines))
        with django_assert_max_num_queries(most):
            choose(as_(rep), run)

    check(3, 62)
    check(300, 62)
