"""Which customers' orders, payments, credit or stock changed since they were worked out."""

from __future__ import annotations

from django.db import models


class Unsettled(models.Model):
    """Customers of one change that wait to be worked out; `orders.settling` writes and drains it.

    A row for each change and none for each customer: two syncs that name the same customers meet
    no key of each other's. Rows have no owner; nobody sees them.
    """

    #: The ids of the customers, sorted; some may be gone by now.
    customer_ids = models.JSONField()
    #: Whether what they owe is to be worked out, and whether what they have.
    money = models.BooleanField(default=True)
    stock = models.BooleanField(default=False)

    class Meta:
        verbose_name = "unsettled"

    def __str__(self) -> str:
        return f"#{self.pk}"
