"""Versions of the policy: which decides when, and how one comes, changes and goes (P8–P13)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.utils import translation

from accounts.audit import Through, acting
from accounts.models import AuditEntry, User
from tests.factories import local, make_customer, make_order
from tests.tiers.conftest import NOW
from tiers import policies
from tiers.models import RunState, TierPolicy, TierRun
from tiers.policies import Stage
from tiers.tasks import run_tiers_nightly

TODAY = date(2026, 6, 17)


def make(policy: TierPolicy, **values: object) -> TierPolicy:
    made = policies.copy_of(policy)
    for name, value in values.items():
        setattr(made, name, value)
    return made


def planned(policy: TierPolicy, day: date = date(2026, 7, 1), **values: object) -> TierPolicy:
    values = {"a_share": Decimal("0.75"), **values}
    return policies.plan(make(policy, **values), day=day, today=TODAY)


class TestHistory:
    """Rules without a database."""

    def stages(self, *days: date | None) -> list[tuple[int, Stage, date | None]]:
        rows = [
            TierPolicy(pk=n, name="P", revision=n, effective_from=day, window_months=n)
            for n, day in enumerate(days, start=1)
        ]
        return [
            (one.policy.revision, one.stage, one.until) for one in policies.history(rows, TODAY)
        ]

    def test_the_latest_by_today_is_in_force_and_ends_where_the_next_begins(self) -> None:
        assert self.stages(date(1970, 1, 1), date(2026, 1, 1), date(2026, 7, 1)) == [
            (3, Stage.PLANNED, None),
            (2, Stage.IN_FORCE, date(2026, 6, 30)),
            (1, Stage.PAST, date(2025, 12, 31)),
        ]

    def test_of_two_that_begin_on_one_day_the_newer_decides(self) -> None:
        assert self.stages(date(2026, 1, 1), TODAY, TODAY) == [
            (3, Stage.IN_FORCE, None),
            (2, Stage.REPLACED, TODAY - timedelta(days=1)),
            (1, Stage.PAST, TODAY - timedelta(days=1)),
        ]

    def test_drafts_stand_beside(self) -> None:
        assert self.stages(date(2026, 1, 1), None) == [(1, Stage.IN_FORCE, None)]

    @pytest.mark.parametrize(
        ("today", "first"),
        [
            (date(2026, 6, 17), date(2026, 7, 1)),
            (date(2026, 1, 31), date(2026, 2, 1)),
            (date(2026, 12, 1), date(2027, 1, 1)),
            (date(2026, 12, 31), date(2027, 1, 1)),
        ],
    )
    def test_the_first_of_the_next_month(self, today: date, first: date) -> None:
        assert policies.next_month(today) == first

    def test_what_changed_is_told_in_words(self) -> None:
        before = TierPolicy(name="P", a_share=Decimal("0.8"), b_share=Decimal("0.95"))
        after = make(before, a_share=Decimal("0.75"), window_months=6, name="Q")
        with translation.override("en"):
            found = policies.differences(before, after)
        assert [(one.field, one.before, one.after) for one in found] == [
            ("Window in months", "12", "6"),
            ("A while the share before is below", "80\u00a0%", "75\u00a0%"),
        ]


@pytest.mark.django_db
class TestPlan:
    def test_a_new_version_is_the_next_revision_and_the_old_one_stays(self, policy) -> None:
        made = planned(policy)
        assert (made.name, made.revision) == (policy.name, policy.revision + 1)
        policy.refresh_from_db()
        assert policy.a_share == Decimal("0.8")
        in_force = TierPolicy.objects.in_force
        assert in_force(date(2026, 6, 30)).first() == policy
        assert in_force(date(2026, 7, 1)).first() == made

    def test_who_gave_it_its_day_is_on_record(self, policy, manager: User) -> None:
        with acting(user=manager, through=Through.PAGE):
            made = planned(policy)
        assert policies.signatures([policy, made])[made.pk].actor == manager
        assert policy.pk not in policies.signatures([policy])

    def test_the_past_is_not_decided_anew(self, policy) -> None:
        with pytest.raises(ValidationError) as refused:
            planned(policy, TODAY - timedelta(days=1))
        assert "effective_from" in refused.value.message_dict
        assert planned(policy, TODAY).effective_from == TODAY

    def test_a_version_that_changes_nothing_is_refused(self, policy) -> None:
        with pytest.raises(ValidationError) as refused:
            planned(policy, a_share=policy.a_share, name="Other")
        assert refused.value.code == "unchanged"
        planned(policy)
        with pytest.raises(ValidationError):
            planned(policy, date(2026, 8, 1))

    def test_the_lines_stay_in_order(self, policy) -> None:
        with pytest.raises(ValidationError):
            planned(policy, a_share=Decimal("0.97"))
        assert TierPolicy.objects.count() == 1


@pytest.mark.django_db
class TestChangeAndTakeBack:
    def test_a_version_still_to_come_can_be_changed(self, policy) -> None:
        made = planned(policy)
        made.a_share = Decimal("0.7")
        policies.change(made, today=TODAY)
        assert TierPolicy.objects.get(pk=made.pk).a_share == Decimal("0.7")
        assert made.revision == 2

    def test_once_its_day_has_come_it_stays(self, policy) -> None:
        made = planned(policy)
        for act in (policies.change, policies.take_back):
            with pytest.raises(ValidationError) as refused:
                act(made, today=date(2026, 7, 1))
            assert refused.value.code == "begun"
        policy.window_months = 6
        with pytest.raises(ValidationError):
            policies.change(policy, today=TODAY)

    def test_a_version_that_a_run_has_used_stays(self, policy, run_as_of) -> None:
        made = planned(policy)
        run_as_of(policy=made)
        for act in (policies.change, policies.take_back):
            with pytest.raises(ValidationError) as refused:
                act(made, today=TODAY)
            assert refused.value.code == "used"

    def test_two_people_at_once_do_not_overwrite_each_other(self, policy) -> None:
        made = planned(policy)
        one, other = (TierPolicy.objects.get(pk=made.pk) for _ in range(2))
        one.a_share, other.a_share = Decimal("0.7"), Decimal("0.6")
        policies.change(one, today=TODAY)
        with pytest.raises(ValidationError) as refused:
            policies.change(other, today=TODAY)
        assert refused.value.code == "conflict"

    def test_taken_back_it_is_gone_and_the_audit_log_tells(self, policy) -> None:
        made = planned(policy)
        pk = made.pk
        policies.take_back(made, today=TODAY)
        assert not TierPolicy.objects.filter(pk=pk).exists()
        entry = AuditEntry.objects.filter(model="tiers.tierpolicy", object_id=pk).order_by("-pk")[0]
        assert entry.action == "delete"


@pytest.fixture
def shops(rep: User, stranger: User) -> None:
    """Net 700, 200, 60, 40: by 80 and 95 % A, A, B, C; by 65 % the second falls to B."""
    for number, amount, owner in [("1", 700, rep), ("2", 200, rep), ("3", 60, stranger)]:
        customer = make_customer(external_id=number, name=f"Shop {number}", owner=owner)
        make_order(customer, amount, ordered_at=local(2026, 6, 1))
    make_order(make_customer(external_id="4"), 40, ordered_at=local(2026, 6, 1))


@pytest.mark.django_db
class TestTryAdoptDrop:
    @pytest.fixture
    def trial(self, policy, shops, run_as_of, manager: User) -> TierRun:
        run_as_of()
        draft = make(policy, a_share=Decimal("0.65"))
        return policies.try_out(draft, user=manager, now=NOW, today=TODAY)

    def test_p13_a_trial_judges_by_a_draft_on_the_day_of_the_last_run(
        self, policy, trial: TierRun, manager: User
    ) -> None:
        assert trial.dry_run
        assert (trial.as_of, trial.requested_by) == (date(2026, 6, 16), manager)
        assert trial.policy.effective_from is None
        assert str(trial.policy) == f"{policy.name} v2"
        assert TierPolicy.objects.in_force(date(2100, 1, 1)).get() == policy

    def test_the_same_values_are_one_draft(self, policy, trial: TierRun, manager: User) -> None:
        again = policies.try_out(
            make(policy, a_share=Decimal("0.65")), user=manager, now=NOW, today=TODAY
        )
        assert again == trial
        other = policies.try_out(
            make(policy, a_share=Decimal("0.6")), user=manager, now=NOW, today=TODAY
        )
        assert other.policy.revision == 3

    def test_what_changes_nothing_is_not_tried(self, policy, manager: User) -> None:
        with pytest.raises(ValidationError) as refused:
            policies.try_out(make(policy), user=manager, now=NOW, today=TODAY)
        assert refused.value.code == "unchanged"

    def test_before_the_first_run_a_trial_looks_at_yesterday(self, policy, manager: User) -> None:
        draft = make(policy, window_months=24)
        run = policies.try_out(draft, user=manager, now=NOW, today=TODAY)
        assert run.as_of == date(2026, 6, 16)

    def test_adopted_it_decides_from_its_day_and_the_trial_stays(
        self, policy, trial: TierRun
    ) -> None:
        made = policies.adopt(trial.policy, day=date(2026, 7, 1), today=TODAY)
        assert (made.pk, made.revision) == (trial.policy_id, 2)
        assert TierPolicy.objects.in_force(date(2026, 7, 1)).first() == made
        assert TierRun.objects.get(pk=trial.pk).policy == made
        with pytest.raises(ValidationError) as refused:
            policies.adopt(made, day=date(2026, 8, 1), today=TODAY)
        assert refused.value.code == "adopted"

    def test_adopted_after_a_later_one_it_takes_the_next_number(self, policy, trial) -> None:
        planned(policy)
        made = policies.adopt(trial.policy, day=date(2026, 8, 1), today=TODAY)
        assert made.revision == 4

    def test_an_adopted_one_taken_back_is_a_draft_again(self, policy, trial: TierRun) -> None:
        made = policies.adopt(trial.policy, day=date(2026, 7, 1), today=TODAY)
        policies.take_back(made, today=TODAY)
        made.refresh_from_db()
        assert made.effective_from is None
        assert TierRun.objects.filter(pk=trial.pk).exists()

    @pytest.mark.parametrize("state", [RunState.QUEUED, RunState.RUNNING, RunState.FAILED])
    def test_dropped_it_is_gone_with_its_trials(self, policy, trial: TierRun, state: str) -> None:
        """A worker that is at one of them meanwhile finds it gone (test_cancelling)."""
        TierRun.objects.filter(pk=trial.pk).update(state=state)
        policies.drop(trial.policy)
        assert list(TierPolicy.objects.all()) == [policy]
        assert not TierRun.objects.filter(dry_run=True).exists()

    def test_an_adopted_one_is_not_dropped(self, policy, trial: TierRun) -> None:
        made = policies.adopt(trial.policy, day=date(2026, 7, 1), today=TODAY)
        with pytest.raises(ValidationError):
            policies.drop(made)


@pytest.mark.django_db
def test_a_version_of_the_first_takes_over_in_the_night_that_judges_the_first(policy) -> None:
    """The nightly run looks at the last whole day: June by the old version, 1 July by the new."""
    made = planned(policy)
    nights = [
        (local(2026, 6, 30, 2, 10), date(2026, 6, 29), policy),
        (local(2026, 7, 1, 2, 10), date(2026, 6, 30), policy),
        (local(2026, 7, 2, 2, 10), date(2026, 7, 1), made),
    ]
    for night, as_of, decides in nights:
        with time_machine.travel(night, tick=False):
            run_tiers_nightly()
        run = TierRun.objects.order_by("-pk")[0]
        assert (run.as_of, run.policy) == (as_of, decides)
