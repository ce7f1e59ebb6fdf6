"""Cadences and occasions as an administrator sets them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from visits.models import Cadence, OccasionRule


def rules(client: Client) -> dict[str, Any]:
    """What the form of the rules sends, unchanged."""
    page = client.get("/visits/cadences/").content.decode()
    data = dict(re.findall(r'name="((?:cadence|rule)-[^"]+)" value="([^"]*)"', page))
    data |= dict(re.findall(r'type="number" name="([^"]+)" value="([^"]*)"', page))
    return data | dict.fromkeys(
        re.findall(r'type="checkbox" name="([^"]+)"[^>]*checked', page), "on"
    )


def test_cadences_and_occasions_are_edited(as_, administrator: User) -> None:
    client = as_(administrator)
    data = rules(client)
    data |= {"cadence-0-every_days": "21", "rule-3-days_before": "14"}
    del data["rule-4-enabled"]
    assert client.post("/visits/cadences/", data).status_code == 302
    assert Cadence.objects.get(abc="A").every_days == 21
    assert OccasionRule.objects.get(code="labour_day").days_before == 14
    assert not OccasionRule.objects.get(code="dragon_boat").enabled


@pytest.mark.parametrize("days", ["0", "-1", "731", "", "x", "1e9"])
def test_a_cadence_is_one_day_to_two_years(as_, administrator: User, days: str) -> None:
    client = as_(administrator)
    page = client.post("/visits/cadences/", rules(client) | {"cadence-0-every_days": days})
    assert "nothing was saved" in page.content.decode()
    assert Cadence.objects.get(abc="A").every_days == 30


def test_two_administrators_do_not_overwrite_each_other(as_, administrator, director) -> None:
    data = rules(as_(administrator))
    as_(director).post("/visits/cadences/", data | {"cadence-0-every_days": "20"})
    page = as_(administrator).post("/visits/cadences/", data | {"cadence-0-every_days": "40"})
    assert "Director has changed this meanwhile" in page.content.decode()
    assert Cadence.objects.get(abc="A").every_days == 20
