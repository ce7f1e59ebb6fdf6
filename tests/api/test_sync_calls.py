"""Bulk sync as a caller sees it: formats, limits, answers, scopes, languages."""

from __future__ import annotations

import gzip
import json

import pytest
from rest_framework.test import APIClient

from accounts.models import AuditEntry, SyncCall
from customers.models import Customer
from tests.factories import make_customer, make_key, make_user

pytestmark = pytest.mark.django_db

URLS = [f"/api/v1/{name}/sync/" for name in ("customers", "products", "orders")]
CUSTOMERS, PRODUCTS, ORDERS = URLS


def post(client, url, body, content_type="application/json", **headers):
    if not isinstance(body, bytes):
        body = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return client.generic("POST", url, body, content_type=content_type, headers=headers)


def test_the_answer_has_the_shape_of_the_contract(erp):
    make_customer(external_id="C-1", name="Old")
    make_customer(external_id="C-2", name="Same")
    body = [
        {"external_id": "C-1", "name": "New"},
        {"external_id": "C-2", "name": "Same"},
        {"external_id": "C-3", "name": "Three", "parent": "C-404"},
        {"external_id": "C-4", "name": "Four", "source_updated_at": "2026-06-01T08:00:00Z"},
        {"external_id": "C-4", "name": "Older", "source_updated_at": "2026-05-01T08:00:00Z"},
    ]
    answer = post(erp, CUSTOMERS, body, accept_language="en")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    assert answer.json() == {
        "received": 5,
        "created": 1,
        "updated": 1,
        "unchanged": 1,
        "stale": 1,
        "rejected": 1,
        "errors": [
            {
                "index": 2,
                "external_id": "C-3",
                "errors": {"parent": ["No customer has external_id 'C-404'."]},
            }
        ],
    }


@pytest.mark.parametrize("url", URLS)
def test_an_empty_list_does_nothing(erp, url):
    answer = post(erp, url, [])
    assert answer.status_code == 200
    assert answer.json() == dict.fromkeys(
        ("received", "created", "updated", "unchanged", "stale", "rejected"), 0
    ) | {"errors": []}


def test_ndjson_costs_a_broken_line_only(erp):
    lines = [
        '{"external_id": "C-1", "name": "One"}',
        "",
        '{"external_id": ',
        '{"external_id": "C-2", "name": "Two"}',
        "",
    ]
    kind = "application/x-ndjson; charset=utf-8"
    answer = post(erp, CUSTOMERS, "\n".join(lines), content_type=kind)
    assert answer.json()["created"] == 2
    assert [(e["index"], e["external_id"]) for e in answer.json()["errors"]] == [(1, None)]


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b'[{"external_id": "A", "name": "A"}',
        b'[{"external_id": "\xff"}]',
        b"[" * 99_999,
    ],
)
def test_a_body_that_cannot_be_read_is_400_and_writes_nothing(erp, url, body):
    answer = post(erp, url, body)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"]
    assert not Customer.objects.exists()
    assert not SyncCall.objects.exists()


def test_more_than_ten_thousand_records_are_413(erp):
    body = b"[" + b",".join(b'{"external_id":"%d"}' % n for n in range(10_001)) + b"]"
    answer = post(erp, CUSTOMERS, body, accept_language="en")
    assert answer.status_code == 413
    assert "10000 records" in answer.json()["detail"]


def test_more_than_32_mib_are_413(erp):
    answer = post(erp, CUSTOMERS, b" " * (32 * 1024**2 + 1), accept_language="en")
    assert answer.status_code == 413
    assert answer["Content-Type"] == "application/problem+json"
    assert "32 MiB" in answer.json()["detail"]


def test_exactly_32_mib_are_read(erp):
    body = b'[{"external_id": "C-1", "name": "One"}]'
    assert post(erp, CUSTOMERS, body.ljust(32 * 1024**2)).json()["created"] == 1


@pytest.mark.parametrize(
    ("content_type", "headers"),
    [
        ("text/csv", {}),
        ("application/x-www-form-urlencoded", {}),
        ("multipart/form-data; boundary=x", {}),
        ("", {}),
        ("application/json", {"content_encoding": "gzip"}),
    ],
)
def test_other_formats_are_415(erp, content_type, headers):
    body = gzip.compress(b"[]") if headers else b"[]"
    answer = post(erp, CUSTOMERS, body, content_type=content_type, **headers)
    assert answer.status_code == 415
    assert answer["Content-Type"] == "application/problem+json"


def test_atomic_writes_nothing_when_one_record_is_rejected(erp):
    body = [{"external_id": "C-1", "name": "One"}, {"external_id": "C-2"}]
    answer = post(erp, f"{CUSTOMERS}?atomic=true", body, accept_language="en")
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == 422
    assert problem["detail"] == "Nothing was written, because some records were rejected."
    assert problem["errors"] == [
        {"index": 1, "external_id": "C-2", "errors": {"name": ["This field is required."]}}
    ]
    assert (problem["received"], problem["created"], problem["rejected"]) == (2, 0, 1)
    assert not Customer.objects.exists()
    assert not AuditEntry.objects.filter(through="sync").exists()


