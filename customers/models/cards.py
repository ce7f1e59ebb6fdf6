"""What a customer is found by: search text, and keys that two files of one company share."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.sql.compiler import SQLCompiler


class NameCore(models.Func):
    """The firm's own name in a `name_key`, without its place and branch: what stands before @."""

    arity = 1
    output_field = models.CharField()
    template = "SPLIT_PART(%(expressions)s, '@', 1)"

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any
    ) -> Any:
        cut = "SUBSTR({0}, 1, INSTR({0} || '@', '@') - 1)".format("%(expressions)s")
        return self.as_sql(compiler, connection, template=cut, **extra)


class IndexCard(models.Model):
    """One card for each customer, derived from its file and contacts (customers/cards.py).

    A table of its own, so that a tier run, which rewrites customers, leaves these indexes alone.
    `text` holds what people search by, folded, a line for each name and number; `short` the names
    and initials, written so that one and two characters can be looked up (searching.paired), and
    `place` the address with the areas it lies in, written likewise. The keys are empty where the
    file has nothing.
    """

    customer = models.OneToOneField(
        "customers.Customer", models.CASCADE, primary_key=True, related_name="card"
    )
    text = models.TextField()
    short = models.TextField(default="", db_default="")
    place = models.TextField(default="", db_default="")
    name_key = models.CharField(max_length=200, blank=True)
    phone_key = models.CharField(max_length=32, blank=True)
    address_key = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["name_key"], name="card_by_name"),
            models.Index(NameCore("name_key"), name="card_by_core"),
            models.Index(fields=["phone_key"], name="card_by_phone"),
            models.Index(fields=["address_key"], name="card_by_address"),
        ]

    def __str__(self) -> str:
        return self.text
