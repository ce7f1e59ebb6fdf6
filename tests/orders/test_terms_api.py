"""P36: the trade terms by API and as a file; and chips for what a link narrows the orders to."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from accounts.models import AuditEntry
from orders import crediting
from orders.models import TradeTerms
from tests.factories import make_key, make_user

pytestmark = pytest.mark.django_db
URL = "/api/v1/trade-terms/"


@pytest.fixture
def terms() -> TradeTerms:
    return TradeTerms.objects.create(
        valid_from=date(2026, 1, 1), minimum_order="10000.00", least_own_margin="12.50"
    )


def test_p36_terms_are_read_made_and_changed(erp, terms):
    made = erp.post(URL, {"valid_from": "2026-07-01", "minimum_order": "8000.00"}, format="json")
    assert made.status_code == 201
    assert made.json()["keeps_payments"] is True
    url = f"{URL}{made.json()['id']}/"
    answer = erp.patch(url, {"minimum_order": None}, format="json", HTTP_IF_MATCH=made["ETag"])
    assert answer.json()["minimum_order"] is None
    assert TradeTerms.objects.on(date(2026, 7, 1)).minimum_order is None
    stale = erp.patch(url, {"minimum_order": "5"}, format="json", HTTP_IF_MATCH=made["ETag"])
    assert stale.status_code == 412
    listed = erp.get(f"{URL}?begins_from=2026-02-01&ordering=-valid_from").json()["results"]
    assert [one["valid_from"] for one in listed] == ["2026-07-01"]
    assert len(AuditEntry.objects.of(TradeTerms.objects.get(pk=made.json()["id"]))) == 2


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"valid_from": "2026-01-01"}, "valid_from"),
        ({"valid_from": "2026-07-01", "minimum_order": "-1"}, "minimum_order"),
        ({"valid_from": "2026-07-01", "least_own_margin": "101"}, "least_own_margin"),
        ({}, "valid_from"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(erp, terms, values, field):
    answer = erp.post(URL, values, format="json")
    assert answer.status_code == 400
    assert field in answer.json()["errors"]
    assert TradeTerms.objects.count() == 1


def test_who_may_not_see_costs_neither_reads_nor_changes_our_margin(terms):
    _key, secret = make_key(make_user(role="rep"), scopes=["prices:read"])
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    assert client.get(f"{URL}{terms.pk}/").json()["least_own_margin"] is None
    assert client.patch(f"{URL}{terms.pk}/", {}, format="json").status_code == 403


def test_switching_payments_off_by_api_has_everybody_worked_out_again(
    erp, terms, monkeypatch, django_capture_on_commit_callbacks
):
    sent: list[str] = []
    monkeypatch.setattr(crediting, "send", sent.append)
    with django_capture_on_commit_callbacks(execute=True):
        erp.patch(f"{URL}{terms.pk}/", {"keeps_payments": False}, format="json")
    assert sent == ["orders.tasks.settle_credit_nightly"]


@pytest.mark.parametrize(("role", "sees"), [("finance", True), ("rep", False)])
def test_terms_leave_as_a_file(as_, terms, role, sees):
    client = as_(make_user(role=role))
    answer = client.get(reverse("orders:terms-export"), {"format": "csv"})
    text = b"".join(answer.streaming_content).decode().lstrip("\ufeff")
    (row,) = csv.DictReader(io.StringIO(text))
    assert "10000.00" in row.values()
    assert ("12.50" in row.values()) is sees
    page = client.get(reverse("orders:terms")).content.decode()
    assert reverse("orders:terms-export") in page


def test_p36_a_link_of_the_reconciliation_leaves_its_chips(as_, finance):
    client = as_(finance)
    url = reverse("orders:list")
    names = [field.name for field in client.get(url).context["chips"]]
    assert not {"category", "customer_division"} & set(names)
    page = client.get(url, {"category": "酱油", "customer_division": "3306"})
    chips = {field.name: field.value() for field in page.context["chips"]}
    assert (chips["category"], chips["customer_division"]) == ("酱油", "3306")
    assert Decimal(0) == sum(row["amount"] for row in page.context["rows"])
