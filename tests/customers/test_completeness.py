"""How complete a file is (P4)."""

from __future__ import annotations

import pytest

from customers.completeness import EXPECTED, empty_among, percentage
from customers.models import Customer

FULL = dict.fromkeys(EXPECTED, "x")


@pytest.mark.parametrize(
    ("values", "empty"),
    [
        (FULL, []),
        (FULL | {"phone": ""}, ["phone"]),
        (FULL | {"founded_on": None, "owner_id": None}, ["owner_id", "founded_on"]),
        (FULL | {"latitude": 0}, []),
        ({}, list(EXPECTED)),
    ],
)
def test_what_a_file_lacks(values: dict[str, object], empty: list[str]) -> None:
    assert empty_among(values) == empty


def test_the_percentage_is_100_only_when_nothing_is_missing() -> None:
    assert [percentage(n) for n in (0, 1, len(EXPECTED))] == [100, 87, 0]


def test_what_is_expected_are_columns_of_the_file() -> None:
    assert set(EXPECTED) <= {field.attname for field in Customer._meta.concrete_fields}
