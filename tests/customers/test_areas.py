"""The area of a file follows its address unless it was given: page, API, sync, stored files."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.core.management import call_command
from rest_framework.test import APIClient

from accounts.models import AuditEntry
from customers import areas
from customers.models import Customer
from tests.factories import make_customer

pytestmark = pytest.mark.django_db
API = "/api/v1/customers/"
SHAOXING, ZHUJI, GULOU = "浙江省绍兴市越城区解放北路1号", "浙江省诸暨市大唐街道", "鼓楼区中山北路"
NOW = datetime(2026, 6, 16, 4, tzinfo=UTC)


def area(customer: Customer) -> tuple[str, str]:
    customer.refresh_from_db()
    return customer.division, customer.division_found


def test_the_api_reads_the_area_from_the_address_and_keeps_a_given_one(erp: APIClient) -> None:
    made = erp.post(API, {"name": "x", "address": SHAOXING}).json()
    assert (made["division"], made["division_found"]) == ("330602", "address")
    url = f"{API}{made['id']}/"
    assert erp.patch(url, {"address": ZHUJI}).json()["division"] == "330681"
    unclear = erp.patch(url, {"address": GULOU}).json()
    assert (unclear["division"], unclear["division_found"]) == ("", "ambiguous")
    given = erp.patch(url, {"division": "320106"}).json()
    assert (given["division"], given["division_found"]) == ("320106", "")
    assert erp.patch(url, {"address": SHAOXING}).json()["division"] == "320106"
    assert erp.patch(url, {"division": ""}).json()["division"] == "330602"
    version = erp.get(url)["ETag"]
    assert erp.put(url, erp.get(url).json())["ETag"] == version


def test_the_sync_reads_the_area_once_and_a_resend_changes_nothing(erp: APIClient) -> None:
    def send(**values: str) -> dict[str, int]:
        body = [{"external_id": "C-1", **values}]
        answer = erp.post(f"{API}sync/", body, format="json").json()
        return {name: n for name in ("created", "updated", "unchanged") if (n := answer[name])}

    assert send(name="x", address=SHAOXING) == {"created": 1}
    file = Customer.objects.get()
    assert area(file) == ("330602", "address")
    assert send(name="x", address=SHAOXING) == {"unchanged": 1}
    assert send(name="x", address=SHAOXING, division="") == {"unchanged": 1}
    assert send(address=GULOU) == {"updated": 1}
    assert area(file) == ("", "ambiguous")
    Customer.objects.update(division="320106", division_found="")  # a person chose
    assert send(name="x", address=GULOU, division="") == {"unchanged": 1}
    assert area(file) == ("320106", "")
    assert send(division="350102") == {"updated": 1}
    assert send(address=SHAOXING, division="350102") == {"updated": 1}
    assert area(file) == ("350102", "")


def test_the_form_lets_a_read_area_follow_the_address(as_, rep, customer) -> None:
    client = as_(rep)
    url = f"/customers/{customer.pk}/edit/"

    def save(**values: str) -> tuple[str, str]:
        customer.refresh_from_db()
        data = {"name": "x", "kind": "dealer", "status": "active", "version": customer.version}
        answer = client.post(url, {**data, **values})
        assert answer.status_code == 302, answer.context["form"].errors
        return area(customer)

    assert save(address=SHAOXING) == ("330602", "address")
    assert save(address=ZHUJI, division="330602 绍兴市 越城区") == ("330681", "address")
    assert save(address=ZHUJI, division="330602") == ("330602", "")
    assert save(address=GULOU, division="330602") == ("330602", "")
    assert save(address=GULOU, division="") == ("", "ambiguous")


def test_an_unclear_area_is_chosen_among_what_fits_and_taken_back(as_, rep, customer) -> None:
    Customer.objects.filter(pk=customer.pk).update(address=GULOU, division_found="ambiguous")
    client = as_(rep)
    page = client.get(f"/customers/{customer.pk}/file/").content.decode()
    assert "江苏省 南京市 鼓楼区" in page
    assert "the address fits more than one area" in page
    answer = client.post(f"/customers/{customer.pk}/area/", {"code": "110101"}, follow=True)
    assert area(customer) == ("", "ambiguous")
    answer = client.post(f"/customers/{customer.pk}/area/", {"code": "320106"}, follow=True)
    assert area(customer) == ("320106", "")
    entry = AuditEntry.objects.of(customer).latest("id")
    assert (entry.actor, entry.after) == (rep, {"division": "320106"})
    undo = f"/customers/{customer.pk}/area/again/"
    assert undo in answer.content.decode()
    client.post(undo)
    assert area(customer) == ("", "ambiguous")


def test_the_list_shows_the_files_whose_area_is_unclear(erp: APIClient) -> None:
    make_customer(division="330602")
    unclear = [make_customer(division_found=state) for state in ("ambiguous", "unknown")]
    found = erp.get(API, {"area_unclear": "true", "ordering": "id"}).json()["results"]
    assert [one["id"] for one in found] == [file.pk for file in unclear]
    assert len(erp.get(API, {"area_unclear": "false"}).json()["results"]) == 1


def test_the_areas_of_stored_files_are_read_in_batches(capsys, monkeypatch) -> None:
    monkeypatch.setattr(areas, "CHUNK", 2)
    found = [make_customer(address=SHAOXING) for _ in range(3)]
    unclear, given = make_customer(address=GULOU), make_customer(address=GULOU, division="330681")
    nowhere = make_customer(address="")
    call_command("find_divisions")
    assert "4 addresses read: 3 found, 1 ambiguous, 0 unknown" in capsys.readouterr().out
    assert [area(file) for file in found] == [("330602", "address")] * 3
    assert area(unclear) == ("", "ambiguous")
    assert area(given) == ("330681", "")
    assert area(nowhere) == ("", "")
    assert (found[0].version, AuditEntry.objects.of(found[0]).count()) == (2, 2)
    call_command("find_divisions")
    call_command("find_divisions", again=True)
    assert "4 addresses read" in capsys.readouterr().out
    found[0].refresh_from_db()
    assert found[0].version == 2


def test_reading_many_addresses_costs_the_same_statements(django_assert_max_num_queries) -> None:
    ids = [make_customer(address=SHAOXING).pk for _ in range(20)]
    with django_assert_max_num_queries(25):  # SQLite updates row by row
        areas.read(ids, now=NOW)
