"""What a customer is found by: search text, and keys that two files of one company share."""

from __future__ import annotations

from django.db import models


class IndexCard(models.Model):
    """One card for each customer, derived from its file and contacts (customers/cards.py).

    A table of its own, so that a tier run, which rewrites customers, leaves these indexes alone.
    `text` holds what people search by, folded, a line for each name and number; `short` the names
    and initials, written so that one and two characters can be looked up (searching.paired). The
    keys are empty where the file has nothing.
    """

    customer = models.OneToOneField(
        "customers.Customer", models.CASCADE, primary_key=True, related_name="card"
    )
    text = models.TextField()
    short = models.TextField(default="", db_default="")
    name_key = models.CharField(max_length=200, blank=True)
    phone_key = models.CharField(max_length=32, blank=True)
    address_key = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["name_key"], name="card_by_name"),
            models.Index(fields=["phone_key"], name="card_by_phone"),
            models.Index(fields=["address_key"], name="card_by_address"),
        ]

    def __str__(self) -> str:
        return self.text
