"""A POST sent twice creates once, however it is sent."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier, Thread

import pytest
import time_machine
from django.db import connections
from rest_framework.test import APIClient

from accounts.models import IdempotentResponse
from customers.models import Customer
from tests.factories import local, make_key

LIST = "/api/v1/customers/"
NOON = local(2026, 6, 16, 12)


def post(client: APIClient, body: object, key: str, url: str = LIST):
    return client.post(url, body, headers={"Idempotency-Key": key})


@pytest.mark.django_db
def test_the_same_key_and_body_give_the_first_answer_again(erp) -> None:
    first = post(erp, {"name": "a", "address": "1"}, "k1")
    Customer.objects.update(address="2")
    again = post(erp, {"address": "1", "name": "a"}, "k1")  # the order of fields is no difference
    assert (again.status_code, again.json()) == (201, first.json())
    assert (again["Location"], again["ETag"]) == (first["Location"], first["ETag"])
    assert again["Idempotent-Replay"] == "true"
    assert "Idempotent-Replay" not in first
    assert Customer.objects.count() == 1


@pytest.mark.django_db
def test_the_same_key_with_another_body_or_address_is_422(erp) -> None:
    post(erp, {"name": "a"}, "k1")
    for answer in (
        post(erp, {"name": "b"}, "k1"),
        post(erp, {"name": "a"}, "k1", "/api/v1/products/"),
    ):
        assert answer.status_code == 422
        assert answer.json()["type"] == "urn:kehu:problem:idempotency_key_reused"
    assert Customer.objects.count() == 1


@pytest.mark.django_db
def test_another_key_holder_may_use_the_same_key(erp) -> None:
    post(erp, {"name": "a"}, "k1")
    _key, secret = make_key()
    other = APIClient(headers={"Authorization": f"Bearer {secret}"})
    assert "Idempotent-Replay" not in post(other, {"name": "a"}, "k1")
    assert Customer.objects.count() == 2


@pytest.mark.django_db
def test_a_key_is_free_again_after_a_day(erp) -> None:
    with time_machine.travel(NOON, tick=False):
        post(erp, {"name": "a"}, "k1")
    with time_machine.travel(NOON + timedelta(hours=23, minutes=59), tick=False):
        assert post(erp, {"name": "a"}, "k1")["Idempotent-Replay"] == "true"
    with time_machine.travel(NOON + timedelta(hours=24), tick=False):
        assert post(erp, {"name": "b"}, "k1").status_code == 201
        assert post(erp, {"name": "b"}, "k1")["Idempotent-Replay"] == "true"
    assert Customer.objects.count() == 2


@pytest.mark.django_db
def test_a_refused_post_keeps_no_key(erp) -> None:
    assert post(erp, {"name": ""}, "k1").status_code == 400
    assert post(erp, {"name": "a"}, "k1").status_code == 201
    assert IdempotentResponse.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", " ", "x" * 201, "\t", "ключ".encode().decode("latin-1")])
def test_a_malformed_key_is_400(erp, key: str) -> None:
    answer = post(erp, {"name": "a"}, key)
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["Idempotency-Key"]
    assert not Customer.objects.exists()


@pytest.mark.django_db
def test_a_key_whose_first_request_still_runs_is_409(erp) -> None:
    with time_machine.travel(NOON, tick=False):
        post(erp, {"name": "a"}, "k1")
    IdempotentResponse.objects.update(status=0, body="")
    with time_machine.travel(NOON + timedelta(minutes=1), tick=False):
        answer = post(erp, {"name": "a"}, "k1")
    assert answer.status_code == 409
    assert answer["Retry-After"] == "1"
    # Five minutes later nobody can still be working on it: the process died.
    with time_machine.travel(NOON + timedelta(minutes=6), tick=False):
        assert post(erp, {"name": "a"}, "k1").status_code == 201


@pytest.mark.django_db(transaction=True)
def test_two_at_once_create_one() -> None:
    _key, secret = make_key()
    barrier, answers = Barrier(4), []

    def send() -> None:
        client = APIClient(headers={"Authorization": f"Bearer {secret}"})
        barrier.wait()
        try:
            answers.append(post(client, {"name": "a"}, "k1").status_code)
        finally:
            connections.close_all()

    threads = [Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Customer.objects.count() == 1
    assert set(answers) <= {201, 409}
    assert 201 in answers


@pytest.mark.django_db(transaction=True)
def test_two_that_take_the_same_number_at_once_create_one() -> None:
    _key, secret = make_key()
    barrier, answers = Barrier(4), []

    def send() -> None:
        client = APIClient(headers={"Authorization": f"Bearer {secret}"})
        barrier.wait()
        try:
            answers.append(client.post(LIST, {"name": "a", "external_id": "C-1"}).status_code)
        finally:
            connections.close_all()

    threads = [Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Customer.objects.count() == 1
    assert sorted(answers)[0] == 201
    assert set(answers) <= {201, 400, 409}


@pytest.mark.django_db(transaction=True)
def test_two_changes_from_one_version_at_once_lose_none() -> None:
    _key, secret = make_key()
    client = APIClient(headers={"Authorization": f"Bearer {secret}"})
    url = client.post(LIST, {"name": "a"})["Location"]
    barrier, answers = Barrier(4), []

    def send(address: str) -> None:
        own = APIClient(headers={"Authorization": f"Bearer {secret}", "If-Match": '"v1"'})
        barrier.wait()
        try:
            answers.append(own.patch(url, {"address": address}).status_code)
        finally:
            connections.close_all()

    threads = [Thread(target=send, args=[str(n)]) for n in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 412, 412, 412]
