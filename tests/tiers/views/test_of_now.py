"""Beside the moves on the tier report: downgrades that wait, and tiers set by hand (P12)."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine

from accounts.models import User
from customers.models import Customer
from tests.factories import local, make_customer, make_order, make_user
from tests.tiers.conftest import NOW
from tiers import overrides
from tiers.models import Assessment, TierOverride, TierPolicy, TierRun
from tiers.views import of_now

REPORT = "/tiers/"
FILES = "/tiers/export/held/", "/tiers/export/by-hand/"
TODAY = date(2026, 6, 17)
RESULTS = {"HX-Request": "true", "HX-Target": "results"}


@pytest.fixture(autouse=True)
def today(db: None):
    with time_machine.travel(NOW, tick=True):
        yield


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def rows_of(response: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig"))))


def numbers(response: Any) -> dict[str, int]:
    return {str(tab.label): number for tab, number in response.context["tabs"]}


@pytest.fixture
def patient(policy: TierPolicy) -> TierPolicy:
    return TierPolicy.objects.create(
        name="Patient", effective_from=date(2026, 5, 1), downgrade_runs=3
    )


@pytest.fixture
def runs(run_as_of, patient: TierPolicy, rep: User, stranger: User) -> list[TierRun]:
    """In June Shop 2 (the rep's) and Shop 4 (the stranger's) outgrow the others.

    Shop 1, an A of the rep, would be C for the second time; so would Shop 3, a stranger's B.
    """
    for number, amount, owner in [
        ("1", 850, rep),
        ("2", 20, rep),
        ("3", 100, stranger),
        ("4", 30, stranger),
    ]:
        make_order(
            make_customer(external_id=number, name=f"Shop {number}", owner=owner),
            amount,
            ordered_at=local(2026, 5, 1),
        )
    Customer.objects.update(created_at=NOW - timedelta(days=100))
    found = [run_as_of(date(2026, 5, 31), policy=patient, now=NOW - timedelta(days=16))]
    for number in ("2", "4"):
        customer = Customer.objects.get(external_id=number)
        make_order(customer, 90_000, ordered_at=local(2026, 6, 1))
    found += [
        run_as_of(date(2026, 6, day), policy=patient, now=NOW - timedelta(days=17 - day))
        for day in (15, 16)
    ]
    return found


@pytest.fixture
def set_by(manager: User, runs):
    """`set_by(number)`: the tier of a shop set to B until the end of July, by the manager."""

    def set_tier(number: str, until: date = date(2026, 7, 31), **values: Any) -> TierOverride:
        customer = Customer.objects.get(external_id=number)
        usual = {"tier": "B", "reason": f"Partner {number}", "by": manager, "now": NOW}
        return overrides.set_tier(
            customer=customer, until=until, today=TODAY, **{**usual, **values}
        )

    return set_tier


class TestHeld:
    def test_p12_who_waits_since_when_and_for_how_many_runs(self, as_, director, runs) -> None:
        page = as_(director).get(REPORT, {"show": "held"})
        assert numbers(page)["Downgrades held"] == 2 == runs[-1].held
        found = {one.customer.name: words for one, words, _days in page.context["held"]}
        assert found == {
            "Shop 1": "would be C since 2026-06-15, 2 of 3 runs",
            "Shop 3": "would be C since 2026-06-15, 2 of 3 runs",
        }
        assert "2 / 3" in text(page)
        days = {one.customer.name: days for one, _words, days in page.context["held"]}
        assert days == {"Shop 1": (30, 120), "Shop 3": (60, 120)}

    def test_sight_and_scope_narrow_it_with_its_number(
        self, as_, director, manager, rep, stranger, north, runs
    ) -> None:
        def names(user: User, **query: Any) -> list[str]:
            page = as_(user).get(REPORT, {"show": "held", **query})
            found = [one.customer.name for one, _words, _days in page.context["held"]]
            assert numbers(page)["Downgrades held"] == len(found)
            return sorted(found)

        assert names(director) == ["Shop 1", "Shop 3"]
        assert names(manager) == names(rep) == ["Shop 1"]
        assert names(stranger) == ["Shop 3"]
        assert names(director, team=north.pk) == ["Shop 1"]
        assert names(director, owner="stranger") == ["Shop 3"]
        assert names(manager, owner="stranger") == []  # whom she does not see
        assert names(director, team="x") == []

    def test_it_turns_its_pages(self, as_, director, runs, monkeypatch) -> None:
        monkeypatch.setattr(of_now, "PAGE_SIZE", 1)
        Assessment.objects.filter(customer__external_id="1").update(held_runs=1)
        browser, seen, url = as_(director), [], f"{REPORT}?show=held"
        while url:
            page = browser.get(url, headers=RESULTS)
            seen += [one.customer.name for one, _words, _days in page.context["held"]]
            url = page.context["next_url"]
        assert seen == ["Shop 3", "Shop 1"]  # the one closest to falling first

    def test_it_leaves_as_a_table(self, as_, director, rep, runs) -> None:
        head, *found = rows_of(as_(rep).get(FILES[0], {"format": "csv"}))
        assert dict(zip(head, found[0], strict=True)) == {
            "Number in the ERP": "1",
            "Customer": "Shop 1",
            "Owner": "Rep",
            "Tier": "A",
            "Proposed tier": "C",
            "Held since": "2026-06-15",
            "Runs that agree": "2",
            "Runs needed": "3",
            "In words": "would be C since 2026-06-15, 2 of 3 runs",
        }
        assert len(found) == 1
        asked = {"format": "csv", "owner": "stranger"}
        assert [row[1] for row in rows_of(as_(director).get(FILES[0], asked))[1:]] == ["Shop 3"]
        assert len(rows_of(as_(rep).get(FILES[0], asked))) == 1


class TestByHand:
    def test_p12_what_is_set_beside_what_the_computation_gives(
        self, as_, director, manager, set_by
    ) -> None:
        set_by("1")
        set_by("4", until=TODAY, tier="C")
        ended = set_by("2")
        overrides.end(override=ended, by=manager, now=NOW)
        page = as_(director).get(REPORT, {"show": "by_hand"})
        assert numbers(page)["Set by hand"] == 2
        found = [
            (one.customer.name, one.tier, one.computed, one.until)
            for one in page.context["page"].rows
        ]
        assert found == [
            ("Shop 4", "C", "A", TODAY),
            ("Shop 1", "B", "A", date(2026, 7, 31)),
        ]
        assert "Partner 1" in text(page)
        with time_machine.travel(NOW + timedelta(days=1)):
            assert numbers(as_(director).get(REPORT))["Set by hand"] == 1

    def test_sight_and_scope_narrow_it(self, as_, director, manager, rep, set_by) -> None:
        set_by("1")
        set_by("3")

        def names(user: User, **query: Any) -> list[str]:
            page = as_(user).get(REPORT, {"show": "by_hand", **query})
            return [one.customer.name for one in page.context["page"].rows]

        assert names(director) == ["Shop 1", "Shop 3"]
        assert names(manager) == names(rep) == ["Shop 1"]
        assert names(director, owner="stranger") == ["Shop 3"]

    def test_it_leaves_as_a_table(self, as_, director, rep, set_by) -> None:
        set_by("1")
        set_by("3")
        head, *found = rows_of(as_(director).get(FILES[1], {"format": "csv"}))
        assert [row[1] for row in found] == ["Shop 1", "Shop 3"]
        first = dict(zip(head, found[0], strict=True))
        assert (first["Tier set"], first["Computed tier"]) == ("B", "A")
        assert (first["From"], first["Until"]) == ("2026-06-17", "2026-07-31")
        assert (first["Reason"], first["Set by"]) == ("Partner 1", "Manager")
        assert [row[1] for row in rows_of(as_(rep).get(FILES[1], {"format": "csv"}))[1:]] == [
            "Shop 1"
        ]


class TestTabs:
    def test_an_older_run_does_not_offer_what_is_of_now(self, as_, director, runs) -> None:
        browser = as_(director)
        for query in ({"run": runs[0].pk}, {"run": runs[0].pk, "show": "held"}):
            page = browser.get(REPORT, query)
            assert "Downgrades held" not in numbers(page)
            assert [change.customer.name for change, _why, _days in page.context["moved"]] == [
                "Shop 1",
                "Shop 3",
                "Shop 4",
                "Shop 2",
            ]

    def test_one_tab_is_current_and_cells_lead_back_to_the_moves(self, as_, director, runs) -> None:
        for show in ("", "held", "by_hand"):
            page = as_(director).get(REPORT, {"show": show})
            current = [str(tab.label) for tab, _number in page.context["tabs"] if tab.current]
            assert current == [{"": "All", "held": "Downgrades held"}.get(show, "Set by hand")]
            assert "show=" not in text(page).partition('class="mx"')[2].partition("</table>")[0]

    def test_htmx_gets_the_list_with_all_tabs(self, as_, director, runs) -> None:
        page = as_(director).get(REPORT, {"show": "held"}, headers=RESULTS)
        assert text(page).startswith('<div id="results">')
        moved = {"All": 0, "Up": 0, "Down": 0, "New": 0}
        assert numbers(page) == {**moved, "Downgrades held": 2, "Set by hand": 0}
        assert page["HX-Push-Url"] == "/tiers/?show=held"

    def test_empty_lists_say_so(self, as_, director, run_as_of) -> None:
        run_as_of()
        browser = as_(director)
        assert "No downgrade is held" in text(browser.get(REPORT, {"show": "held"}))
        assert "Every tier here is computed" in text(browser.get(REPORT, {"show": "by_hand"}))

    @pytest.mark.parametrize(("show", "cost"), [("held", 9), ("by_hand", 8)])
    def test_pages_cost_the_same_however_many_rows(
        self, as_, director, manager, runs, set_by, show, cost: int, django_assert_num_queries
    ) -> None:
        set_by("1")
        browser, url = as_(director), f"{REPORT}?show={show}"
        browser.get(url)
        with django_assert_num_queries(cost):
            browser.get(url, headers=RESULTS)
        for number in range(10, 25):
            customer = make_customer(external_id=str(number), owner=make_user(f"rep-{number}"))
            overrides.set_tier(
                customer=customer, tier="A", reason="x", until=TODAY, by=manager, now=NOW,
                today=TODAY,
            )  # fmt: skip
            Assessment.objects.filter(customer=customer).update(
                held_runs=1, held_tier="C", held_since=TODAY, held_on=TODAY
            )
        with django_assert_num_queries(cost):
            page = browser.get(url, headers=RESULTS)
        assert len(page.context["page"].rows) > 15
