"""Visits a month by the cadences: recounted customer by customer (P13, P28)."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import pytest

from tiers.workload import Load, cadences, loads, total
from visits.models import Cadence

CADENCES: dict[str | None, int] = {"A": 30, "B": 60, "C": 120}
TIERS = ("A", "B", "C", None)


def test_p28_a_month_is_thirty_days() -> None:
    """312 A, 486 B and 1,204 C are 856 visits; with 58 from A to B they are 827."""
    found = loads([(1, "A", 312), (1, "B", 486), (1, "C", 1204)], [(1, "A", "B", 58)], CADENCES)
    assert found == {1: Load(2002, 58, Fraction(856), Fraction(827))}
    assert found[1].change == -29


@pytest.mark.parametrize("seed", range(20))
def test_p13_visits_are_those_of_each_customer_added_up(seed: int) -> None:
    draw = Random(seed)
    customers: list[tuple[int | None, str | None, str | None]] = [
        (draw.choice((1, 2, None)), draw.choice(TIERS), draw.choice(TIERS))
        for _number in range(draw.randrange(40))
    ]
    standings: dict[tuple[int | None, str | None], int] = {}
    moves: dict[tuple[int | None, str | None, str | None], int] = {}
    for owner, before, after in customers:
        standings[owner, before] = standings.get((owner, before), 0) + 1
        if before != after:
            moves[owner, before, after] = moves.get((owner, before, after), 0) + 1
    found = loads(
        [(*key, n) for key, n in standings.items()],
        [(*key, n) for key, n in moves.items()],
        CADENCES,
    )
    for owner in {owner for owner, _before, _after in customers}:
        mine = [(before, after) for one, before, after in customers if one == owner]
        assert found[owner].customers == len(mine)
        assert found[owner].moved == sum(before != after for before, after in mine)
        asked = {"A": Fraction(1), "B": Fraction(1, 2), "C": Fraction(1, 4), None: Fraction(0)}
        assert found[owner].now == sum(asked[before] for before, _after in mine)
        assert found[owner].then == sum(asked[after] for _before, after in mine)
    whole = total(found.values())
    assert whole.then - whole.now == sum(load.change for load in found.values())


def test_a_tier_without_a_cadence_asks_for_no_visits() -> None:
    found = loads([(None, "C", 8)], [(None, "C", None, 2)], {"A": 30})
    assert found[None] == Load(8, 2)


@pytest.mark.django_db
def test_the_cadences_come_from_the_visits() -> None:
    assert cadences() == CADENCES
    Cadence.objects.filter(abc="C").update(every_days=90)
    assert cadences()["C"] == 90
    Cadence.objects.filter(abc="C").delete()
    assert "C" not in cadences()
