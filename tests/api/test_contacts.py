"""The contacts resource: one at a time and in lists (P3)."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import AuditEntry, User
from accounts.roles import Role
from customers.models import Contact, Customer
from tests.factories import make_contact, make_customer, make_key, make_user

pytestmark = pytest.mark.django_db

LIST = "/api/v1/contacts/"
FULL = {
    "external_id": "P-1",
    "customer": "C-1",
    "name": "王建国",
    "gender": "male",
    "title": "总经理",
    "phone": "+8613800138000",
    "email": "wang@example.cn",
    "wechat": "wang-1968",
    "birthday": "1968-02-30",
    "birthday_calendar": "lunar",
    "birthday_leap": False,
    "buying_role": "decision_maker",
    "rapport": 82,
    "likes": "龙井",
    "source_updated_at": "2026-06-01T10:00:00+08:00",
}


@pytest.fixture(autouse=True)
def _english(erp: APIClient) -> None:
    erp.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"


@pytest.fixture
def one(rep: User) -> Customer:
    return make_customer(external_id="C-1", owner=rep)


@pytest.fixture
def browser(rep: User) -> APIClient:
    """The rep's own browser."""
    client = APIClient(headers={"Accept-Language": "en"})
    client.force_login(rep)
    return client


def names(answer: Any) -> list[str]:
    return [row["name"] for row in answer.json()["results"]]


def test_a_contact_comes_back_as_it_was_sent(erp, one, time_machine) -> None:
    time_machine.move_to("2026-06-16T12:00:00+08:00", tick=False)
    answer = erp.post(LIST, FULL)
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert {name: body[name] for name in FULL} == FULL
    assert body["customer_id"] == one.pk
    # The 2nd month of the lunar year 2027 has 30 days, which end on 7 April.
    assert body["next_birthday_on"] == "2027-04-06"
    assert (body["has_left"], answer["ETag"]) == (False, '"v1"')
    assert erp.get(answer["Location"]).json() == body
    assert "王建国" in one.card.text


def test_a_name_and_a_customer_are_enough(erp, one) -> None:
    body = erp.post(LIST, {"customer": "C-1", "name": " 王 "}).json()
    assert (body["name"], body["external_id"], body["birthday"]) == ("王", None, "")
    assert (body["birthday_calendar"], body["birthday_leap"]) == ("solar", False)
    assert (body["next_birthday_on"], body["rapport"], body["buying_role"]) == (None, None, "")


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        ({"birthday": "1968-06-16"}, ("1968-06-16", "2026-06-16")),
        ({"birthday": "--06-16"}, ("--06-16", "2026-06-16")),
        ({"birthday": "1968"}, ("1968", None)),
        ({"birthday": ""}, ("", None)),
        ({"birthday": "--02-29"}, ("--02-29", "2027-02-28")),
        ({"birthday": "--05-03", "birthday_calendar": "lunar"}, ("--05-03", "2026-06-17")),
        (
            {"birthday": "1971-05-12", "birthday_calendar": "lunar", "birthday_leap": True},
            ("1971-05-12", "2026-06-26"),
        ),
    ],
)
def test_what_is_known_of_a_birthday(erp, one, time_machine, sent, answered) -> None:
    time_machine.move_to("2026-06-16T12:00:00+08:00", tick=False)
    answer = erp.post(LIST, {"customer": "C-1", "name": "A", **sent})
    assert answer.status_code == 201, answer.content
    assert (answer.json()["birthday"], answer.json()["next_birthday_on"]) == answered


def test_emptying_the_birthday_forgets_the_leap_month(erp, one) -> None:
    contact = make_contact(
        one, birthday_calendar="lunar", birth_month=5, birth_day=12, birthday_leap=True
    )
    url = f"{LIST}{contact.pk}/"
    assert erp.patch(url, {"birthday": ""}).json()["birthday_leap"] is False
    assert erp.patch(url, {"birthday": "--05-12"}).json()["birthday_leap"] is False


