"""What the tier report gives to take away: the ranking, now and as of a day (P8, P12)."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal
from random import Random
from typing import Any

import pytest
import time_machine

from accounts.models import User
from customers.models import Customer
from orders.models import Order
from tests.factories import local, make_customer, make_order, make_product
from tests.tiers.conftest import NOW
from tests.tiers.recount import Bought, recount
from tiers.models import TierPolicy, TierRun

RANKING = "/tiers/export/ranking/"
APRIL, MAY, JUNE = date(2026, 4, 30), date(2026, 5, 31), date(2026, 6, 16)


@pytest.fixture(autouse=True)
def today(db: None):
    with time_machine.travel(NOW, tick=True):
        yield


def table(response: Any) -> tuple[list[str], list[dict[str, str]]]:
    content = b"".join(response.streaming_content).decode("utf-8-sig")
    head, *rows = csv.reader(io.StringIO(content))
    return head, [dict(zip(head, row, strict=True)) for row in rows]


def ranking(client: Any, **query: Any) -> list[dict[str, str]]:
    return table(client.get(RANKING, {"format": "csv", **query}))[1]


@pytest.fixture
def runs(run_as_of, rep: User, stranger: User) -> dict[date, TierRun]:
    """Thirty shops that order at random; a run at the end of April, of May, and in June."""
    chance = Random(7)
    shops = [
        make_customer(external_id=f"{number}", owner=rep if number % 3 else stranger)
        for number in range(30)
    ]
    Customer.objects.update(created_at=NOW - timedelta(days=500))
    found = {}
    start = date(2025, 4, 1)
    for end in (APRIL, MAY, JUNE):
        for _order in range(90):
            day = start + timedelta(days=chance.randrange((end - start).days + 1))
            make_order(
                chance.choice(shops[: 20 if end == APRIL else 30]),
                chance.randrange(1, 10_000),
                ordered_at=local(day.year, day.month, day.day, 12),
                status=chance.choice(["completed", "shipped", "returned", "cancelled"]),
            )
        found[end] = run_as_of(end, now=NOW - timedelta(days=(JUNE - end).days + 1))
        start = end + timedelta(days=1)
    return found


def by_hand(as_of: date) -> list[tuple[str, str, str, str]]:
    """Place, number, tier and net amount, counted over all orders in plain Python."""
    bought = [
        Bought(o.customer.external_id or "", o.ordered_at, o.status, o.amount)
        for o in Order.objects.select_related("customer")
    ]
    shops = [str(number) for number in range(30)]
    found = recount(shops, bought, as_of).items()
    return [
        (str(one.rank), shop, str(one.tier), f"{one.net:.2f}")
        for shop, one in sorted(found, key=lambda pair: pair[1].rank or 0)
        if one.rank
    ]


class TestRanking:
    @pytest.mark.parametrize("day", [APRIL, MAY, JUNE, MAY + timedelta(days=3)])
    def test_p12_as_of_a_day_it_is_what_the_run_then_decided(
        self, as_, director: User, runs, day: date
    ) -> None:
        asked = as_(director).get(RANKING, {"format": "csv", "as_of": day.isoformat()})
        decided = max(end for end in runs if end <= day)
        assert decided.isoformat() in asked["Content-Disposition"]
        _head, rows = table(asked)
        found = [
            (row["Rank"], row["Number in the ERP"], row["Tier"], row["Net amount"]) for row in rows
        ]
        assert found == by_hand(decided)
        assert len(found) > 10
        assert Decimal(rows[-1]["Cumulative share, %"]) == 100
        assert {row["Ranked within"] for row in rows} == {""}

    def test_without_a_day_it_is_that_of_now_and_a_run_gives_its_own(
        self, as_, director: User, runs
    ) -> None:
        client = as_(director)
        assert ranking(client) == ranking(client, as_of="2026-06-16") == ranking(client, run="")
        assert ranking(client, run=runs[MAY].pk) == ranking(client, as_of="2026-05-31")
        assert ranking(client) != ranking(client, run=runs[MAY].pk)

    def test_a_scope_keeps_the_companys_places(
        self, as_, rep: User, director: User, stranger: User, runs
    ) -> None:
        whole = ranking(as_(director), as_of="2026-05-31")
        mine = ranking(as_(rep), as_of="2026-05-31")
        theirs = ranking(as_(stranger), as_of="2026-05-31")
        assert mine == [row for row in whole if row["Owner"] == "Rep"] != []
        assert theirs == [row for row in whole if row["Owner"] == "Stranger"] != []
        assert ranking(as_(director), as_of="2026-05-31", owner="rep") == mine
        assert ranking(as_(rep), as_of="2026-05-31", owner="stranger") == []

    def test_a_day_before_the_first_run_has_none_and_no_day_is_refused_in_words(
        self, as_, director: User, runs
    ) -> None:
        client = as_(director)
        assert client.get(RANKING, {"as_of": "2026-04-29"}).status_code == 404
        for bad in ("yesterday", "2026-02-30", "0001-01-01", "9999-12-31", "\x00"):
            answer = client.get(RANKING, {"as_of": bad})
            assert answer.status_code == 400, bad
            assert "Nothing was exported" in answer.content.decode()
        assert "Enter a valid date." in client.get(RANKING, {"as_of": "x"}).content.decode()

    def test_before_the_first_run_there_is_none(self, as_, director: User) -> None:
        assert as_(director).get(RANKING).status_code == 404

    def test_both_formats_leave(self, as_, director: User, runs) -> None:
        for format_ in ("csv", "xlsx"):
            answer = as_(director).get(RANKING, {"format": format_})
            assert f".{format_}" in answer["Content-Disposition"]
            assert b"".join(answer.streaming_content)


@pytest.mark.parametrize("past", [False, True])
def test_p8_groups_have_their_names_and_their_own_places(
    as_, director: User, run_as_of, past: bool
) -> None:
    policy = TierPolicy.objects.create(
        name="Kinds", effective_from=date(2026, 6, 1), ranked_within="kind"
    )
    for number, kind, amount in [
        ("1", "dealer", 50),
        ("2", "outlet", 900),
        ("3", "dealer", 20),
        ("4", "outlet", 100),
    ]:
        make_order(make_customer(external_id=number, kind=kind), amount)
    Customer.objects.update(created_at=NOW - timedelta(days=9))
    run_as_of(policy=policy, now=NOW - timedelta(hours=2))
    if past:
        make_order(Customer.objects.get(external_id="1"), 5, ordered_at=local(2026, 6, 17))
        run_as_of(date(2026, 6, 17), policy=policy)
    rows = ranking(as_(director), **({"as_of": "2026-06-16"} if past else {}))
    assert [(row["Ranked within"], row["Rank"], row["Number in the ERP"]) for row in rows] == [
        ("Dealer", "1", "1"),
        ("Dealer", "2", "3"),
        ("Outlet", "1", "2"),
        ("Outlet", "2", "4"),
    ]
    share = (Decimal(50) / 70 * 100).quantize(Decimal("0.0001"), ROUND_DOWN)
    assert Decimal(rows[0]["Share, %"]) == share
    assert rows[1]["Cumulative share, %"] == "100.0000"


@pytest.mark.parametrize("past", [False, True])
def test_p8_a_ranking_by_margin_shows_the_margin(
    as_, director: User, run_as_of, past: bool
) -> None:
    policy = TierPolicy.objects.create(
        name="Margin", effective_from=date(2026, 6, 1), measure="margin"
    )
    rich, poor = (make_product(unit_cost=Decimal(cost)) for cost in ("1.00", "9.00"))
    for number, product, amount in [("1", poor, "10"), ("2", rich, "5"), ("3", poor, "30")]:
        make_order(make_customer(external_id=number), lines=[(product, amount, "10.00")])
    Customer.objects.update(created_at=NOW - timedelta(days=9))
    run_as_of(policy=policy, now=NOW - timedelta(hours=2))
    if past:
        customer = Customer.objects.get(external_id="1")
        make_order(customer, lines=[(rich, "90", "10.00")], ordered_at=local(2026, 6, 17))
        run_as_of(date(2026, 6, 17), policy=policy)
    rows = ranking(as_(director), **({"as_of": "2026-06-16"} if past else {}))
    assert [(row["Number in the ERP"], row["Margin"], row["Tier"]) for row in rows] == [
        ("2", "45.00", "A"),
        ("3", "30.00", "A"),
        ("1", "10.00", "B"),
    ]
