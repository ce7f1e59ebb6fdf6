"""Deletes old import files every night: 04:10 company time, as a schedule one may move."""

from django.conf import settings
from django.db import migrations

TASK = "customers.tasks.clear_imports"


def create(apps, schema_editor):
    alias = schema_editor.connection.alias
    tasks = apps.get_model("django_celery_beat", "PeriodicTask").objects.using(alias)
    if tasks.filter(task=TASK).exists():
        return
    crontabs = apps.get_model("django_celery_beat", "CrontabSchedule").objects.using(alias)
    at = {"minute": "10", "hour": "4", "day_of_week": "*", "day_of_month": "*"}
    when = {**at, "month_of_year": "*", "timezone": settings.TIME_ZONE}
    crontab = crontabs.filter(**when).first() or crontabs.create(**when)
    tasks.create(name="Delete old import files", task=TASK, crontab=crontab)


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0008_import_states"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
