"""What the tests of tiers share: the policy of P8, and runs on a day."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from tests.factories import local
from tiers import actions, tiering
from tiers.models import TierPolicy, TierRun

NOW = local(2026, 6, 17, 9)


@pytest.fixture
def policy(db: None) -> TierPolicy:
    """12 months, 80 and 95 %: there from the start, save where a test has emptied the database."""
    found = TierPolicy.objects.in_force(date(2026, 6, 16)).first()
    return found or TierPolicy.objects.create(name="标准", effective_from=date(1970, 1, 1))


@pytest.fixture
def run_as_of(policy: TierPolicy):
    """`run_as_of(day)`: the finished run of that day."""

    def run(
        as_of: date = date(2026, 6, 16),
        *,
        dry_run: bool = False,
        policy: TierPolicy = policy,
        now: datetime = NOW,
    ) -> TierRun:
        job, _is_new = actions.open_run(
            as_of=as_of, policy=policy, dry_run=dry_run, user=None, now=now
        )
        return tiering.run(job.pk, now=now)

    return run
