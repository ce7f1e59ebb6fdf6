"""The names integrations rely on: the contract's, compared with the served OpenAPI document."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

CUSTOMERS = """external_id name kind status parent owner division address latitude longitude phone
    email tax_id founded_on buyout tags custom source_updated_at id abc loyalty key_account tiers
    completeness created_at updated_at"""
CONTACTS = """external_id customer name gender title phone email wechat birthday birthday_calendar
    birthday_leap next_birthday_on buying_role rapport likes"""
PRODUCTS = "external_id name category unit dealer_price retail_price launched_on active"
PRICES = """external_id product dealer_price retail_price valid_from valid_to source_updated_at id
    created_at updated_at"""
TERMS = """id valid_from minimum_order least_dealer_margin least_own_margin keeps_payments
    created_at updated_at"""
ORDERS = """external_id customer ordered_at status delivery_address delivery_division payment_method
    promotion lines amount source_updated_at id findings held"""
PAYMENTS = "external_id customer order paid_at amount method"
STOCK_REPORTS = "external_id customer reported_at lines"
SELL_OUTS = "external_id customer product sold_at quantity unit_price buyer_division"
VISITS = """customer scheduled_for purpose status checked_in_at latitude longitude accuracy_m
    distance_m answers client_id"""
#: Resource → the fields that an answer holds.
FIELDS = {
    "customers": CUSTOMERS,
    "contacts": CONTACTS,
    "products": PRODUCTS,
    "prices": PRICES,
    "trade-terms": TERMS,
    "orders": ORDERS,
    "payments": PAYMENTS,
    "stock-reports": STOCK_REPORTS,
    "sell-outs": SELL_OUTS,
    "visits": VISITS,
    "tier-runs": "id state progress as_of counts moved",
    "webhooks": "id name url events active failing_since last_delivered_at created_at updated_at",
    "webhook-deliveries": """id webhook event event_id occurred_at data state attempts
        next_attempt_at delivered_at status_code error duration_ms""",
}
READ_ONLY = {
    "customers": "id abc loyalty key_account tiers completeness created_at updated_at",
    "contacts": "id next_birthday_on",
    "orders": "id findings held",
    "visits": "distance_m",
}
OPERATIONS = """
    get customers/             post customers/            post customers/sync/
    get customers/{id}/        put customers/{id}/        patch customers/{id}/
    get customers/{id}/timeline/                          get customers/{id}/stats/
    get contacts/              post contacts/             post contacts/sync/
    get contacts/{id}/         put contacts/{id}/         patch contacts/{id}/
    get customers/{id}/profile/                           patch customers/{id}/profile/
    get reports/completeness/  get reports/customer-share/
    get reports/retention/     get reports/pareto/
    get products/              post products/             post products/sync/
    get products/{id}/         put products/{id}/         patch products/{id}/
    get prices/                post prices/               post prices/sync/
    get prices/{id}/           put prices/{id}/           patch prices/{id}/
    get trade-terms/           post trade-terms/
    get trade-terms/{id}/      put trade-terms/{id}/      patch trade-terms/{id}/
    get orders/                post orders/               post orders/sync/
    get orders/{id}/           put orders/{id}/           patch orders/{id}/
    get payments/              get payments/{id}/         post payments/sync/
    get stock-reports/         get stock-reports/{id}/    post stock-reports/sync/
    get sell-outs/             get sell-outs/{id}/        post sell-outs/sync/
    get visits/                post visits/               get visits/{id}/
    get reminders/             post reminders/{id}/done/  get occasions/
    get tier-policies/         post tier-policies/
    get tier-runs/             post tier-runs/
    get tier-runs/{id}/        get tier-runs/{id}/changes/
    get webhooks/              post webhooks/             get webhooks/{id}/
    patch webhooks/{id}/       delete webhooks/{id}/      post webhooks/{id}/ping/
    post webhooks/{id}/rotate-secret/                     post webhooks/{id}/replay/
    get webhook-deliveries/    get webhook-deliveries/{id}/
    post webhook-deliveries/{id}/replay/
