"""`customers/{id}/merge/`: an integration lets one file go into another (P5)."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from customers.models import Merge
from tests.customers.pairs import pair_of
from tests.factories import make_customer, make_key

pytestmark = pytest.mark.django_db


def post(client: Any, gone: int, into: Any, **more: Any) -> Any:
    return client.post(f"/api/v1/customers/{gone}/merge/", {"into": into}, format="json", **more)


def test_the_file_goes_and_a_retry_answers_the_same(erp, rep: User) -> None:
    gone, into = pair_of(rep)
    first = post(erp, gone.pk, into.pk)
    assert (first.status_code, first.json()["id"]) == (200, into.pk)
    again = post(erp, gone.pk, into.pk)
    assert (again.status_code, again.json()) == (200, first.json())
    assert Merge.objects.count() == 1


def test_gone_elsewhere_is_a_clash(erp, rep: User) -> None:
    gone, into = pair_of(rep)
    other = make_customer(owner=rep)
    post(erp, gone.pk, into.pk)
    assert post(erp, gone.pk, other.pk).status_code == 409
    assert post(erp, other.pk, gone.pk).status_code == 409


@pytest.mark.parametrize("into", [None, "x", 0, -1, 2**63])
def test_bad_input_is_refused(erp, rep: User, into: Any) -> None:
    gone, _into = pair_of(rep)
    assert post(erp, gone.pk, into).status_code == 400


def test_into_itself_is_refused(erp, rep: User) -> None:
    gone, _into = pair_of(rep)
    assert post(erp, gone.pk, gone.pk).status_code == 400


def test_what_is_out_of_sight_is_not_there(rep: User, stranger: User) -> None:
    gone, into = pair_of(rep)
    own = make_customer(owner=stranger)
    client = APIClient()
    client.force_login(stranger)
    for one, other in ((gone, into), (own, into), (gone, own)):
        assert post(client, one.pk, other.pk).status_code == 404


def test_a_key_that_only_reads_is_refused(rep: User) -> None:
    _key, secret = make_key(scopes=["customers:read"])
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    gone, into = pair_of(rep)
    assert post(client, gone.pk, into.pk).status_code == 403
