"""Clears out every night who read which file long ago: a schedule with the number of days."""

import json

from django.conf import settings
from django.db import migrations

TASK = "customers.tasks.clear_reads"


def create(apps, schema_editor):
    alias = schema_editor.connection.alias
    tasks = apps.get_model("django_celery_beat", "PeriodicTask").objects.using(alias)
    if tasks.filter(task=TASK).exists():
        return
    crontabs = apps.get_model("django_celery_beat", "CrontabSchedule").objects.using(alias)
    at = {"minute": "40", "hour": "3", "day_of_week": "*", "day_of_month": "*"}
    when = {**at, "month_of_year": "*", "timezone": settings.TIME_ZONE}
    crontab = crontabs.filter(**when).first() or crontabs.create(**when)
    kept = json.dumps({"days": 730})
    tasks.create(name="Clear out old reads of files", task=TASK, crontab=crontab, kwargs=kept)


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0013_find_divisions"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
