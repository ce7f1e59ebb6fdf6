"""Hostile and broken input to every bulk sync over HTTP: the bad is named, the good is written,
and nothing is ever a server error."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from rest_framework.test import APIClient

import crm.api
from accounts.models import RejectedRecord, SyncCall
from accounts.sync_api import ENDPOINTS
from crm.lib.bodies import MOST_BYTES
from tests.factories import make_customer, make_key, make_product

pytestmark = pytest.mark.django_db

MANY = "9" * 5000
LONG = "x" * (10 * 1024 * 1024)
DEEP = "[" * 5000 + "]" * 5000
#: The good records that stand around a bad one, by resource; `%s` is the number.
GOOD: dict[str, dict[str, Any]] = {
    "customers": {"name": "Good"},
    "contacts": {"name": "Good", "customer": "C-1"},
    "products": {"name": "Good"},
    "prices": {
        "product": "P-1",
        "dealer_price": "1.00",
        "valid_from": "2026-01-01",
        "valid_to": "2026-01-31",
    },
    "orders": {"customer": "C-1", "ordered_at": "2026-06-01T10:00:00+08:00", "amount": "1.00"},
    "payments": {"customer": "C-1", "paid_at": "2026-06-01T10:00:00+08:00", "amount": "1.00"},
    "stock-reports": {
        "customer": "C-1",
        "reported_at": "2026-06-01T10:00:00+08:00",
        "lines": [{"product": "P-1", "batch": "B", "quantity": "1"}],
    },
    "sell-outs": {
        "customer": "C-1",
        "product": "P-1",
        "sold_at": "2026-06-01T10:00:00+08:00",
        "quantity": "1",
    },
}
#: Records of these stand beside each other only where they do not share their days.
GOOD_B: dict[str, dict[str, Any]] = {
    "prices": {"product": "P-1", "dealer_price": "1.00", "valid_from": "2026-02-01"},
}
COUNTED = '{"product": "P-1", "batch": "B", "produced_on": "2026-01-01", "quantity": 1}'
LINE = '{"line_no": 1, "product": "P-1", "quantity": 1, "unit_price": 1}'

#: Resource, the rest of a record as JSON text, and the field that is named.
BAD: list[tuple[str, str, str]] = [
    *(
        (name, rest, field)
        for name in GOOD
        for rest, field in (
            ('"source_updated_at": "2026-02-29T10:00:00Z"', "source_updated_at"),
            ('"source_updated_at": "2025-06-31T10:00:00Z"', "source_updated_at"),
            ('"source_updated_at": 1780000000', "source_updated_at"),
            ('"source_updated_at": NaN', "source_updated_at"),
            ('"source_updated_at": "9999-12-31T23:59:59-14:00"', "source_updated_at"),
            (f'"unknown": {DEEP}', "non_field_errors"),
            ('"unknown": "\\ud800", "source_updated_at": 5', "unknown"),
        )
    ),
    ("customers", '"name": 7', "name"),
    ("customers", '"name": null', "name"),
    ("customers", '"name": ""', "name"),
    ("customers", '"name": "\\u0000"', "name"),
    ("customers", '"name": "\\ud83d"', "name"),
    ("customers", f'"name": "{LONG}"', "name"),
    ("customers", '"name": ["A"]', "name"),
    ("customers", '"latitude": 1e999', "latitude"),
    ("customers", '"latitude": NaN', "latitude"),
    ("customers", '"latitude": -91', "latitude"),
    ("customers", f'"longitude": {MANY}', "longitude"),
    ("customers", '"founded_on": "2026-02-29"', "founded_on"),
    ("customers", '"founded_on": "0000-01-01"', "founded_on"),
    ("customers", '"buyout": "yes"', "buyout"),
    ("customers", '"tags": {"a": 1}', "tags"),
    ("customers", '"custom": {"a": Infinity}', "custom"),
    ("customers", f'"custom": {{"a": {DEEP}}}', "non_field_errors"),
    ("customers", '"custom": {"\\u0000": 1}', "custom"),
    ("contacts", '"name": {}', "name"),
    ("contacts", '"customer": "C-404"', "customer"),
    ("contacts", '"rapport": 1e999', "rapport"),
    ("contacts", '"rapport": -1', "rapport"),
    ("contacts", '"birthday": "2025-02-29"', "birthday"),
    ("contacts", f'"likes": "{LONG}"', "likes"),
    ("products", '"dealer_price": 1e999', "dealer_price"),
    ("products", '"dealer_price": "NaN"', "dealer_price"),
    ("products", '"dealer_price": -0.01', "dealer_price"),
    ("products", '"retail_price": "10000000000.00"', "retail_price"),
    ("products", '"unit_cost": "1.001"', "unit_cost"),
    ("products", '"launched_on": "2026-02-29"', "launched_on"),
    ("products", '"active": 1', "active"),
    ("products", f'"name": "{LONG}"', "name"),
    ("orders", '"ordered_at": "2026-02-29T10:00:00+08:00"', "ordered_at"),
    ("orders", '"ordered_at": "2026-06-01"', "ordered_at"),
    ("orders", '"customer": 5', "customer"),
    ("orders", '"customer": "C-404"', "customer"),
    ("orders", '"status": "lost"', "status"),
    ("orders", '"amount": NaN', "amount"),
    ("orders", '"amount": 1e999', "amount"),
    ("orders", '"amount": -1', "amount"),
    ("orders", '"amount": "1000000000000.00"', "amount"),
    ("orders", '"amount": "1.001"', "amount"),
    ("orders", '"promotion": "\\ud800"', "promotion"),
    ("orders", '"delivery_division": "999999"', "delivery_division"),
    ("orders", '"lines": "x"', "lines"),
    ("orders", f'"lines": {DEEP}', "non_field_errors"),
    ("orders", f'"lines": [{LINE}, {LINE}]', "lines.1.line_no"),
    ("orders", f'"lines": [{LINE.replace("P-1", "P-404")}]', "lines.0.product"),
    *(
        ("orders", f'"amount": null, "lines": [{LINE.replace(old, new)}]', field)
        for old, new, field in (
            ('"quantity": 1', '"quantity": NaN', "lines"),
            ('"quantity": 1', '"quantity": 1e999', "lines.0.quantity"),
            ('"quantity": 1', '"quantity": -1', "lines.0.quantity"),
            ('"quantity": 1', '"quantity": 0', "lines.0.quantity"),
            ('"quantity": 1', '"quantity": 1e14', "lines.0.quantity"),
            ('"quantity": 1', '"quantity": 0.0001', "lines.0.quantity"),
            ('"quantity": 1', f'"quantity": {MANY}', "lines.0.quantity"),
            ('"unit_price": 1', '"unit_price": -1', "lines.0.unit_price"),
            ('"unit_price": 1', '"unit_price": "1e10"', "lines.0.unit_price"),
            ('"line_no": 1', '"line_no": 0', "lines.0.line_no"),
            ('"line_no": 1', '"line_no": 2147483648', "lines.0.line_no"),
            ('"line_no": 1', '"line_no": true', "lines.0.line_no"),
            ('"P-1"', "null", "lines.0.product"),
            ('"P-1"', '"\\u0000"', "lines"),
            ('"P-1"', f'"{LONG}"', "lines.0.product"),
        )
    ),
    ("prices", '"product": "P-404"', "product"),
    ("prices", '"product": 7', "product"),
    ("prices", '"dealer_price": 1e999', "dealer_price"),
    ("prices", '"dealer_price": NaN', "dealer_price"),
    ("prices", '"dealer_price": null', "dealer_price"),
    ("prices", '"dealer_price": "10000000000.00"', "dealer_price"),
    ("prices", '"retail_price": "-0.01"', "retail_price"),
    ("prices", f'"retail_price": {MANY}', "retail_price"),
    ("prices", '"valid_from": "2026-02-29"', "valid_from"),
    ("prices", '"valid_from": "2026-01-01T00:00:00Z"', "valid_from"),
    ("prices", '"valid_to": "0000-01-01"', "valid_to"),
    ("prices", '"valid_to": "2025-12-31"', "valid_to"),
    ("payments", '"customer": "C-404"', "customer"),
    ("payments", '"customer": {}', "customer"),
    ("payments", '"order": "SO-404"', "order"),
    ("payments", '"paid_at": "2026-02-29T10:00:00+08:00"', "paid_at"),
    ("payments", '"paid_at": "2026-06-01"', "paid_at"),
    ("payments", '"amount": NaN', "amount"),
    ("payments", '"amount": 1e999', "amount"),
    ("payments", '"amount": 0', "amount"),
    ("payments", '"amount": "1000000000000.00"', "amount"),
    ("payments", f'"amount": {MANY}', "amount"),
    ("payments", '"method": "\\ud800"', "method"),
    ("payments", f'"method": "{LONG}"', "method"),
    ("stock-reports", '"customer": "C-404"', "customer"),
    ("stock-reports", '"customer": ""', "customer"),
    ("stock-reports", '"reported_at": "2026-02-29T10:00:00+08:00"', "reported_at"),
    ("stock-reports", '"reported_at": "2026-06-01"', "reported_at"),
    ("stock-reports", '"reported_at": null', "reported_at"),
    ("stock-reports", '"reported_at": "2199-01-01T00:00:00Z"', "reported_at"),
    ("stock-reports", '"reported_at": "9999-12-31T23:59:59-14:00"', "reported_at"),
    ("stock-reports", '"lines": []', "lines"),
    ("stock-reports", '"lines": null', "lines"),
    ("stock-reports", '"lines": "x"', "lines"),
    ("stock-reports", '"lines": [7]', "lines.0"),
    ("stock-reports", f'"lines": {DEEP}', "non_field_errors"),
    ("stock-reports", f'"lines": [{", ".join([COUNTED] * 1001)}]', "lines"),
    ("stock-reports", f'"lines": [{COUNTED}, {COUNTED}]', "lines.1.batch"),
    ("stock-reports", f'"lines": [{COUNTED.replace("P-1", "P-404")}]', "lines.0.product"),
    *(
        ("stock-reports", f'"lines": [{COUNTED.replace(old, new)}]', field)
        for old, new, field in (
            ('"quantity": 1', '"quantity": NaN', "lines"),
            ('"quantity": 1', '"quantity": 1e999', "lines.0.quantity"),
            ('"quantity": 1', '"quantity": -1', "lines.0.quantity"),
            ('"quantity": 1', '"quantity": "-0.001"', "lines.0.quantity"),
            ('"quantity": 1', '"quantity": 1e11', "lines.0.quantity"),
            ('"quantity": 1', '"quantity": 0.0001', "lines.0.quantity"),
            ('"quantity": 1', '"quantity": null', "lines.0.quantity"),
            ('"quantity": 1', f'"quantity": {MANY}', "lines.0.quantity"),
            ('"2026-01-01"', '"2026-06-02"', "lines.0.produced_on"),
            ('"2026-01-01"', '"2026-02-29"', "lines.0.produced_on"),
            ('"2026-01-01"', '"0001-01-01"', "lines.0.produced_on"),
            ('"2026-01-01"', "20260101", "lines.0.produced_on"),
            ('"B"', f'"{"b" * 51}"', "lines.0.batch"),
            ('"B"', '"\\u0000"', "lines"),
            ('"P-1"', "null", "lines.0.product"),
            ('"P-1"', f'"{LONG}"', "lines.0.product"),
        )
    ),
    ("sell-outs", '"customer": "C-404"', "customer"),
    ("sell-outs", '"product": "P-404"', "product"),
    ("sell-outs", '"product": []', "product"),
    ("sell-outs", '"sold_at": "2026-02-29T10:00:00+08:00"', "sold_at"),
    ("sell-outs", '"sold_at": "2026-06-01"', "sold_at"),
    ("sell-outs", '"sold_at": "2199-01-01T00:00:00Z"', "sold_at"),
    ("sell-outs", '"quantity": 0', "quantity"),
    ("sell-outs", '"quantity": NaN', "quantity"),
    ("sell-outs", '"quantity": 1e999', "quantity"),
    ("sell-outs", '"quantity": "100000000000.000"', "quantity"),
    ("sell-outs", '"quantity": 0.0001', "quantity"),
    ("sell-outs", f'"quantity": {MANY}', "quantity"),
    ("sell-outs", '"quantity": null', "quantity"),
    ("sell-outs", '"unit_price": -1', "unit_price"),
    ("sell-outs", '"unit_price": "1e10"', "unit_price"),
    ("sell-outs", '"unit_price": true', "unit_price"),
    ("sell-outs", '"buyer_division": "999999"', "buyer_division"),
    ("sell-outs", '"buyer_division": "5110251"', "buyer_division"),
]


def test_every_resource_of_the_sync_is_attacked() -> None:
    assert crm.api.urlpatterns  # the endpoints are there
    assert set(GOOD) == set(ENDPOINTS)
    assert {name for name, _rest, _field in BAD} == set(GOOD)


@pytest.fixture
def client() -> APIClient:
    make_customer(external_id="C-1")
    make_product(external_id="P-1")
    _key, secret = make_key()
    return APIClient(
        headers={"Authorization": f"Bearer {secret}", "Accept-Language": "en"},
    )


def stored(name: str) -> set[str]:
    model = ENDPOINTS[name].resource.model
    found = model._default_manager.exclude(external_id__in=("C-1", "P-1"))
    return set(found.values_list("external_id", flat=True))


def good(name: str, number: str) -> str:
    values = GOOD_B.get(name, GOOD[name]) if number == "B" else GOOD[name]
    return json.dumps({"external_id": number, **values})


@pytest.mark.parametrize("by_line", [False, True], ids=["array", "lines"])
@pytest.mark.parametrize(
    ("name", "rest", "field"), BAD, ids=[f"{n}-{rest[:40]}" for n, rest, _f in BAD]
)
def test_a_bad_record_is_named_and_the_good_ones_are_written(
    client: APIClient, name: str, rest: str, field: str, by_line: bool
) -> None:
    given = {key for key in GOOD[name] if f'"{key}":' in rest}
    others = {key: value for key, value in GOOD[name].items() if key not in given}
    bad = json.dumps({"external_id": "BAD", **others})[:-1] + f", {rest}}}"
    records = [good(name, "A"), bad, good(name, "B")]
    body = "\n".join(records) if by_line else f"[{', '.join(records)}]"
    kind = "application/x-ndjson" if by_line else "application/json"
    answer = client.generic("POST", f"/api/v1/{name}/sync/", body, content_type=kind)
    assert answer.status_code == 200, answer.content[:500]
    told = answer.json()
    assert (told["created"], told["rejected"]) == (2, 1)
    (error,) = told["errors"]
    assert (error["index"], set(error["errors"])) == (1, {field})
    assert all(text and len(text) < 1000 for texts in error["errors"].values() for text in texts)
    assert stored(name) == {"A", "B"}
    kept = RejectedRecord.objects.get()
    assert kept.errors == error["errors"]
    assert kept.body == (bad if len(bad) < 64 * 1024 else "")


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda body: body[:-1], 400),
        (lambda body: body[: len(body) // 2], 400),
        (lambda body: body[1:], 400),
        (lambda body: body + b"]", 400),
        (lambda body: body.replace(b"A", b"\xff", 1), 400),
        (lambda body: body.decode().encode("utf-16"), 400),
        (lambda body: b'{"records": ' + body + b"}", 400),
        (lambda body: b"[" * 100_000, 400),
        (lambda body: body[:-1] + b', "' + b"x" * MOST_BYTES + b'"]', 413),
    ],
    ids=["cut", "half", "headless", "two ends", "latin", "utf-16", "object", "deep", "huge"],
)
def test_a_broken_body_is_refused_as_a_whole(
    client: Any, name: str, change: Callable[[bytes], bytes], status: int
) -> None:
    body = change(f"[{good(name, 'A')}, {good(name, 'B')}]".encode())
    answer = client.generic("POST", f"/api/v1/{name}/sync/", body, content_type="application/json")
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"]
    assert not stored(name)
    assert not SyncCall.objects.exists()


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "gzip, identity", "x"])
def test_compressed_bodies_are_refused_unread(client: Any, name: str, encoding: str) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    answer = client.generic(
        "POST",
        f"/api/v1/{name}/sync/",
        bomb,
        content_type="application/json",
        headers={"Content-Encoding": encoding},
    )
    assert answer.status_code == 415
    assert not SyncCall.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["application/json", "application/x-ndjson"])
@pytest.mark.parametrize(
    ("headers", "sent"),
    [
        ("Content-Length: {more}", 1.0),
        ("Content-Length: {all}", 0.5),
        ("Content-Length: {half}", 1.0),
        ("Content-Length: x", 1.0),
        ("Content-Length: -1", 1.0),
        ("Content-Length: 99999999999999999999", 1.0),
        ("Transfer-Encoding: chunked", 1.0),
    ],
    ids=["too long", "cut off", "too short", "no number", "negative", "enormous", "chunked"],
)
def test_a_wrong_length_is_refused_and_writes_nothing(
    live_server, settings, kind: str, headers: str, sent: float
) -> None:
    """On a socket of our own: no client library sends these."""
    _key, secret = make_key()
    body = f"[{good('products', 'A')}]".encode()
    if kind != "application/json":
        body = good("products", "A").encode() + b"\n"
    length = headers.format(all=len(body), more=len(body) + 10, half=len(body) // 2)
    host = urlsplit(live_server.url)
    request = (
        f"POST /api/v1/products/sync/ HTTP/1.1\r\nHost: {host.netloc}\r\n"
        f"Authorization: Bearer {secret}\r\nContent-Type: {kind}\r\n"
        f"Connection: close\r\n{length}\r\n\r\n"
    ).encode()
    with socket.create_connection((host.hostname, host.port), timeout=10) as line:
        line.sendall(request + body[: int(len(body) * sent)])
        line.shutdown(socket.SHUT_WR)
        answer = line.makefile("rb").readline().decode()
    # Of lines, a server cannot tell that there was more: the broken one is rejected.
    half_a_line = "ndjson" in kind and "{half}" in headers
    assert answer.split()[1] in ({"200"} if half_a_line else {"400", "413"}), answer
    assert not stored("products")
