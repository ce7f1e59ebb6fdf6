"""Long jobs: one open run per question, progress, failures with their reasons, lost workers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.urls import reverse
from kombu.exceptions import OperationalError

from accounts import jobs
from accounts.jobs import ABANDONED_AFTER, KEPT, JobFailed, work
from accounts.models import JobRun, JobState, User
from customers.jobs import SEARCH
from tests.factories import local, make_user

NOW = local(2026, 6, 16, 12)
pytestmark = pytest.mark.django_db


@pytest.fixture
def queue(monkeypatch) -> list[tuple[str, Any]]:
    """What would go into the queue."""
    sent: list[tuple[str, Any]] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, kwargs: sent.append((name, kwargs)))
    return sent


def ask(owner: User | None = None, now=NOW, **parameters: Any) -> JobRun:
    return jobs.request(SEARCH, owner=owner, parameters=parameters, now=now)


class TestAsking:
    def test_the_same_question_still_open_is_answered_once(self, rep: User, queue) -> None:
        first = ask(rep)
        assert ask(make_user()) == first, "a search is the same, whoever asks"
        assert ask(rep, only=1) != first
        work(first.pk, lambda job, step: {}, now=NOW)
        assert ask(rep) != first

    def test_it_is_queued_on_commit(
        self, rep: User, queue, django_capture_on_commit_callbacks
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            job = ask(rep)
            assert queue == []
        assert queue == [("customers.tasks.find_duplicates", {"job_id": job.pk})]

    def test_without_a_queue_it_has_failed_and_says_so(
        self, rep: User, monkeypatch, django_capture_on_commit_callbacks
    ) -> None:
        def down(*_args: Any, **_more: Any) -> None:
            raise OperationalError

        monkeypatch.setattr(current_app, "send_task", down)
        with django_capture_on_commit_callbacks(execute=True):
            job = ask(rep)
        job.refresh_from_db()
        assert (job.state, job.error) == (JobState.FAILED, "queue")
        assert jobs.told(job) == jobs.FAILURES["queue"]

    def test_one_whose_worker_is_gone_is_given_up_when_the_next_is_asked_for(
        self, rep: User, queue
    ) -> None:
        lost = ask(rep)
        new = ask(rep, now=NOW + ABANDONED_AFTER + timedelta(minutes=1))
        lost.refresh_from_db()
        assert new != lost
        assert (lost.state, lost.error) == (JobState.FAILED, "abandoned")


class TestWorking:
    def test_what_it_tells_is_kept(self, rep: User, queue) -> None:
        def do(job: JobRun, step: jobs.Step) -> dict[str, Any]:
            step(3, 10)
            job.refresh_from_db()
            assert (job.state, job.percent) == (JobState.RUNNING, 30)
            return {"found": 2}

        job = work(ask(rep).pk, do, now=NOW)
        assert job is not None
        assert (job.state, job.result, job.percent) == (JobState.DONE, {"found": 2}, 100)

    def test_steps_are_written_now_and_then_only(
        self, rep: User, queue, django_assert_num_queries
    ) -> None:
        def do(job: JobRun, step: jobs.Step) -> dict[str, Any]:
            step(0, 1000)
            with django_assert_num_queries(0):
                for done in range(50):
                    step(done, 1000)
            return {}

        work(ask(rep).pk, do, now=NOW)

    def test_a_failure_keeps_its_reason(self, rep: User, queue) -> None:
        def refuse(job: JobRun, step: jobs.Step) -> dict[str, Any]:
            raise JobFailed("too_large")

        job = work(ask(rep).pk, refuse, now=NOW)
        assert job is not None
        assert (job.state, job.error) == (JobState.FAILED, "too_large")

    def test_an_error_is_told_and_raised(self, rep: User, queue) -> None:
        def break_(job: JobRun, step: jobs.Step) -> dict[str, Any]:
            raise RuntimeError

        job = ask(rep)
        with pytest.raises(RuntimeError):
            work(job.pk, break_, now=NOW)
        job.refresh_from_db()
        assert (job.state, job.error) == (JobState.FAILED, "error")

    def test_after_a_killed_worker_it_is_taken_up_again(self, rep: User, queue) -> None:
        job = ask(rep)
        JobRun.objects.filter(pk=job.pk).update(state=JobState.RUNNING, started_at=NOW, done=5)
        work(job.pk, lambda job, step: {"again": True}, now=NOW)
        job.refresh_from_db()
        assert (job.state, job.result) == (JobState.DONE, {"again": True})

    def test_delivered_twice_it_is_done_once(self, rep: User, queue) -> None:
        job, times = ask(rep), []

        def do(job: JobRun, step: jobs.Step) -> dict[str, Any]:
            times.append(1)
            return {}

        for _n in range(2):
            work(job.pk, do, now=NOW)
        assert times == [1]

    def test_a_job_that_is_no_more_is_nothing(self) -> None:
        assert work(999_999, lambda job, step: {}, now=NOW) is None


def test_jobs_of_long_ago_are_forgotten(rep: User, queue) -> None:
    old, new = ask(rep), ask(rep, only=1)
    JobRun.objects.filter(pk=old.pk).update(finished_at=NOW - KEPT - timedelta(days=1))
    JobRun.objects.filter(pk=new.pk).update(finished_at=NOW)
    jobs.clear(now=NOW)
    assert JobRun.objects.get() == new


class TestPages:
    def test_progress_is_a_part_and_ends_in_a_fresh_page(self, as_, rep: User, queue) -> None:
        job, client = ask(rep), as_(rep)
        url = reverse("accounts:run", args=[job.pk])
        part = client.get(url, headers={"HX-Request": "true"})
        assert "hx-trigger" in part.content.decode()
        assert "<html" not in part.content.decode()
        assert "<html" in client.get(url).content.decode(), "without a script the link does"
        work(job.pk, lambda job, step: {}, now=NOW)
        assert client.get(url, headers={"HX-Request": "true"})["HX-Refresh"] == "true"
        assert "All files were compared." in client.get(url).content.decode()

    def test_the_numbers_of_the_search_are_not_told(self, as_, rep: User, queue) -> None:
        job = ask(rep)
        work(job.pk, lambda job, step: {"pairs": 987_654}, now=NOW)
        client = as_(rep)
        for url in (reverse("accounts:run", args=[job.pk]), reverse("accounts:runs")):
            assert "987" not in client.get(url).content.decode()
