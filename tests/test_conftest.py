"""The cast and the database that every test starts from."""

from __future__ import annotations

import pytest
from django_celery_beat.models import PeriodicTask

from tiers.models import TierPolicy
from visits.models import Cadence, OccasionRule


def written() -> tuple[int, int, int, bool]:
    return (
        Cadence.objects.count(),
        OccasionRule.objects.count(),
        TierPolicy.objects.count(),
        PeriodicTask.objects.exists(),
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("time", ["before a flush", "after a flush"])
def test_what_migrations_wrote_is_there_in_every_test(time: str) -> None:
    assert written() == (3, 7, 1, True)
    Cadence.objects.all().delete()
