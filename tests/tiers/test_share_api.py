"""P49 over HTTP: reports/customer-share/."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from openpyxl import load_workbook
from rest_framework.test import APIClient

from tests.factories import make_key

URL = "/api/v1/reports/customer-share/"
EXAMPLE = {
    "population": "5000000",
    "age_share": "0.15",
    "reachable_share": "0.2",
    "valid_share": "2/3",
    "spender_share": "0.20",
    "yearly_spend": "3000",
}
RESULTS = {
    "group": 750_000,
    "reachable": 150_000,
    "won": 100_000,
    "share": 0.666667,
    "revenue": "60000000.00",
}


@pytest.fixture(autouse=True)
def unlimited(settings) -> None:
    settings.API_RATE_PER_MINUTE = 0  # its counter has queries of its own


def test_p49_the_worked_example(erp: APIClient, django_assert_num_queries) -> None:
    erp.get(URL, EXAMPLE)  # notes that the key was used
    with django_assert_num_queries(1):  # the key and its user
        answer = erp.get(URL, EXAMPLE)
    assert (answer.status_code, answer.json()) == (200, RESULTS)


def test_two_thirds_as_a_decimal_come_to_the_same(erp: APIClient) -> None:
    assert erp.get(URL, {**EXAMPLE, "valid_share": repr(2 / 3)}).json() == RESULTS


def test_what_every_report_takes_changes_nothing(erp: APIClient) -> None:
    more = {"from": "2026-01-01", "to": "2026-12-31", "team": "1", "rep": "x", "division": "33"}
    assert erp.get(URL, {**EXAMPLE, **more, "category": "oil"}).json() == RESULTS


def test_nobody_to_reach_is_a_share_of_null(erp: APIClient) -> None:
    found = erp.get(URL, {**EXAMPLE, "reachable_share": "0"}).json()
    assert found == {"group": 750_000, "reachable": 0, "won": 0, "share": None, "revenue": "0.00"}


def test_it_comes_as_a_table_too(erp: APIClient) -> None:
    answer: Any = erp.get(URL, {**EXAMPLE, "format": "csv"})
    head, row = csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig")))
    wanted = ["5000000", "0.15", "0.2", "0.666667", "0.2", "3000.00", "750000", "150000"]
    assert row == [*wanted, "100000", "0.666667", "60000000.00"]
    assert len(head) == len(row)
    answer = erp.get(URL, {**EXAMPLE, "format": "xlsx"})
    book = b"".join(answer.streaming_content)
    [_head, cells] = load_workbook(io.BytesIO(book)).active.iter_rows(values_only=True)
    assert cells[-1] == 60_000_000


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"age_share": "1.5"}, "A share is at most 100 %, this one is 150\xa0%."),
        ({"valid_share": "-0.1"}, "A share cannot be below 0 %."),
        ({"valid_share": "1/0"}, "Nothing can be divided by 0."),
        ({"spender_share": "\x00"}, "Give a share from 0 to 1 such as 0.15"),
        ({"reachable_share": ""}, "Give a share from 0 to 1 such as 0.15"),
        ({"population": "0"}, "greater than or equal to 1"),
        ({"population": "1.5"}, "valid integer"),
        ({"population": "9" * 40}, "less than or equal to 10000000000"),
        ({"yearly_spend": "-1"}, "greater than or equal to 0"),
        ({"yearly_spend": "NaN"}, "valid number"),
        ({"yearly_spend": "1.005"}, "2 decimal places"),
        ({"format": "pdf"}, "Give json, csv or xlsx."),
        ({"populaton": "5"}, "no such parameter"),
    ],
)
def test_bad_input_is_a_400_that_names_the_field(erp: APIClient, change, says: str) -> None:
    answer = erp.get(URL, {**EXAMPLE, **change}, HTTP_ACCEPT_LANGUAGE="en")
    assert answer.status_code == 400
    assert answer["Content-Type"].startswith("application/problem+json")
    [(field, messages)] = answer.json()["errors"].items()
    assert field in change
    assert says in messages[0]


def test_every_input_is_asked_for(erp: APIClient) -> None:
    assert set(erp.get(URL).json()["errors"]) == set(EXAMPLE)


def test_it_needs_the_scope_of_reports(client, rep, manager) -> None:
    for user, scopes, status in [(manager, ["reports:read"], 200), (manager, ["tiers:read"], 403)]:
        _key, secret = make_key(user, scopes=scopes)
        caller = APIClient()
        caller.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
        assert caller.get(URL, EXAMPLE).status_code == status
    client.force_login(rep)
    assert client.get(URL, EXAMPLE).status_code == 403
