"""Read the areas of stored customers from their addresses, where they have none."""

from typing import Any

from django.db import migrations
from django.utils import timezone


def read(apps: Any, schema_editor: Any) -> None:
    # The product's own code: it reads columns by name and would only be repeated here.
    from customers import areas

    for ids in areas.chunks():
        areas.read(ids, now=timezone.now())


class Migration(migrations.Migration):
    dependencies = [("customers", "0012_duplicates_nightly"), ("accounts", "0005_job_runs")]

    operations = [migrations.RunPython(read, migrations.RunPython.noop)]
