"""How the number of those who leave developed: week by week, for who sees the company (P48)."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from tests.factories import local, make_customer, make_outlook
from tiers.churn.trend import WEEKS, Chart, of_company, weekly
from tiers.models import ChurnRun

URL = "/tiers/leaving/"
TODAY = date(2026, 6, 17)  # a Wednesday


def ran(as_of: date, leaving: int, **values: Any) -> ChurnRun:
    return ChurnRun(
        as_of=as_of, finished_at=local(2026, 6, 17, 2), period_days=90, outcome="too_few",
        method="rhythm", customers=90, repeat_customers=80, leaving=leaving, written=0, **values,
    )  # fmt: skip


def keep(*runs: ChurnRun) -> None:
    ChurnRun.objects.bulk_create(runs)


@pytest.fixture(autouse=True)
def today(time_machine) -> None:
    time_machine.move_to(local(2026, 6, 17, 9))


class TestWeeks:
    """Rules without a database."""

    def test_the_last_run_of_each_week_stands_for_it(self) -> None:
        runs = [
            ran(date(2026, 5, 31), 1),  # a Sunday
            ran(date(2026, 6, 1), 2),  # the Monday after
            ran(date(2026, 6, 7), 3),
            ran(date(2026, 6, 7), 4),  # the same night once more
            ran(date(2026, 6, 15), 5),
        ]
        assert [run.leaving for run in weekly(runs)] == [1, 4, 5]
        assert weekly([]) == []


def bars(chart: Chart) -> list[tuple[int, str]]:
    return [(int(bar.value), bar.slot) for bar in chart.bars]


@pytest.mark.django_db
def test_p48_a_week_without_a_run_stays_empty_and_no_week_before_half_a_year_shows() -> None:
    assert of_company(ChurnRun.objects.all(), today=TODAY) is None
    monday = date(2026, 6, 15)
    keep(
        ran(monday - timedelta(weeks=WEEKS - 1, days=1), 99),
        ran(monday - timedelta(weeks=3), 40, value_at_risk=Decimal("800.00")),
        ran(monday - timedelta(weeks=1), 0, value_at_risk=Decimal("0.00")),
    )
    assert of_company(ChurnRun.objects.all().filter(leaving=40), today=TODAY) is None
    keep(ran(monday, 20, value_at_risk=Decimal("500.00")))
    found = of_company(ChurnRun.objects.all(), today=TODAY)
    assert found is not None
    assert bars(found.leaving) == [(40, "0.00"), (0, "50.00"), (20, "75.00")]
    assert found.at_risk is not None
    assert bars(found.at_risk) == [(800, "0.00"), (0, "50.00"), (500, "75.00")]
    heights = [Decimal(bar.height) for bar in found.leaving.bars]
    assert heights[0] == 2 * heights[2] > heights[1] == 0
    assert all(Decimal(bar.y) + Decimal(bar.height) == 100 for bar in found.leaving.bars)
    assert found.is_one_line


@pytest.mark.django_db
def test_money_that_was_counted_otherwise_or_not_kept_is_not_set_beside_it() -> None:
    keep(
        ran(date(2026, 5, 25), 5),
        ran(date(2026, 6, 1), 6, value_at_risk=Decimal(900)),
        ran(date(2026, 6, 8), 7, value_at_risk=Decimal(90), measure="margin"),
        ran(date(2026, 6, 15), 8, value_at_risk=Decimal(80), measure="margin", leaving_below="0.4"),
    )
    found = of_company(ChurnRun.objects.all(), today=TODAY)
    assert found is not None
    assert [value for value, _slot in bars(found.leaving)] == [5, 6, 7, 8]
    assert found.at_risk is not None
    assert [value for value, _slot in bars(found.at_risk)] == [90, 80]
    assert not found.is_one_line


@pytest.mark.django_db
def test_p48_the_company_is_shown_to_who_sees_it_all_and_to_nobody_else(
    as_, rep: User, manager: User, director: User
) -> None:
    make_outlook(make_customer(owner=rep))  # with the run of 16 June, which found one
    keep(ran(date(2026, 6, 16), 123, value_at_risk=Decimal("45600.00")))
    assert "week by week" not in as_(director).get(URL).content.decode()  # one week is no trend
    ChurnRun.objects.filter(leaving=1).update(as_of=date(2026, 6, 9), leaving=100)
    page = as_(director).get(URL).content.decode()
    assert "<b>100 → 123</b>" in page
    assert "Customers leaving: most 123 on 2026-06-16, least 100 on 2026-06-09" in page
    assert '<td class="num">123</td>' in page
    assert "week by week" not in as_(director).get(f"{URL}?state=gone").content.decode()
    for narrow in (rep, manager):
        page = as_(narrow).get(URL).content.decode()
        assert "100 → 123" not in page
        assert ">123<" not in page
        assert "week by week" not in page
        assert as_(narrow).get(f"{URL}trend/export/?format=csv").status_code == 403
    browser = as_(director)
    with CaptureQueriesContext(connection) as few:
        browser.get(URL)
    keep(*(ran(date(2026, 6, day), day) for day in range(1, 9)))
    with CaptureQueriesContext(connection) as more:
        assert len(browser.get(URL).context["trend"].runs) == 3
    assert len(few) == len(more)
    about_runs = [one["sql"] for one in more.captured_queries if "tiers_churnrun" in one["sql"]]
    assert len(about_runs) == 2  # the last one, and those of the chart


@pytest.mark.django_db
def test_every_run_leaves_as_a_file_with_the_line_that_it_drew(as_, director: User) -> None:
    keep(
        ran(date(2026, 6, 15), 7),
        ran(
            date(2026, 6, 16), 8, value_at_risk=Decimal("99.50"), measure="margin",
            leaving_below=Decimal("0.4"), gone_after_days=300,
        ),
    )  # fmt: skip
    answer = as_(director).get(f"{URL}trend/export/?format=csv")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    newest, oldest = csv.DictReader(io.StringIO(text))
    newest.pop("Finished")
    assert newest == {
        "As of": "2026-06-16",
        "Customers": "90",
        "Leaving silently": "8",
        "Value at risk": "99.50",
        "Counted by": "Margin",
        "Leaving below a chance of, %": "40.0000",
        "Gone after days": "300",
    }
    assert (oldest["Value at risk"], oldest["Counted by"]) == ("", "Net amount")
    assert as_(director).get(f"{URL}trend/export/?format=xlsx").status_code == 200
