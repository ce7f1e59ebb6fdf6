"""The simulator: what a trial would change, adopting and dropping it (P13), recounted by hand."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from accounts.models import User
from customers.models import Customer
from orders.models import Order
from tests.factories import local, make_customer, make_order
from tests.tiers.conftest import NOW
from tests.tiers.recount import Bought, recount
from tiers import policies, tiering
from tiers.models import RunState, TierPolicy, TierRun
from visits.models import Cadence

TODAY = date(2026, 6, 17)
AS_OF = date(2026, 6, 16)
#: Number in the ERP, net amount, whose.
SHOPS = [
    ("1", 700, "rep"),
    ("2", 200, "rep"),
    ("3", 60, "stranger"),
    ("4", 30, ""),
    ("5", 10, "rep"),
]


@pytest.fixture(autouse=True)
def today(db: None):
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def shops(rep: User, stranger: User) -> None:
    for number, amount, owner in SHOPS:
        customer = make_customer(
            external_id=number,
            name=f"Shop {number}",
            owner=User.objects.get(username=owner) if owner else None,
        )
        make_order(customer, amount, ordered_at=local(2026, 6, 1))
    make_customer(external_id="6", name="Shop 6", owner=rep)
    before = NOW - timedelta(days=5)
    Customer.objects.update(created_at=before)
    Order.objects.update(updated_at=before)


@pytest.fixture
def trial(shops: None, policy: TierPolicy, run_as_of, manager: User) -> TierRun:
    """Shop 2 falls from A to B, and 3 from B to C, when the lines move to 65 and 90 %."""
    run_as_of(AS_OF, now=NOW - timedelta(hours=2))
    return tried(policy, manager, a_share=Decimal("0.65"), b_share=Decimal("0.9"))


def tried(policy: TierPolicy, by: User, **values: object) -> TierRun:
    draft = policies.copy_of(policy)
    for name, value in values.items():
        setattr(draft, name, value)
    run = policies.try_out(draft, user=by, now=NOW - timedelta(hours=1), today=TODAY)
    return tiering.run(run.pk, now=NOW - timedelta(hours=1))


def recounted(a: str, b: str) -> dict[str, str | None]:
    bought = [
        Bought(number, local(2026, 6, 1), "completed", Decimal(amount))
        for number, amount, _owner in SHOPS
    ]
    found = recount([number for number, *_rest in SHOPS] + ["6"], bought, AS_OF, a=a, b=b)
    return {number: one.tier for number, one in found.items()}


def visits(tiers: dict[str, str | None], numbers: set[str]) -> Decimal:
    """A every 30 days, B every 60, C every 120: visits in 30 days."""
    each = {"A": Decimal(1), "B": Decimal("0.5"), "C": Decimal("0.25"), None: Decimal(0)}
    return sum((each[tiers[number]] for number in numbers), Decimal(0))


def page_of(run: TierRun) -> str:
    return f"/tiers/runs/{run.pk}/"


def text(response: Any) -> str:
    return str(response.content.decode())


def rows(response: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig"))))


def counts(tiers: dict[str, str | None], numbers: set[str]) -> dict[str | None, int]:
    return {
        tier: sum(tiers[number] == tier for number in numbers) for tier in ("A", "B", "C", None)
    }


EVERY = {"1", "2", "3", "4", "5", "6"}
OF_REP = {"1", "2", "5", "6"}


class TestTrial:
    @pytest.mark.parametrize(("who", "seen"), [("director", EVERY), ("manager", OF_REP)])
    def test_p13_counts_and_visits_now_and_then_are_those_of_a_recount(
        self, as_, director, trial: TierRun, who: str, seen: set[str]
    ) -> None:
        now, then = recounted("0.8", "0.95"), recounted("0.65", "0.9")
        assert now != then
        context = as_(User.objects.get(username=who)).get(page_of(trial)).context
        tiles = context["found"].tiles
        assert {tile["tier"]: tile["now"] for tile in tiles} == counts(now, seen)
        assert {tile["tier"]: tile["then"] for tile in tiles} == counts(then, seen)
        assert context["found"].moved == sum(now[number] != then[number] for number in seen)
        shown = context["visits"]
        assert abs(Decimal(shown["now"]) - visits(now, seen)) <= Decimal("0.05")
        assert abs(Decimal(shown["then"]) - visits(then, seen)) <= Decimal("0.05")
        assert context["found"].load.now == visits(now, seen)
        assert context["found"].load.then == visits(then, seen)
        matrix = context["found"].migration
        cells = {(c.start, c.end): c.customers for row in matrix.rows for c in row.cells}
        for start in ("A", "B", "C", None):
            for end in ("A", "B", "C", None):
                assert cells[start, end] == sum(
                    (now[number], then[number]) == (start, end) for number in seen
                )
        affected = sum(
            amount
            for number, amount, _owner in SHOPS
            if number in seen and now[number] != then[number]
        )
        assert context["found"].affected == affected

    def test_each_owner_has_a_line_and_the_sum_stands_below(
        self, as_, director: User, trial: TierRun
    ) -> None:
        now, then = recounted("0.8", "0.95"), recounted("0.65", "0.9")
        answer = as_(director).get(f"{page_of(trial)}visits/", {"format": "csv"})
        head, *found = rows(answer)
        assert head == ["Owner", "Customers", "Moved", "Visits a month now", "then", "Change"]
        lines = {row[0]: row[1:] for row in found}
        owners = {"Rep": OF_REP, "Stranger": {"3"}, "no owner": {"4"}, "Total": EVERY}
        for name, seen in owners.items():
            moved = sum(now[number] != then[number] for number in seen)
            assert lines[name][:2] == [str(len(seen)), str(moved)]
            before, after = visits(now, seen), visits(then, seen)
            for shown, exact in zip(lines[name][2:], (before, after, after - before), strict=True):
                assert abs(Decimal(shown) - exact) <= Decimal("0.05")

    def test_who_sees_a_part_is_told_so(self, as_, manager, director, trial: TierRun) -> None:
        said = "You see the moves of your customers"
        assert said in text(as_(manager).get(page_of(trial)))
        assert said not in text(as_(director).get(page_of(trial)))

    def test_the_moves_have_reasons_filters_and_an_export(
        self, as_, director: User, trial: TierRun
    ) -> None:
        browser = as_(director)
        page = text(browser.get(page_of(trial)))
        assert "70.0\u00a0% before it, from 65\u00a0% to below 90\u00a0%" in page
        assert "30 → 60" in page
        cell = {"from_tier": "A", "to_tier": "B"}
        found = browser.get(page_of(trial), cell).context["page"].rows
        assert [change.customer.name for change in found] == ["Shop 2"]
        by_owner = browser.get(page_of(trial), {"owner": "stranger"}).context
        assert by_owner["found"].load.customers == 1
        _head, *lines = rows(browser.get(f"{page_of(trial)}export/", {"format": "csv"}))
        now, then = recounted("0.8", "0.95"), recounted("0.65", "0.9")
        assert {line[0] for line in lines} == {n for n in EVERY if now[n] != then[n]}
        part = browser.get(
            page_of(trial), {"move": "down"}, headers={"HX-Request": "true", "HX-Target": "results"}
        )
        assert 'id="trial"' not in text(part)

    def test_nobody_has_changed_and_what_is_tried_is_said(
        self, as_, manager: User, trial: TierRun
    ) -> None:
        page = text(as_(manager).get(page_of(trial)))
        assert "A trial writes nothing to any customer." in page
        assert '<s class="t3">80\u00a0%</s> → <b>65\u00a0%</b>' in page
        assert Customer.objects.get(external_id="2").abc == "A"

    def test_the_cadences_decide_what_it_costs(self, as_, director, trial: TierRun) -> None:
        Cadence.objects.filter(abc="A").update(every_days=15)
        then = recounted("0.65", "0.9")
        of_a = counts(then, EVERY)["A"]
        load = as_(director).get(page_of(trial)).context["found"].load
        assert load.then == visits(then, EVERY) + of_a


class TestCaveats:
    def said(self, as_, user: User, run: TierRun) -> Any:
        return as_(user).get(page_of(run)).context["caveats"]

    def test_a_trial_beside_the_last_run_has_none(self, as_, director, trial: TierRun) -> None:
        assert not self.said(as_, director, trial)

    def test_a_run_has_decided_since(self, as_, director, policy, trial, run_as_of) -> None:
        newer = run_as_of(AS_OF, now=NOW)
        make_order(Customer.objects.get(external_id="5"), 5000, ordered_at=local(2026, 6, 2))
        run_as_of(AS_OF, now=NOW + timedelta(minutes=1))
        found = as_(director).get(page_of(trial)).context
        assert found["caveats"].newer.pk > newer.pk
        assert "Since this trial the run as of 2026-06-16 has decided" in text(
            as_(director).get(page_of(trial))
        )
        now = recounted("0.8", "0.95")
        assert {tile["tier"]: tile["now"] for tile in found["found"].tiles} == counts(now, EVERY)

    def test_orders_came_in_after_the_run_that_decided(
        self, as_, director, manager, policy, trial: TierRun
    ) -> None:
        order = make_order(Customer.objects.get(external_id="5"), 1, ordered_at=local(2026, 6, 2))
        Order.objects.filter(pk=order.pk).update(updated_at=NOW - timedelta(minutes=90))
        assert self.said(as_, director, trial).orders_moved
        Order.objects.filter(pk=order.pk).update(ordered_at=local(2026, 6, 17))
        assert not self.said(as_, director, trial)

    def test_before_the_first_run_everybody_is_new(
        self, as_, director, manager, policy, shops
    ) -> None:
        run = tried(policy, manager, a_share=Decimal("0.65"))
        page = text(as_(director).get(page_of(run)))
        assert "No run has decided before" in page


class TestAdopt:
    def test_from_the_first_of_next_month_unless_another_day_is_given(
        self, as_, manager: User, policy, trial: TierRun
    ) -> None:
        browser = as_(manager)
        url = f"{page_of(trial)}adopt/"
        page = text(browser.get(url))
        assert 'value="2026-07-01"' in page
        assert "Until its day it can be taken back." in page
        answer = browser.post(url, {"effective_from": "2026-07-01"}, follow=True)
        made = TierPolicy.objects.get(pk=trial.policy_id)
        assert (made.effective_from, made.revision) == (date(2026, 7, 1), 2)
        assert "标准 v2 is in force from 1 Jul." in text(answer)
        assert TierPolicy.objects.in_force(date(2026, 6, 30)).first() == policy
        assert TierPolicy.objects.in_force(date(2026, 7, 1)).first() == made
        # the trial stays, and both versions stand in the history
        assert "Adopted" in text(browser.get(page_of(trial)))
        listed = text(browser.get("/tiers/policies/"))
        assert "标准 v1" in listed
        assert "标准 v2" in listed
        assert "from 2026-07-01" in listed
        # once is enough
        assert browser.post(url, {"effective_from": "2026-08-01"}).status_code == 302
        made.refresh_from_db()
        assert made.effective_from == date(2026, 7, 1)

    @pytest.mark.parametrize("day", ["2026-06-16", "", "x"])
    def test_a_day_that_cannot_be_is_refused(
        self, as_, manager: User, trial: TierRun, day: str
    ) -> None:
        answer = as_(manager).post(f"{page_of(trial)}adopt/", {"effective_from": day})
        assert answer.status_code == 422
        assert TierPolicy.objects.drafts().exists()

    def test_taken_back_it_can_be_adopted_again(self, as_, manager: User, trial: TierRun) -> None:
        browser = as_(manager)
        browser.post(f"{page_of(trial)}adopt/", {"effective_from": "2026-07-01"})
        browser.post(f"/tiers/policies/{trial.policy_id}/take-back/")
        assert TierPolicy.objects.drafts().get().pk == trial.policy_id
        assert "Not adopted" in text(browser.get(page_of(trial)))

    def test_only_who_may_write(self, as_, rep: User, trial: TierRun) -> None:
        browser = as_(rep)
        assert browser.get(page_of(trial)).status_code == 200
        assert "Adopt…" not in text(browser.get(page_of(trial)))
        for deed in ("adopt", "drop"):
            assert browser.post(f"{page_of(trial)}{deed}/").status_code == 403

    def test_a_run_that_decided_is_no_trial(self, as_, manager: User, trial: TierRun) -> None:
        base = TierRun.objects.decisive()[0]
        for deed in ("adopt", "drop"):
            assert as_(manager).post(f"{page_of(base)}{deed}/").status_code == 404


class TestDrop:
    def test_it_goes_with_its_values(self, as_, manager: User, policy, trial: TierRun) -> None:
        browser = as_(manager)
        assert browser.post(f"{page_of(trial)}drop/")["Location"] == "/tiers/policies/"
        assert list(TierPolicy.objects.all()) == [policy]
        assert browser.get(page_of(trial)).status_code == 404

    @pytest.mark.parametrize("state", [RunState.QUEUED, RunState.RUNNING, RunState.FAILED])
    def test_one_under_way_goes_as_well(self, as_, manager: User, policy, trial, state) -> None:
        TierRun.objects.filter(pk=trial.pk).update(state=state)
        browser = as_(manager)
        drop = f"{page_of(trial)}drop/"
        for page in (page_of(trial), "/tiers/policies/"):
            assert f'action="{drop}"' in text(browser.get(page))
        assert browser.post(drop)["Location"] == "/tiers/policies/"
        assert browser.post(drop).status_code == 404  # the second press
        assert list(TierPolicy.objects.all()) == [policy]


def test_the_page_costs_the_same_however_many_move(
    as_, manager: User, rep: User, policy, trial: TierRun, run_as_of, django_assert_max_num_queries
) -> None:
    browser = as_(manager)
    browser.get(page_of(trial))
    with django_assert_max_num_queries(22):
        browser.get(page_of(trial))
    for number in range(10, 40):
        make_order(make_customer(external_id=str(number), owner=rep), 50 + number)
    Order.objects.update(updated_at=NOW - timedelta(days=5))
    run_as_of(AS_OF, now=NOW - timedelta(minutes=59))
    again = tried(policy, manager, a_share=Decimal("0.2"))
    with django_assert_max_num_queries(22):
        assert browser.get(page_of(again)).status_code == 200
    with django_assert_max_num_queries(16):
        assert browser.get(f"{page_of(again)}adopt/").status_code == 200


class TestFromTheReport:
    def test_the_report_tries_the_four_values_and_keeps_the_others(
        self, as_, manager: User, policy: TierPolicy, shops: None, run_as_of
    ) -> None:
        run_as_of(AS_OF, now=NOW - timedelta(hours=2))
        browser = as_(manager)
        page = text(browser.get("/tiers/"))
        assert 'name="quick"' in page
        assert "The top 20 %, 1 customer of 3, bring" in page
        assert f'href="/tiers/policies/{policy.pk}/"' in page
        quick = {"quick": "1", "try": "1", "b_share": "95", "window_months": "12"}
        answer = browser.post(
            "/tiers/policies/new/", quick | {"a_share": "65", "downgrade_runs": "1"}
        )
        run = TierRun.objects.get(dry_run=True)
        assert answer["Location"] == page_of(run)
        told = policies.differences(policy, run.policy)
        assert [(one.before, one.after) for one in told] == [("80\u00a0%", "65\u00a0%")]
        refused = browser.post(
            "/tiers/policies/new/", quick | {"a_share": "96", "downgrade_runs": "1"}
        )
        assert refused.status_code == 422
        assert "The B line lies above the A line, both within 0–100 %." in text(refused)
        assert 'name="key_weights.volume" value="25"' in text(refused)

    def test_who_only_reads_is_offered_no_trial(
        self, as_, rep: User, policy: TierPolicy, shops: None, run_as_of
    ) -> None:
        run_as_of(AS_OF, now=NOW - timedelta(hours=2))
        assert 'name="quick"' not in text(as_(rep).get("/tiers/"))

    def test_runs_are_narrowed_to_one_version(self, as_, manager: User, trial: TierRun) -> None:
        browser = as_(manager)

        def shown(**query: str) -> list[int]:
            return [run.pk for run, _moved in browser.get("/tiers/runs/", query).context["rows"]]

        assert len(shown()) == 2
        assert shown(policy=str(trial.policy_id)) == [trial.pk]
        assert shown(dry_run="true") == [trial.pk]
        assert "No run like this" in text(browser.get("/tiers/runs/", {"state": "failed"}))
        assert shown(policy="x") == []
