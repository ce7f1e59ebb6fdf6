"""P12: every line of the history says for ever what was said on its day."""

from __future__ import annotations

from datetime import date, timedelta
from importlib import import_module
from itertools import pairwise
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection
from django.utils import translation

from accounts.audit import Through, acting
from accounts.models import AuditEntry, User
from customers.merging import merge
from customers.models import Customer
from customers.timeline import sources
from customers.unmerging import undo
from tests.factories import local, make_customer, make_order
from tests.tiers.conftest import NOW
from tiers import overrides, reasons, timeline
from tiers.models import TierChange, TierOverride
from tiers.views.files import changes_of, told

TODAY = date(2026, 6, 17)
JULY = date(2026, 7, 31)


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


@pytest.fixture
def ranked(rep: User, run_as_of) -> Customer:
    """A C by its orders."""
    make_order(make_customer(external_id="big"), 9900)
    customer = make_customer(external_id="small", owner=rep)
    make_order(customer, 100)
    run_as_of()
    customer.refresh_from_db()
    return customer


def set_a(customer: Customer, by: User) -> TierOverride:
    return overrides.set_tier(
        customer=customer, tier="A", reason="Strategic", until=JULY, by=by, now=NOW, today=TODAY
    )


def change(made: TierOverride, by: User, *, now=NOW + timedelta(hours=1), **words) -> TierOverride:
    for name, value in words.items():
        setattr(made, name, value)
    return overrides.change(override=made, by=by, now=now, today=TODAY)


def lines(customer: Customer) -> list[str]:
    """The sentences of the history, the first one first."""
    customer = Customer.objects.get(pk=customer.pk)
    return [told(one).reason for one in changes_of(customer).order_by("pk")]


def test_what_was_said_stays_whatever_is_said_later(
    ranked: Customer, manager: User, director: User
) -> None:
    made = set_a(ranked, manager)
    seen = [lines(ranked)]
    change(made, director, until=date(2026, 9, 30))
    seen.append(lines(ranked))
    change(made, manager, reason="Opens three shops")
    seen.append(lines(ranked))
    change(made, director, tier="B", reason="Opens one", until=JULY)
    seen.append(lines(ranked))
    overrides.end(override=made, by=manager, now=NOW + timedelta(days=1))
    seen.append(lines(ranked))
    for earlier, later in pairwise(seen):
        assert later[: len(earlier)] == earlier
        assert len(later) == len(earlier) + 1
    m, d = manager.display_name, director.display_name
    assert seen[-1][1:] == [
        f"{m} set A until 2026-07-31: Strategic",
        f"{d} changed what is set (A): last day 2026-07-31 → 2026-09-30",
        f"{m} changed what is set (A): reason “Strategic” → “Opens three shops”",
        f"{d} set B until 2026-07-31: Opens one",
        f"{m} ended what {d} had set (B until 2026-07-31)",
    ]
    TierOverride.objects.all().delete()
    assert lines(ranked) == seen[-1]


def test_the_timeline_tells_who_changed_what_and_when(
    ranked: Customer, manager: User, director: User
) -> None:
    made = set_a(ranked, manager)
    at = NOW + timedelta(hours=1)
    change(made, director, now=at, until=date(2026, 9, 30), reason="Opens shops")
    newest = timeline.entries(ranked, before=None, limit=10)[0]
    assert (newest.at, newest.title, newest.tone) == (at, "Still set by hand: A", "")
    assert newest.text == (
        f"{director.display_name} changed what is set (A): last day 2026-07-31 → 2026-09-30; "
        "reason “Strategic” → “Opens shops”"
    )
    assert TierOverride.objects.get().by == director
    assert timeline.KIND in {source.KIND for source in sources()}


def test_nothing_changed_is_no_line(ranked: Customer, manager: User, director: User) -> None:
    made = set_a(ranked, manager)
    change(made, director, reason=" Strategic ")
    assert len(lines(ranked)) == 2
    assert TierOverride.objects.get().by == manager


def test_a_change_of_words_is_no_move(ranked: Customer, manager: User, as_) -> None:
    change(set_a(ranked, manager), manager, until=date(2026, 9, 30))
    changes = TierChange.objects.filter(customer=ranked)
    assert changes.count() == 3
    assert changes.moves().count() == 2
    assert not (changes.up() | changes.down()).filter(cause="override_changed").exists()
    page = as_(manager).get(f"/tiers/of-customer/{ranked.pk}/").content.decode()
    assert "last day 2026-07-31 → 2026-09-30" in page
    part = as_(manager).get(
        f"/tiers/of-customer/{ranked.pk}/", headers={"HX-Request": "true"}
    ).content.decode()  # fmt: skip
    assert "A 2026-06 → A" not in part


def test_a_run_writes_the_words_that_it_ends(
    ranked: Customer, manager: User, director: User, run_as_of
) -> None:
    made = set_a(ranked, manager)
    run_as_of(now=local(2026, 8, 1, 2))
    line = TierChange.objects.latest("pk")
    assert (line.cause, line.said_by, line.said_until) == ("override_expired", manager, JULY)
    said = f"What {manager.display_name} had set (A until 2026-07-31) is over"
    assert reasons.said(line) == said
    TierOverride.objects.filter(pk=made.pk).update(until=date(2027, 1, 1), by=director)
    assert reasons.said(TierChange.objects.latest("pk")) == said


def test_a_merge_and_its_undo_leave_every_line_as_it_was(ranked: Customer, manager: User) -> None:
    other = make_customer(external_id="other", owner=ranked.owner)
    mine = change(set_a(ranked, manager), manager, until=date(2026, 9, 30))
    set_a(other, manager)
    before = lines(ranked), lines(other)
    record = merge(gone_id=ranked.pk, into_id=other.pk, by=manager, now=NOW + timedelta(days=1))
    assert sorted(lines(other)) == sorted(before[0] + before[1])
    undo(merge_id=record.pk, by=manager, now=NOW + timedelta(days=2))
    assert (lines(ranked), lines(other)) == before
    assert TierOverride.objects.get(pk=mine.pk).until == date(2026, 9, 30)


def test_old_lines_get_the_words_of_their_day_from_the_log(
    ranked: Customer, manager: User, director: User, time_machine
) -> None:
    """As the history stood before it kept words: overrides were edited, the log knew."""
    time_machine.move_to(NOW, tick=False)
    with acting(user=manager, through=Through.PAGE):
        made = set_a(ranked, manager)
    time_machine.move_to(NOW + timedelta(hours=1), tick=False)
    with acting(user=director, through=Through.PAGE):
        change(made, director, now=NOW + timedelta(hours=1) - timedelta(seconds=1), tier="B",
               reason="Smaller", until=date(2026, 6, 30))  # fmt: skip
    time_machine.move_to(NOW + timedelta(hours=2), tick=False)
    with acting(user=manager, through=Through.PAGE):
        overrides.end(override=made, by=manager, now=NOW + timedelta(hours=2))
    told_now = lines(ranked)
    TierOverride.objects.update(by=manager)  # so it stayed with who had set it first
    TierChange.objects.update(said_tier=None, said_until=None, said_reason="", said_by=None)
    assert lines(ranked) != told_now
    assert AuditEntry.objects.of(made).count() == 3
    migration = import_module("tiers.migrations.0014_fill_words_and_classes")
    migration.fill_words(apps, SimpleNamespace(connection=connection))
    assert lines(ranked) == told_now
