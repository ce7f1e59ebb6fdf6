"""Imports as the house keeps them: old files, jobs of forgotten imports (P7)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from accounts import jobs
from customers.importing import steps
from customers.models import Customer, Import
from customers.tasks import run_import
from tests.customers.importing.playing import (
    checked,
    csv,
    press,
)

pytestmark = pytest.mark.django_db


def test_old_files_go_and_what_was_written_stays(as_, rep) -> None:
    done = press(as_(rep), checked(as_(rep), csv("名称", "甲商行")), "apply")
    checked(as_(rep), csv("名称", "乙商行"))
    path = Path(done.file.path)
    steps.clear(now=timezone.now() + timedelta(days=29))
    assert path.exists()
    steps.clear(now=timezone.now() + timedelta(days=31))
    assert not path.exists()
    assert list(Import.objects.values_list("pk", flat=True)) == [done.pk]
    assert done.rows.count() == 1
    steps.clear(now=timezone.now() + timedelta(days=181))
    assert done.rows.count() == 0
    assert Customer.objects.count() == 1


def test_run_import_leaves_a_forgotten_import_alone(rep) -> None:
    job = jobs.request(
        "import", owner=rep, parameters={"import": 0, "step": "apply"}, now=timezone.now()
    )
    run_import(job_id=job.pk)
    job.refresh_from_db()
    assert job.state == "failed"
