"""The reports on purchases over HTTP: shapes, slices, files, scopes, and public data (P48, P14)."""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import pytest
import time_machine
from django.db import connection
from rest_framework.test import APIClient

from accounts.models import User
from customers.models import Customer
from orders.models import Order, OrderStatus
from tests.factories import local, make_customer, make_key, make_order, make_product
from tests.tiers import recount_questions as plain
from tests.tiers.recount_questions import Bought, History
from tests.tiers.test_questions import make_history

RETENTION, PARETO = "/api/v1/reports/retention/", "/api/v1/reports/pareto/"
CONTRACT = {
    RETENTION: """buyers bought_once bought_twice_or_more one_and_silent never_contacted
        second_purchase_rate median_days_to_second leaving cohorts""",
    PARETO: "customers amount top20_share curve",
}


@pytest.fixture(autouse=True)
def today(db: None, settings):
    settings.API_RATE_PER_MINUTE = 0  # its counter has queries of its own
    with time_machine.travel(local(2026, 6, 16, 12), tick=True):
        yield


def client_of(user: User, *scopes: str) -> APIClient:
    _key, secret = make_key(user, scopes=list(scopes))
    return APIClient(headers={"Authorization": f"Bearer {secret}", "Accept-Language": "en"})


def table(answer: Any) -> list[list[str]]:
    content = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(content)))


@pytest.mark.parametrize("url", CONTRACT)
def test_the_names_are_those_of_the_contract(erp: APIClient, url: str) -> None:
    assert set(CONTRACT[url].split()) <= set(erp.get(url).json())
    document = erp.get("/api/v1/schema/").json()
    content = document["paths"][url]["get"]["responses"]["200"]["content"]["application/json"]
    schema = document["components"]["schemas"][content["schema"]["$ref"].split("/")[-1]]
    assert set(schema["properties"]) == set(erp.get(url).json())
    names = {one["name"] for one in document["paths"][url]["get"]["parameters"]}
    assert {"from", "to", "team", "rep", "division", "category", "format"} <= names


@pytest.mark.parametrize("category", ["", "酱油"])
@pytest.mark.parametrize("rep_name", ["", "rep"])
def test_p48_retention_is_what_a_recount_finds(
    erp: APIClient, rep: User, stranger: User, category: str, rep_name: str
) -> None:
    history = make_history(Random(f"{category}{rep_name}"), [rep, stranger])
    if rep_name:
        history.customers = [str(one.external_id) for one in Customer.objects.filter(owner=rep)]
    query = {"from": "2025-12-17", "to": "2026-06-16", "silence_days": "60"}
    query |= {"category": category} if category else {}
    query |= {"rep": rep_name} if rep_name else {}
    body = erp.get(RETENTION, query).json()
    first, last = date(2025, 12, 17), date(2026, 6, 16)
    before = (date(2025, 6, 17), date(2025, 12, 16))
    expected = history.figures(first, last, before, category, 60)
    for name, figure in {
        "buyers": "buyers",
        "bought_once": "once",
        "bought_twice_or_more": "repeat",
        "one_and_silent": "silent",
        "never_contacted": "untouched",
        "newcomers": "newcomers",
    }.items():
        assert body[name] == len(expected[figure]), name
    new, second = len(expected["newcomers"]), len(expected["returned"])
    assert body["second_purchase_rate"] == (round(second / new, 6) if new else None)
    days = history.days_to_second(first, last, category)
    assert body["median_days_to_second"] == (median(days) if days else None)
    prior, stayed = len(expected["buyers_before"]), len(expected["stayed"])
    assert body["bought_again_rate"] == (round(stayed / prior, 6) if prior else None)
    assert {one["month"]: one["buying"] for one in body["cohorts"]} == history.cohorts(
        first, last, category
    )
    assert all(one["customers"] == one["buying"][0] for one in body["cohorts"])
    assert (body["from"], body["to"], body["silence_days"]) == ("2025-12-17", "2026-06-16", 60)


