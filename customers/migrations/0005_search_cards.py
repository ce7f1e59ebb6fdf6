"""What searching by part of a name needs: trigrams for three characters and more, pairs for two."""

from typing import Any

from django.core.management.base import CommandError
from django.db import Error, migrations, models

#: What a word of one or two characters is looked for by: the first character of each line after
#: a mark that no word holds, and every pair of neighbours.
GRAMS = r"""
    CREATE OR REPLACE FUNCTION customers_grams(lines text) RETURNS text[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
        SELECT array_agg(
            CASE n WHEN 0 THEN E'\x01' || left(line, 1) ELSE substr(line, n, 2) END
        )
        FROM unnest(string_to_array(lines, E'\n')) AS line,
            generate_series(0, length(line) - 1) AS n
    $$
"""
INDEXES = (
    "CREATE INDEX card_by_trigram ON customers_indexcard USING gin (text gin_trgm_ops)",
    "CREATE INDEX card_by_gram ON customers_indexcard USING gin (customers_grams(short))",
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
    for statement in (GRAMS, *INDEXES):
        schema_editor.execute(statement)


def drop(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor != "postgresql":
        return
    schema_editor.execute("DROP INDEX card_by_trigram")
    schema_editor.execute("DROP INDEX card_by_gram")
    schema_editor.execute("DROP FUNCTION customers_grams(text)")


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