"""
CHOICES = {
    ("customers", "kind"): "distributor dealer outlet group_buyer",
    ("customers", "status"): "prospect active dormant lost",
    ("contacts", "birthday_calendar"): "solar lunar",
    ("contacts", "buying_role"): "decision_maker influencer purchaser user",
    ("orders", "status"): "draft confirmed shipped completed cancelled returned",
    ("stock-reports", "source"): "visit dealer import api",
    ("visits", "status"): "planned checked_in done missed cancelled",
    ("tier-runs", "state"): "queued running done failed",
    ("webhook-deliveries", "state"): "waiting delivered dead",
}
SYNCED = (
    *("customers", "contacts", "products", "prices", "orders", "payments"),
    *("stock-reports", "sell-outs"),
)
#: Read or synced; people enter them on a page.
NOT_POSTED = {"payments", "stock-reports", "sell-outs"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    answer = Client().get("/api/v1/schema/")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    return dict(answer.json())


def schema_of(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """`schema` with what it refers to."""
    if "$ref" in schema:
        return schema_of(document, document["components"]["schemas"][schema["$ref"].split("/")[-1]])
    parts = schema.get("allOf", schema.get("oneOf", []))
    if len(parts) == 1:
        return schema_of(document, parts[0])
    return schema


def record(document: dict[str, Any], resource: str) -> dict[str, Any]:
    """The schema of one record in an answer."""
    operation = document["paths"][f"/api/v1/{resource}/{{id}}/"]["get"]
    content = operation["responses"]["200"]["content"]["application/json"]
    return schema_of(document, content["schema"])


def test_the_document_is_openapi_3_1(document) -> None:
    assert document["openapi"].startswith("3.1")


@pytest.mark.parametrize("operation", re.split(r"\s{2,}", OPERATIONS.strip()))
def test_the_operation_is_offered(document, operation: str) -> None:
    method, path = operation.split()
    assert method in document["paths"].get(f"/api/v1/{path}", {})


@pytest.mark.parametrize("resource", FIELDS)
def test_the_fields_have_the_names_of_the_contract(document, resource: str) -> None:
    assert set(FIELDS[resource].split()) <= set(record(document, resource)["properties"])


@pytest.mark.parametrize("resource", READ_ONLY)
def test_what_is_read_only_cannot_be_sent(document, resource: str) -> None:
    content = document["paths"][f"/api/v1/{resource}/"]["post"]["requestBody"]["content"]
    sent = schema_of(document, content["application/json"]["schema"])["properties"]
    assert not set(READ_ONLY[resource].split()) & set(sent)


@pytest.mark.parametrize(("resource", "field"), CHOICES)
def test_the_choices_are_those_of_the_contract(document, resource: str, field: str) -> None:
    schema = schema_of(document, record(document, resource)["properties"][field])
    parts = [schema_of(document, part) for part in schema.get("oneOf", [schema])]
    choices = [choice for part in parts for choice in part["enum"] if choice]
    assert choices == CHOICES[resource, field].split()


def test_the_lines_and_the_tiers_have_their_names(document) -> None:
    lines = record(document, "orders")["properties"]["lines"]
    line = schema_of(document, lines["items"])["properties"]
    assert set(line) == {"line_no", "product", "quantity", "unit_price", "batch"}
    counted = record(document, "stock-reports")["properties"]["lines"]
    line = schema_of(document, counted["items"])["properties"]
    assert set(line) == {"product", "batch", "produced_on", "quantity"}
    tiers = schema_of(document, record(document, "customers")["properties"]["tiers"])
    assert set(tiers["properties"]) == {"abc", "loyalty", "score", "reason", "as_of"}


@pytest.mark.parametrize("resource", SYNCED)
def test_a_sync_answers_in_the_shape_of_the_contract(document, resource: str) -> None:
    operation = document["paths"][f"/api/v1/{resource}/sync/"]["post"]
    assert {"application/json", "application/x-ndjson"} <= set(operation["requestBody"]["content"])
    content = operation["responses"]["200"]["content"]["application/json"]
    counted = schema_of(document, content["schema"])["properties"]
    names = "received created updated unchanged stale rejected errors"
    assert set(counted) == set(names.split())


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_operation_says_how_it_refuses(document) -> None:
    for method, path, operation in operations(document):
        wanted = {"400", "401", "403", "404", "405", "406", "429"}
        if method not in {"get", "delete"}:
            wanted |= {"409", "413", "415", "422"}
        if method in {"put", "patch"}:
            wanted.add("412")
        assert wanted <= set(operation["responses"]), (method, path)
        for status in wanted:
            content = operation["responses"][status]["content"]
            assert list(content) == ["application/problem+json"], (method, path, status)


def test_every_list_is_paged_by_cursor(document) -> None:
    for resource in FIELDS:
        operation = document["paths"][f"/api/v1/{resource}/"]["get"]
        names = {parameter["name"] for parameter in operation["parameters"]}
        assert {"cursor", "page_size", "ordering"} <= names, resource
        content = operation["responses"]["200"]["content"]["application/json"]
        page = schema_of(document, content["schema"])
        assert set(page["properties"]) == {"next", "previous", "results"}


def test_creating_takes_an_idempotency_key_and_changing_an_if_match(document) -> None:
    for resource in set(SYNCED) - NOT_POSTED:
        names = {
            (method, parameter["name"])
            for path in (f"/api/v1/{resource}/", f"/api/v1/{resource}/{{id}}/")
            for method, operation in document["paths"][path].items()
            for parameter in operation.get("parameters", [])
        }
        assert {("post", "Idempotency-Key"), ("put", "If-Match"), ("patch", "If-Match")} <= names


def test_the_document_is_in_english_whoever_asks(document) -> None:
    answer = Client().get("/api/v1/schema/", headers={"Accept-Language": "zh-hans"})
    assert answer.json() == document
    assert not re.search(r"[\u4e00-\u9fff]", answer.content.decode())


def test_the_interactive_docs_need_no_internet() -> None:
    for path in ("/api/v1/docs/", "/api/v1/docs/?script="):
        answer = Client().get(path)
        assert answer.status_code == 200
        assert not re.search(r"https?://(?!127|localhost)", answer.content.decode())
    policy = Client().get("/api/v1/docs/")["Content-Security-Policy"]
    assert "script-src 'self';" in f"{policy};"
