"""The estimate of who leaves, every night after the tiers: 02:30 company time, one may move it."""

from django.conf import settings
from django.db import migrations

TASK = "tiers.tasks.forecast_churn_nightly"


def create(apps, schema_editor):
    alias = schema_editor.connection.alias
    tasks = apps.get_model("django_celery_beat", "PeriodicTask").objects.using(alias)
    if tasks.filter(task=TASK).exists():
        return
    crontabs = apps.get_model("django_celery_beat", "CrontabSchedule").objects.using(alias)
    at = {"minute": "30", "hour": "2", "day_of_week": "*", "day_of_month": "*"}
    when = {**at, "month_of_year": "*", "timezone": settings.TIME_ZONE}
    crontab = crontabs.filter(**when).first() or crontabs.create(**when)
    tasks.create(name="Estimate who leaves silently", task=TASK, crontab=crontab)


class Migration(migrations.Migration):
    dependencies = [
        ("tiers", "0005_share_scenarios"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
