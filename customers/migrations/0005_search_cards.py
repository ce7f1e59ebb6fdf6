"""What searching by part of a name needs: indexes by trigram."""

from typing import Any

from django.core.management.base import CommandError
from django.db import Error, migrations, models

INDEXES = (
    "CREATE INDEX card_by_trigram ON customers_indexcard USING gin (text gin_trgm_ops)",
    "CREATE INDEX card_by_pair ON customers_indexcard USING gin (short gin_trgm_ops)",
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
    schema_editor.execute("DROP INDEX card_by_trigram")
    schema_editor.execute("DROP INDEX card_by_pair")


class Migration(migrations.Migration):
    dependencies = [("customers", "0004_phones_as_e164")]

    operations = [
        migrations.AddField(
            model_name="indexcard",
            name="short",
            field=models.TextField(default="", db_default=""),
        ),
        migrations.RunPython(create, drop),
    ]
