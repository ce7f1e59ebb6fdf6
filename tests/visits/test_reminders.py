"""Making and mailing the reminders of the holidays (P30)."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from smtplib import SMTPServerDisconnected

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django_celery_beat.models import PeriodicTask

from accounts.models import AuditEntry, User
from accounts.roles import Role
from customers.models import Customer
from tests.factories import local, make_customer, make_user
from visits.actions import make_reminders, send_reminder_mails
from visits.models import OccasionRule, Reminder
from visits.tasks import mail_reminders, remind

FEAST = date(2026, 6, 19)  # Dragon Boat
TODAY = date(2026, 6, 12)
MORNING = local(2026, 6, 12, 7)


class BrokenServer(EmailBackend):
    """A mail server that hangs up."""

    def send_messages(self, messages):
        raise SMTPServerDisconnected("busy, ask chenli@example.com")


@pytest.fixture
def ranked(rep: User) -> list[Customer]:
    return [make_customer(owner=rep, name=f"{abc} 店", abc=abc) for abc in ("A", "B", "C", None)]


@pytest.mark.parametrize(
    ("today", "made"),
    [
        (date(2026, 6, 11), 0),
        (date(2026, 6, 12), 2),
        (date(2026, 6, 18), 2),  # catching up after a week without a worker
        (date(2026, 6, 19), 2),
        (date(2026, 6, 20), 0),
    ],
)
def test_reminders_are_made_from_seven_days_before_to_the_day(ranked, today, made: int) -> None:
    assert make_reminders(today=today) == made


def test_a_and_b_customers_are_greeted_by_their_owners(ranked, rep: User) -> None:
    make_reminders(today=TODAY)
    made = Reminder.objects.order_by("pk").values_list(
        "customer__abc", "user", "occasion", "on", "done_at"
    )
    assert list(made) == [
        ("A", rep.pk, "dragon_boat", FEAST, None),
        ("B", rep.pk, "dragon_boat", FEAST, None),
    ]


def test_every_reminder_is_made_once(ranked, rep: User) -> None:
    assert make_reminders(today=TODAY) == 2
    assert make_reminders(today=TODAY) == 0
    assert make_reminders(today=FEAST) == 0
    make_customer(owner=rep, abc="A")  # moved up meanwhile
    assert make_reminders(today=FEAST) == 1


def test_nobody_s_customers_and_those_of_people_who_left_are_left_out(db: None) -> None:
    make_customer(abc="A")
    make_customer(abc="A", owner=make_user(is_active=False))
    assert make_reminders(today=TODAY) == 0


def test_the_rules_are_data(ranked) -> None:
    OccasionRule.objects.filter(code="dragon_boat").update(enabled=False)
    assert make_reminders(today=TODAY) == 0
    OccasionRule.objects.filter(code="dragon_boat").update(enabled=True, days_before=0)
    assert make_reminders(today=TODAY) == 0
    assert make_reminders(today=FEAST) == 2


def test_the_next_year_is_a_new_occasion(ranked) -> None:
    make_reminders(today=TODAY)
    assert make_reminders(today=date(2027, 6, 9)) == 2


def test_the_turn_of_the_year_is_crossed(ranked) -> None:
    assert make_reminders(today=date(2026, 12, 29)) == 2
    assert Reminder.objects.earliest("pk").on == date(2027, 1, 1)


def test_a_leap_month_brings_no_second_feast(ranked) -> None:
    """2025 repeats month 6, 2028 month 5: Dragon Boat stays in the plain month 5."""
    assert make_reminders(today=date(2028, 5, 28)) == 2
    assert make_reminders(today=date(2028, 6, 27)) == 0
    assert make_reminders(today=date(2025, 5, 31)) == 2


def test_making_is_in_the_audit_log(ranked) -> None:
    make_reminders(today=TODAY)
    entries = AuditEntry.objects.filter(model="visits.reminder")
    assert entries.count() == 2
    assert {entry.object_id for entry in entries} == set(
        Reminder.objects.values_list("pk", flat=True)
    )


def test_many_customers_cost_no_more_queries(rep: User, django_assert_max_num_queries) -> None:
    Customer.objects.bulk_create(
        [Customer(name=f"C{n}", external_id=f"X-{n}", abc="A", owner=rep) for n in range(300)]
    )
    with django_assert_max_num_queries(24):
        assert make_reminders(today=TODAY) == 300


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_make_each_reminder_once() -> None:
    rep = make_user("rep", role=Role.REP)
    for _ in range(20):
        make_customer(owner=rep, abc="A")
    OccasionRule.objects.update_or_create(
        code="dragon_boat", defaults={"days_before": 7, "enabled": True}
    )

    def work(_: int) -> int:
        try:
            return make_reminders(today=TODAY)
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(work, range(3))) == 20
    assert Reminder.objects.count() == 20


# --- mail


def test_one_mail_per_person_and_occasion_in_her_language(ranked, rep: User) -> None:
    chinese = make_user("chenli", name="陈立", language="zh-hans")
    make_customer(owner=chinese, abc="A", name="柯桥永泰粮油商行")
    make_reminders(today=TODAY)
    assert send_reminder_mails(now=MORNING) == 0
    assert sorted(message.to for message in mail.outbox) == [
        ["chenli@example.com"],
        ["rep@example.com"],
    ]
    hers = next(message for message in mail.outbox if message.to == ["rep@example.com"])
    assert hers.subject == "Dragon Boat Festival: 2 to greet"
    assert "[A] A 店" in hers.body
    assert "[B] B 店" in hers.body
    assert "/visits/reminders/" in hers.body
    assert "&" not in hers.body
    his = next(message for message in mail.outbox if message.to == ["chenli@example.com"])
    assert "柯桥永泰粮油商行" in his.body
    assert "A 店" not in his.body


def test_the_mail_of_a_chinese_reader_is_chinese(db: None) -> None:
    make_customer(owner=make_user("chenli", language="zh-hans"), abc="A")
    make_reminders(today=TODAY)
    send_reminder_mails(now=MORNING)
    assert "端午节" in mail.outbox[0].subject


def test_nothing_is_mailed_twice(ranked) -> None:
    make_reminders(today=TODAY)
    send_reminder_mails(now=MORNING)
    send_reminder_mails(now=MORNING)
    assert len(mail.outbox) == 1
    assert not Reminder.objects.filter(mailed_at=None).exists()


def test_a_broken_mail_server_leaves_them_for_the_next_run(ranked, settings, caplog) -> None:
    make_reminders(today=TODAY)
    settings.EMAIL_BACKEND = "tests.visits.test_reminders.BrokenServer"
    with caplog.at_level(logging.WARNING):
        assert send_reminder_mails(now=MORNING) == 1
    assert Reminder.objects.filter(mailed_at=None).count() == 2
    assert "SMTPServerDisconnected" in caplog.text
    assert "example.com" not in caplog.text
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert send_reminder_mails(now=MORNING) == 0
    assert len(mail.outbox) == 1


def test_without_an_address_it_shows_in_the_product_only(ranked, rep: User) -> None:
    User.objects.filter(pk=rep.pk).update(email="")
    make_reminders(today=TODAY)
    assert send_reminder_mails(now=MORNING) == 0
    assert mail.outbox == []
    assert Reminder.objects.of(rep).current(TODAY).count() == 2


def test_the_mail_goes_to_who_owns_the_customer_now(ranked, rep: User, stranger: User) -> None:
    make_reminders(today=TODAY)
    Customer.objects.filter(abc="A").update(owner=stranger)
    send_reminder_mails(now=MORNING)
    bodies = {message.to[0]: message.body for message in mail.outbox}
    assert "A 店" in bodies["stranger@example.com"]
    assert "A 店" not in bodies["rep@example.com"]


def test_done_and_past_reminders_are_not_mailed(ranked) -> None:
    make_reminders(today=TODAY)
    for reminder in Reminder.objects.all()[:1]:
        reminder.done(MORNING)
    send_reminder_mails(now=local(2026, 6, 20, 7))
    assert mail.outbox == []
    send_reminder_mails(now=MORNING)
    assert mail.outbox[0].subject.endswith("1 to greet")


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_mail_once() -> None:
    rep = make_user("rep", role=Role.REP)
    for _ in range(3):
        Reminder.objects.create(
            occasion="dragon_boat", on=FEAST, customer=make_customer(owner=rep, abc="A"), user=rep
        )

    def work(_: int) -> int:
        try:
            return send_reminder_mails(now=MORNING)
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(work, range(3))) == 0
    assert len(mail.outbox) == 1


# --- the reminder itself, and the job


def test_done_is_said_once(ranked) -> None:
    make_reminders(today=TODAY)
    reminder = Reminder.objects.earliest("pk")
    reminder.done(MORNING)
    reminder.done(local(2026, 6, 13, 9))
    reminder.refresh_from_db()
    assert reminder.done_at == MORNING
    reminder.reopen()
    assert Reminder.objects.open().count() == 2


@pytest.mark.django_db
def test_the_job_runs_every_morning_at_seven() -> None:
    job = PeriodicTask.objects.get(name="Holiday reminders")
    assert (job.task, job.enabled) == ("visits.tasks.remind", True)
    assert (job.crontab.hour, job.crontab.minute, str(job.crontab.timezone)) == (
        "7",
        "0",
        "Asia/Shanghai",
    )


def test_the_job_writes_its_entries_as_a_job(ranked, settings) -> None:
    OccasionRule.objects.update(days_before=90)
    settings.CELERY_TASK_ALWAYS_EAGER = True
    remind.app.conf.task_always_eager = True
    try:
        remind.delay()
    finally:
        remind.app.conf.task_always_eager = False
    assert Reminder.objects.exists()
    entries = AuditEntry.objects.filter(model="visits.reminder")
    assert set(entries.values_list("through", flat=True)) == {"job"}
    assert len(mail.outbox) >= 1
    assert mail_reminders.max_retries == 10
