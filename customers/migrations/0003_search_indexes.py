"""PostgreSQL's own indexes of customers: for parts of names, and for tags."""

from typing import Any

from django.core.management.base import CommandError
from django.db import Error, migrations

INDEXES = (
    "CREATE INDEX card_by_trigram ON customers_indexcard USING gin (text gin_trgm_ops)",
    "CREATE INDEX card_by_pair ON customers_indexcard USING gin (short gin_trgm_ops)",
    # Files with tags only: a tier run, which rewrites all customers, need not touch it for the rest.
    "CREATE INDEX customer_by_tag ON customers_customer USING gin (tags jsonb_path_ops)"
    " WHERE NOT (tags = '[]'::jsonb)",
)


def create(apps: Any, schema_editor: Any) -> None:
    connection = schema_editor.connection
    if connection.vendor != "postgresql":
        return
    try:
        schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except Error as error:
        raise CommandError(
            "Searching customers needs PostgreSQL's extension pg_trgm, and this database role "
            f"cannot create it ({str(error).strip()}). Have a superuser run\n"
            f"    CREATE EXTENSION pg_trgm;\n"
            f"in the database {connection.settings_dict['NAME']!r}, then migrate again."
        ) from error
    for statement in INDEXES:
        schema_editor.execute(statement)


def drop(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor != "postgresql":
        return
    for name in ("card_by_trigram", "card_by_pair", "customer_by_tag"):
        schema_editor.execute(f"DROP INDEX {name}")


class Migration(migrations.Migration):
    replaces = [
        ("customers", "0005_search_cards"),
        ("customers", "0011_tag_and_tier_indexes"),
    ]
    dependencies = [("customers", "0002_customer_file")]
    operations = [migrations.RunPython(create, drop)]
