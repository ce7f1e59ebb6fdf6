"""Looks every night which gaps are filled: 03:50 company time, as a schedule one may move."""

from django.conf import settings
from django.db import migrations

TASK = "customers.tasks.settle_assignments"


def create(apps, schema_editor):
    alias = schema_editor.connection.alias
    tasks = apps.get_model("django_celery_beat", "PeriodicTask").objects.using(alias)
    if tasks.filter(task=TASK).exists():
        return
    crontabs = apps.get_model("django_celery_beat", "CrontabSchedule").objects.using(alias)
    at = {"minute": "50", "hour": "3", "day_of_week": "*", "day_of_month": "*"}
    when = {**at, "month_of_year": "*", "timezone": settings.TIME_ZONE}
    crontab = crontabs.filter(**when).first() or crontabs.create(**when)
    tasks.create(name="Settle gaps that are filled", task=TASK, crontab=crontab)


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0018_gaps_to_fill"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
