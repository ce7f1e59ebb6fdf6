"""Logging contacts: once however often sent, never in the future, put right the same day (P32)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.audit import Through, acting
from accounts.models import User
from customers import contacting
from customers.models import Channel, Contact, Customer, Interaction
from tests.factories import local, make_customer, make_interaction, make_user

NOW = local(2026, 6, 16, 12)
NUMBER = UUID("6f1fdf4c-6c3e-4e0c-a05b-1f4f5b0c5d11")


def log(customer: Customer, by: User, **values: Any) -> Interaction:
    options: dict[str, Any] = {"client_id": NUMBER, "channel": Channel.CALL, "at": NOW, "now": NOW}
    return contacting.log_interaction(customer=customer, by=by, **{**options, **values})


def test_a_contact_sent_twice_is_logged_once(customer: Customer, rep: User) -> None:
    first = log(customer, rep, words=" 要两百箱 ")
    again = log(customer, rep, words="other words")
    assert first.pk == again.pk
    assert (again.words, again.by, again.inbound) == ("要两百箱", rep, False)


def test_the_number_of_another_persons_record_is_taken(
    customer: Customer, rep: User, manager: User
) -> None:
    log(customer, rep)
    with pytest.raises(Exception, match=r"(?i)unique"):
        log(customer, manager)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"at": NOW + timedelta(seconds=1)}, "future"),
        ({"channel": "smoke"}, "invalid_choice"),
    ],
)
def test_what_cannot_have_been_is_not_logged(
    customer: Customer, rep: User, values: dict[str, Any], code: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        log(customer, rep, **values)
    codes = {error.code for errors in refused.value.error_dict.values() for error in errors}
    assert codes == {code}
    assert not Interaction.objects.exists()


def test_one_speaks_with_a_contact_of_this_customer(customer: Customer, rep: User) -> None:
    own = Contact.objects.create(customer=customer, name="王建国")
    other = Contact.objects.create(customer=make_customer(owner=rep), name="李秀兰")
    assert log(customer, rep, contact=own).contact == own
    with pytest.raises(ValidationError) as refused:
        log(customer, rep, contact=other, client_id=uuid4())
    assert set(refused.value.error_dict) == {"contact"}


@pytest.mark.parametrize(
    ("author", "later", "may"),
    [
        (True, timedelta(0), True),
        (True, timedelta(hours=11, minutes=59), True),
        (True, timedelta(hours=12), False),
        (False, timedelta(0), False),
    ],
)
def test_the_author_puts_it_right_until_the_companys_midnight(
    customer: Customer, rep: User, author: bool, later: timedelta, may: bool
) -> None:
    one = make_interaction(customer, rep)
    Interaction.objects.filter(pk=one.pk).update(created_at=NOW)
    one.refresh_from_db()
    by = rep if author else make_user()
    assert one.may_be_changed(by=by, now=NOW + later) == may
    one.words = "put right"
    if may:
        contacting.correct_interaction(interaction=one, by=by, now=NOW + later)
        assert Interaction.objects.get(pk=one.pk).words == "put right"
        return
    with pytest.raises(ValidationError):
        contacting.correct_interaction(interaction=one, by=by, now=NOW + later)
    with pytest.raises(ValidationError):
        contacting.remove_interaction(interaction=one, by=by, now=NOW + later)
    assert Interaction.objects.get(pk=one.pk).words == ""


def taken_out(one: Interaction, by: User, now: datetime) -> None:
    with acting(user=by, through=Through.PAGE):
        contacting.remove_interaction(interaction=one, by=by, now=now)


def test_what_was_taken_out_comes_back_as_it_was(customer: Customer, rep: User) -> None:
    now = timezone.now()
    contact = Contact.objects.create(customer=customer, name="王建国")
    one = make_interaction(
        customer, rep, words="要两百箱", contact=contact, inbound=True, client_id=NUMBER
    )
    before = Interaction.objects.values().get(pk=one.pk)
    taken_out(one, rep, now)
    pk = before["id"]
    back = contacting.restore_interaction(pk=pk, by=rep, now=now)
    assert back is not None
    after = Interaction.objects.values().get(pk=pk)
    changing = ("created_at", "updated_at", "version")
    assert {k: v for k, v in after.items() if k not in changing} == {
        k: v for k, v in before.items() if k not in changing
    }
    again = contacting.restore_interaction(pk=pk, by=rep, now=now)
    assert again == back


def test_only_who_took_it_out_brings_it_back_and_only_that_day(
    customer: Customer, rep: User, manager: User
) -> None:
    now = timezone.now()
    one = make_interaction(customer, rep)
    pk = one.pk
    taken_out(one, rep, now)
    for by, when in ((manager, now), (rep, now + timedelta(days=1))):
        assert contacting.restore_interaction(pk=pk, by=by, now=when) is None
    assert contacting.restore_interaction(pk=pk + 1, by=rep, now=now) is None


def test_a_contact_that_left_the_file_meanwhile_is_left_out(customer: Customer, rep: User) -> None:
    now = timezone.now()
    contact = Contact.objects.create(customer=customer, name="王建国")
    one = make_interaction(customer, rep, contact=contact)
    pk = one.pk
    taken_out(one, rep, now)
    contact.delete()
    back = contacting.restore_interaction(pk=pk, by=rep, now=now)
    assert back is not None
    assert back.contact is None
