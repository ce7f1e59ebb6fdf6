"""Files of one company are found, and what is out of sight stays so (P5)."""

from __future__ import annotations

import pytest
from django.urls import reverse

from accounts.models import User
from benchmarks._planted import plant
from benchmarks.duplicates import score, store
from customers import duplicates
from customers.alikes import traits_written, warn
from customers.duplicates import find, search
from customers.likeness import HINT, LISTED, Traits, judge, one_slip, slips
from customers.models import Customer, DuplicatePair, PairState
from tests.factories import local, make_customer, make_pair, make_user

NOW = local(2026, 6, 16, 3)


def nothing(_done: int, _total: int) -> None:
    pass


def traits(name: str, **more: str) -> Traits:
    return traits_written(name=name, **more)


# --- judging, without a database


@pytest.mark.parametrize(
    ("one", "other", "listed"),
    [
        (traits("绍兴越州副食品有限公司"), traits("越州副食品（绍兴）"), True),
        (
            traits("越州副食品", phone="13800000000"),
            traits("绍兴越州副食品", phone="13800000000"),
            True,
        ),
        (
            traits("绍兴越洲副食品", phone="13800000000"),
            traits("绍兴越州副食品", phone="13800000000"),
            True,
        ),
        (
            traits("绍兴越州副食品", address="解放路1号"),
            traits("绍兴越洲副食品", address="解放路1号"),
            True,
        ),
        (traits("完全不同", tax_id="9133X"), traits("越州副食品", tax_id="9133x"), True),
        # near misses
        (traits("绍兴永泰"), traits("柯桥永泰"), False),
        (traits("绍兴永泰粮油"), traits("杭州永泰粮油", phone="1"), False),
        (
            traits("世纪联华超市柯桥店", phone="13800000000"),
            traits("世纪联华超市越城店", phone="13800000000"),
            False,
        ),
        (
            traits("恒信粮油", address="解放路1号", phone="13800000000"),
            traits("鸿泰食品", address="解放路1号", phone="13800000000"),
            False,
        ),
        (
            traits("绍兴恒信粮油", address="解放路1号", phone="13800000001"),
            traits("绍兴恒泰粮油", address="解放路1号", phone="13800000002"),
            False,
        ),
        (
            traits("绍兴越州副食品", phone="13800000001", address="解放路1号"),
            traits("绍兴越州副食品", phone="13800000002", address="中兴路2号"),
            False,
        ),
        (traits(""), traits(""), False),
    ],
)
def test_what_looks_like_one_company(one: Traits, other: Traits, listed: bool) -> None:
    verdict = judge(one, other)
    assert (verdict.score >= LISTED) == listed, verdict
    assert judge(other, one).score == verdict.score


def test_a_phone_that_many_share_says_little() -> None:
    pair = [traits(name, phone="13800000000") for name in ("绍兴恒信粮油", "绍兴恒泰粮油")]
    assert judge(*pair, sharing_phone=2).score > judge(*pair, sharing_phone=12).score
    assert judge(*pair, sharing_phone=12).score < HINT


@pytest.mark.parametrize(
    ("one", "other", "slip"),
    [
        ("越州副食", "越洲副食", True),
        ("越州副食", "越副食", True),
        ("越州副食", "州越副食", True),
        ("越州副食", "越州副食", False),
        ("越州副食", "永泰副食", False),
        ("华联1店", "华联2店", False),
        ("华联", "华联2", False),
        ("越州第一副食", "越州第二副食", False),
        ("越州东门副食", "越州西门副食", False),
        ("越州东门副食", "越州乐门副食", True),
    ],
)
def test_one_slip_of_the_keyboard(one: str, other: str, slip: bool) -> None:
    assert one_slip(one, other) == slip
    assert one_slip(other, one) == slip


