"""Who opened a customer's file, and when (P6): one row for each reader and day."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db import connection

from crm.lib.formats import local_day
from customers.models import Customer, FileRead

#: How long reads are kept unless the schedule says otherwise.
KEPT_DAYS = 730

_NOTE = """
INSERT INTO customers_fileread (customer_id, reader_id, "on", first_at, last_at, times)
SELECT id, %s, %s, %s, %s, 1 FROM customers_customer WHERE id = %s
ON CONFLICT (customer_id, reader_id, "on") DO UPDATE SET
    times = customers_fileread.times + 1,
    last_at = CASE WHEN excluded.last_at > customers_fileread.last_at
        THEN excluded.last_at ELSE customers_fileread.last_at END
"""


def note(customer_id: int, *, reader_id: int, now: datetime) -> None:
    """Note that the reader opened the file: a new row, or the reader's row of that day raised.

    One statement on either database, so that two openings at one moment both count.
    """
    at = connection.ops.adapt_datetimefield_value(now)
    on = connection.ops.adapt_datefield_value(local_day(now))
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, [reader_id, on, at, at, customer_id])


def readers_since(customer: Customer, first: date) -> int:
    """How many people opened the file on or after `first`."""
    reads = FileRead.objects.filter(customer=customer, on__gte=first)
    return reads.order_by().values("reader").distinct().count()


def clear(*, today: date, days: int = KEPT_DAYS) -> int:
    """Delete the reads of more than `days` days ago, and say how many there were."""
    return FileRead.objects.filter(on__lt=today - timedelta(days=days)).delete()[0]