@pytest.mark.parametrize(
    ("sent", "field", "words"),
    [
        ({"name": ""}, "name", "blank"),
        ({"name": None}, "name", "null"),
        ({"customer": "C-404"}, "customer", "No customer has external_id 'C-404'."),
        ({"phone": "1380013800"}, "phone", "A mobile number has 11 digits, now 10."),
        ({"email": "x"}, "email", "valid email"),
        ({"gender": "x"}, "gender", "not a valid choice"),
        ({"buying_role": "boss"}, "buying_role", "not a valid choice"),
        ({"rapport": 101}, "rapport", "less than or equal to 100"),
        ({"rapport": -1}, "rapport", "greater than or equal to 0"),
        ({"birthday": "16.6.1968"}, "birthday", "Write a birthday as 1968-05-03"),
        ({"birthday": 5}, "birthday", "Write a birthday as 1968-05-03"),
        ({"birthday": "1968-02-30"}, "birthday", "Month 2 has 29 days at most."),
        ({"birthday": "1899-02-03"}, "birthday", "1900"),
        (
            {"birthday": "2004-02-30", "birthday_calendar": "lunar", "birthday_leap": True},
            "birthday",
            "This month of the lunar year 2004 has 29 days.",
        ),
        (
            {"birthday": "--01-03", "birthday_calendar": "lunar", "birthday_leap": True},
            "birthday",
            "No lunar year has a leap month after month 1.",
        ),
        (
            {"birthday": "--01-03", "birthday_leap": True},
            "birthday",
            "Only the lunar calendar has leap months.",
        ),
        ({"external_id": "TAKEN"}, "external_id", "already exists"),
    ],
)
def test_a_wrong_contact_is_refused_by_field(erp, one, sent, field, words) -> None:
    make_contact(one, external_id="TAKEN")
    answer = erp.post(LIST, {"customer": "C-1", "name": "A", **sent})
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert words in " ".join(answer.json()["errors"][field]), answer.content
    assert Contact.objects.count() == 1


def test_a_phone_that_nobody_could_read_may_be_sent_back(erp, one) -> None:
    contact = make_contact(one, phone="0575-85123456/7")
    url = f"{LIST}{contact.pk}/"
    assert erp.patch(url, {"phone": "0575-85123456/7", "title": "Boss"}).status_code == 200
    assert erp.patch(url, {"phone": "0575-85123456/8"}).status_code == 400


def test_a_change_is_guarded_and_logged_under_the_name_of_the_key(one) -> None:
    key, secret = make_key()
    client = APIClient(headers={"Authorization": f"Bearer {secret}"})
    contact = make_contact(one, name="Old")
    url = f"{LIST}{contact.pk}/"
    read = client.get(url)["ETag"]
    assert client.patch(url, {"name": "New"}, headers={"If-Match": read})["ETag"] == '"v2"'
    assert client.patch(url, {"name": "Late"}, headers={"If-Match": read}).status_code == 412
    assert client.patch(url, {"name": "New"})["ETag"] == '"v2"'  # nothing changed
    entry = AuditEntry.objects.of(contact).first()
    assert entry is not None
    assert (entry.actor_name, entry.before, entry.after) == (
        key.name,
        {"name": "Old"},
        {"name": "New"},
    )


def test_who_goes_to_another_customer_is_found_there_only(erp, one) -> None:
    other = make_customer(external_id="C-2")
    contact = make_contact(one, name="王建国")
    assert erp.patch(f"{LIST}{contact.pk}/", {"customer": "C-2"}).status_code == 200
    one.card.refresh_from_db()
    assert "王建国" not in one.card.text
    assert "王建国" in Customer.objects.get(pk=other.pk).card.text


