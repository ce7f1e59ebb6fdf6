"""Lists by tag and by tier at a million customers."""

from typing import Any

from django.db import migrations, models

#: Files with tags only: a tier run, which rewrites all customers, need not touch it for the rest.
TAGS = (
    "CREATE INDEX customer_by_tag ON customers_customer USING gin (tags jsonb_path_ops)"
    " WHERE NOT (tags = '[]'::jsonb)"
)


def create(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(TAGS)


def drop(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX customer_by_tag")


class Migration(migrations.Migration):
    dependencies = [("customers", "0010_handovers")]

    operations = [
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(fields=["abc", "-net_amount", "-id"], name="customer_by_tier"),
        ),
        migrations.RunPython(create, drop),
    ]