@pytest.mark.parametrize("category", ["", "酱油"])
def test_p14_pareto_is_what_a_recount_finds(erp: APIClient, rep: User, category: str) -> None:
    history = make_history(Random(5), [rep], customers=18)
    query = {"from": "2024-06-17", "to": "2026-06-16"}
    query |= {"category": category} if category else {}
    body = erp.get(PARETO, query).json()
    ends = date(2024, 6, 17), date(2026, 6, 16)
    for told, margin in ((body, False), (body["margin"], True)):
        line, total, top = plain.pareto(history.sums(*ends, category, margin=margin))
        assert told["customers"] == len(line) > 1
        assert Decimal(told["amount"]) == Decimal(total.numerator) / total.denominator
        assert abs(told["top20_share"] - float(top)) < 2e-6
        assert told["curve"][0] == [0, 0]
        assert told["curve"][-1] == [1, 1]
        assert told["curve"] == sorted(told["curve"])
    assert body["amount"].partition(".")[2].isdigit()
    assert 0 < body["margin"]["known_share"] < 1


def test_without_a_period_it_is_the_last_12_months(erp: APIClient) -> None:
    make_order(ordered_at=local(2025, 6, 16, 23, 59))
    make_order(ordered_at=local(2025, 6, 17))
    body = erp.get(RETENTION).json()
    assert (body["from"], body["to"], body["buyers"]) == ("2025-06-17", "2026-06-16", 1)
    only_to = erp.get(RETENTION, {"to": "2025-06-16"}).json()
    assert (only_to["from"], only_to["buyers"]) == ("2024-06-17", 1)


def test_an_empty_company_has_empty_reports(erp: APIClient) -> None:
    body = erp.get(RETENTION).json()
    assert body["second_purchase_rate"] is body["median_days_to_second"] is None
    assert (body["buyers"], body["leaving"], body["cohorts"]) == (0, [], [])
    pareto = erp.get(PARETO).json()
    assert (pareto["customers"], pareto["amount"], pareto["curve"]) == (0, "0.00", [])
    assert pareto["top20_share"] is None


@pytest.mark.parametrize("url", CONTRACT)
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_they_leave_as_tables(erp: APIClient, customer: Customer, url: str, kind: str) -> None:
    make_order(customer, "1240000.00")
    answer = erp.get(url, {"format": kind})
    name = url.strip("/").split("/")[-1]
    assert answer.status_code == 200
    assert answer["Content-Disposition"].endswith(f'"{name}.{kind}"')


def test_the_table_has_every_figure_under_its_name(erp: APIClient, rep: User) -> None:
    make_history(Random(1), [rep])
    told = erp.get(RETENTION).json()
    rows = table(erp.get(RETENTION, {"format": "csv"}))
    figures = {row[0]: row[2] for row in rows if not row[1]}
    for name in ("buyers", "bought_once", "never_contacted", "median_days_to_second"):
        assert figures[name] == ("" if told[name] is None else str(told[name]))
    months = [row for row in rows if row[0] == "cohorts.buying"]
    assert sum(int(row[2]) for row in months) == sum(sum(c["buying"]) for c in told["cohorts"])
    ranking = table(erp.get(PARETO, {"format": "csv"}))
    assert len(ranking) == 1 + erp.get(PARETO).json()["customers"]
    assert sum(Decimal(row[5]) for row in ranking[1:]) == Decimal(erp.get(PARETO).json()["amount"])


@pytest.mark.parametrize("url", CONTRACT)
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "x"}, "from"),
        ({"to": "2026-02-30"}, "to"),
        ({"from": "0001-01-01"}, "from"),
        ({"to": "9999-12-31"}, "to"),
        ({"from": "2026-06-02", "to": "2026-06-01"}, "to"),
        ({"team": "999"}, "team"),
        ({"team": "9" * 30}, "team"),
        ({"rep": "nobody"}, "rep"),
        ({"rep": "\x00"}, "rep"),
        ({"division": "Atlantis"}, "division"),
        ({"category": "no such"}, "category"),
        ({"format": "pdf"}, "format"),
        ({"owner": "rep"}, "owner"),
    ],
)
def test_what_cannot_be_meant_is_named(
    erp: APIClient, url: str, query: dict[str, str], field: str
) -> None:
    answer = erp.get(url, query)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert set(answer.json()["errors"]) == {field}


@pytest.mark.parametrize("url", CONTRACT)
def test_the_longest_period_is_answered(erp: APIClient, url: str) -> None:
    make_order(ordered_at=local(1901, 3, 1))
    answer = erp.get(url, {"from": "1900-01-01", "to": "2199-12-31"})
    assert (answer.status_code, answer.json()["customers"]) == (200, 1)


@pytest.mark.parametrize("days", ["0", "-1", "x", "3651"])
def test_days_of_silence_must_make_sense(erp: APIClient, days: str) -> None:
    answer = erp.get(RETENTION, {"silence_days": days})
    assert set(answer.json()["errors"]) == {"silence_days"}


