"""What holds for every page of visits: who sees it, what it costs, both languages."""

from __future__ import annotations

import gzip
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client
from django.utils import timezone

from accounts.models import User
from customers.models import Customer
from tests.factories import make_customer, make_visit
from tests.visits.records import FULL, noon
from visits.models import Reminder, Visit


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("get", "/visits/{visit}/"),
        ("get", "/visits/{visit}/edit/"),
        ("post", "/visits/{visit}/edit/"),
        ("post", "/visits/{visit}/check-in/"),
        ("post", "/visits/{visit}/cancel/"),
        ("post", "/visits/{visit}/missed/"),
        ("get", "/visits/of-customer/{customer}/"),
        ("get", "/visits/sightings/of-customer/{customer}/"),
        ("get", "/visits/new/?customer={customer}"),
        ("get", "/visits/plan/?customer={customer}"),
        ("post", "/visits/reminders/{reminder}/done/"),
    ],
)
def test_what_is_out_of_sight_is_not_there(as_, stranger, customer, method, url) -> None:
    rep = customer.owner
    visit = make_visit(customer, rep)
    reminder = Reminder.objects.create(
        occasion="qingming", on=timezone.localdate(), customer=customer, user=rep
    )
    url = url.format(visit=visit.pk, customer=customer.pk, reminder=reminder.pk)
    assert getattr(as_(stranger), method)(url).status_code == 404
    assert getattr(as_(rep), method)(url).status_code in (200, 302)
    anonymous = getattr(Client(), method)(url)
    assert anonymous["Location"].startswith("/login/")


@pytest.mark.parametrize("pk", ["0", "99999999999999999999", "999999999999"])
def test_numbers_that_nobody_has(as_, rep: User, pk: str) -> None:
    client = as_(rep)
    assert client.get(f"/visits/{pk}/").status_code == 404
    assert client.get(f"/visits/new/?customer={pk}").status_code == 404


@pytest.mark.parametrize("value", ["x", "-1", "1.5", "²"])
def test_customers_that_are_no_number(as_, rep: User, value: str) -> None:
    assert as_(rep).get("/visits/new/", {"customer": value}).status_code == 404


def test_in_sight_but_not_allowed(as_, finance: User, rep: User, customer: Customer) -> None:
    visit = make_visit(customer, rep)
    client = as_(finance)
    assert client.get(f"/visits/{visit.pk}/").status_code == 200
    assert client.get(f"/visits/{visit.pk}/edit/").status_code == 403
    assert client.get("/visits/today/").status_code == 403
    assert client.post("/visits/plan/", {"customer": customer.pk}).status_code == 403
    assert client.get("/visits/cadences/").status_code == 403


@pytest.fixture
def busy_day(rep: User, manager: User) -> User:
    """A rep with many visits, reminders and overdue customers."""
    today = timezone.localdate()
    for number in range(12):
        customer = make_customer(owner=rep, abc="AB"[number % 2])
        make_visit(customer, rep, scheduled_for=noon() + timedelta(minutes=number))
        Reminder.objects.create(occasion="mid_autumn", on=today, customer=customer, user=rep)
    for _ in range(8):
        make_customer(owner=rep, abc="C")
        make_visit(make_customer(owner=rep), rep, scheduled_for=noon() - timedelta(days=2))
    return rep


@pytest.mark.parametrize(
    ("url", "queries"),
    [
        ("/visits/today/", 14),
        ("/visits/", 7),
        ("/visits/overdue/", 8),
        ("/visits/reminders/", 7),
        ("/visits/new/", 4),
    ],
)
def test_pages_cost_the_same_however_many_rows(
    as_, busy_day: User, django_assert_num_queries, url: str, queries: int
) -> None:
    client = as_(busy_day)
    with django_assert_num_queries(queries):
        client.get(url)


def test_the_team_s_day_costs_the_same_however_many_rows(
    as_, manager: User, busy_day, django_assert_num_queries
) -> None:
    client = as_(manager)
    with django_assert_num_queries(15):
        client.get("/visits/today/")


def test_one_visit_costs_the_same_however_many_there_are(
    as_, rep: User, busy_day, django_assert_num_queries
) -> None:
    visit = Visit.objects.latest("pk")
    client = as_(rep)
    with django_assert_num_queries(7):
        client.get(f"/visits/{visit.pk}/")
    with django_assert_num_queries(5):
        client.get(f"/visits/of-customer/{visit.customer_id}/")


def test_the_first_page_on_the_phone_is_at_most_60_kb(as_, rep: User, busy_day) -> None:
    page = as_(rep).get("/visits/today/").content
    weight = len(gzip.compress(page, 6))
    paths = re.findall(rb'(?:href|src)="/static/([^"?]+)', page)
    assert len(paths) >= 6
    for path in paths:
        found = finders.find(path.decode())
        assert found, path
        weight += len(gzip.compress(Path(found).read_bytes(), 9))
    assert weight <= 60 * 1024, f"{weight:,} bytes"


@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
def test_every_page_is_there_in_both_languages(as_, rep, customer, busy_day, language: str) -> None:
    User.objects.filter(pk=rep.pk).update(language=language)
    rep.refresh_from_db()
    visit = make_visit(customer, rep, status="done", checked_in_at=noon(), answers=FULL)
    client = as_(rep)
    heading = {"en": "Today", "zh-hans": "今天"}[language]
    assert f"<h1>{heading}</h1>" in client.get("/visits/today/").content.decode()
    for url in (
        f"/visits/{visit.pk}/",
        f"/visits/new/?customer={customer.pk}",
        "/visits/",
        "/visits/overdue/",
        "/visits/reminders/",
    ):
        assert client.get(url).status_code == 200