@pytest.mark.parametrize(
    ("one", "other", "listed"),
    [
        ("绍兴越恒鸿永副食品有限公司", "绍兴越恒泓永副食品商行", True),  # sounds the same
        ("绍兴越恒鸿永副食品有限公司", "绍兴越恒喜永副食品商行", True),
        ("绍兴越恒鸿永副食品有限公司", "绍兴越恒永副食品商行", True),
        ("绍兴越恒鸿永副食品有限公司", "绍兴越鸿恒永副食品商行", True),
        ("绍兴越恒鸿永副食品有限公司", "杭州越恒喜永副食品商行", False),
        ("绍兴越恒鸿永一副食品有限公司", "绍兴越恒鸿永二副食品商行", False),
        ("绍兴恒信粮油", "绍兴恒泰粮油", False),
        ("绍兴恒信德粮油", "绍兴恒泰德粮油", False),
        ("Shaoxing Yuezhou Trading Ltd", "Shaoxing Yuezhuo Trading Co", True),
        ("Yue Ltd", "Yua Ltd", False),
    ],
)
def test_p5_a_long_name_with_a_slip_is_known_by_itself(one: str, other: str, listed: bool) -> None:
    score = judge(traits(one, division="330602"), traits(other)).score
    assert (score >= LISTED) == listed, score


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("越恒鸿永", "越恒喜永"), ("越恒鸿永", "越恒永"), ("越恒鸿永", "恒越鸿永"),
        ("x" * 11 + "a" + "x" * 12, "x" * 11 + "b" + "x" * 12), ("y" * 24, "y" * 25),
        ("z" * 100 + "1" + "z" * 99, "z" * 200),
        ("z" * 100 + "ab" + "z" * 98, "z" * 100 + "ba" + "z" * 98),
    ],
)  # fmt: skip
def test_names_with_one_slip_share_a_key_and_none_has_many(one: str, other: str) -> None:
    assert set(slips(one)) & set(slips(other))
    assert max(len(slips(one)), len(slips(other))) <= 27


# --- in the whole database


@pytest.mark.django_db
def test_planted_pairs_are_found_and_near_misses_are_not() -> None:
    planted = plant(2000, seed=7)
    ids = store(planted)
    told = find(nothing, now=NOW)
    pairs = set(DuplicatePair.objects.values_list("first_id", "second_id"))
    result = score(planted, ids, pairs)
    assert result.recall >= 0.95, result.examples
    assert result.false <= 0.05, result.examples
    assert told["files"] == 2000


@pytest.mark.django_db
class TestSearching:
    def pair(self, **more) -> tuple[Customer, Customer]:
        return (
            make_customer(name="绍兴越州副食品有限公司", phone="13800000000", **more),
            make_customer(name="越州副食品（绍兴）", phone="13800000000", **more),
        )

    def test_what_was_dismissed_stays_so(self, rep: User) -> None:
        self.pair()
        find(nothing, now=NOW)
        pair = DuplicatePair.objects.get()
        pair.dismiss(by=rep, now=NOW)
        assert find(nothing, now=NOW)["new"] == 0
        pair.refresh_from_db()
        assert (pair.state, pair.settled_by) == (PairState.DISMISSED, rep)

    def test_what_is_no_longer_alike_goes(self) -> None:
        one, _other = self.pair()
        find(nothing, now=NOW)
        from customers.actions import change_customer

        change_customer(customer=one, values={"name": "完全不同的名字", "phone": ""}, now=NOW)
        assert find(nothing, now=NOW)["gone"] == 1
        assert not DuplicatePair.objects.exists()

    def test_a_second_search_writes_nothing(self, django_assert_max_num_queries) -> None:
        self.pair()
        find(nothing, now=NOW)
        before = list(DuplicatePair.objects.values())
        find(nothing, now=local(2026, 7, 1))
        assert list(DuplicatePair.objects.values()) == before

    def test_p5_a_slip_in_a_long_name_is_found_where_nothing_else_is_shared(self) -> None:
        names = (
            "绍兴越恒鸿永副食品有限公司", "绍兴越恒喜永副食品商行", "绍兴越恒永副食品经营部",
            "绍兴谷丰锦程副食品有限公司",
        )  # fmt: skip
        made = [
            make_customer(name=name, phone=f"1380000000{n}", external_id=None)
            for n, name in enumerate(names)
        ]
        found = search(nothing).pairs
        first, wrong, missing, _other = (one.pk for one in made)
        assert set(found) == {(first, wrong), (first, missing), (wrong, missing)}
        assert all("typo" in reasons for _score, reasons in found.values())

    def test_a_large_block_is_split_and_what_stays_too_large_is_said(self, monkeypatch) -> None:
        monkeypatch.setattr(duplicates, "MOST_IN_BLOCK", 3)
        for _n in range(5):
            make_customer(name="越州副食品", external_id=None)
        for _n in range(2):
            make_customer(name="绍兴越州副食品", external_id=None)
        findings = search(nothing)
        assert findings.left_out >= 5
        assert len(findings.pairs) == 1

    def test_it_says_how_far_it_is(self) -> None:
        self.pair()
        steps: list[tuple[int, int]] = []
        search(lambda done, total: steps.append((done, total)))
        assert steps
        assert all(done <= total for done, total in steps)


# --- while a file is made


