"""What searching by address and area needs: where a customer is, and an index by trigram."""

from typing import Any

from django.db import migrations, models

INDEX = "CREATE INDEX card_by_place ON customers_indexcard USING gin (place gin_trgm_ops)"


def create(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(INDEX)


def drop(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX card_by_place")


class Migration(migrations.Migration):
    dependencies = [("customers", "0006_import_choices")]

    operations = [
        migrations.AddField(
            model_name="indexcard",
            name="place",
            field=models.TextField(default="", db_default=""),
        ),
        migrations.RunPython(create, drop),
    ]
