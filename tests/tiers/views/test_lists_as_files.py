"""The runs and the versions of the policy as files (P8, P13)."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.utils import translation

from accounts.models import User
from customers.models import Customer
from tests.factories import local, make_customer, make_order
from tests.tiers.conftest import NOW
from tiers import policies
from tiers.described import told
from tiers.models import RunState, TierPolicy, TierRun

RUNS, POLICIES = "/tiers/runs/export/", "/tiers/policies/export/"
TODAY = date(2026, 6, 17)


@pytest.fixture(autouse=True)
def today(db: None):
    with time_machine.travel(NOW, tick=True):
        yield


def rows_of(client: Any, url: str, **query: Any) -> list[dict[str, str]]:
    response = client.get(url, {"format": "csv", **query})
    content = b"".join(response.streaming_content).decode("utf-8-sig")
    head, *rows = csv.reader(io.StringIO(content))
    return [dict(zip(head, row, strict=True)) for row in rows]


class TestRuns:
    @pytest.fixture
    def runs(self, run_as_of, rep: User, stranger: User, policy) -> list[TierRun]:
        """Two that decided, a trial, and one that waits."""
        for number, amount, owner in [("1", 900, rep), ("2", 60, rep), ("3", 40, stranger)]:
            make_order(
                make_customer(external_id=number, owner=owner),
                amount,
                ordered_at=local(2026, 5, 1),
            )
        first = run_as_of(date(2026, 5, 31), now=NOW - timedelta(days=16))
        make_order(Customer.objects.get(external_id="3"), 9000, ordered_at=local(2026, 6, 1))
        second, trial = run_as_of(), run_as_of(dry_run=True)
        TierRun.objects.filter(pk=second.pk).update(requested_by=rep, held=3, overridden=2)
        waiting = TierRun.objects.create(policy=policy, as_of=TODAY, created_at=NOW)
        return [first, second, trial, waiting]

    def test_every_run_with_its_counts(self, as_, director: User, runs) -> None:
        waiting, trial, second, first = rows_of(as_(director), RUNS)
        assert waiting["State"] == "Waiting"
        assert {waiting[name] for name in ("A", "Moved", "Seconds", "Finished")} == {""}
        assert (trial["Trial"], second["Trial"]) == ("yes", "no")
        assert first["As of"] == "2026-05-31"
        assert first["Asked for by"] == "the schedule"
        assert [first[name] for name in ("A", "B", "C", "Unranked", "Moved")] == [
            "1",
            "1",
            "1",
            "0",
            "3",
        ]
        assert [second[name] for name in ("Downgrades held", "Set by hand", "Asked for by")] == [
            "3",
            "2",
            "Rep",
        ]
        assert (second["Policy"], second["Seconds"]) == (str(runs[1].policy), "1")

    def test_it_is_filtered_as_the_list_is(self, as_, director: User, runs) -> None:
        browser = as_(director)
        for query in ({"dry_run": "true"}, {"state": "queued"}, {"as_of": "2026-05-31"}, {}):
            listed = [str(run.pk) for run, _n in browser.get("/tiers/runs/", query).context["rows"]]
            assert [row["Run"] for row in rows_of(browser, RUNS, **query)] == listed != []
        assert rows_of(browser, RUNS, policy="999999") == []

    def test_who_does_not_see_the_company_reads_the_moves_in_sight(
        self, as_, stranger: User, runs
    ) -> None:
        found = rows_of(as_(stranger), RUNS)
        assert not {"A", "B", "C", "Unranked", "Downgrades held"} & set(found[0])
        assert [row["Moved"] for row in found] == ["", "0", "1", "1"]

    def test_it_asks_the_database_as_often_for_many(
        self, as_, director: User, runs, policy, django_assert_num_queries
    ) -> None:
        browser = as_(director)
        rows_of(browser, RUNS)
        with django_assert_num_queries(4):
            rows_of(browser, RUNS)
        for number in range(20):
            TierRun.objects.create(
                policy=policy, as_of=TODAY - timedelta(days=number), created_at=NOW,
                state=RunState.DONE, started_at=NOW, finished_at=NOW,
            )  # fmt: skip
        with django_assert_num_queries(4):
            assert len(rows_of(browser, RUNS)) == 24


class TestPolicies:
    @pytest.fixture
    def versions(self, policy: TierPolicy) -> list[TierPolicy]:
        """The one in force, one from July with a stricter A line, and a draft."""
        planned = policies.copy_of(policy)
        planned.a_share = Decimal("0.75")
        policies.plan(planned, day=date(2026, 7, 1), today=TODAY)
        draft = policies.copy_of(policy)
        draft.revision, draft.effective_from, draft.window_months = 9, None, 24
        draft.save()
        return [planned, policy, draft]

    def test_every_version_with_all_values_and_what_it_changed(
        self, as_, rep: User, versions
    ) -> None:
        found = rows_of(as_(rep), POLICIES)
        assert [row["Version"] for row in found] == [str(policy) for policy in versions]
        assert [row["State"] for row in found] == [
            "Still to come",
            "In force",
            "Tried, not adopted",
        ]
        assert [(row["From"], row["Until"]) for row in found] == [
            ("2026-07-01", ""),
            ("", "2026-06-30"),
            ("", ""),
        ]
        assert [row["What changed"] for row in found] == [
            "A while the share before is below: 80\u00a0% → 75\u00a0%",
            "",
            "Window in months: 12 → 24",
        ]
        for row, policy in zip(found, versions, strict=True):
            with translation.override("en"):
                for label, value in told(policy).values():
                    assert row[label] == value, label

    def test_who_put_it_into_force_is_there(self, as_, manager: User, policy) -> None:
        browser = as_(manager)
        page = browser.get("/tiers/policies/new/").context["form"]
        sent = {bound.html_name: bound.value() for bound in page}
        sent = {name: "" if value is None else str(value) for name, value in sent.items()}
        answer = browser.post(
            "/tiers/policies/new/", {**sent, "a_share": "70", "effective_from": "2026-07-01"}
        )
        assert answer.status_code == 302
        first = rows_of(browser, POLICIES)[0]
        assert (first["By"], first["At"][:10]) == ("Manager", "2026-06-17")