@pytest.mark.django_db
class TestWarning:
    def test_a_file_in_sight_is_shown_with_the_reasons(self, rep: User, customer) -> None:
        warning = warn(traits("越州副食品（绍兴）"), rep)
        assert [one.customer for one in warning.alike] == [customer]
        assert "name" in warning.alike[0].reasons
        assert warning.hidden is None

    def test_of_a_file_out_of_sight_only_the_owner_is_told(self, stranger, customer) -> None:
        warning = warn(traits("越州副食品（绍兴）"), stranger)
        assert warning.alike == []
        assert warning.hidden is not None
        assert (warning.hidden.owner, warning.hidden.team) == ("Rep", "North")

    def test_one_or_many_files_out_of_sight_look_the_same(self, rep, stranger, customer) -> None:
        one = warn(traits("越州副食品（绍兴）"), stranger)
        make_customer(owner=rep, name="绍兴越州副食品商行")
        make_customer(owner=make_user(), name="绍兴越州副食品商行")
        assert warn(traits("越州副食品（绍兴）"), stranger).hidden == one.hidden

    def test_a_phone_alone_betrays_nobody(self, rep, stranger) -> None:
        make_customer(owner=rep, name="绍兴永泰粮油", phone="13800000000")
        assert not warn(traits("另外一家商店", phone="13800000000"), stranger)

    def test_the_same_queries_run_whoever_asks_and_whatever_is_found(
        self, rep, stranger, customer, django_assert_num_queries
    ) -> None:
        costs = []
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        for user in (rep, stranger):
            with CaptureQueriesContext(connection) as queries:
                warn(traits("越州副食品（绍兴）", phone="13811111111"), user)
            costs.append(len(queries))
        assert costs[0] == costs[1] <= 8


# --- the pages


@pytest.mark.django_db
class TestPages:
    def test_a_new_file_like_another_is_stored_only_when_meant(self, as_, rep, customer) -> None:
        client = as_(rep)
        new = {"name": "越州副食品（绍兴）", "kind": "dealer", "status": "prospect"}
        answer = client.post(reverse("customers:new"), new)
        assert answer.status_code == 200
        assert customer.name in answer.content.decode()
        assert Customer.objects.count() == 1
        answer = client.post(reverse("customers:new"), {**new, "anyway": "1"})
        assert answer.status_code == 302
        assert Customer.objects.count() == 2

    def test_the_warning_about_a_hidden_file_leaks_nothing(self, as_, rep, stranger) -> None:
        secret = make_customer(
            owner=rep, name="绍兴越州副食品有限公司", phone="13812345678", external_id="ERP-777"
        )
        page = as_(stranger).get(reverse("customers:alike"), {"name": "越州副食品（绍兴）"})
        text = page.content.decode()
        assert "Rep" in text
        for hidden in (secret.name, secret.phone, "ERP-777", f"/{secret.pk}/"):
            assert hidden not in text

    def test_without_likeness_nothing_is_said(self, as_, rep, customer) -> None:
        page = as_(rep).get(reverse("customers:alike"), {"name": "完全不同的名字"})
        assert page.content.decode().strip() == ""

    def test_pairs_show_only_where_both_files_are_in_sight(self, as_, rep, stranger) -> None:
        own = [make_customer(owner=rep, name=f"Own {n}") for n in range(2)]
        theirs = make_customer(owner=stranger, name="Theirs")
        make_pair(*own)
        make_pair(own[0], theirs)
        text = as_(rep).get(reverse("customers:duplicates")).content.decode()
        assert "Own 1" in text
        assert "Theirs" not in text

    def test_dismissed_and_taken_back(self, as_, rep) -> None:
        pair = make_pair(make_customer(owner=rep), make_customer(owner=rep))
        client = as_(rep)
        client.post(reverse("customers:duplicate-dismiss", args=[pair.pk]))
        pair.refresh_from_db()
        assert pair.state == PairState.DISMISSED
        client.post(reverse("customers:duplicate-reopen", args=[pair.pk]))
        pair.refresh_from_db()
        assert (pair.state, pair.settled_by) == (PairState.OPEN, None)

    def test_the_list_costs_the_same_for_more_pairs(self, as_, rep, django_assert_num_queries):
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        client = as_(rep)

        def cost() -> int:
            with CaptureQueriesContext(connection) as queries:
                client.get(reverse("customers:duplicates"))
            return len(queries)

        make_pair(make_customer(owner=rep), make_customer(owner=rep))
        few = (cost(), cost())[1]
        for _n in range(4):
            make_pair(make_customer(owner=rep), make_customer(owner=rep))
        assert cost() <= few
