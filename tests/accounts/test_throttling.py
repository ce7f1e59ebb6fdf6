"""How many requests a key may make in a minute."""

from __future__ import annotations

import pytest
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from accounts.models import User
from accounts.throttling import count
from tests.factories import make_key

pytestmark = pytest.mark.django_db


class Echo(APIView):
    """Any endpoint, with the product's own authentication, permission and throttle."""

    scope = "customers"

    def get(self, request: Request) -> Response:
        return Response({})


@pytest.fixture(autouse=True)
def _fresh(time_machine) -> None:
    time_machine.move_to("2026-06-16T04:05:20+00:00", tick=False)


def ask(secret: str) -> Response:
    request = APIRequestFactory().get("/", HTTP_AUTHORIZATION=f"Bearer {secret}")
    return Echo.as_view()(request)


def test_a_key_over_its_limit_waits_for_the_next_minute(settings, time_machine) -> None:
    settings.API_RATE_PER_MINUTE = 3
    _key, secret = make_key()
    assert [ask(secret).status_code for _n in range(5)] == [200, 200, 200, 429, 429]
    refused = ask(secret)
    assert refused["Retry-After"] == "40"
    time_machine.move_to("2026-06-16T04:06:00+00:00", tick=False)
    assert ask(secret).status_code == 200


def test_each_key_counts_for_itself(settings) -> None:
    settings.API_RATE_PER_MINUTE = 1
    (_one, first), (_two, second) = make_key(), make_key()
    assert [ask(first).status_code, ask(second).status_code, ask(first).status_code] == [
        200,
        200,
        429,
    ]


def test_the_limit_is_read_at_every_request(settings) -> None:
    _key, secret = make_key()
    settings.API_RATE_PER_MINUTE = 1
    ask(secret)
    assert ask(secret).status_code == 429
    settings.API_RATE_PER_MINUTE = 10
    assert ask(secret).status_code == 200
    settings.API_RATE_PER_MINUTE = 0
    assert all(ask(secret).status_code == 200 for _n in range(20))


def test_a_person_in_the_browser_is_counted_too(rep: User, settings) -> None:
    settings.API_RATE_PER_MINUTE = 2

    def browse() -> int:
        request = APIRequestFactory().get("/")
        request.user = rep
        return Echo.as_view()(request).status_code

    assert [browse() for _n in range(3)] == [200, 200, 429]


def test_a_counter_begins_at_one_and_never_misses() -> None:
    assert [count("x") for _n in range(4)] == [1, 2, 3, 4]
