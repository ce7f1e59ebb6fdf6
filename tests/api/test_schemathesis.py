"""Made-up requests to every operation of the served OpenAPI document: no server error, no status
and no body that the document does not know."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from crm.wsgi import application
from tests.factories import (
    make_contact,
    make_customer,
    make_information,
    make_key,
    make_order,
    make_price,
    make_product,
    make_suggestion,
    make_user,
    make_visit,
)
from visits.models import Reminder

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@schemathesis.serializer("application/x-ndjson")
def as_it_is(_context: Any, value: Any) -> bytes:
    """A record to a line is not in JSON Schema: made-up text, and made-up text is refused."""
    return str(value).encode("utf-8", "replace")


document = schemathesis.openapi.from_wsgi("/api/v1/schema/", application)


@pytest.fixture
def one_connection() -> Iterator[None]:
    """Requests end without closing the connection that holds the test's transaction."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def records(db: None, one_connection: None, settings: Any) -> dict[str, Any]:
    """A key for everything, and one record of each resource to aim at."""
    settings.API_RATE_PER_MINUTE = 0
    _key, secret = make_key()
    rep = make_user("rep")
    customer = make_customer(external_id="C-1", owner=rep)
    product = make_product(external_id="SKU-1")
    order = make_order(customer, lines=[(product, "2", "5.00")], external_id="SO-1")
    reminder = Reminder.objects.create(
        occasion="mid_autumn", on=date(2026, 9, 25), customer=customer, user=rep
    )
    return {
        "headers": {"Authorization": f"Bearer {secret}", "Accept-Encoding": "identity"},
        "customers": customer.pk,
        "contacts": make_contact(customer, external_id="P-1").pk,
        "products": product.pk,
        "prices": make_price(product).pk,
        "orders": order.pk,
        "visits": make_visit(customer, rep).pk,
        "reminders": reminder.pk,
        "market-information": make_information(rep).pk,
        "suggestions": make_suggestion(customer, rep, product=product).pk,
    }


@document.parametrize()
@settings(max_examples=5, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_operation_answers_as_documented(
    case: schemathesis.Case[Any], records: dict[str, Any]
) -> None:
    resource = case.path.removeprefix("/api/v1/").split("/")[0]
    if resource in records and str(case.path_parameters.get("id", "")).isdigit():
        case.path_parameters["id"] = records[resource]
    case.call_and_validate(headers=records["headers"], checks=CHECKS)
