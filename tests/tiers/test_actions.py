"""Asking for a run: one open run per question, days that can be asked for, lost workers."""

from __future__ import annotations

import threading
from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connections
from kombu.exceptions import OperationalError

from accounts.models import User
from tests.factories import local, make_order
from tests.tiers.conftest import NOW
from tiers import actions, tasks, tiering
from tiers.models import ABANDONED_AFTER, Failure, RunState, TierPolicy, TierRun

AS_OF = date(2026, 6, 16)


def ask(**values) -> TierRun:
    return actions.request_run(**{"as_of": AS_OF, "user": None, "now": NOW, **values})


@pytest.mark.django_db
class TestAsking:
    def test_the_policy_in_force_on_the_day_decides(self, policy: TierPolicy) -> None:
        later = TierPolicy.objects.create(name="later", effective_from=date(2026, 6, 1))
        assert ask().policy == later
        assert ask(as_of=date(2026, 5, 31)).policy == policy
        assert ask(policy=policy).policy == policy

    def test_of_two_revisions_the_newer_decides(self, policy: TierPolicy) -> None:
        newer = TierPolicy.objects.create(
            name=policy.name, revision=2, effective_from=policy.effective_from
        )
        assert ask().policy == newer

    @pytest.mark.parametrize(
        ("now", "as_of", "allowed"),
        [
            (local(2026, 6, 17, 0, 0), date(2026, 6, 17), True),
            (local(2026, 6, 16, 23, 59), date(2026, 6, 17), False),
            (local(2026, 6, 16, 23, 59), date(2026, 6, 16), True),
        ],
    )
    def test_the_day_must_have_begun_where_the_company_is(
        self, policy, now, as_of: date, allowed: bool
    ) -> None:
        if allowed:
            assert ask(as_of=as_of, now=now).as_of == as_of
        else:
            with pytest.raises(ValidationError) as refused:
                ask(as_of=as_of, now=now)
            assert set(refused.value.message_dict) == {"as_of"}

    def test_without_a_policy_there_is_no_run(self, policy: TierPolicy) -> None:
        with pytest.raises(ValidationError):
            ask(as_of=date(1969, 12, 31))
        TierPolicy.objects.all().delete()
        with pytest.raises(ValidationError):
            ask()

    def test_the_same_question_again_is_the_same_run_until_it_is_answered(
        self, policy: TierPolicy, rep: User
    ) -> None:
        first = ask(user=rep)
        assert ask() == first
        assert ask(dry_run=True) != first
        assert ask(as_of=date(2026, 6, 15)) != first
        tiering.run(first.pk, now=NOW)
        assert ask() != first

    def test_a_run_whose_worker_is_gone_is_given_up_when_the_next_is_asked_for(
        self, policy: TierPolicy
    ) -> None:
        waiting, running = ask(), ask(as_of=date(2026, 6, 15))
        TierRun.objects.filter(pk=running.pk).update(
            state=RunState.RUNNING, started_at=NOW + timedelta(minutes=30)
        )
        later = NOW + ABANDONED_AFTER + timedelta(minutes=1)
        assert ask(now=later) != waiting
        waiting.refresh_from_db()
        running.refresh_from_db()
        assert (waiting.state, waiting.error) == (RunState.FAILED, Failure.ABANDONED)
        assert running.state == RunState.RUNNING

    def test_a_run_given_up_too_early_may_still_finish(self, policy: TierPolicy) -> None:
        slow = ask()
        TierRun.objects.filter(pk=slow.pk).update(state=RunState.FAILED, error=Failure.ABANDONED)
        assert tiering.run(slow.pk, now=NOW).state == RunState.DONE

    def test_a_failed_run_steps_back_where_the_question_is_open_again(
        self, policy: TierPolicy
    ) -> None:
        failed = ask()
        TierRun.objects.filter(pk=failed.pk).update(state=RunState.FAILED)
        again = ask()
        assert tiering.run(failed.pk, now=NOW).state == RunState.FAILED
        assert tiering.run(again.pk, now=NOW).state == RunState.DONE

    def test_it_is_queued_on_commit_and_only_then(
        self,
        policy: TierPolicy,
        monkeypatch: pytest.MonkeyPatch,
        django_capture_on_commit_callbacks,
    ) -> None:
        sent: list[int] = []

        def send(run_id: int) -> None:
            sent.append(run_id)

        monkeypatch.setattr(tasks.run_tiers, "delay", send)
        with django_capture_on_commit_callbacks(execute=True):
            run = ask()
            ask()
            assert sent == []
        assert sent == [run.pk]

    def test_an_unreachable_queue_fails_the_run_and_says_so(
        self,
        policy: TierPolicy,
        monkeypatch: pytest.MonkeyPatch,
        django_capture_on_commit_callbacks,
    ) -> None:
        def refuse(run_id: int) -> None:
            raise OperationalError

        monkeypatch.setattr(tasks.run_tiers, "delay", refuse)
        with django_capture_on_commit_callbacks(execute=True):
            run = ask()
        run.refresh_from_db()
        assert (run.state, run.error) == (RunState.FAILED, Failure.QUEUE)


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_the_same_moment_make_one_run(policy: TierPolicy) -> None:
    found: list[int] = []
    start = threading.Barrier(4)

    def click() -> None:
        try:
            start.wait(timeout=10)
            found.append(actions.open_run(as_of=AS_OF, user=None, now=NOW)[0].pk)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=click) for _click in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert found == [TierRun.objects.get().pk] * 4


@pytest.mark.django_db
class TestTasks:
    def test_the_job_does_the_run(self, policy: TierPolicy) -> None:
        make_order(amount=10, ordered_at=local(2026, 6, 1))
        run = ask()
        tasks.run_tiers(run_id=run.pk)
        run.refresh_from_db()
        assert (run.state, run.counts["A"]) == (RunState.DONE, 1)

    @pytest.mark.parametrize(
        ("now", "yesterday"),
        [
            (local(2026, 6, 17, 2, 10), AS_OF),
            (local(2026, 6, 17, 7, 59), AS_OF),  # in UTC it is still the 16th
            (local(2026, 1, 1, 2, 10), date(2025, 12, 31)),
        ],
    )
    def test_every_night_asks_for_yesterday(self, policy, time_machine, now, yesterday) -> None:
        time_machine.move_to(now)
        tasks.run_tiers_nightly()
        run = TierRun.objects.get()
        assert (run.as_of, run.requested_by, run.dry_run) == (yesterday, None, False)

    def test_the_night_is_a_schedule_that_an_administrator_sees(self) -> None:
        from django_celery_beat.models import PeriodicTask

        task = PeriodicTask.objects.get(task=tasks.run_tiers_nightly.name)
        assert task.enabled
        assert (task.crontab.hour, task.crontab.minute) == ("2", "10")
        assert str(task.crontab.timezone) == "Asia/Shanghai"