def test_the_same_idempotency_key_makes_one_contact(erp, one) -> None:
    body = {"customer": "C-1", "name": "A"}
    first = erp.post(LIST, body, headers={"Idempotency-Key": "k"})
    again = erp.post(LIST, body, headers={"Idempotency-Key": "k"})
    assert first.json() == again.json()
    assert Contact.objects.count() == 1


def test_filters_and_search_narrow_the_list(erp, one) -> None:
    other = make_customer(external_id="C-2")
    make_contact(one, name="王建国", buying_role="decision_maker", phone="+8613800138000")
    make_contact(one, name="李秀兰", title="采购经理", buying_role="purchaser", has_left=True)
    make_contact(other, name="赵鹏", email="zhao@example.cn", external_id="P-9")

    def found(**query: Any) -> list[str]:
        return sorted(names(erp.get(LIST, query)))

    assert found(customer="C-2") == ["赵鹏"]
    assert found(customer_id=one.pk) == sorted(["王建国", "李秀兰"])
    assert found(buying_role="purchaser") == ["李秀兰"]
    assert found(has_left="true") == ["李秀兰"]
    assert found(external_id="P-9") == ["赵鹏"]
    assert found(search="建国") == ["王建国"]
    assert found(search="采购经理") == ["李秀兰"]
    assert found(search="138-0013") == ["王建国"]
    assert found(search="ZHAO@") == ["赵鹏"]
    assert found(search="p-9") == ["赵鹏"]
    assert found(updated_since="2100-01-01T00:00:00Z") == []
    assert erp.get(LIST, {"buying_role": "boss"}).status_code == 400
    assert erp.get(LIST, {"role": "x"}).status_code == 400


def test_a_key_needs_the_scopes_of_contacts(one) -> None:
    contact = make_contact(one)
    for scopes, reads, writes in (
        (["customers:read", "customers:write"], 403, 403),
        (["contacts:read"], 200, 403),
        (["contacts:read", "contacts:write"], 200, 200),
    ):
        _key, secret = make_key(scopes=scopes)
        client = APIClient(headers={"Authorization": f"Bearer {secret}"})
        url = f"{LIST}{contact.pk}/"
        assert client.get(url).status_code == reads
        assert client.patch(url, {"title": scopes[-1]}).status_code == writes
        assert client.post(f"{LIST}sync/", [], format="json").status_code == writes


def test_what_is_out_of_sight_does_not_exist(browser, one, stranger) -> None:
    mine = make_contact(one)
    theirs = make_contact(make_customer(external_id="HIDDEN", owner=stranger))
    assert names(browser.get(LIST)) == [mine.name]
    assert browser.get(f"{LIST}{theirs.pk}/").status_code == 404
    assert browser.patch(f"{LIST}{theirs.pk}/", {"name": "x"}).status_code == 404
    refused = browser.post(LIST, {"customer": "HIDDEN", "name": "x"})
    assert refused.json()["errors"] == {"customer": ["No customer has external_id 'HIDDEN'."]}
    assert names(browser.get(LIST, {"customer": "HIDDEN"})) == []


@pytest.mark.parametrize("role", [Role.FINANCE, Role.DIRECTOR, Role.COMPLIANCE])
def test_who_only_reads_cannot_write(one, role) -> None:
    contact = make_contact(one)
    client = APIClient()
    client.force_login(make_user(role=role))
    assert client.get(f"{LIST}{contact.pk}/").status_code == 200
    assert client.patch(f"{LIST}{contact.pk}/", {"name": "x"}).status_code == 403
    assert client.post(LIST, {"customer": "C-1", "name": "x"}).status_code == 403


def test_a_list_costs_the_same_however_long(erp, one) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert erp.get(LIST).status_code == 200
        return len(queries)

    make_contact(one, birthday_calendar="lunar", birth_month=5, birth_day=3)
    erp.get(LIST)
    few = cost()
    for _number in range(5):
        make_contact(birthday_calendar="lunar", birth_month=5, birth_day=3)
    assert cost() == few
