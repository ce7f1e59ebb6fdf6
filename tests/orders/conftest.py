"""What orders are sent for."""

from __future__ import annotations

import pytest

from tests.factories import make_customer, make_product


@pytest.fixture
def wares(db: None) -> None:
    """Two customers and two products, by their numbers."""
    make_customer(external_id="C-1")
    make_customer(external_id="C-2")
    make_product(external_id="P-1")
    make_product(external_id="P-2")
