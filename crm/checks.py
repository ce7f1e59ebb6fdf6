"""What the start of the product looks at once, and warns of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Warning
from django.db import connections


def chinese_has_trigrams(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """With LC_CTYPE=C, PostgreSQL takes no Chinese sign for a letter: no trigram holds one."""
    return [
        Warning(
            f"The database {alias!r} has LC_CTYPE={ctype}: the search index knows no Chinese "
            "there, and searching customers by name will be slow.",
            hint="Create the database with a UTF-8 locale: createdb --template=template0 "
            "--locale=C.UTF-8 --encoding=UTF8 kehu",
            id="kehu.W001",
        )
        for alias in databases or ()
        if (ctype := _ctype(alias)) in {"C", "POSIX"}
    ]


def _ctype(alias: str) -> str:
    connection = connections[alias]
    if connection.vendor != "postgresql":
        return ""
    with connection.cursor() as cursor:
        cursor.execute("SELECT datctype FROM pg_database WHERE datname = current_database()")
        row = cursor.fetchone()
    return str(row[0]) if row else ""
