"""The day: its route, what is overdue, and planning."""

from __future__ import annotations

import pytest
from django.utils import timezone
from django.utils.timezone import localtime

from accounts.models import User
from accounts.roles import Role
from customers.models import Customer
from tests.factories import local, make_customer, make_user, make_visit
from tests.visits.records import noon
from visits.models import Visit


def test_the_day_shows_the_route_in_order(as_, rep: User) -> None:
    first = make_customer(
        owner=rep, name="先去", abc="A", phone="0575-8412 3456", address="裕民路 268 号"
    )
    Customer.objects.filter(pk=first.pk).update(latitude="30.08", longitude="120.49")
    now = localtime()
    make_visit(
        make_customer(owner=rep, name="后去"), rep, scheduled_for=now.replace(hour=23, minute=50)
    )
    make_visit(first, rep, scheduled_for=now.replace(hour=0, minute=1), purpose="补货")
    page = as_(rep).get("/visits/today/").content.decode()
    assert page.index("先去") < page.index("后去")
    assert "Check in" in page
    assert 'href="tel:+8657584123456"' in page
    assert 'href="geo:30.080000,120.490000"' in page
    assert "补货" in page


def test_an_empty_day_says_what_to_do(as_, rep: User) -> None:
    page = as_(rep).get("/visits/today/").content.decode()
    assert "No visits today" in page
    assert "Nobody is waiting" in page


def test_a_rep_s_day_is_her_own(as_, rep: User, stranger: User) -> None:
    make_visit(make_customer(owner=stranger, name="不是我的"), stranger, scheduled_for=noon())
    assert "不是我的" not in as_(rep).get("/visits/today/").content.decode()
    # a rep cannot look at somebody else's day by naming her
    assert "不是我的" not in as_(rep).get("/visits/today/?rep=stranger").content.decode()


def test_a_manager_sees_the_day_of_her_team_or_of_one_person(as_, rep, manager, north, stranger):
    other = make_user("other", role=Role.REP, team=north)
    for who, name in ((rep, "甲店"), (other, "乙店"), (stranger, "丙店")):
        make_visit(make_customer(owner=who, name=name), who, scheduled_for=noon())
    client = as_(manager)
    page = client.get("/visits/today/").content.decode()
    assert "甲店" in page
    assert "乙店" in page
    assert "丙店" not in page
    page = client.get("/visits/today/?rep=other").content.decode()
    assert "甲店" not in page
    assert "乙店" in page
    assert client.get("/visits/today/?rep=stranger").status_code == 404


def test_planning_an_overdue_customer_with_one_press_and_undoing_it(as_, rep: User) -> None:
    customer = make_customer(owner=rep, name="逾期店", abc="A")
    client = as_(rep)
    assert "逾期店" in client.get("/visits/today/").content.decode()
    data = {"customer": customer.pk, "today": "1", "from": "today"}
    answer = client.post("/visits/plan/", data, headers={"HX-Request": "true"}).content.decode()
    visit = Visit.objects.get()
    assert visit.rep == rep
    assert localtime(visit.scheduled_for).date() == timezone.localdate()
    assert 'id="route"' in answer
    assert 'hx-swap-oob="true"' in answer
    client.post("/visits/plan/", data)
    assert Visit.objects.count() == 1
    undo = client.post(
        f"/visits/{visit.pk}/cancel/", {"from": "today"}, headers={"HX-Request": "true"}
    ).content.decode()
    assert "Plan 逾期店 for today" in undo
    visit.refresh_from_db()
    assert visit.status == "cancelled"


def test_without_htmx_the_button_leads_back_to_the_day(as_, rep: User) -> None:
    customer = make_customer(owner=rep, abc="A")
    answer = as_(rep).post(
        "/visits/plan/", {"customer": customer.pk, "today": "1", "from": "today"}
    )
    assert answer["Location"] == "/visits/today/"


def test_a_manager_plans_for_the_owner(as_, rep: User, manager: User) -> None:
    customer = make_customer(owner=rep, abc="A")
    as_(manager).post("/visits/plan/", {"customer": customer.pk, "today": "1"})
    assert Visit.objects.get().rep == rep


def test_planning_for_later_offers_the_people_in_sight(as_, rep, manager, customer) -> None:
    client = as_(manager)
    page = client.get(f"/visits/plan/?customer={customer.pk}")
    assert set(page.context["form"].fields["rep"].queryset) == {rep, manager}
    client.post(
        "/visits/plan/",
        {
            "customer": customer.pk,
            "scheduled_for": "2027-02-05T10:30",
            "rep": rep.pk,
            "purpose": "年前",
        },
    )
    visit = Visit.objects.get()
    assert (visit.rep, visit.scheduled_for) == (rep, local(2027, 2, 5, 10, 30))


@pytest.mark.parametrize(
    "when", ["", "soon", "0001-01-01T00:00", "9999-12-31T23:59", "2026-02-29T10:00"]
)
def test_a_plan_needs_a_day_that_exists(as_, rep: User, customer: Customer, when: str) -> None:
    answer = as_(rep).post("/visits/plan/", {"customer": customer.pk, "scheduled_for": when})
    assert answer.status_code == 200
    assert answer.context["form"].errors["scheduled_for"]
    assert not Visit.objects.exists()


def test_the_route_says_how_long_it_is(as_, rep: User) -> None:
    for hour, latitude in ((9, "30.0"), (10, None), (11, "30.1")):
        customer = make_customer(owner=rep, latitude=latitude, longitude=latitude and "120.5")
        make_visit(customer, rep, scheduled_for=localtime().replace(hour=hour))
    page = as_(rep).get("/visits/today/").content.decode()
    assert "11.1\xa0km in straight lines · 1 without coordinates" in page
