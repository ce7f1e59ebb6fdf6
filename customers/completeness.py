"""How complete a customer's file is (P4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from customers.models import Customer

#: What a file should hold, each weighing the same. Name and kind are always there; the number in
#: the ERP, the supplier and the tags are rightly empty for many.
EXPECTED = (
    "owner_id",
    "phone",
    "email",
    "address",
    "division",
    "latitude",
    "tax_id",
    "founded_on",
)


def empty_among(values: Mapping[str, Any]) -> list[str]:
    """Those of EXPECTED that are empty in `values` (column name → value)."""
    return [name for name in EXPECTED if values.get(name) in (None, "")]


def percentage(empty: int) -> int:
    """0–100 where `empty` of EXPECTED are empty, rounded down: 100 means nothing is missing."""
    return 100 * (len(EXPECTED) - empty) // len(EXPECTED)


def completeness(customer: Customer) -> int:
    """0–100: the share of EXPECTED that the file of `customer` holds."""
    return percentage(len(empty_among(customer.__dict__)))
