"""What people write down of a visit, as the forms and the rows hold it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.utils.timezone import localtime

from customers.models import Customer

FULL = {"sales": "normal", "new_need": False, "new_products": [], "care": []}
FORM = {"sales": "normal", "new_need": "no", "new_products": ["none"], "care": ["met", "greeting"]}


def noon() -> datetime:
    """Twelve o'clock today, or now before that: never in the future."""
    now = localtime()
    return min(now, now.replace(hour=12, minute=0, second=0, microsecond=0))


def log_data(customer: Customer, **values: Any) -> dict[str, Any]:
    return {
        "customer": customer.pk,
        "client_id": uuid4(),
        "at": f"{localtime() - timedelta(minutes=2):%Y-%m-%dT%H:%M}",
        **FORM,
        "close": "1",
        **values,
    }
