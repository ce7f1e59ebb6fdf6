"""The worklist of who leaves silently: who sees whom, what it says, what can be done (P48)."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from accounts.models import JobRun, User
from accounts.roles import Role
from tests.factories import local, make_customer, make_interaction, make_outlook, make_user
from tiers import tasks
from tiers.jobs import CHURN, request_forecast
from tiers.models import ChurnRun, Outlook, Staying

pytestmark = pytest.mark.django_db
NOW = local(2026, 6, 17, 9)
URL = "/tiers/leaving/"


@pytest.fixture(autouse=True)
def today(time_machine) -> None:
    time_machine.move_to(NOW)


def names(answer: Any) -> list[str]:
    return [row.outlook.customer.name for row in answer.context["rows"]]


def table(answer: Any) -> list[dict[str, str]]:
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def four(rep: User, stranger: User) -> list[Outlook]:
    """Two of the rep's that leave, one that stays, and a stranger's that leaves."""
    values: list[dict[str, Any]] = [
        {"value_at_risk": Decimal("100.10")},
        {"value_at_risk": Decimal("9000.20")},
        {"alive": Decimal("0.500")},
    ]
    mine = [
        make_outlook(make_customer(owner=rep, name=f"Mine {i}"), **v) for i, v in enumerate(values)
    ]
    return [*mine, make_outlook(make_customer(owner=stranger, name="Theirs"))]


def test_p48_the_most_at_risk_first_and_only_in_sight(as_, manager, director, four) -> None:
    for username, expected in (
        ("rep", ["Mine 1", "Mine 0"]),
        ("manager", ["Mine 1", "Mine 0"]),
        ("stranger", ["Theirs"]),
        ("director", ["Mine 1", "Theirs", "Mine 0"]),
    ):
        user = User.objects.get(username=username)
        answer = as_(user).get(URL)
        assert names(answer) == expected, user
        shown = [one.value_at_risk for one in four if one.customer.name in expected]
        assert answer.context["at_risk"] == sum(shown)
        assert str(answer.context["count"]) == str(len(expected))


def test_p48_each_row_says_why_and_when_we_last_had_to_do_with_it(as_, rep, four) -> None:
    visited, called = four[1].customer, four[0].customer
    visited.last_visited_on = date(2026, 6, 1)
    visited.save()
    make_interaction(visited, rep, at=local(2026, 5, 20, 10))
    make_interaction(called, rep, at=local(2026, 6, 10, 10))
    make_interaction(called, rep, at=local(2026, 6, 12, 10), channel="letter")
    answer = as_(rep).get(URL)
    page = answer.content.decode()
    reason = "orders every 31 days, silent for 84: longer than 14 of its 15 intervals"
    assert [row.reason for row in answer.context["rows"]] == [reason, reason]
    assert page.count(reason) == 4  # a column on the desktop, a line on the phone
    assert page.count("Visit 16 days ago") == page.count("Letter 5 days ago") == 2
    assert f"{reverse('visits:plan')}?customer={visited.pk}" in page
    assert reverse("tiers:staying", args=[visited.pk]) in page


def test_p48_the_page_warns_where_the_model_could_not_be_used(as_, rep, four) -> None:
    page = as_(rep).get(URL).content.decode()
    assert "too few customers have bought twice" in page
    assert "held against the customer’s own intervals" in page
    ChurnRun.objects.update(outcome="fitted", method="model")
    page = as_(rep).get(URL).content.decode()
    assert "purchase model was not used" not in page
    assert "held against" not in page


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("abc=A", ["Shop A"]),
        ("abc=A,none", ["Shop A", "Shop –"]),
        ("division=3306", ["Shop A"]),
        ("owner=stranger", ["Shop B"]),
        ("state=gone", ["Shop gone"]),
        ("state=staying", ["Shop staying"]),
        ("abc=nonsense", []),
        ("cursor=nonsense", ["Shop A", "Shop B", "Shop –"]),
    ],
)
def test_the_list_is_narrowed_and_exported_alike(
    as_, rep, director, query: str, expected: list[str]
) -> None:
    stranger = make_user("stranger")
    for name, values, more in (
        ("Shop A", {"abc": "A", "division": "330602", "owner": rep}, {}),
        ("Shop B", {"abc": "B", "division": "310101", "owner": stranger}, {}),
        ("Shop –", {"owner": rep}, {}),
        ("Shop gone", {"owner": rep}, {"last_on": date(2025, 6, 17)}),
        ("Shop staying", {"owner": rep}, {}),
    ):
        customer = make_customer(name=name, **values)
        make_outlook(customer, **more)
        if name == "Shop staying":
            Staying.objects.create(customer=customer, reason="r", until=NOW.date(), by=rep)
    client = as_(director)
    assert sorted(names(client.get(f"{URL}?{query}"))) == expected
    rows = table(client.get(f"{URL}export/?format=csv&{query}"))
    assert sorted(row["Customer"] for row in rows) == expected


def test_a_team_takes_in_those_below(as_, north, director, four) -> None:
    answer = as_(director).get(f"{URL}?team={north.pk}")
    assert names(answer) == ["Mine 1", "Mine 0"]


def test_p48_the_export_holds_every_figure_of_the_reason(as_, rep, four) -> None:
    customer = four[1].customer
    customer.last_visited_on = date(2026, 6, 1)
    customer.save()
    first = table(as_(rep).get(f"{URL}export/?format=csv"))[0]
    assert first == {
        "Customer": "Mine 1",
        "Number in the ERP": customer.external_id,
        "Tier": "",
        "Owner": "Rep",
        "Team": "North",
        "Area": "",
        "Value at risk": "9000.20",
        "Likely to have left, %": "75.0000",
        "Found by": "by its own rhythm",
        "Purchases expected": "0.750",
        "Purchases if it is alive": "3.000",
        "Per purchase": "1000.00",
        "Last purchase": "2026-03-24",
        "Days silent": "84",
        "Days between purchases": "31",
        "Intervals": "15",
        "Shorter than the silence": "14",
        "Why": "orders every 31 days, silent for 84: longer than 14 of its 15 intervals",
        "Last contact": "2026-06-01",
        "Way of contact": "Visit",
        "Not leaving until": "",
        "Why it is not leaving": "",
        "Said by": "",
    }


def test_pages_are_turned_without_a_gap(as_, rep) -> None:
    for number in range(60):
        make_outlook(make_customer(owner=rep), value_at_risk=Decimal(number % 7))
    client = as_(rep)
    first = client.get(URL)
    second = client.get(first.context["next_url"])
    seen = [row.outlook.pk for page in (first, second) for row in page.context["rows"]]
    assert len(seen) == len(set(seen)) == 60
    back = client.get(second.context["previous_url"])
    assert names(back) == names(first)
    assert client.get(f"{URL}?cursor=x&owner=nobody").status_code == 200


def test_the_list_costs_the_same_for_more_customers(
    as_, rep, django_assert_num_queries, django_assert_max_num_queries
) -> None:
    client = as_(rep)

    def more(number: int) -> None:
        for _number in range(number):
            customer = make_customer(owner=rep)
            make_outlook(customer)
            make_interaction(customer, rep)

    more(2)
    client.get(URL)
    # session, user, what waits; run, job, rows, count, sum; teams for the filter, and its people
    with django_assert_num_queries(10):
        client.get(URL)
    more(20)
    with django_assert_num_queries(10):
        assert len(names(client.get(URL))) == 22
    with django_assert_max_num_queries(6):
        table(client.get(f"{URL}export/?format=csv"))


def test_nothing_estimated_yet_nobody_leaves_nothing_fits(as_, rep, four) -> None:
    client = as_(rep)
    assert "No customer fits these filters" in client.get(f"{URL}?abc=C").content.decode()
    assert "Nobody was said to be staying" in client.get(f"{URL}?state=staying").content.decode()
    assert "Nobody has gone" in client.get(f"{URL}?state=gone").content.decode()
    Outlook.objects.update(alive="0.9")
    assert "Nobody leaves silently" in client.get(URL).content.decode()
    ChurnRun.objects.all().delete()
    assert "Nobody has been estimated yet" in client.get(URL).content.decode()


def test_htmx_gets_the_list_alone(as_, rep, four) -> None:
    part = as_(rep).get(f"{URL}?abc=&owner=", headers={"HX-Request": "true"})
    assert part.content.decode().lstrip().startswith('<div id="results">')
    assert part["HX-Push-Url"] == URL


# --- what is done about it


def test_p48_not_leaving_hides_until_and_can_be_undone(as_, rep, four) -> None:
    client = as_(rep)
    customer = four[1].customer
    url = reverse("tiers:staying", args=[customer.pk])
    page = client.get(url).content.decode()
    assert "longer than 14 of its 15 intervals" in page
    assert 'value="2026-09-15"' in page  # for a quarter, where nobody says otherwise
    answer = client.post(url, {"reason": "rebuilds the shop", "until": "2026-08-01"}, follow=True)
    assert names(answer) == ["Mine 0"]
    undo_url = reverse("tiers:staying-undo", args=[customer.pk])
    assert undo_url in answer.content.decode()
    kept = client.get(f"{URL}?state=staying")
    assert names(kept) == ["Mine 1"]
    assert "Rep, until 1 Aug: rebuilds the shop" in kept.content.decode()
    assert names(client.post(undo_url, follow=True)) == ["Mine 1", "Mine 0"]


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"reason": "", "until": "2026-08-01"}, "This field is required"),
        ({"reason": "x", "until": "2026-06-16"}, "This day is over"),
        ({"reason": "x", "until": "2029-01-01"}, "within two years"),
        ({"reason": "x", "until": "soon"}, "Enter a valid date"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_kept_in_the_form(
    as_, rep, four, sent: dict[str, str], said: str
) -> None:
    answer = as_(rep).post(reverse("tiers:staying", args=[four[0].customer_id]), sent)
    assert said in answer.content.decode()
    assert not Staying.objects.exists()


def test_the_second_to_say_so_is_told_who_was_first(as_, rep, manager, four) -> None:
    url = reverse("tiers:staying", args=[four[0].customer_id])
    sent = {"reason": "moves", "until": "2026-08-01"}
    as_(rep).post(url, sent)
    answer = as_(manager).post(url, {**sent, "reason": "other"})
    assert "Rep has said so already, until 1 Aug: moves" in answer.content.decode()
    assert Staying.objects.get().by == rep


def test_who_may_not_write_reads_only(as_, director, stranger, four) -> None:
    client = as_(director)
    page = client.get(URL).content.decode()
    assert reverse("tiers:staying", args=[four[0].customer_id]) not in page
    assert reverse("visits:plan") not in page
    for url in ("tiers:staying", "tiers:staying-undo"):
        assert client.post(reverse(url, args=[four[0].customer_id])).status_code == 403
        other = as_(stranger)
        assert other.post(reverse(url, args=[four[0].customer_id])).status_code == 404
        client = as_(director)


# --- on the customer's file


def test_p48_the_file_says_how_likely_it_is_to_have_left(as_, rep, stranger, four) -> None:
    url = reverse("tiers:outlook", args=[four[1].customer_id])
    client = as_(rep)
    assert f'hx-get="{url}"' in client.get(f"/customers/{four[1].customer_id}/").content.decode()
    line = client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert "75.0\u00a0% likely to have left" in line
    assert "silent for 84" in line
    page = client.get(url).content.decode()
    assert "3 purchases in 90 days × ¥1,000.00 × 75.0\u00a0% likely to have left" in page
    assert "too few customers have bought twice" in page
    assert as_(stranger).get(url).status_code == 404


def test_a_file_without_purchases_says_nothing(as_, rep, customer) -> None:
    url = reverse("tiers:outlook", args=[customer.pk])
    client = as_(rep)
    assert client.get(url, headers={"HX-Request": "true"}).content.decode().strip() == ""
    assert "Nobody has been estimated yet" in client.get(url).content.decode()
    make_outlook(make_customer(owner=rep))
    assert "It has not bought yet" in client.get(url).content.decode()


def test_who_has_gone_puts_nothing_at_risk_any_more(as_, rep, customer) -> None:
    make_outlook(customer, alive=Decimal("0.001"), last_on=date(2025, 6, 17))
    url = reverse("tiers:outlook", args=[customer.pk])
    line = as_(rep).get(url, headers={"HX-Request": "true"}).content.decode()
    assert "99.9\u00a0% likely to have left" in line  # never a silent 100 %
    assert "at risk" not in line
    assert "bought nothing for 365 days" in as_(rep).get(url).content.decode()


def test_who_is_there_is_not_called_leaving(as_, rep, customer) -> None:
    make_outlook(customer, alive=Decimal("0.930"), shorter=0)
    url = reverse("tiers:outlook", args=[customer.pk])
    line = as_(rep).get(url, headers={"HX-Request": "true"}).content.decode()
    assert "93.0\u00a0% likely to buy again" in line
    assert "at risk" not in line


# --- the job


def test_p48_a_manager_has_it_estimated_and_sees_how_far_it_is(as_, manager, rep, four) -> None:
    answer = as_(manager).post(f"{URL}estimate/", follow=True)
    job = JobRun.objects.get(kind=CHURN)
    assert (job.parameters, job.owner) == ({"as_of": "2026-06-17"}, manager)
    assert 'id="progress"' in answer.content.decode()
    as_(manager).post(f"{URL}estimate/")
    assert JobRun.objects.filter(kind=CHURN).count() == 1  # the same question once
    assert as_(rep).post(f"{URL}estimate/").status_code == 403
    tasks.forecast_churn(job_id=job.pk)
    job.refresh_from_db()
    assert (job.state, job.percent) == ("done", 100)
    page = as_(rep).get(reverse("accounts:run", args=[job.pk])).content.decode()
    assert "All customers were estimated." in page
    # what the four were said to be was not true: they never bought
    assert not Outlook.objects.exists()
    tasks.forecast_churn(job_id=job.pk)  # delivered again, nothing happens
    assert ChurnRun.objects.count() == 2


def test_two_estimates_of_different_days_do_not_mix(manager, four) -> None:
    old = request_forecast(as_of=date(2026, 6, 10), user=manager, now=timezone.now())
    new = request_forecast(as_of=date(2026, 6, 17), user=manager, now=timezone.now())
    assert old != new
    tasks.forecast_churn(job_id=new.pk)
    tasks.forecast_churn(job_id=old.pk)
    assert ChurnRun.objects.filter(as_of=date(2026, 6, 10)).count() == 0
    old.refresh_from_db()
    assert old.result == {"superseded": True}


def test_a_failed_estimate_leaves_the_list_and_says_so(as_, rep, four) -> None:
    JobRun.objects.create(kind=CHURN, state="failed", error="error", created_at=NOW)
    answer = as_(rep).get(URL)
    assert "The last estimate did not finish" in answer.content.decode()
    assert names(answer) == ["Mine 1", "Mine 0"]


def test_it_runs_every_night_as_of_the_day_before() -> None:
    schedule = PeriodicTask.objects.get(task="tiers.tasks.forecast_churn_nightly")
    assert (schedule.crontab.hour, schedule.crontab.minute) == ("2", "30")
    tasks.forecast_churn_nightly()
    assert JobRun.objects.get(kind=CHURN).parameters == {"as_of": "2026-06-16"}


def test_every_role_that_reads_tiers_has_it_in_the_rail(as_, four) -> None:
    for role in (Role.REP, Role.MANAGER, Role.DIRECTOR):
        client: Client = as_(make_user(f"u-{role}", role=role))
        assert f'href="{URL}"' in client.get(URL).content.decode()


def test_days_are_the_companys(as_, rep, four, time_machine) -> None:
    Outlook.objects.update(last_on=NOW.date() - timedelta(days=364))
    assert len(names(as_(rep).get(URL))) == 2
    time_machine.move_to(local(2026, 6, 18, 0, 30))
    assert names(as_(rep).get(URL)) == []
    assert len(names(as_(rep).get(f"{URL}?state=gone"))) == 2
