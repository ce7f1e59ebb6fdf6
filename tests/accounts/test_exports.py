"""Large Excel files come from a job that its owner can watch."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from django.utils import timezone
from openpyxl import load_workbook

from accounts import actions, exports
from accounts.models import JobRun, JobState
from accounts.roles import Role
from accounts.tasks import write_export
from tests.factories import make_customer, make_order, make_user

EXPORT = "/orders/export/?format=xlsx&status=completed"


@pytest.fixture
def many(monkeypatch, customer):
    """More orders than an Excel file holds at once, were the limit two."""
    monkeypatch.setattr(exports, "MOST_AT_ONCE", 2)
    for number in range(3):
        make_order(customer, external_id=f"SO-{number}")
    make_order(make_customer(), external_id="SO-HIDDEN")


def titles(response) -> list[str]:
    book = load_workbook(io.BytesIO(b"".join(response.streaming_content)), read_only=True)
    return [str(row[0]) for row in book.active.iter_rows(values_only=True)]


def test_a_small_table_comes_at_once(as_, rep, customer):
    make_order(customer, external_id="SO-1")
    answer = as_(rep).get(EXPORT)
    assert titles(answer) == ["Order number", "SO-1"]
    assert not JobRun.objects.exists()


def test_csv_of_any_size_comes_at_once(as_, rep, many):
    assert as_(rep).get(EXPORT.replace("xlsx", "csv")).streaming
    assert not JobRun.objects.exists()


def test_a_large_table_is_a_job_with_the_rows_and_words_of_its_owner(as_, rep, many):
    client = as_(rep)
    answer = client.get(EXPORT)
    assert client.get(EXPORT).url == answer.url, "asked twice, written once"
    job = JobRun.objects.get()
    assert answer.url == f"/runs/{job.pk}/"
    assert "waiting" in client.get(answer.url).content.decode()

    write_export(job_id=job.pk)
    job.refresh_from_db()
    assert (job.state, job.total, job.result["rows"]) == (JobState.DONE, 3, 3)
    page = client.get(answer.url).content.decode()
    assert "3 rows" in page
    file = client.get(f"/runs/{job.pk}/file/")
    assert titles(file) == ["Order number", "SO-2", "SO-1", "SO-0"]
    assert file["Content-Disposition"].startswith("attachment")


def test_the_titles_are_in_the_language_it_was_asked_in(as_, rep, many):
    rep.language = "zh-hans"
    rep.save()
    as_(rep).get(EXPORT)
    job = JobRun.objects.get()
    write_export(job_id=job.pk)
    assert titles(as_(rep).get(f"/runs/{job.pk}/file/"))[0] == "订单号"


def test_a_stranger_gets_neither_job_nor_file(as_, rep, stranger, many):
    as_(rep).get(EXPORT)
    job = JobRun.objects.get()
    write_export(job_id=job.pk)
    for url in (f"/runs/{job.pk}/", f"/runs/{job.pk}/file/"):
        assert as_(stranger).get(url).status_code == 404


def test_who_lost_the_right_meanwhile_gets_no_file(as_, rep, many):
    as_(rep).get(EXPORT)
    job = JobRun.objects.get()
    rep.is_active = False
    rep.save()
    write_export(job_id=job.pk)
    job.refresh_from_db()
    assert (job.state, job.error) == (JobState.FAILED, "right")


def test_files_go_after_a_week_and_the_page_says_so(as_, rep, many, settings):
    as_(rep).get(EXPORT)
    job = JobRun.objects.get()
    write_export(job_id=job.pk)
    job.refresh_from_db()
    path = settings.MEDIA_ROOT / job.result["file"]
    actions.clear_expired(now=timezone.now() + timedelta(days=6))
    assert path.exists()
    actions.clear_expired(now=timezone.now() + timedelta(days=8))
    assert not path.exists()
    answer = as_(rep).get(f"/runs/{job.pk}/file/", follow=True)
    assert "has been deleted" in answer.content.decode()


def test_a_director_may_fetch_it_and_nobody_without_the_right_to_the_list(as_, rep, many):
    as_(rep).get(EXPORT)
    job = JobRun.objects.get()
    write_export(job_id=job.pk)
    director = make_user(role=Role.DIRECTOR)
    assert as_(director).get(f"/runs/{job.pk}/file/").status_code == 200
