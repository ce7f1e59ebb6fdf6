"""Promises made and kept in a visit (P27, P42)."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import User
from customers.models import Customer, Promise, PromiseState
from tests.factories import make_customer, make_promise, make_user, make_visit
from visits.models import Visit, VisitStatus

ANSWERED = {"sales": "normal", "new_need": "no", "new_products": ["none"], "care": ["met"]}


def log_data(customer: Customer, **values: object) -> dict[str, object]:
    now = timezone.localtime().strftime("%Y-%m-%dT%H:%M")
    sent = {"customer": customer.pk, "client_id": str(uuid4()), "at": now, "close": "1"}
    return {**ANSWERED, **sent, **values}


def soon(days: int = 3) -> str:
    return (timezone.localdate() + timedelta(days=days)).isoformat()


def test_a_visit_makes_promises_once_however_often_it_is_sent(
    as_, rep: User, customer: Customer
) -> None:
    client = as_(rep)
    sent = log_data(
        customer, promise=" Two racks ", promise_due=soon(), another="A quote", another_due=soon(5)
    )
    for _press in range(2):
        page = client.post("/visits/new/", sent, follow=True)
    visit = Visit.objects.get()
    made = [(p.content, p.due_on.isoformat(), p.owner, p.source) for p in Promise.objects.all()]
    source = f"visits.visit:{visit.pk}"
    assert made == [("Two racks", soon(), rep, source), ("A quote", soon(5), rep, source)]
    text = page.content.decode()
    assert "Two racks" in text  # the visit shows what was promised in it
    promise = Promise.objects.first()
    assert promise is not None
    assert (
        f'href="/visits/{visit.pk}/"'
        in client.get(f"/customers/promises/{promise.pk}/").content.decode()
    )


def test_saving_a_draft_again_makes_no_second_promise(as_, rep: User, customer: Customer) -> None:
    visit = make_visit(customer, rep, status=VisitStatus.CHECKED_IN, checked_in_at=timezone.now())
    client = as_(rep)
    sent = {**ANSWERED, "promise": "Racks", "promise_due": soon(), "version": visit.version}
    for _press in range(2):
        client.post(f"/visits/{visit.pk}/edit/", {**sent, "draft": "1"})
    assert Promise.objects.count() == 1
    form = client.get(f"/visits/{visit.pk}/edit/").context["form"]
    assert not form["promise"].value()
    assert [promise.content for promise in form.open_promises] == ["Racks"]


def test_promises_are_ticked_off_in_the_visit(as_, rep: User, customer: Customer) -> None:
    kept, open_ = make_promise(customer, rep), make_promise(customer, rep)
    other = make_promise(make_customer(owner=rep), rep)
    client = as_(rep)
    late = make_promise(customer, rep, due_on=timezone.localdate() - timedelta(days=1))
    assert "late, was due" in client.get(f"/visits/new/?customer={customer.pk}").content.decode()
    late.delete()
    refused = client.post("/visits/new/", log_data(customer, kept=[str(other.pk)]))
    assert "kept" in refused.context["form"].errors
    client.post("/visits/new/", log_data(customer, kept=[str(kept.pk)]))
    states = dict(Promise.objects.values_list("pk", "state"))
    assert states == {
        kept.pk: PromiseState.KEPT,
        open_.pk: PromiseState.OPEN,
        other.pk: PromiseState.OPEN,
    }


@pytest.mark.parametrize("due", ["", soon(-1), "x"])
def test_a_promise_needs_a_day_to_come_or_nothing_is_saved(
    as_, rep: User, customer: Customer, due: str
) -> None:
    sent = log_data(customer, promise="Racks", promise_due=due)
    page = as_(rep).post("/visits/new/", sent)
    assert set(page.context["form"].errors) == {"promise_due"}
    assert "Racks" in page.content.decode()
    assert not Promise.objects.exists()
    assert not Visit.objects.exists()


def test_who_is_gone_tomorrow_leaves_the_promise_to_the_owner(
    as_, rep: User, customer: Customer
) -> None:
    """A director's own visit: she sees all, but keeps no promises."""
    visit = make_visit(customer, make_user(role="finance"), status=VisitStatus.CHECKED_IN)
    Visit.objects.filter(pk=visit.pk).update(checked_in_at=timezone.now())
    sent = {**ANSWERED, "promise": "Racks", "promise_due": soon(), "version": visit.version}
    as_(rep).post(f"/visits/{visit.pk}/edit/", {**sent, "close": "1"})
    assert Promise.objects.get().owner == rep
