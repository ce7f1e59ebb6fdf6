"""The page of hand-overs: who gives to whom, a preview, the deed, and the way back (P6)."""

from __future__ import annotations

import pytest
from django.urls import reverse

from accounts.models import User
from accounts.roles import Role
from customers.models import Customer, HandOver
from tests.factories import make_customer, make_promise, make_user

pytestmark = pytest.mark.django_db
URL = "/customers/hand-over/"


@pytest.fixture
def heir(rep: User) -> User:
    return make_user("heir", team=rep.team)


def test_a_manager_looks_hands_over_and_takes_back(as_, rep, heir, manager) -> None:
    file = make_customer(owner=rep, abc="A")
    make_promise(file, rep)
    client = as_(manager)
    asked = {"giver": rep.pk, "successor": heir.pk, "reason": "left"}
    page = client.get(URL, asked).content.decode()
    assert "Hand over 1 customer" in page
    assert "Open promises 1" in page
    assert not HandOver.objects.exists()
    done = client.post(URL, {**asked, "count": 1}, follow=True).content.decode()
    file.refresh_from_db()
    assert file.owner == heir
    back = reverse("customers:hand-back", args=[HandOver.objects.get().pk])
    assert "1 customer of Rep handed over." in done
    assert done.count(back) == 2  # in the toast and in the list
    assert "1 customer went back to Rep." in client.post(back, follow=True).content.decode()
    file.refresh_from_db()
    assert file.owner == rep


def test_what_changed_since_the_preview_is_shown_again(as_, rep, heir, manager) -> None:
    make_customer(owner=rep)
    asked = {"giver": rep.pk, "successor": heir.pk, "count": 5}
    page = as_(manager).post(URL, asked).content.decode()
    assert "The customers have changed meanwhile." in page
    assert Customer.objects.filter(owner=heir).count() == 0


def test_more_than_fifty_are_confirmed(as_, rep, heir, manager) -> None:
    Customer.objects.bulk_create(Customer(name=f"n{n}", owner=rep) for n in range(51))
    page = as_(manager).get(URL, {"giver": rep.pk, "successor": heir.pk}).content.decode()
    assert "Hand over 51 customers?" in page


def test_a_part_passes_by_tier_and_area(as_, rep, heir, manager) -> None:
    second = make_user("second", team=rep.team)
    west = make_customer(owner=rep, abc="A", division="330681")
    east = make_customer(owner=rep, abc="A", division="330602")
    small = make_customer(owner=rep, abc="C", division="330602")
    asked = {
        "giver": rep.pk,
        "successor": heir.pk,
        "abc": "A",
        "area_1": "诸暨市",
        "to_1": second.pk,
        "count": 2,
    }
    as_(manager).post(URL, asked)
    owners = dict(Customer.objects.values_list("pk", "owner__username"))
    assert owners == {west.pk: "second", east.pk: "heir", small.pk: "rep"}


def test_givers_may_have_left_and_successors_are_of_ones_own_teams(
    as_, rep, heir, manager, stranger
) -> None:
    director = make_user("director", role=Role.DIRECTOR)
    make_customer(owner=rep)
    make_customer(owner=stranger)
    rep.is_active = False
    rep.save()
    form = as_(manager).get(URL, {"giver": rep.pk}).context["form"]
    assert [person.username for person in form.fields["giver"].queryset] == ["rep"]
    successors = {person.username for person in form.fields["successor"].queryset}
    assert successors == {"heir", "manager"}
    form = as_(director).get(URL).context["form"]
    assert {person.username for person in form.fields["giver"].queryset} == {"rep", "stranger"}


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("successor", {"successor": "rep"}),
        ("to_1", {"area_1": "诸暨市"}),
        ("area_2", {"to_2": "heir"}),
        ("division", {"division": "nowhere"}),
        ("giver", {"giver": "heir"}),
    ],
)
def test_what_makes_no_sense_is_said_beside_its_field(as_, heir, manager, field, values) -> None:
    make_customer(owner=User.objects.get(username="rep"))
    people = dict(User.objects.values_list("username", "pk"))
    asked = {"giver": "rep", "successor": "heir", **values}
    asked = {name: people.get(value, value) for name, value in asked.items()}
    assert field in as_(manager).get(URL, asked).context["form"].errors


def test_the_page_is_for_who_assigns_files(as_, rep, manager) -> None:
    made = HandOver.objects.create(
        giver=manager, successor=rep, by=manager, at=manager.created_at, count=0
    )
    assert as_(rep).get(URL).status_code == 403
    assert as_(rep).post(reverse("customers:hand-back", args=[made.pk])).status_code == 403


def test_a_hand_over_between_others_is_out_of_sight(as_, manager, stranger) -> None:
    made = HandOver.objects.create(
        giver=stranger, successor=stranger, by=stranger, at=stranger.created_at, count=0
    )
    assert as_(manager).post(reverse("customers:hand-back", args=[made.pk])).status_code == 404
    assert "Stranger" not in as_(manager).get(URL).content.decode()


def test_the_page_of_a_user_with_customers_leads_here(as_, rep, administrator) -> None:
    make_customer(owner=rep)
    page = as_(administrator).get(reverse("accounts:user-edit", args=[rep.pk])).content.decode()
    assert f"{URL}?giver={rep.pk}" in page
