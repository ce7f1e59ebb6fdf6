"""The pages of the policy: versions, what changed, making, changing and taking back (P8–P13)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from accounts.models import User
from tests.tiers.conftest import NOW
from tiers import policies
from tiers.models import RunState, TierPolicy, TierRun
from tiers.policy_forms import NewVersionForm

LIST = "/tiers/policies/"
NEW = "/tiers/policies/new/"


@pytest.fixture(autouse=True)
def today(db: None):
    with time_machine.travel(NOW, tick=True):
        yield


def text(response: Any) -> str:
    return str(response.content.decode())


def filled(policy: TierPolicy, **changed: str) -> dict[str, str]:
    """What the browser sends of the untouched form, with some fields changed."""
    form = NewVersionForm(
        instance=policies.copy_of(policy), base=policy, trying=False, today=date(2026, 6, 17)
    )
    values = {bound.html_name: bound.value() for bound in form}
    return {name: "" if value is None else str(value) for name, value in values.items()} | changed


def planned(policy: TierPolicy, day: date = date(2026, 7, 1), **values: object) -> TierPolicy:
    draft = policies.copy_of(policy)
    for name, value in {"a_share": Decimal("0.75"), **values}.items():
        setattr(draft, name, value)
    return policies.plan(draft, day=day, today=date(2026, 6, 17))


class TestList:
    def test_every_version_with_its_days_and_what_it_changed(
        self, as_, rep: User, policy: TierPolicy
    ) -> None:
        planned(policy)
        page = text(as_(rep).get(LIST))
        assert "until 2026-06-30" in page
        assert "from 2026-07-01" in page
        assert '<s class="t3">80\u00a0%</s> → <b>75\u00a0%</b>' in page
        assert "In force" in page
        assert "Still to come" in page
        assert "New version" not in page

    def test_who_made_a_version_is_named(self, as_, manager: User, policy: TierPolicy) -> None:
        browser = as_(manager)
        browser.post(NEW, filled(policy, a_share="75"))
        page = text(browser.get(LIST))
        assert "Manager" in page
        assert "17 Jun" in page

    def test_an_empty_house_says_so(self, as_, manager: User) -> None:
        TierPolicy.objects.all().delete()
        assert "No policy yet" in text(as_(manager).get(LIST))
        assert as_(manager).get(NEW).status_code == 200


class TestNew:
    def test_it_begins_with_the_values_in_force_and_the_first_of_next_month(
        self, as_, manager: User, policy: TierPolicy
    ) -> None:
        page = text(as_(manager).get(NEW))
        assert 'name="a_share" value="80"' in page
        assert 'value="2026-07-01"' in page
        assert 'name="key_weights.volume" value="25"' in page

    def test_saved_it_is_the_next_version_and_the_old_one_stays(
        self, as_, manager: User, policy: TierPolicy
    ) -> None:
        answer = as_(manager).post(
            NEW,
            filled(policy, a_share="75.5", downgrade_runs="2", **{"key_weights.volume": "40"}),
        )
        made = TierPolicy.objects.exclude(pk=policy.pk).get()
        assert answer["Location"] == f"{LIST}{made.pk}/"
        assert (made.revision, made.effective_from) == (2, date(2026, 7, 1))
        assert (made.a_share, made.downgrade_runs) == (Decimal("0.7550"), 2)
        assert made.key_weights["volume"] == 40
        assert made.key_weights["frequency"] == 15
        policy.refresh_from_db()
        assert policy.key_weights["volume"] == 25
        assert policy.a_share == Decimal("0.8")

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({"effective_from": "2026-06-16", "a_share": "75"}, "begins today at the earliest"),
            ({"effective_from": "", "a_share": "75"}, "This field is required."),
            ({}, "Nothing differs from 标准 v1"),
            ({"a_share": "96"}, "The B line lies above the A line"),
            ({"a_share": "0"}, "The B line lies above the A line"),
            ({"a_share": "101"}, "less than or equal to 100"),
            ({"a_share": "75.555"}, "no more than 2 decimal places"),
            ({"window_months": "0"}, "greater than or equal to 1"),
            ({"loyal_months": "13"}, "The window has only 12 months."),
            ({"key_weights.volume": "101"}, "less than or equal to 100"),
            ({"key_weights.volume": ""}, "This field is required."),
            ({"leaving_below": "0"}, "greater than or equal to 1"),
            ({"leaving_below": "99.5"}, "less than or equal to 99"),
            ({"leaving_below": ""}, "This field is required."),
            ({"gone_after_days": "90"}, "A customer is silent before it has gone."),
            ({"silence_days": "400"}, "A customer is silent before it has gone."),
            ({"silence_days": "0"}, "greater than or equal to 1"),
            ({"gone_after_days": "3651"}, "less than or equal to 3650"),
            ({"measure": "luck"}, "not one of the available choices"),
            ({"name": ""}, "This field is required."),
        ],
    )
    def test_what_makes_no_sense_is_refused_in_words_with_the_input_kept(
        self, as_, manager: User, policy: TierPolicy, changed: dict[str, str], said: str
    ) -> None:
        answer = as_(manager).post(NEW, filled(policy, **changed))
        assert answer.status_code == 422
        assert said in text(answer)
        assert TierPolicy.objects.count() == 1

    def test_from_another_version(self, as_, manager: User, policy: TierPolicy) -> None:
        made = planned(policy)
        page = text(as_(manager).get(NEW, {"base": made.pk}))
        assert 'name="a_share" value="75"' in page
        for bad in ("999999", "x", "-1", "9" * 40, "²"):
            assert as_(manager).get(NEW, {"base": bad}).status_code == 404

    def test_somebody_else_was_faster(
        self, as_, manager: User, director: User, policy: TierPolicy
    ) -> None:
        mine = filled(policy, a_share="75")
        as_(director).post(NEW, filled(policy, window_months="24"))
        browser = as_(manager)
        refused = browser.post(NEW, mine)
        assert refused.status_code == 422
        assert "Somebody else has made a version meanwhile" in text(refused)
        assert "Director: Window in months 12 → 24" in text(refused)
        assert 'name="a_share" value="75"' in text(refused)
        again = mine | {"seen": str(refused.context["form"]["seen"].value())}
        assert browser.post(NEW, again).status_code == 302
        assert [one.revision for one in TierPolicy.objects.order_by("revision")] == [1, 2, 3]

    def test_try_first_starts_a_trial_and_needs_no_day(
        self, as_, manager: User, policy: TierPolicy, django_capture_on_commit_callbacks
    ) -> None:
        with django_capture_on_commit_callbacks() as queued:
            answer = as_(manager).post(
                NEW, filled(policy, a_share="75", effective_from="", **{"try": "1"})
            )
        run = TierRun.objects.get()
        assert answer["Location"] == f"/tiers/runs/{run.pk}/"
        assert (run.dry_run, run.state, run.requested_by) == (True, RunState.QUEUED, manager)
        assert run.policy.effective_from is None
        assert len(queued) == 1
        assert "Tried, not adopted" in text(as_(manager).get(LIST))

    def test_only_who_may_write(self, as_, rep: User, manager: User, policy: TierPolicy) -> None:
        for url in (NEW, f"{LIST}{policy.pk}/edit/"):
            assert as_(rep).get(url).status_code == 403
            assert as_(rep).post(url).status_code == 403
        assert as_(rep).post(f"{LIST}{policy.pk}/take-back/").status_code == 403


class TestOne:
    def test_all_it_says_in_words(self, as_, rep: User, policy: TierPolicy) -> None:
        page = text(as_(rep).get(f"{LIST}{policy.pk}/"))
        for said in (
            "<dt>Window in months</dt><dd>12</dd>",
            "<dt>A while the share before is below</dt><dd>80\u00a0%</dd>",
            "<dt>Ranked by</dt><dd>Net amount</dd>",
            "<dt>Volume</dt><dd>25</dd>",
            "<dt>Urgency of need</dt><dd>30</dd>",
            "No run has used it yet.",
        ):
            assert said in page
        assert as_(rep).get(f"{LIST}999999/").status_code == 404

    def test_one_still_to_come_is_changed_in_place(
        self, as_, manager: User, policy: TierPolicy
    ) -> None:
        made = planned(policy)
        browser = as_(manager)
        url = f"{LIST}{made.pk}/edit/"
        assert f'href="{url}"' in text(browser.get(f"{LIST}{made.pk}/"))
        values = filled(made, a_share="70", effective_from="2026-08-01", version=str(made.version))
        assert browser.post(url, values)["Location"] == f"{LIST}{made.pk}/"
        made.refresh_from_db()
        assert (made.a_share, made.effective_from) == (Decimal("0.7"), date(2026, 8, 1))
        assert made.revision == 2
        stale = browser.post(url, values | {"a_share": "60"})
        assert stale.status_code == 422
        assert "Somebody else has changed this meanwhile" in text(stale)
        late = filled(made, a_share="60", effective_from="2026-06-01", version=str(made.version))
        assert "begins today at the earliest" in text(browser.post(url, late))
        made.refresh_from_db()
        assert made.a_share == Decimal("0.7")

    def test_any_other_is_copied(self, as_, manager: User, policy: TierPolicy) -> None:
        answer = as_(manager).get(f"{LIST}{policy.pk}/edit/")
        assert answer["Location"] == f"{NEW}?base={policy.pk}"

    def test_one_still_to_come_is_taken_back(self, as_, manager: User, policy: TierPolicy) -> None:
        made = planned(policy)
        browser = as_(manager)
        assert "Take back" in text(browser.get(f"{LIST}{made.pk}/"))
        assert browser.post(f"{LIST}{made.pk}/take-back/")["Location"] == LIST
        assert list(TierPolicy.objects.all()) == [policy]
        answer = browser.post(f"{LIST}{policy.pk}/take-back/", follow=True)
        assert "is in force or was" in text(answer)


PAGES = {LIST: 5, "{policy}": 5, NEW: 4, "{policy}edit/": 5}


@pytest.mark.parametrize("url", PAGES)
def test_pages_cost_the_same_however_many_versions(
    as_, manager: User, policy: TierPolicy, url: str, django_assert_max_num_queries
) -> None:
    made = planned(policy)
    address = url.format(policy=f"{LIST}{made.pk}/")
    browser = as_(manager)
    browser.get(address)
    with django_assert_max_num_queries(PAGES[url] + 2):
        browser.get(address)
    for number in range(5):
        planned(policy, date(2026, 9, 1 + number), window_months=number + 30)
        policies.try_out(
            _with(policy, window_months=number + 20), user=manager, now=NOW, today=NOW.date()
        )
    with django_assert_max_num_queries(PAGES[url] + 2):
        assert browser.get(address).status_code == 200


def _with(policy: TierPolicy, **values: object) -> TierPolicy:
    draft = policies.copy_of(policy)
    for name, value in values.items():
        setattr(draft, name, value)
    return draft
