"""Takes out the job that beat had added to clear out results: none are kept."""

from typing import Any

from django.db import migrations


def take_out(apps: Any, schema_editor: Any) -> None:
    tasks = apps.get_model("django_celery_beat", "PeriodicTask").objects
    tasks.using(schema_editor.connection.alias).filter(task="celery.backend_cleanup").delete()


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_webhooks"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(take_out, migrations.RunPython.noop)]