def test_atomic_writes_everything_when_all_is_well(erp):
    answer = post(erp, f"{CUSTOMERS}?atomic=1", [{"external_id": "C-1", "name": "One"}])
    assert answer.json()["created"] == 1


def test_atomic_is_true_or_false(erp):
    answer = post(erp, f"{CUSTOMERS}?atomic=perhaps", [])
    assert answer.status_code == 400
    assert "atomic" in answer.json()["errors"]


@pytest.mark.parametrize("url", URLS)
def test_without_a_key_401_and_without_the_scope_403(url):
    assert post(APIClient(), url, []).status_code == 401
    _key, secret = make_key(scopes=["customers:read", "products:read", "orders:read"])
    answer = post(APIClient(), url, [], authorization=f"Bearer {secret}")
    assert answer.status_code == 403
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("url", URLS)
def test_only_post_is_taken(erp, url):
    for method in (erp.get, erp.put, erp.patch, erp.delete):
        assert method(url).status_code == 405


def test_a_session_needs_csrf(administrator):
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(administrator)
    assert post(client, CUSTOMERS, []).status_code == 403
    client.get("/customers/")  # a page brings the token
    token = client.cookies["csrftoken"].value
    answer = post(client, CUSTOMERS, [{"external_id": "C-1", "name": "One"}], x_csrftoken=token)
    assert (answer.status_code, answer.json()["created"]) == (200, 1)


def test_errors_follow_accept_language(erp):
    body = [{"external_id": "C-1"}, {"external_id": "C-2", "name": 7}]

    def told(language: str) -> list[list[str]]:
        answer = post(erp, CUSTOMERS, body, accept_language=language)
        return [error["errors"]["name"] for error in answer.json()["errors"]]

    assert told("en") == [["This field is required."], ["Give a text."]]
    assert told("zh-hans")[1] == ["请填写文本。"]


def test_each_call_is_logged_with_the_key_and_what_became_of_it(db):
    key, secret = make_key()
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    answer = post(client, CUSTOMERS, [{"external_id": "C-1", "name": "One"}, {}]).json()
    call = SyncCall.objects.get()
    assert (call.resource, call.actor, call.key, call.actor_name) == (
        "customers",
        key.user,
        key,
        key.name,
    )
    counts = (call.received, call.created, call.updated, call.unchanged, call.stale, call.rejected)
    assert counts == (2, 1, 0, 0, 0, 1)
    assert call.errors == answer["errors"]
    (entry,) = AuditEntry.objects.filter(through="sync")
    assert (entry.actor_name, entry.key, entry.action) == (key.name, key, "create")
    assert (entry.object_name, entry.after["external_id"]) == ("One", "C-1")


def test_the_audit_log_says_before_and_after(erp):
    one = make_customer(external_id="C-1", name="Old", phone="1")
    post(erp, CUSTOMERS, [{"external_id": "C-1", "name": "New", "phone": "1", "tags": ["x"]}])
    entry = AuditEntry.objects.get(through="sync", object_id=one.pk)
    assert (entry.action, entry.model) == ("update", "customers.customer")
    assert entry.before == {"name": "Old", "tags": []}
    assert entry.after == {"name": "New", "tags": ["x"]}


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize(
    "record",
    [
        {"external_id": "A", "name": "\x00"},
        {"external_id": "\x00"},
        {"external_id": "A", "source_updated_at": "9999-12-31T23:59:59-14:00"},
        {"external_id": "A", "latitude": "1e999", "dealer_price": "1e999", "amount": "1e999"},
        {"external_id": "A", "name": "x" * 201, "customer": "x" * 101},
        {"external_id": {"a": 1}},
        {"external_id": "A", "name": ["A"], "customer": 5, "lines": "x"},
    ],
)
def test_bad_records_are_rejected_never_a_server_error(erp, url, record):
    answer = post(erp, url, [record])
    assert answer.status_code == 200
    assert answer.json()["rejected"] == 1


def test_a_role_without_the_permission_may_not_sync(rep):
    client = APIClient()
    client.force_login(rep)
    assert post(client, ORDERS, []).status_code == 403
    assert post(client, PRODUCTS, []).status_code == 403
    assert post(client, CUSTOMERS, []).status_code == 200


def test_a_key_acts_within_the_sight_of_its_account(stranger):
    hers = make_customer(external_id="C-1", name="Hers", owner=make_user())
    _key, secret = make_key(stranger)
    body = [{"external_id": "C-1", "name": "Mine now"}, {"external_id": "C-2", "name": "New"}]
    answer = post(
        APIClient(), CUSTOMERS, body, authorization=f"Bearer {secret}", accept_language="en"
    ).json()
    assert answer["errors"] == [
        {
            "index": 0,
            "external_id": "C-1",
            "errors": {"external_id": ["This external_id cannot be used."]},
        }
    ]
    hers.refresh_from_db()
    assert hers.name == "Hers"
    assert Customer.objects.get(external_id="C-2").owner == stranger
