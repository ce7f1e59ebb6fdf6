"""Who read a customer's file (P6)."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class FileRead(models.Model):
    """One person who looked at one file on one day of the company: first, last and how often."""

    OWNER_PATH = "customer__owner"

    customer = models.ForeignKey(
        "customers.Customer", models.CASCADE, related_name="reads", db_index=False
    )
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    on = models.DateField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    times = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-last_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["customer", "reader", "on"], name="one_read_a_day"),
        ]
        indexes = [models.Index(fields=["customer", "-last_at"], name="read_by_customer")]

    def __str__(self) -> str:
        return f"{self.reader_id} {self.on}"
