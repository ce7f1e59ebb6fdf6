"""The nightly run as a schedule that an administrator sees and may move: 02:10 company time."""

from django.conf import settings
from django.db import migrations

TASK = "tiers.tasks.run_tiers_nightly"


def create(apps, schema_editor):
    alias = schema_editor.connection.alias
    tasks = apps.get_model("django_celery_beat", "PeriodicTask").objects.using(alias)
    if tasks.filter(task=TASK).exists():
        return
    crontabs = apps.get_model("django_celery_beat", "CrontabSchedule").objects.using(alias)
    at = {"minute": "10", "hour": "2", "day_of_week": "*", "day_of_month": "*"}
    when = {**at, "month_of_year": "*", "timezone": settings.TIME_ZONE}
    crontab = crontabs.filter(**when).first() or crontabs.create(**when)
    tasks.create(name="Tiers, every night", task=TASK, crontab=crontab)


class Migration(migrations.Migration):
    dependencies = [
        ("tiers", "0002_default_policy"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
