"""What is cleared out at night."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler

from accounts.actions import clear_expired
from accounts.models import IdempotentResponse
from crm.celery import app
from tests.factories import local, make_user

NOW = local(2026, 6, 16, 3, 30)


@pytest.mark.django_db
def test_what_has_run_out_is_forgotten_and_the_rest_stays() -> None:
    user = make_user()
    for token, age in (("old", timedelta(hours=24)), ("young", timedelta(hours=23))):
        IdempotentResponse.objects.create(user=user, token=token, created_at=NOW - age)
    for key, left in (("ended", timedelta(seconds=-1)), ("open", timedelta(days=1))):
        Session.objects.create(session_key=key, session_data="", expire_date=NOW + left)
    clear_expired(now=NOW)
    assert list(IdempotentResponse.objects.values_list("token", flat=True)) == ["young"]
    assert list(Session.objects.values_list("session_key", flat=True)) == ["open"]


@pytest.mark.django_db
def test_it_is_a_schedule_that_an_administrator_sees() -> None:
    task = PeriodicTask.objects.get(task="accounts.tasks.clear_expired")
    assert task.enabled
    assert (task.crontab.hour, task.crontab.minute) == ("3", "30")


@pytest.mark.django_db
def test_beat_adds_no_job_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    added: dict[str, Any] = {}
    monkeypatch.setattr(
        DatabaseScheduler, "update_from_dict", lambda _beat, jobs: added.update(jobs)
    )
    DatabaseScheduler(app=app, lazy=True).install_default_entries({})
    assert added == {}
    assert not PeriodicTask.objects.filter(task__startswith="celery.").exists()
