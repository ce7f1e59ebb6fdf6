"""What webhooks hear of tiers: each move of a run and by hand, and that a run is done."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Delivery, Event
from customers.models import Customer
from tests.factories import local, make_customer, make_order, make_webhook
from tiers import overrides, tiering
from tiers.actions import open_run
from tiers.models import TierChange, TierRun

pytestmark = pytest.mark.django_db
NOW = local(2026, 7, 1, 3)
AS_OF = date(2026, 6, 30)


def told(name: str) -> list[Any]:
    rows = Delivery.objects.filter(event__name=name).select_related("event").order_by("pk")
    return [row.event.data for row in rows]


def run(*, dry_run: bool = False, as_of: date = AS_OF) -> TierRun:
    now = NOW + (as_of - AS_OF)
    job, _new = open_run(as_of=as_of, dry_run=dry_run, user=None, now=now)
    return tiering.run(job.pk, now=now)


def customers(number: int) -> list[Customer]:
    made = [make_customer() for _n in range(number)]
    for place, one in enumerate(made, start=1):
        make_order(one, 1000 * place, ordered_at=local(2026, 6, 1))
    make_customer(external_id=None)
    return made


def test_p12_every_move_of_a_run_is_told_once() -> None:
    customers(12)
    make_webhook("tier.changed", "tier_run.done")
    make_webhook("tier.changed")
    done = run()
    moves = list(TierChange.objects.order_by("pk").select_related("customer"))
    wanted: list[Any] = [
        {
            "customer_id": move.customer_id,
            "customer": move.customer.external_id,
            "from_tier": move.from_tier,
            "to_tier": move.to_tier,
            "cause": "run",
            "run": done.pk,
            "url": f"http://127.0.0.1:8000/api/v1/customers/{move.customer_id}/",
        }
        for move in moves
    ]
    assert len(wanted) == 12

    def by_customer(rows: list[Any]) -> list[Any]:
        return sorted(rows, key=lambda row: row["customer_id"])

    assert by_customer(told("tier.changed")) == by_customer([*wanted, *wanted])
    assert Event.objects.filter(name="tier.changed").count() == 12
    assert told("tier_run.done") == [
        {
            "id": done.pk, "as_of": "2026-06-30", "moved": 12,
            "url": f"http://127.0.0.1:8000/api/v1/tier-runs/{done.pk}/",
        }
    ]  # fmt: skip
    assert set(Event.objects.values_list("occurred_at", flat=True)) == {done.finished_at}
    run(as_of=AS_OF + timedelta(days=1))
    assert Event.objects.filter(name="tier.changed").count() == 12, "nobody moved"
    assert len(told("tier_run.done")) == 2


def test_a_trial_tells_nothing() -> None:
    customers(3)
    make_webhook("tier.changed", "tier_run.done")
    run(dry_run=True)
    assert not Event.objects.exists()


def test_the_database_tells_the_moves_of_itself() -> None:
    """No row of them passes through this process, however many there are."""

    def cost(number: int, day: int) -> int:
        customers(number)
        with CaptureQueriesContext(connection) as queries:
            run(as_of=AS_OF + timedelta(days=day))
        return len(queries)

    make_webhook("tier.changed", "tier_run.done")
    assert cost(3, 0) == cost(60, 1)


def test_p12_a_tier_set_by_hand_is_told(administrator) -> None:
    one = make_customer()
    make_webhook("tier.changed")
    now = timezone.now()
    today = timezone.localdate(now)
    word = overrides.set_tier(
        customer=one, tier="A", reason="new", until=today + timedelta(days=9),
        by=administrator, now=now, today=today,
    )  # fmt: skip
    word.reason = "newer"
    overrides.change(override=word, by=administrator, now=now, today=today)
    overrides.end(override=word, by=administrator, now=now)
    assert [
        (row["from_tier"], row["to_tier"], row["cause"], row["run"]) for row in told("tier.changed")
    ] == [
        (None, "A", "override", None),
        ("A", None, "override_ended", None),
    ]
    assert told("tier.changed")[0]["customer"] == one.external_id
