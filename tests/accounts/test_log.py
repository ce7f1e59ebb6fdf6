"""The audit log, the sync log and the jobs, as an administrator reads them."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.utils import translation
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from accounts import history, schedule
from accounts.audit import Through, acting
from accounts.models import AuditEntry, SyncCall, User
from customers.models import Customer
from tests.factories import make_customer, make_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def changed(rep: User, stranger: User) -> Customer:
    """A customer that went from the rep to the stranger."""
    with acting(user=rep, through=Through.PAGE):
        customer = make_customer(owner=rep, name="越州", status="active")
        customer.owner = stranger
        customer.status = "lost"
        customer.save()
    return customer


def found(response) -> list[tuple[str, str]]:
    return [(line.entry.action, line.entry.object_name) for line in response.context["lines"]]


# --- audit log


@pytest.mark.parametrize("path", ["/audit/", "/audit/?format=csv"])
def test_the_log_is_read_by_administrators_and_compliance(
    as_, administrator: User, compliance: User, director: User, path: str
) -> None:
    assert as_(administrator).get(path).status_code == 200
    assert as_(compliance).get(path).status_code == 200
    assert as_(director).get(path).status_code == 403


def test_an_entry_opens_to_before_and_after_in_words(
    as_, administrator: User, changed: Customer
) -> None:
    response = as_(administrator).get(
        f"/audit/?model=customers.customer&record={changed.pk}&action=update"
    )
    (line,) = response.context["lines"]
    assert line.kind == "customer"
    assert [(c.field, c.before, c.after) for c in line.changes] == [
        ("Status", "Active", "Lost"),
        ("Owner", "Rep", "Stranger"),
    ]
    administrator.language = "zh-hans"
    administrator.phone = "139"
    administrator.save()
    page = as_(administrator).get("/audit/?model=accounts.user&action=update").content.decode()
    assert '<th scope="row">电话</th>' in page


def test_the_log_is_narrowed(as_, administrator: User, changed: Customer, rep: User) -> None:
    client = as_(administrator)
    one = [("update", "越州")]
    assert found(client.get("/audit/?who=REP&action=update")) == one
    assert found(client.get("/audit/?who=nobody")) == []
    assert found(client.get("/audit/?through=page")) == [*one, ("create", "越州")]
    assert found(client.get("/audit/?model=customers.customer")) == [*one, ("create", "越州")]
    assert len(found(client.get(f"/audit/?model=accounts.user&record={rep.pk}"))) == 1


def test_days_are_days_of_the_company(as_, administrator: User, changed: Customer) -> None:
    entries = AuditEntry.objects.filter(model="customers.customer")
    entries.update(at=datetime(2026, 6, 15, 16, 30, tzinfo=UTC))  # 00:30 on the 16th in Shanghai
    client = as_(administrator)

    def count(query: str) -> int:
        return len(found(client.get(f"/audit/?model=customers.customer&{query}")))

    assert count("since=2026-06-16&until=2026-06-16") == 2
    assert count("until=2026-06-15") == 0
    assert count("since=2026-06-17") == 0


@pytest.mark.parametrize(
    "query", ["record=x", "record=99999999999999999999", "since=never", "model=x.y", "cursor=zz"]
)
def test_odd_filters_are_answered_politely(as_, administrator: User, query: str) -> None:
    assert as_(administrator).get(f"/audit/?{query}").status_code == 200


def test_a_page_of_the_log_costs_the_same_however_long(
    as_, administrator: User, rep: User, stranger: User, django_assert_num_queries
) -> None:
    client = as_(administrator)
    for number in range(60):
        customer = make_customer(owner=rep)
        customer.owner = stranger
        customer.save()
        if number in (2, 59):
            # session, user, entries, owners
            with django_assert_num_queries(5):
                client.get("/audit/?model=customers.customer")


def test_the_log_is_turned_page_by_page(as_, administrator: User) -> None:
    for number in range(60):
        make_customer(name=f"{number}")
    client = as_(administrator)
    first = client.get("/audit/?model=customers.customer")
    assert len(found(first)) == 50
    cursor = first.context["page"].next
    second = client.get(f"/audit/?model=customers.customer&cursor={cursor}")
    assert [name for _action, name in found(second)] == [str(n) for n in range(9, -1, -1)]


def test_the_log_leaves_as_csv_one_line_for_each_field(
    as_, administrator: User, changed: Customer
) -> None:
    response = as_(administrator).get(
        f"/audit/?format=csv&model=customers.customer&record={changed.pk}&action=update"
    )
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    rows = list(csv.reader(StringIO(text)))
    assert rows[0][:3] == ["Time", "Who", "Through"]
    assert [row[-3:] for row in rows[1:]] == [
        ["Status", "Active", "Lost"],
        ["Owner", "Rep", "Stranger"],
    ]


def test_entries_of_what_is_gone_are_still_shown() -> None:
    entry = AuditEntry(
        model="gone.thing",
        object_id=1,
        action="update",
        before={"a": True, "b": [1]},
        after={"a": None},
    )
    with translation.override("en"):
        (line,) = history.described([entry])
    assert line.kind == "gone.thing"
    assert [(c.field, c.before, c.after) for c in line.changes] == [
        ("a", "yes", "–"),
        ("b", "1", "–"),
    ]
    lost = AuditEntry(
        model="customers.customer", object_id=1, before={}, after={"owner_id": 424242}
    )
    with translation.override("en"):
        assert history.described([lost])[0].changes[0].after == "no. 424242"


def test_moments_are_shown_in_the_company_s_time() -> None:
    entry = AuditEntry(
        model="accounts.apikey",
        object_id=1,
        before={},
        after={"expires_at": "2026-06-15T16:30:00Z"},
    )
    assert history.described([entry])[0].changes[0].after == "2026-06-16 00:30"


# --- sync log


def make_call(**values: object) -> SyncCall:
    key, _secret = make_key()
    return SyncCall.objects.create(
        resource="orders", key=key, actor=key.user, actor_name=key.name, **values
    )


def test_the_sync_log_counts_each_call(
    as_, administrator: User, manager: User, django_assert_num_queries
) -> None:
    client = as_(administrator)
    call = make_call(received=500, created=480, updated=15, unchanged=3, stale=1, rejected=1)
    with django_assert_num_queries(6):
        page = client.get("/syncs/").content.decode()
    for text in ("Orders", call.actor_name, "480", "15"):
        assert text in page
    make_call()
    make_call()
    # session, user, promises due, calls with their keys, how many there are, keys to pick
    with django_assert_num_queries(6):
        client.get("/syncs/")
    assert as_(manager).get("/syncs/").status_code == 403


def test_a_call_shows_what_was_rejected_and_why(as_, administrator: User) -> None:
    errors = [
        {
            "index": 17,
            "external_id": "SO-9",
            "errors": {"customer": ["No customer has external_id 'C-404'."]},
        },
        {"index": 18, "external_id": None, "errors": {"": ["<b>not</b> an object"]}},
    ]
    call = make_call(received=2, rejected=2, atomic=True, errors=errors)
    page = as_(administrator).get(f"/syncs/{call.pk}/").content.decode()
    assert "SO-9" in page
    assert "No customer has external_id &#x27;C-404&#x27;." in page
    assert "<b>not</b>" not in page
    assert "all or nothing" in page
    assert as_(administrator).get("/syncs/999999/").status_code == 404


# --- jobs


@pytest.mark.parametrize(
    ("language", "cron", "words"),
    [
        ("en", {"minute": "10", "hour": "2"}, "every day at 02:10"),
        ("zh-hans", {"minute": "10", "hour": "2"}, "每天 02:10"),
        ("en", {"minute": "0", "hour": "7", "day_of_week": "1"}, "every Monday at 07:00"),
        ("zh-hans", {"minute": "0", "hour": "7", "day_of_week": "1"}, "每逢星期一 07:00"),
        ("en", {"minute": "5"}, "every hour at minute 5"),
        ("en", {"minute": "*/5"}, "*/5 * * * *"),
        (
            "en",
            {"minute": "0", "hour": "1", "day_of_month": "1", "month_of_year": "2"},
            "0 1 1 2 *",
        ),
        ("en", {"minute": "0", "hour": "1,2"}, "0 1,2 * * *"),
    ],
)
def test_a_schedule_is_told_in_words(language: str, cron: dict[str, str], words: str) -> None:
    with translation.override(language):
        assert schedule.in_words(PeriodicTask(crontab=CrontabSchedule(**cron))) == words


@pytest.mark.parametrize(
    ("every", "period", "words"),
    [(1, "hours", "every hour"), (5, "minutes", "every 5 minutes"), (2, "days", "every 2 days")],
)
def test_an_interval_is_told_in_words(every: int, period: str, words: str) -> None:
    with translation.override("en"):
        task = PeriodicTask(interval=IntervalSchedule(every=every, period=period))
        assert schedule.in_words(task) == words


def test_a_job_is_switched_off_and_on_and_the_log_knows(as_, administrator: User) -> None:
    nightly = CrontabSchedule.objects.create(minute="1", hour="1")
    task = PeriodicTask.objects.create(name="Test job", task="x.y", crontab=nightly)
    client = as_(administrator)
    assert "Test job" in client.get("/jobs/").content.decode()
    client.post(f"/jobs/{task.pk}/", {"enabled": "0"})
    task.refresh_from_db()
    assert not task.enabled
    entry = AuditEntry.objects.of(task).get()
    assert (entry.actor, entry.before, entry.after) == (
        administrator,
        {"enabled": True},
        {"enabled": False},
    )
    client.post(f"/jobs/{task.pk}/", {"enabled": "1"})
    task.refresh_from_db()
    assert task.enabled
    assert client.post("/jobs/999999/").status_code == 404


def test_jobs_are_for_administrators(as_, administrator: User, director: User) -> None:
    assert as_(director).get("/jobs/").status_code == 403
    assert as_(director).post("/jobs/1/").status_code == 403


def test_the_embedded_broker_is_pointed_out(as_, administrator: User, settings) -> None:
    client = as_(administrator)
    settings.REDIS_URL, settings.DEBUG = "", False
    assert "set REDIS_URL" in client.get("/jobs/").content.decode()
    settings.REDIS_URL = "redis://127.0.0.1:6379/0"
    assert "set REDIS_URL" not in client.get("/jobs/").content.decode()


def test_jobs_cost_the_same_however_many(
    as_, administrator: User, django_assert_num_queries
) -> None:
    client = as_(administrator)
    for number in range(12):
        cron = CrontabSchedule.objects.create(minute=str(number))
        PeriodicTask.objects.create(name=f"job {number}", task="x.y", crontab=cron)
        if number in (1, 11):
            with django_assert_num_queries(4):  # session, user, promises due, jobs
                client.get("/jobs/")


def test_one_changed_field_is_named_and_who_is_nobody_is_the_way(
    as_, administrator: User, rep: User, customer: Customer
) -> None:
    with acting(through=Through.JOB):
        customer.phone = "0575-1"
        customer.save()
    with acting(user=rep, through=Through.PAGE):
        customer.phone, customer.address = "0575-2", "1 Main Street"
        customer.save()
    page = as_(administrator).get("/audit/?model=customers.customer&action=update")
    rows = [" ".join(row.split('<span class="phone">')[0].split()) for row in _subs(page)]
    assert rows == ["Rep · changed · Page · 2 fields", "Job · changed · Phone"]


def _subs(page) -> list[str]:
    return [part.split("</summary>")[0] for part in page.content.decode().split('class="sub">')[1:]]