@pytest.mark.parametrize("url", CONTRACT)
def test_rows_out_of_sight_do_not_count(url: str, manager: User, rep: User, stranger: User) -> None:
    for owner in (rep, stranger):
        make_order(make_customer(owner=owner), "100.00")
    client = client_of(manager, "reports:read")
    body = client.get(url).json()
    assert body["customers"] == 1
    assert len(table(client.get(url, {"format": "csv"}))) > 1
    assert "stranger" not in str(body)
    assert client.get(url, {"rep": stranger.username}).status_code == 400
    assert client_of(manager, "customers:read").get(url).status_code == 403
    assert APIClient().get(url).status_code == 401


def test_reports_cost_as_many_statements_whatever_there_is(
    erp: APIClient, rep: User, django_assert_max_num_queries
) -> None:
    make_history(Random(2), [rep])
    make_product(category="酱油")
    for url, most in ((RETENTION, 16), (PARETO, 13)):
        query = {"category": "酱油", "division": "33"}
        with django_assert_max_num_queries(most) as few:
            erp.get(url, query)
        for customer in Customer.objects.all()[:5]:
            make_order(customer, "10.00", ordered_at=local(2026, 6, 10))
        with django_assert_max_num_queries(len(few)):
            erp.get(url, query)


# --- public data


def load(folder: Path, status_of: Any = None) -> History:
    """The customers and orders of a public data set, put on file as they are."""
    names = [row["external_id"] for row in read(folder / "customers.csv")]
    made = Customer.objects.bulk_create([Customer(external_id=n, name=f"No. {n}") for n in names])
    known = {str(one.external_id): one for one in made}
    orders, rows = [], []
    for row in read(folder / "orders.csv"):
        at = datetime.fromisoformat(f"{row['ordered_at'][:10]}T10:00:00+08:00")
        amount = Decimal(row["amount"])
        status = OrderStatus.RETURNED if amount < 0 else OrderStatus.COMPLETED
        if row.get("kind") == "return":
            status = OrderStatus.RETURNED
        customer = row["customer_external_id"]
        orders.append(Bought(customer, at, status, abs(amount)))
        rows.append(
            Order(
                external_id=row["external_id"],
                customer=known[customer],
                ordered_at=at,
                status=status,
                amount=abs(amount),
            )
        )
    Order.objects.bulk_create(rows, batch_size=2000)
    with connection.cursor() as cursor:  # an autovacuum in between counts no row of ours
        cursor.execute("ANALYZE orders_order")
        cursor.execute("ANALYZE customers_customer")
    return History(names, orders)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("adventureworks_resellers", "2017-07-01", "2020-05-31"),
        ("online_retail", "2010-12-01", "2011-12-09"),
        ("cdnow_sample", "1997-01-01", "1998-06-30"),
    ],
)
def test_public_orders_give_the_figures_that_others_computed(
    erp: APIClient, data_dir: Path, name: str, first: str, last: str
) -> None:
    folder = data_dir / name
    reference = json.loads((folder / "reference.json").read_text(), parse_float=Decimal)
    history = load(folder)
    ends = {"from": first, "to": last}
    body = erp.get(RETENTION, ends).json()
    counts: dict[str, int] = defaultdict(int)
    for order in history.orders:
        if order.status != OrderStatus.RETURNED:
            counts[order.customer] += 1
    assert body["bought_once"] == sum(n == 1 for n in counts.values())
    assert body["bought_twice_or_more"] == sum(n > 1 for n in counts.values())
    if all(order.status != OrderStatus.RETURNED for order in history.orders):
        assert body["bought_once"] == reference["loyalty"]["customers_1_order"]
        assert body["bought_twice_or_more"] == reference["loyalty"]["customers_2plus_orders"]
    assert body["never_contacted"] == len(history.customers)
    assert body["newcomers"] == body["buyers"] == len(counts)
    pareto = erp.get(PARETO, ends).json()
    assert pareto["customers"] == reference["abc"]["ranked_customers"]
    assert Decimal(pareto["amount"]) == reference["abc"]["ranked_total"]
    share = Decimal(str(pareto["top20_share"]))
    assert abs(share - reference["abc"]["top20pct_amount_share"]) < Decimal("0.000002")
    assert pareto["margin"]["curve"] == []
    cohorts = history.cohorts(date.fromisoformat(first), date.fromisoformat(last), "")
    assert {one["month"]: one["buying"] for one in body["cohorts"]} == cohorts
