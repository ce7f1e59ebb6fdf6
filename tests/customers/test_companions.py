"""What waits for a customer's owner goes along, however the customer changes hands (P15, P42)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from customers import assigning
from customers.actions import change_customer
from customers.models import Customer, Promise, PromiseState
from tests.factories import local, make_customer, make_key, make_promise, make_user, make_visit
from visits.models import Visit, VisitStatus

NOW = local(2026, 6, 16, 12)


def by_assigning(customer: Customer, to: Any, **cast: Any) -> None:
    files = Customer.objects.filter(pk=customer.pk)
    assert assigning.assign(files, to=to, by=cast["manager"], now=NOW) == 1


def by_page(customer: Customer, to: Any, **cast: Any) -> None:
    url = f"/customers/{customer.pk}/edit/"
    client = cast["as_"](cast["manager"])
    form = client.get(url).context["form"]
    values = {name: form[name].value() for name in form.fields}
    values = {n: "" if v is None else v for n, v in values.items()} | {"owner": to.pk}
    assert client.post(url, values).status_code == 302


def by_api(customer: Customer, to: Any, **cast: Any) -> None:
    _key, secret = make_key()
    answer = cast["client"].patch(
        f"/api/v1/customers/{customer.pk}/",
        {"owner": to.username},
        content_type="application/json",
        HTTP_AUTHORIZATION=f"Bearer {secret}",
    )
    assert answer.status_code == 200, answer.content


def by_sync(customer: Customer, to: Any, **cast: Any) -> None:
    _key, secret = make_key()
    answer = cast["client"].post(
        "/api/v1/customers/sync/",
        [{"external_id": customer.external_id, "owner": to.username}],
        content_type="application/json",
        HTTP_AUTHORIZATION=f"Bearer {secret}",
    )
    assert answer.json()["updated"] == 1, answer.content


@pytest.mark.parametrize("way", [by_assigning, by_page, by_api, by_sync])
def test_open_promises_and_planned_visits_go_along(
    way: Callable[..., None], as_, rep, manager, customer
) -> None:
    colleague = make_user("colleague", team=rep.team)
    open_, kept = make_promise(customer, rep), make_promise(customer, rep)
    Promise.objects.filter(pk=kept.pk).update(state=PromiseState.KEPT)
    elses = make_promise(customer, manager)
    planned = make_visit(customer, rep)
    done = make_visit(customer, rep, status=VisitStatus.DONE)

    way(customer, colleague, as_=as_, client=Client(), manager=manager)

    owners = dict(Promise.objects.values_list("pk", "owner"))
    assert owners == {open_.pk: colleague.pk, kept.pk: rep.pk, elses.pk: manager.pk}
    reps = dict(Visit.objects.values_list("pk", "rep"))
    assert reps == {planned.pk: colleague.pk, done.pk: rep.pk}


def test_without_a_new_owner_all_stays(rep, customer) -> None:
    promise = make_promise(customer, rep)
    change_customer(customer=customer, values={"owner": None}, now=timezone.now())
    assert Promise.objects.get(pk=promise.pk).owner_id == rep.pk


def test_a_first_owner_takes_nothing_over(rep, manager) -> None:
    customer = make_customer()
    promise = make_promise(customer, manager)
    change_customer(customer=customer, values={"owner": rep}, now=timezone.now())
    assert Promise.objects.get(pk=promise.pk).owner_id == manager.pk
