"""The pages of tiers: report (P14), runs, one run, and why a customer has its tier (P12)."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.test import Client
from django.utils import translation
from openpyxl import load_workbook

from accounts.models import User
from customers.models import Customer
from tests.factories import local, make_customer, make_order
from tests.tiers.conftest import NOW
from tiers.models import Failure, RunState, TierRun

REPORT = "/tiers/"


@pytest.fixture(autouse=True)
def today(db: None):
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def runs(run_as_of, rep: User, stranger: User) -> tuple[TierRun, TierRun]:
    """In May 1 is A and 2 is B; in June 2 has risen and 1 has fallen. 3 belongs to a stranger."""
    for number, amount, owner in [("1", 850, rep), ("2", 100, rep), ("3", 50, stranger)]:
        make_order(
            make_customer(external_id=number, name=f"Shop {number}", owner=owner),
            amount,
            ordered_at=local(2026, 5, 1),
        )
    Customer.objects.update(created_at=NOW - timedelta(days=100))
    first = run_as_of(date(2026, 5, 31), now=NOW - timedelta(days=16))
    make_order(Customer.objects.get(external_id="2"), 9000, ordered_at=local(2026, 6, 1))
    return first, run_as_of(date(2026, 6, 16))


def text(response) -> str:
    return str(response.content.decode())


def rows(response) -> list[list[str]]:
    return list(csv.reader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig"))))


class TestReport:
    def test_before_the_first_run_it_says_so_and_offers_one(self, as_, manager, rep) -> None:
        page = text(as_(manager).get(REPORT))
        assert "No tiers yet" in page
        assert "Compute the tiers now" in page
        assert "Compute the tiers now" not in text(as_(rep).get(REPORT))

    def test_it_shows_the_latest_run(self, as_, director: User, runs) -> None:
        response = as_(director).get(REPORT)
        page = text(response)
        assert response.context["run"] == runs[1]
        assert "the top 20 % bring 91.0" in page
        for name in ("Shop 1", "Shop 2"):
            assert name in page
        assert "Shop 3" not in page  # still a C
        assert "98.4" not in page

    def test_a_manager_sees_the_figures_of_her_teams(self, as_, manager: User, runs) -> None:
        shown = as_(manager).get(REPORT).context["report"]
        assert shown.pareto.customers == 2
        assert {tile["tier"]: tile["customers"] for tile in shown.tiles} == {
            "A": 1,
            "B": 1,
            "C": 0,
            None: 0,
        }

    def test_a_rep_reads_her_own_and_starts_nothing(self, as_, stranger: User, runs) -> None:
        browser = as_(stranger)
        response = browser.get(REPORT)
        assert response.context["report"].pareto.amount == Decimal(50)
        assert "Compute again" not in text(response)
        assert browser.post("/tiers/runs/start/").status_code == 403

    def test_team_and_owner_narrow_every_figure(
        self, as_, director: User, north, rep: User, runs
    ) -> None:
        browser = as_(director)
        by_team = browser.get(REPORT, {"team": north.pk}).context
        assert by_team["report"].migration.total == 2
        by_owner = browser.get(REPORT, {"owner": "stranger"}).context
        assert by_owner["report"].migration.total == 1
        assert by_owner["page"].rows == []
        assert 'href="/customers/?abc=A&amp;team=' in text(browser.get(REPORT, {"team": north.pk}))

    def test_choices_and_filters_are_those_in_sight(
        self, as_, manager: User, stranger: User, runs
    ) -> None:
        browser = as_(manager)
        page = text(browser.get(REPORT))
        assert 'value="rep"' in page
        assert 'value="stranger"' not in page
        assert "South" not in page
        refused = browser.get(REPORT, {"owner": "stranger"})
        assert refused.status_code == 200
        assert refused.context["report"].pareto is None
        assert browser.get(REPORT, {"team": "x", "owner": "\x00"}).status_code == 200

    def test_an_earlier_run_can_be_looked_at(self, as_, director: User, runs) -> None:
        browser = as_(director)
        shown = browser.get(REPORT, {"run": runs[0].pk})
        assert shown.context["report"].pareto.amount == Decimal(1000)
        assert not shown.context["latest"]
        for bad in ("999999", "x", "-1", "9" * 40):
            assert browser.get(REPORT, {"run": bad}).status_code == 404

    def test_the_moved_customers_have_tabs_and_cells_lead_to_them(
        self, as_, director: User, runs
    ) -> None:
        browser = as_(director)

        def names(**query: str) -> list[str]:
            found = browser.get(REPORT, query).context["page"].rows
            return [change.customer.name for change in found]

        assert names() == ["Shop 2", "Shop 1"]
        assert names(move="up") == ["Shop 2"]
        assert names(move="down") == ["Shop 1"]
        assert names(move="new") == []
        assert names(from_tier="B", to_tier="A") == ["Shop 2"]
        assert names(from_tier="none") == []
        assert "from_tier=B&amp;to_tier=A#h-mv" in text(browser.get(REPORT))
        assert "Nobody moved this way" in text(browser.get(REPORT, {"move": "new"}))

    def test_htmx_gets_the_part_it_asks_for(self, as_, director: User, runs) -> None:
        browser = as_(director)
        whole = browser.get(REPORT, headers={"HX-Request": "true", "HX-Target": "report"})
        assert text(whole).startswith('<div class="stack" id="report">')
        assert "HX-Request" in whole["Vary"]
        part = browser.get(
            REPORT, {"move": "up"}, headers={"HX-Request": "true", "HX-Target": "results"}
        )
        assert 'id="report"' not in text(part)
        assert "Shop 2" in text(part)
        assert part["HX-Push-Url"] == "/tiers/?move=up"

    def test_an_open_run_shows_its_progress(self, as_, director: User, runs, policy) -> None:
        TierRun.objects.create(as_of=date(2026, 6, 17), policy=policy, created_at=NOW)
        assert 'id="progress"' in text(as_(director).get(REPORT))


class TestExports:
    def test_the_moved_customers_with_their_reasons(self, as_, manager: User, runs) -> None:
        response = as_(manager).get("/tiers/export/", {"format": "csv"})
        head, *found = rows(response)
        assert head[:2] == ["Number in the ERP", "Customer"]
        assert [row[1] for row in found] == ["Shop 2", "Shop 1"]
        assert found[0][3:5] == ["B", "A"]
        assert "rank 1 of 3" in found[0][-1]

    def test_the_ranking_of_those_in_sight(self, as_, stranger: User, runs) -> None:
        response = as_(stranger).get("/tiers/export/ranking/", {"format": "xlsx"})
        sheet = load_workbook(io.BytesIO(b"".join(response.streaming_content))).active
        assert sheet is not None
        found = [list(row) for row in sheet.iter_rows(min_row=2, values_only=True)]
        assert [row[:6] for row in found] == [[3, None, "3", "Shop 3", "Stranger", "C"]]
        assert found[0][6] == 50

    def test_one_run(self, as_, rep: User, stranger: User, runs) -> None:
        url = f"/tiers/runs/{runs[0].pk}/export/"
        assert len(rows(as_(rep).get(url, {"format": "csv"}))) == 3
        assert len(rows(as_(stranger).get(url, {"format": "csv"}))) == 2

    def test_before_the_first_run_there_is_nothing_to_export(self, as_, manager: User) -> None:
        assert as_(manager).get("/tiers/export/").status_code == 404


class TestRuns:
    def test_a_person_starts_a_run_and_a_double_click_starts_no_second(
        self, as_, manager: User, policy, django_capture_on_commit_callbacks
    ) -> None:
        browser = as_(manager)
        with django_capture_on_commit_callbacks() as queued:
            first = browser.post("/tiers/runs/start/")
            again = browser.post("/tiers/runs/start/")
        job = TierRun.objects.get()
        assert first["Location"] == again["Location"] == f"/tiers/runs/{job.pk}/"
        assert len(queued) == 1
        assert (job.as_of, job.requested_by, job.state) == (
            date(2026, 6, 17),
            manager,
            RunState.QUEUED,
        )

    def test_a_day_to_come_is_refused_with_the_input_kept(self, as_, manager: User, policy) -> None:
        response = as_(manager).post("/tiers/runs/start/", {"as_of": "2026-06-18", "dry_run": "on"})
        assert response.status_code == 422
        assert "This day has not come yet." in text(response)
        assert 'value="2026-06-18"' in text(response)
        assert not TierRun.objects.exists()
        bad = as_(manager).post("/tiers/runs/start/", {"as_of": "yesterday"})
        assert bad.status_code == 422

    def test_the_list_counts_the_moves_in_sight(self, as_, rep, stranger, director, runs) -> None:
        for user, moved in [(rep, [2, 2]), (stranger, [0, 1]), (director, [2, 3])]:
            found = as_(user).get("/tiers/runs/").context["rows"]
            assert [n for _run, n in found] == moved

    def test_progress_is_polled_until_the_run_has_ended(self, as_, manager: User, policy) -> None:
        job = TierRun.objects.create(as_of=date(2026, 6, 17), policy=policy, created_at=NOW)
        browser = as_(manager)
        url, htmx = f"/tiers/runs/{job.pk}/progress/", {"HX-Request": "true"}
        assert "waiting for a worker" in text(browser.get(url, headers=htmx))
        TierRun.objects.update(state=RunState.RUNNING, progress=60)
        assert "60 % done" in text(browser.get(url, headers=htmx))
        assert "60 % done" in text(browser.get(f"/tiers/runs/{job.pk}/"))
        TierRun.objects.update(state=RunState.DONE, finished_at=NOW, started_at=NOW)
        assert browser.get(url, headers=htmx)["HX-Refresh"] == "true"
        assert browser.get(url)["Location"] == f"/tiers/runs/{job.pk}/"

    def test_a_failed_run_says_why_and_that_the_old_tiers_stand(
        self, as_, manager: User, policy
    ) -> None:
        job = TierRun.objects.create(
            as_of=date(2026, 6, 17),
            policy=policy,
            created_at=NOW,
            state=RunState.FAILED,
            error=Failure.QUEUE,
        )
        page = text(as_(manager).get(f"/tiers/runs/{job.pk}/"))
        assert "the tiers of the last complete run stand" in page
        assert "The job queue could not be reached." in page

    def test_company_counts_are_for_those_who_see_the_company(
        self, as_, director: User, rep: User, runs
    ) -> None:
        url = f"/tiers/runs/{runs[1].pk}/"
        assert as_(director).get(url).context["sees_all"]
        assert not as_(rep).get(url).context["sees_all"]

    def test_a_trial_says_that_it_changed_nothing(self, as_, manager: User, run_as_of) -> None:
        job = run_as_of(dry_run=True)
        assert "A trial writes nothing to any customer." in text(
            as_(manager).get(f"/tiers/runs/{job.pk}/")
        )


class TestOfCustomer:
    def test_it_explains_the_tier_and_tells_its_history(self, as_, rep: User, runs) -> None:
        customer = Customer.objects.get(external_id="2")
        url = f"/tiers/of-customer/{customer.pk}/"
        part = text(as_(rep).get(url, headers={"HX-Request": "true"}))
        assert "rank <b>1</b> of 3" in part
        assert "Why A" in part
        assert "B 2026-05 → A 2026-06" in part
        page = text(as_(rep).get(url))
        assert "Tier rose from B to A" in page
        assert "First tier: B" in page

    def test_a_customer_without_a_tier_or_a_run(self, as_, rep: User, customer, run_as_of) -> None:
        url = f"/tiers/of-customer/{customer.pk}/"
        assert "No run has looked at this customer yet" in text(as_(rep).get(url))
        run_as_of()
        assert "the net amount is not above zero" in text(as_(rep).get(url))

    def test_a_stranger_gets_a_404(self, as_, stranger: User, customer) -> None:
        assert as_(stranger).get(f"/tiers/of-customer/{customer.pk}/").status_code == 404

    def test_changes_stand_on_the_timeline(self, runs) -> None:
        from tiers.timeline import entries

        with translation.override("en"):
            found = entries(Customer.objects.get(external_id="2"), before=None, limit=10)
        assert [(entry.at, entry.title) for entry in found] == [
            (runs[1].finished_at, "Tier rose from B to A"),
            (runs[0].finished_at, "First tier: B"),
            (runs[0].finished_at, "Loyalty class: No brand loyalty"),
        ]
        assert found[0].tone == "good"
        earlier = entries(
            Customer.objects.get(external_id="2"), before=runs[1].finished_at, limit=10
        )
        assert len(earlier) == 2


#: What each page may ask of the database beside the session and the reader.
FRAME = 2
PAGES = {
    REPORT: 21,
    "/tiers/?show=held": 20,
    "/tiers/?show=by_hand": 19,
    "/tiers/?run={first}": 19,
    "/tiers/runs/": 5,
    "/tiers/runs/{second}/": 7,
    "/tiers/of-customer/{customer}/": 14,
}


@pytest.mark.parametrize("url", PAGES)
def test_pages_cost_the_same_however_many_customers(
    as_, runs, run_as_of, url: str, django_assert_num_queries
) -> None:
    rep, manager = (User.objects.get(username=name) for name in ("rep", "manager"))
    address = url.format(
        first=runs[0].pk, second=runs[1].pk, customer=Customer.objects.get(external_id="2").pk
    )
    browser = as_(manager)
    browser.get(address)
    with django_assert_num_queries(PAGES[url] + FRAME):
        browser.get(address)
    for number in range(10, 30):
        make_order(make_customer(external_id=str(number), owner=rep), number)
    run_as_of(now=NOW + timedelta(minutes=5))
    with django_assert_num_queries(PAGES[url] + FRAME):
        assert browser.get(address).status_code == 200


@pytest.mark.parametrize(
    "url", ["/tiers/", "/tiers/export/", "/tiers/runs/", "/tiers/runs/1/", "/tiers/of-customer/1/"]
)
def test_who_is_not_signed_in_is_asked_to(client: Client, url: str) -> None:
    assert client.get(url)["Location"].startswith("/login/")
