"""Scheduled jobs: a migration puts them into the schedule, where one may move them."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.db import migrations


def nightly(
    task: str,
    name: str,
    *,
    hour: int | None,
    minute: int,
    day_of_month: int | None = None,
    **arguments: Any,
) -> migrations.RunPython:
    """A migration's step that has `task` done at that time of the company, if nothing has yet.

    Without an hour every hour, with a day of the month once a month.
    `name` is what administrators read, in English; accounts/schedule.py holds it for translation.
    """

    def create(apps: Any, schema_editor: Any) -> None:
        alias = schema_editor.connection.alias
        tasks = apps.get_model("django_celery_beat", "PeriodicTask").objects.using(alias)
        if tasks.filter(task=task).exists():
            return
        crontabs = apps.get_model("django_celery_beat", "CrontabSchedule").objects.using(alias)
        when = {
            "minute": str(minute),
            "hour": "*" if hour is None else str(hour),
            "day_of_week": "*",
            "day_of_month": "*" if day_of_month is None else str(day_of_month),
            "month_of_year": "*",
            "timezone": settings.TIME_ZONE,
        }
        crontab = crontabs.filter(**when).first() or crontabs.create(**when)
        tasks.create(name=name, task=task, crontab=crontab, kwargs=json.dumps(arguments))

    return migrations.RunPython(create, migrations.RunPython.noop)


def every_minute(task: str, name: str) -> migrations.RunPython:
    """A migration's step that has `task` done every minute, if nothing has yet."""

    def create(apps: Any, schema_editor: Any) -> None:
        alias = schema_editor.connection.alias
        tasks = apps.get_model("django_celery_beat", "PeriodicTask").objects.using(alias)
        if tasks.filter(task=task).exists():
            return
        intervals = apps.get_model("django_celery_beat", "IntervalSchedule").objects.using(alias)
        when = {"every": 1, "period": "minutes"}
        interval = intervals.filter(**when).first() or intervals.create(**when)
        # A message that waits for longer than the next one says nothing new.
        tasks.create(name=name, task=task, interval=interval, expire_seconds=60)

    return migrations.RunPython(create, migrations.RunPython.noop)
