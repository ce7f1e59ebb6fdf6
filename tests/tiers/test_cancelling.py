"""A run that waits or is at work is cancelled or dropped, and then writes nothing (P13)."""

from __future__ import annotations

import threading
from datetime import date
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import Client

from accounts.models import AuditEntry, User
from customers.models import Customer
from tests.factories import local, make_customer, make_order
from tests.tiers.conftest import NOW
from tiers import actions, policies, sql, tasks, tiering
from tiers.models import Failure, RunState, TierChange, TierPolicy, TierRun

AS_OF = date(2026, 6, 16)


def waiting(policy: TierPolicy, **values: Any) -> TierRun:
    job, _new = actions.open_run(as_of=AS_OF, policy=policy, user=None, now=NOW, **values)
    return job


@pytest.fixture
def draft(policy: TierPolicy) -> TierPolicy:
    made = policies.copy_of(policy)
    made.effective_from, made.revision, made.a_share = None, 7, "0.5000"
    made.save()
    return made


def text(response: Any) -> str:
    return str(response.content.decode())


def page_of(run: TierRun) -> str:
    return f"/tiers/runs/{run.pk}/"


@pytest.mark.django_db
class TestPages:
    @pytest.mark.parametrize("dry_run", [True, False])
    @pytest.mark.parametrize("state", [RunState.QUEUED, RunState.RUNNING])
    def test_it_says_who_cancelled_it_and_twice_is_once(
        self, as_, manager: User, policy, dry_run: bool, state: str
    ) -> None:
        job = waiting(policy, dry_run=dry_run)
        TierRun.objects.filter(pk=job.pk).update(state=state)
        browser, url = as_(manager), f"{page_of(job)}cancel/"
        assert f'action="{url}"' in text(browser.get(page_of(job)))
        assert browser.post(url)["Location"] == page_of(job)
        ended = TierRun.objects.get(pk=job.pk)
        entries = AuditEntry.objects.of(job).count()
        assert browser.post(url)["Location"] == page_of(job)
        job.refresh_from_db()
        assert (job.finished_at, job.cancelled_by) == (ended.finished_at, manager)
        assert AuditEntry.objects.of(job).count() == entries
        page = text(browser.get(page_of(job)))
        assert f"Cancelled by {manager.display_name}" in page
        assert f'action="{url}"' not in page
        assert "Cancelled" in text(browser.get("/tiers/runs/"))

    def test_one_that_has_ended_is_not_cancelled(self, as_, manager: User, run_as_of) -> None:
        job = run_as_of()
        answer = as_(manager).post(f"{page_of(job)}cancel/", follow=True)
        assert "The run has ended already." in text(answer)
        job.refresh_from_db()
        assert (job.state, job.cancelled_by) == (RunState.DONE, None)

    def test_only_who_may_write(self, as_, rep: User, manager: User, policy, draft) -> None:
        job, trial = waiting(policy), waiting(draft, dry_run=True)
        for run, verb in ((job, "cancel"), (trial, "drop")):
            url = f"{page_of(run)}{verb}/"
            assert url not in text(as_(rep).get(page_of(run)))
            assert as_(rep).post(url).status_code == 403
            assert Client().post(url)["Location"].startswith("/login/")
            assert as_(manager).get(url).status_code == 405
            assert as_(manager).post(f"/tiers/runs/999999/{verb}/").status_code == 404
        assert as_(manager).post(f"{page_of(job)}drop/").status_code == 404  # no trial
        assert set(TierRun.objects.values_list("state", flat=True)) == {RunState.QUEUED}

    def test_a_person_asks_the_same_again_at_once(self, manager: User, policy) -> None:
        job = waiting(policy)
        actions.cancel_run(run=job, by=manager, now=NOW)
        again = waiting(policy)
        assert again.pk != job.pk
        assert tiering.run(again.pk, now=NOW).state == RunState.DONE


@pytest.fixture
def shop(transactional_db: None) -> Customer:
    shop = make_customer(external_id="1")
    make_order(shop, 100, ordered_at=local(2026, 6, 1))
    return shop


def untouched(shop: Customer) -> bool:
    stored = Customer.objects.values().get(pk=shop.pk)
    return (stored["abc"], stored["net_amount"], stored["version"]) == (None, None, shop.version)


def hook(monkeypatch: pytest.MonkeyPatch, step: str, then: Any) -> None:
    """Have something happen just before a statement of the run."""
    real = getattr(sql, step)

    def patched(**values: Any) -> Any:
        then()
        return real(**values)

    monkeypatch.setattr(sql, step, patched)


