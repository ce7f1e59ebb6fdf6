"""The profile of a customer over the API (P1)."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from accounts.models import AuditEntry, User
from customers.models import Customer, Profile, Supplier
from tests.factories import make_customer, make_key

FULL = {
    "capital": "500000.00",
    "staff_count": 12,
    "yearly_sales": "3000000.00",
    "credit_standing": "good",
    "buys": "酱油、食醋",
    "yearly_purchase": "800000.00",
    "purchase_rhythm": "monthly",
    "purchase_months": [1, 9],
    "favourites": "头道酱油",
    "past_categories": ["饮料"],
    "promotion_attitude": "open",
    "suggestions": "外箱加厚",
    "product_satisfaction": 8,
    "service_satisfaction": 6,
}


def url(customer: Customer) -> str:
    return f"/api/v1/customers/{customer.pk}/profile/"


@pytest.fixture(autouse=True)
def _english(erp: APIClient) -> None:
    erp.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"


def test_p1_a_customer_nobody_asked_has_an_empty_profile(erp, customer: Customer) -> None:
    answer = erp.get(url(customer))
    assert answer.status_code == 200
    assert answer["ETag"] == '"v0"'
    body = answer.json()
    assert (body["capital"], body["buys"], body["purchase_months"]) == (None, "", [])
    assert body["suppliers"] == []
    assert not Profile.objects.exists()


def test_p1_a_profile_comes_back_as_it_was_sent(erp, customer: Customer) -> None:
    rivals = [{"name": "Rival", "supplies": "oil", "satisfaction": 4}, {"name": "Other"}]
    answer = erp.patch(url(customer), {**FULL, "suppliers": rivals})
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert {name: body[name] for name in FULL} == FULL
    told = [(one["name"], one["supplies"], one["satisfaction"]) for one in body["suppliers"]]
    assert told == [("Rival", "oil", 4), ("Other", "", None)]
    again = erp.get(url(customer))
    assert again.json() == body
    assert again["ETag"] == answer["ETag"]


def test_what_is_not_sent_stays_and_suppliers_are_replaced(erp, customer: Customer) -> None:
    first = erp.patch(url(customer), {**FULL, "suppliers": [{"name": "A"}, {"name": "B"}]}).json()
    kept = first["suppliers"][1]
    lines = [{"id": kept["id"], "name": "B", "satisfaction": 9}, {"name": "C"}]
    body = erp.patch(url(customer), {"suppliers": lines}).json()
    assert {name: body[name] for name in FULL} == FULL
    assert [one["name"] for one in body["suppliers"]] == ["B", "C"]
    assert body["suppliers"][0]["id"] == kept["id"]
    assert erp.patch(url(customer), {"staff_count": None}).json()["suppliers"] == body["suppliers"]


def test_an_old_version_changes_nothing(erp, customer: Customer) -> None:
    seen = erp.patch(url(customer), {"staff_count": 1})["ETag"]
    changed = erp.patch(url(customer), {"suppliers": [{"name": "A"}]}, headers={"If-Match": seen})
    assert changed.status_code == 200
    late = erp.patch(url(customer), {"staff_count": 2}, headers={"If-Match": seen})
    assert late.status_code == 412
    assert Profile.objects.get().staff_count == 1


def test_what_is_sent_again_is_not_written(erp, customer: Customer) -> None:
    body = {**FULL, "suppliers": [{"name": "A", "satisfaction": 3}]}
    first = erp.patch(url(customer), body)
    sent_back = {name: value for name, value in first.json().items() if not name.endswith("_at")}
    assert erp.patch(url(customer), sent_back)["ETag"] == first["ETag"]
    assert AuditEntry.objects.filter(model="customers.profile").count() == 1


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"capital": "-1"}, "capital"),
        ({"capital": "x"}, "capital"),
        ({"staff_count": -1}, "staff_count"),
        ({"staff_count": 10**20}, "staff_count"),
        ({"credit_standing": "best"}, "credit_standing"),
        ({"purchase_months": [13]}, "purchase_months"),
        ({"purchase_months": "1"}, "purchase_months"),
        ({"past_categories": ["x" * 51]}, "past_categories"),
        ({"product_satisfaction": 11}, "product_satisfaction"),
        ({"product_satisfaction": 0}, "product_satisfaction"),
        ({"suppliers": [{"name": ""}]}, "suppliers.0.name"),
        ({"suppliers": [{"name": "x", "satisfaction": 11}]}, "suppliers.0.satisfaction"),
        ({"suppliers": [{"id": 999, "name": "x"}]}, "suppliers"),
        ({"suppliers": [{"id": 10**30, "name": "x"}]}, "suppliers"),
        ({"suppliers": [{"name": "x"}] * 31}, "suppliers"),
        ({"suppliers": "x"}, "suppliers"),
        ({"suppliers": [None]}, "suppliers.0"),
    ],
)
def test_what_cannot_be_is_refused_by_name(erp, customer: Customer, sent, field: str) -> None:
    answer = erp.patch(url(customer), sent)
    assert answer.status_code == 400, answer.content
    assert any(name.startswith(field) for name in answer.json()["errors"]), answer.json()
    assert not Profile.objects.exists()


def test_a_supplier_of_another_customer_cannot_be_named(erp, customer: Customer, rep) -> None:
    theirs = Supplier.objects.create(customer=make_customer(owner=rep), name="Theirs")
    answer = erp.patch(url(customer), {"suppliers": [{"id": theirs.pk, "name": "Mine"}]})
    assert answer.status_code == 400
    theirs.refresh_from_db()
    assert theirs.name == "Theirs"


def test_a_profile_out_of_sight_is_not_there(stranger: User, customer: Customer) -> None:
    _key, secret = make_key(stranger, scopes=["customers:read", "customers:write"])
    client = APIClient(headers={"Authorization": f"Bearer {secret}"})
    assert client.get(url(customer)).status_code == 404
    assert client.patch(url(customer), FULL).status_code == 404


def test_reading_is_not_writing(customer: Customer) -> None:
    _key, secret = make_key(scopes=["customers:read"])
    client = APIClient(headers={"Authorization": f"Bearer {secret}"})
    assert client.get(url(customer)).status_code == 200
    assert client.patch(url(customer), FULL).status_code == 403


def test_the_list_shows_completeness_without_a_query_for_each(
    erp, django_assert_max_num_queries
) -> None:
    for number in range(12):
        customer = make_customer()
        if number % 2:
            Profile.objects.create(customer=customer, yearly_sales=1)
    erp.get("/api/v1/customers/")
    with django_assert_max_num_queries(12):
        rows = erp.get("/api/v1/customers/").json()["results"]
    assert sorted({row["completeness"] for row in rows}) == [0, 5]
