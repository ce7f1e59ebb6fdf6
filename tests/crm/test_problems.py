"""Every refusal below /api/ is problem details, in the reader's language."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.db import DatabaseError
from django.test import Client
from django.utils import translation
from rest_framework.test import APIClient

from accounts.models import User
from crm.lib.problems import problem
from customers.models import Customer
from tests.factories import PASSWORD, make_customer, make_key

pytestmark = pytest.mark.django_db


def check(answer, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    body = dict(answer.json())
    assert body["type"] == f"urn:kehu:problem:{code}"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    return body


def test_no_key_is_401(client: Client) -> None:
    answer = client.get("/api/v1/customers/")
    check(answer, 401, "not_authenticated")
    assert answer["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["Bearer", "Bearer a b", "Bearer wrong", "Bearer 钥匙"])
def test_a_wrong_key_is_401(client: Client, header: str) -> None:
    as_sent = header.encode().decode("latin-1")
    answer = client.get("/api/v1/customers/", headers={"Authorization": as_sent})
    check(answer, 401, "authentication_failed")


def test_a_key_without_the_scope_is_403() -> None:
    _key, secret = make_key(scopes=["products:read"])
    client = APIClient(headers={"Authorization": f"Bearer {secret}"})
    check(client.get("/api/v1/customers/"), 403, "permission_denied")
    check(client.post("/api/v1/products/", {}), 403, "permission_denied")
    assert client.get("/api/v1/products/").status_code == 200


@pytest.mark.parametrize(
    "path",
    ["", "customers", "nonsense/", "customers/abc/", "customers/1/nonsense/", "客户/", "a%00b/"],
)
@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "options"])
def test_an_unknown_address_is_404(erp, path: str, method: str) -> None:
    check(getattr(erp, method)(f"/api/v1/{path}"), 404, "not_found")


@pytest.mark.parametrize("pk", ["0", "999999", "9" * 18])
def test_an_unknown_record_is_404(erp, pk: str) -> None:
    check(erp.get(f"/api/v1/customers/{pk}/"), 404, "not_found")
    check(erp.patch(f"/api/v1/customers/{pk}/", {"name": "x"}), 404, "not_found")


@pytest.mark.parametrize("method", ["delete", "options"])
def test_a_method_that_is_not_offered_is_405(erp, customer, method: str) -> None:
    answer = getattr(erp, method)(f"/api/v1/customers/{customer.pk}/")
    check(answer, 405, "method_not_allowed")
    assert "DELETE" not in answer["Allow"]


def test_a_format_that_is_not_offered_is_406(erp, customer) -> None:
    check(erp.get("/api/v1/customers/", headers={"Accept": "text/csv"}), 406, "not_acceptable")


@pytest.mark.parametrize("content_type", ["text/plain", "multipart/form-data; boundary=x", "x"])
def test_a_body_of_another_kind_is_415(erp, content_type: str) -> None:
    answer = erp.post("/api/v1/customers/", b"a", content_type=content_type)
    check(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[1", b"NaN", b"[" * 100_000])
def test_a_body_that_is_not_json_is_400(erp, body: bytes) -> None:
    answer = erp.post("/api/v1/customers/", body, content_type="application/json")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("body", ["[]", "1", '"x"', "null", "true"])
def test_a_body_that_is_no_record_is_400(erp, body: str) -> None:
    answer = erp.post("/api/v1/customers/", body.encode(), content_type="application/json")
    check(answer, 400, "invalid")


def test_a_body_beyond_a_mebibyte_is_413(erp) -> None:
    body = b'{"name": "' + b"a" * 1024 * 1024 + b'"}'
    check(erp.post("/api/v1/customers/", body, content_type="application/json"), 413, "too_large")


def test_a_browser_without_the_csrf_token_is_403(rep: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.login(username=rep.username, password=PASSWORD)
    answer = client.post("/api/v1/customers/", {"name": "x"}, content_type="application/json")
    check(answer, 403, "permission_denied")
    assert not Customer.objects.exists()


def test_too_many_requests_are_429(erp, settings) -> None:
    settings.API_RATE_PER_MINUTE = 1
    answers = [erp.get("/api/v1/products/") for _ in range(3)]
    check(answers[-1], 429, "throttled")
    assert 1 <= int(answers[-1]["Retry-After"]) <= 60


@pytest.mark.parametrize(
    ("accepted", "language"), [("en", "en"), ("zh-hans", "zh-hans"), ("zh-CN", "zh-hans")]
)
def test_messages_follow_accept_language(erp, accepted: str, language: str) -> None:
    answer = erp.post("/api/v1/customers/", {}, headers={"Accept-Language": accepted})
    with translation.override(language):
        message = translation.gettext("This field is required.")
    assert message.isascii() == (language == "en")
    assert check(answer, 400, "invalid")["errors"] == {"name": [message]}


def test_what_nobody_foresaw_is_a_500_that_logs_no_personal_data(
    erp, customer, caplog, monkeypatch
) -> None:
    phone = "138" + "0" * 8

    def broken(_self, _user):
        raise DatabaseError(f"duplicate key (phone)=({phone})")

    monkeypatch.setattr(type(Customer.objects.all()), "visible_to", broken)
    erp.raise_request_exception = False
    with caplog.at_level(logging.ERROR):
        answer = erp.get("/api/v1/customers/")
    check(answer, 500, "broken")
    logged = caplog.text
    assert "DatabaseError in CustomerViewSet" in logged
    assert phone not in logged
    assert phone not in answer.content.decode()


def test_nested_fields_are_named_by_their_path(erp, customer) -> None:
    answer = erp.post(
        "/api/v1/orders/",
        {
            "customer": customer.external_id,
            "ordered_at": "2026-06-01T10:00:00+08:00",
            "lines": [
                {"line_no": 1, "product": "X", "quantity": "1", "unit_price": "1.00"},
                {"line_no": 2, "product": "X", "quantity": "0", "unit_price": "1.00"},
            ],
        },
        headers={"Accept-Language": "en"},
    )
    errors = check(answer, 400, "invalid")["errors"]
    assert set(errors) == {"lines.0.product", "lines.1.product", "lines.1.quantity"}


def test_the_members_are_those_of_rfc_9457() -> None:
    body = problem(409, code="conflict", detail="Twice.", errors={"a": ["b"]})
    assert list(body) == ["type", "title", "status", "detail", "errors"]


def test_an_answer_is_kept_in_no_cache(erp) -> None:
    make_customer()
    assert "no-store" in erp.get("/api/v1/customers/")["Cache-Control"]