@pytest.mark.django_db(transaction=True)
class TestRaces:
    def test_cancelled_in_the_queue_it_is_not_taken_up(self, shop, manager: User, policy) -> None:
        job = waiting(policy)
        actions.cancel_run(run=job, by=manager, now=NOW)
        tasks.run_tiers(run_id=job.pk)
        tasks.run_tiers(run_id=job.pk)  # delivered again
        job.refresh_from_db()
        assert (job.state, job.error, job.started_at) == ("failed", Failure.CANCELLED, None)
        assert untouched(shop)
        assert not TierChange.objects.exists()

    @pytest.mark.parametrize("dry_run", [True, False])
    def test_cancelled_at_work_it_writes_nothing(
        self, shop, manager: User, policy, monkeypatch, dry_run: bool
    ) -> None:
        job = waiting(policy, dry_run=dry_run)
        hook(monkeypatch, "rank", lambda: actions.cancel_run(run=job, by=manager, now=NOW))
        ended = tiering.run(job.pk, now=NOW)
        assert (ended.state, ended.error, ended.cancelled_by) == ("failed", "cancelled", manager)
        assert untouched(shop)
        assert not TierChange.objects.exists()
        assert ended.counts == {}

    def test_what_goes_wrong_afterwards_leaves_it_cancelled(
        self, shop, manager: User, policy, monkeypatch
    ) -> None:
        job = waiting(policy)

        def cancel_and_stumble() -> None:
            actions.cancel_run(run=job, by=manager, now=NOW)
            raise ZeroDivisionError

        hook(monkeypatch, "rank", cancel_and_stumble)
        with pytest.raises(ZeroDivisionError):
            tiering.run(job.pk, now=NOW)
        assert TierRun.objects.get().error == Failure.CANCELLED

    def test_the_command_says_so(self, shop, manager: User, policy, monkeypatch) -> None:
        def cancel() -> None:
            actions.cancel_run(run=TierRun.objects.get(), by=manager, now=NOW)

        hook(monkeypatch, "rank", cancel)
        with pytest.raises(CommandError, match=r"cancelled|取消"):
            call_command("recompute_tiers", "--as-of", "2026-06-16")

    def test_who_comes_while_it_writes_waits_and_hears_that_it_has_ended(
        self, shop, manager: User, policy, monkeypatch
    ) -> None:
        job = waiting(policy)
        heard: list[str] = []

        def cancel() -> None:
            try:
                actions.cancel_run(run=job, by=manager, now=NOW)
                heard.append("cancelled")
            except ValidationError as refused:
                heard.append(str(refused.code))
            finally:
                connections.close_all()

        other = threading.Thread(target=cancel)
        begun = self._begin_in(monkeypatch, other)
        assert tiering.run(job.pk, now=NOW).state == RunState.DONE
        other.join(timeout=60)
        assert (begun, heard) == ([True], ["ended"])
        assert Customer.objects.get().abc == "A"

    def test_a_trial_is_dropped_while_it_ranks(self, shop, draft, monkeypatch) -> None:
        job = waiting(draft, dry_run=True)
        hook(monkeypatch, "rank", lambda: policies.drop(draft))
        tasks.run_tiers(run_id=job.pk)
        assert not TierRun.objects.exists()
        assert not TierChange.objects.exists()
        assert not TierPolicy.objects.filter(pk=job.policy_id).exists()
        tasks.run_tiers(run_id=job.pk)  # and delivered again

    def test_a_trial_is_dropped_while_it_writes(self, shop, draft, monkeypatch) -> None:
        job = waiting(draft, dry_run=True)
        failures: list[Exception] = []

        def drop() -> None:
            try:
                policies.drop(TierPolicy.objects.get(pk=draft.pk))
            except Exception as error:  # handed to the test
                failures.append(error)
            finally:
                connections.close_all()

        other = threading.Thread(target=drop)
        begun = self._begin_in(monkeypatch, other)
        tasks.run_tiers(run_id=job.pk)
        other.join(timeout=60)
        assert (begun, failures) == ([True], [])
        assert not TierRun.objects.exists()
        assert not TierChange.objects.exists()
        assert untouched(shop)

    def test_many_cancel_while_it_works(self, shop, manager: User, policy) -> None:
        """Whoever is first wins, and never half of both."""
        for _round in range(6):
            job = waiting(policy)
            start = threading.Barrier(3)
            outcomes: list[str] = []

            def cancel(job: TierRun = job, start: Any = start, outcomes: Any = outcomes) -> None:
                try:
                    start.wait(timeout=10)
                    actions.cancel_run(run=job, by=manager, now=NOW)
                    outcomes.append("cancelled")
                except ValidationError:
                    outcomes.append("ended")
                finally:
                    connections.close_all()

            threads = [threading.Thread(target=cancel) for _each in range(2)]
            for thread in threads:
                thread.start()
            start.wait(timeout=10)
            tiering.run(job.pk, now=NOW)
            for thread in threads:
                thread.join(timeout=60)
            job.refresh_from_db()
            assert outcomes == [outcomes[0]] * 2
            if outcomes[0] == "cancelled":
                assert (job.error, job.counts) == (Failure.CANCELLED, {})
                assert not job.changes.exists()
            else:
                assert (job.state, job.error, job.cancelled_by) == (RunState.DONE, "", None)

    @staticmethod
    def _begin_in(monkeypatch: pytest.MonkeyPatch, other: threading.Thread) -> list[bool]:
        """Start the thread in the middle of the run's transaction, and see that it has to wait."""
        begun: list[bool] = []

        def begin() -> None:
            other.start()
            other.join(timeout=0.5)
            begun.append(other.is_alive())

        hook(monkeypatch, "keep_changes", begin)
        return begun
