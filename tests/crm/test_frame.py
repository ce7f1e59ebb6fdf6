"""The frame of every page: health, home per role."""

import pytest
from django.test import Client

from accounts.models import User


@pytest.mark.django_db
def test_a_process_that_answers_is_healthy(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


@pytest.mark.django_db
def test_ready_says_what_it_looked_at(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["checks"] == {"database": "ok", "migrations": "ok", "broker": "ok"}


def test_home_is_the_first_page_of_the_role(as_, rep: User, manager: User) -> None:
    assert as_(rep).get("/")["Location"] == "/visits/today/"
    assert as_(manager).get("/")["Location"] == "/tiers/"


@pytest.mark.django_db
def test_a_stranger_to_the_house_is_asked_to_sign_in(client: Client) -> None:
    assert client.get("/more/")["Location"] == "/login/?next=/more/"
