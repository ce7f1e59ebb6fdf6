"""Tiers set by hand end after their last day: 00:05 company time, every day."""

from django.conf import settings
from django.db import migrations

TASK = "tiers.tasks.end_overrides"


def create(apps, schema_editor):
    alias = schema_editor.connection.alias
    tasks = apps.get_model("django_celery_beat", "PeriodicTask").objects.using(alias)
    if tasks.filter(task=TASK).exists():
        return
    crontabs = apps.get_model("django_celery_beat", "CrontabSchedule").objects.using(alias)
    at = {"minute": "5", "hour": "0", "day_of_week": "*", "day_of_month": "*"}
    when = {**at, "month_of_year": "*", "timezone": settings.TIME_ZONE}
    crontab = crontabs.filter(**when).first() or crontabs.create(**when)
    tasks.create(name="End tiers set by hand", task=TASK, crontab=crontab)


class Migration(migrations.Migration):
    dependencies = [
        ("tiers", "0010_line_message"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
