"""The company's first cadences and occasion rules, the daily reminder job, and two indexes."""

from django.conf import settings
from django.db import migrations, models

CADENCES = {"A": 30, "B": 60, "C": 120}
OCCASIONS = (
    "new_year",
    "spring_festival",
    "qingming",
    "labour_day",
    "dragon_boat",
    "mid_autumn",
    "national_day",
)
JOB = "Holiday reminders"


def add_rules(apps, schema_editor):
    cadences = apps.get_model("visits", "Cadence").objects
    for abc, every_days in CADENCES.items():
        cadences.get_or_create(abc=abc, defaults={"every_days": every_days})
    rules = apps.get_model("visits", "OccasionRule").objects
    for code in OCCASIONS:
        rules.get_or_create(code=code)


def add_schedule(apps, schema_editor):
    tasks = apps.get_model("django_celery_beat", "PeriodicTask").objects
    if tasks.filter(name=JOB).exists():
        return
    seven = {
        "minute": "0",
        "hour": "7",
        "day_of_week": "*",
        "day_of_month": "*",
        "month_of_year": "*",
        "timezone": settings.TIME_ZONE,
    }
    crontabs = apps.get_model("django_celery_beat", "CrontabSchedule").objects
    crontab = crontabs.filter(**seven).first() or crontabs.create(**seven)
    tasks.create(name=JOB, task="visits.tasks.remind", crontab=crontab)


class Migration(migrations.Migration):
    dependencies = [
        ("visits", "0001_initial"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="reminder", name="reminder_by_user"),
        migrations.AddIndex(
            model_name="reminder",
            index=models.Index(
                fields=["on", "id"], name="reminder_open", condition=models.Q(done_at=None)
            ),
        ),
        migrations.AddIndex(
            model_name="visit",
            index=models.Index(fields=["scheduled_for", "id"], name="visit_by_day"),
        ),
        migrations.RunPython(add_rules, migrations.RunPython.noop),
        migrations.RunPython(add_schedule, migrations.RunPython.noop),
    ]
