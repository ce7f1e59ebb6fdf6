"""Visits, reminders and occasions over REST."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.timezone import localtime
from rest_framework.test import APIClient

from accounts.models import AuditEntry, User
from customers.models import Customer
from tests.factories import make_customer, make_key, make_product, make_visit
from visits.models import Reminder, Visit

FULL: dict[str, Any] = {"sales": "normal", "new_need": False, "new_products": [], "care": ["met"]}
VISITS = "/api/v1/visits/"


def api(user: User, *scopes: str) -> APIClient:
    _key, secret = make_key(user, scopes=list(scopes) or None)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client


def ago(**values: int) -> str:
    return (localtime() - timedelta(**values)).isoformat(timespec="seconds")


def test_a_visit_is_planned(rep: User, customer: Customer) -> None:
    answer = api(rep).post(
        VISITS, {"customer": customer.pk, "scheduled_for": "2027-02-05T10:00:00+08:00"}
    )
    assert answer.status_code == 201, answer.json()
    made = answer.json()
    assert made["status"] == "planned"
    assert made["rep"] == "rep"
    assert made["scheduled_for"] == "2027-02-05T10:00:00+08:00"
    assert answer["Location"].endswith(f"/api/v1/visits/{made['id']}/")
    assert answer["ETag"]


def test_a_whole_visit_comes_in_one_call(rep: User) -> None:
    make_product(external_id="NEW")
    customer = make_customer(owner=rep, latitude="30.08", longitude="120.49")
    answer = api(rep).post(
        VISITS,
        {
            "client_id": str(uuid4()),
            "customer": customer.pk,
            "status": "done",
            "checked_in_at": ago(hours=1),
            "latitude": "30.08100012345",
            "longitude": 120.49,
            "accuracy_m": 18,
            "distance_m": 5,
            "answers": {**FULL, "new_products": ["NEW"]},
            "words": "再便宜点 🙂",
        },
    )
    assert answer.status_code == 201, answer.json()
    made = answer.json()
    assert (made["status"], made["latitude"], made["distance_m"]) == ("done", "30.081000", 111)
    customer.refresh_from_db()
    assert customer.last_visited_on == (localtime() - timedelta(hours=1)).date()
    assert AuditEntry.objects.filter(model="visits.visit", through="api").exists()


def test_the_same_client_id_is_the_same_visit(rep: User, customer: Customer) -> None:
    client = api(rep)
    body = {"client_id": str(uuid4()), "customer": customer.pk, "checked_in_at": ago(minutes=5)}
    first = client.post(VISITS, body)
    second = client.post(VISITS, {**body, "purpose": "again"})
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert Visit.objects.count() == 1


def test_a_client_id_of_somebody_else_s_visit_is_refused(rep, stranger, customer) -> None:
    number = uuid4()
    make_visit(make_customer(owner=stranger), stranger, client_id=number)
    answer = api(rep).post(
        VISITS,
        {"client_id": str(number), "customer": customer.pk, "checked_in_at": ago(minutes=5)},
    )
    assert answer.status_code in (400, 409)
    assert Visit.objects.count() == 1


def test_the_erp_books_a_visit_for_the_owner(erp: APIClient, rep: User, customer) -> None:
    answer = erp.post(VISITS, {"customer": customer.pk, "scheduled_for": ago(hours=-5)})
    assert answer.json()["rep"] == "rep"


def test_step_by_step_like_a_person(rep: User, customer: Customer) -> None:
    client = api(rep)
    visit = make_visit(customer, rep, scheduled_for=localtime())
    url = f"{VISITS}{visit.pk}/"
    answer = client.patch(url, {"status": "checked_in", "latitude": "30", "longitude": "120"})
    assert answer.json()["checked_in_at"], answer.json()
    refused = client.patch(url, {"status": "done", "answers": {"sales": "slow"}})
    assert refused.status_code == 400
    assert len(refused.json()["errors"]["answers"]) == 3
    assert client.patch(url, {"answers": {"sales": "slow"}}).json()["answers"] == {"sales": "slow"}
    done = client.patch(url, {"status": "done", "answers": FULL})
    assert done.json()["status"] == "done"
    assert client.patch(url, {"status": "planned"}).status_code == 400
    customer.refresh_from_db()
    assert customer.last_visited_on == timezone.localdate()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"customer": "C-1"}, "customer"),
        ({"customer": 999_999_999}, "customer"),
        ({"customer": 10**30}, "customer"),
        ({"customer": True}, "customer"),
        ({"customer": None}, "customer"),
        ({"rep": "stranger"}, "rep"),
        ({"scheduled_for": "tomorrow"}, "scheduled_for"),
        ({"scheduled_for": "2026-06-16T10:00:00"}, "scheduled_for"),
        ({"scheduled_for": None}, "scheduled_for"),
        ({"scheduled_for": "9999-12-31T23:59:59+08:00"}, "scheduled_for"),
        ({"status": "over"}, "status"),
        ({"client_id": "1"}, "client_id"),
        ({"latitude": 91, "longitude": 0}, "latitude"),
        ({"latitude": "NaN", "longitude": 0}, "latitude"),
        ({"latitude": "1e99", "longitude": 0}, "latitude"),
        ({"latitude": 30}, "latitude"),
        ({"accuracy_m": -1}, "accuracy_m"),
        ({"accuracy_m": 10**12}, "accuracy_m"),
        ({"purpose": "x" * 201}, "purpose"),
        ({"words": "x" * 2001}, "words"),
        ({"answers": []}, "answers"),
        ({"answers": {"sales": "great"}}, "answers"),
        ({"answers": {"new_products": ["no such"]}}, "answers"),
        ({"status": "done"}, "answers"),
    ],
)
def test_bad_input_is_named(rep, stranger, customer, change: dict[str, Any], field: str) -> None:
    body = {"customer": customer.pk, "scheduled_for": ago(hours=1), **change}
    answer = api(rep).post(VISITS, body)
    assert answer.status_code == 400, answer.json()
    assert answer["Content-Type"].startswith("application/problem+json")
    assert field in answer.json()["errors"], answer.json()
    assert not Visit.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"status": "checked_in", "checked_in_at": ago(hours=-1)},
        {"status": "missed", "scheduled_for": ago(hours=-1)},
        {"answers": FULL},
    ],
)
def test_what_cannot_be_is_refused(rep: User, customer: Customer, change: dict[str, Any]) -> None:
    body = {"customer": customer.pk, "scheduled_for": ago(hours=1), **change}
    assert api(rep).post(VISITS, body).status_code == 400
    assert not Visit.objects.exists()


def test_an_old_version_does_not_overwrite(rep: User, customer: Customer) -> None:
    client = api(rep)
    visit = make_visit(customer, rep)
    url = f"{VISITS}{visit.pk}/"
    old = client.get(url)["ETag"]
    assert client.patch(url, {"purpose": "a"}, HTTP_IF_MATCH=old).status_code == 200
    assert client.patch(url, {"purpose": "b"}, HTTP_IF_MATCH=old).status_code == 412


def test_out_of_sight_is_not_there(rep: User, stranger: User, customer: Customer) -> None:
    visit = make_visit(customer, rep)
    reminder = Reminder.objects.create(
        occasion="qingming", on=date(2027, 4, 5), customer=customer, user=rep
    )
    client = api(stranger)
    assert client.get(f"{VISITS}{visit.pk}/").status_code == 404
    assert client.patch(f"{VISITS}{visit.pk}/", {"purpose": "x"}).status_code == 404
    assert client.get(VISITS).json()["results"] == []
    assert client.post(f"/api/v1/reminders/{reminder.pk}/done/").status_code == 404
    assert client.get("/api/v1/reminders/").json()["results"] == []
    assert APIClient().get(VISITS).status_code == 401
    assert api(rep, "customers:read").get(VISITS).status_code == 403
    assert api(rep, "visits:read").post(VISITS, {}).status_code == 403


def test_lists_cost_the_same_however_many_rows(rep: User, manager: User) -> None:
    for number in range(20):
        customer = make_customer(owner=rep)
        make_visit(customer, rep, status=["planned", "done"][number % 2])
        Reminder.objects.create(
            occasion="qingming", on=date(2027, 4, 5), customer=customer, user=rep
        )
    client = api(manager)

    def cost(url: str, rows: int) -> int:
        with CaptureQueriesContext(connection) as queries:
            found = client.get(url, {"page_size": rows}).json()["results"]
        assert len(found) == rows
        return len(queries)

    for url in (VISITS, "/api/v1/reminders/"):
        cost(url, 1)  # the key notes its first use
        assert cost(url, 1) == cost(url, 20) <= 12


@pytest.mark.parametrize(
    "query",
    [
        {"customer": "x"},
        {"customer": "1e40"},
        {"scheduled_from": "0001-01-01"},
        {"scheduled_to": "tomorrow"},
        {"status": "x"},
        {"rep": "nobody"},
        {"client_id": "1"},
        {"updated_since": "x"},
        {"search": "\x00"},
    ],
)
def test_bad_filters_are_refused(rep: User, query: dict[str, str]) -> None:
    assert api(rep).get(VISITS, query).status_code == 400


def test_search_looks_at_customer_and_purpose(rep: User) -> None:
    make_visit(make_customer(owner=rep, name="甲店"), rep, purpose="补货")
    make_visit(make_customer(owner=rep, name="乙店"), rep)
    client = api(rep)
    assert len(client.get(VISITS, {"search": "甲"}).json()["results"]) == 1
    assert len(client.get(VISITS, {"search": "补货"}).json()["results"]) == 1


def test_a_reminder_is_done_once(rep: User, customer: Customer) -> None:
    reminder = Reminder.objects.create(
        occasion="qingming", on=date(2027, 4, 5), customer=customer, user=rep
    )
    client = api(rep)
    url = f"/api/v1/reminders/{reminder.pk}/done/"
    first, second = client.post(url), client.post(url)
    assert first.status_code == second.status_code == 200
    assert first.json()["done_at"] == second.json()["done_at"]


def test_occasions_of_a_range(erp: APIClient) -> None:
    answer = erp.get("/api/v1/occasions/", {"from": "2026-06-01", "to": "2026-10-01"})
    assert answer.json() == [
        {"code": "dragon_boat", "on": "2026-06-19"},
        {"code": "mid_autumn", "on": "2026-09-25"},
        {"code": "national_day", "on": "2026-10-01"},
    ]
    assert len(erp.get("/api/v1/occasions/").json()) >= 6


@pytest.mark.parametrize(
    "query",
    [
        {"from": "2026-06-02", "to": "2026-06-01"},
        {"from": "2000-01-01", "to": "2026-06-01"},
        {"from": "2026-02-29"},
        {"from": "yesterday"},
        {"from": "1899-12-31"},
        {"to": "2101-01-01"},
        {"to": "9999-12-31"},
    ],
)
def test_a_bad_range_is_refused(erp: APIClient, query: dict[str, str]) -> None:
    answer = erp.get("/api/v1/occasions/", query, HTTP_ACCEPT_LANGUAGE="zh-hans")
    assert answer.status_code == 400
    assert answer.json()["errors"]


def test_the_last_year_of_the_calendar_is_whole(erp: APIClient) -> None:
    assert erp.get("/api/v1/occasions/", {"from": "2100-09-01"}).status_code == 200
