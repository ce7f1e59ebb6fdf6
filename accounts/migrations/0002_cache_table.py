"""The table of the database cache, which machines without Redis use.

Made whatever the present cache is, so that Redis can be taken away later without another step.
"""

from django.core.management import call_command
from django.db import migrations


def create(apps, schema_editor):
    # Says "already exists" and leaves it at that where the table is there.
    call_command(
        "createcachetable", "cache", database=schema_editor.connection.alias, verbosity=0
    )


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunPython(create, migrations.RunPython.noop, elidable=False)]
