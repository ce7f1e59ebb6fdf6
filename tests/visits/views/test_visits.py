"""A visit from check-in to its record."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from django.utils.timezone import localtime

from accounts.models import User
from customers.models import Customer
from orders.models import Product
from tests.factories import local, make_customer, make_product, make_visit
from tests.visits.records import FORM, FULL, log_data, noon
from visits.forms import new_products
from visits.models import Visit


def test_from_plan_to_close(as_, rep: User) -> None:
    customer = make_customer(owner=rep, name="柯桥永泰", latitude="30.08", longitude="120.49")
    make_product(external_id="NEW", name="香菇酱 210g", launched_on=timezone.localdate())
    visit = make_visit(customer, rep, scheduled_for=noon())
    client = as_(rep)
    place = {"latitude": "30.0810001234", "longitude": "120.49", "accuracy_m": "18.4"}
    answer = client.post(f"/visits/{visit.pk}/check-in/", place)
    assert answer["Location"] == f"/visits/{visit.pk}/edit/"
    page = client.get(answer["Location"])
    assert "111" in page.content.decode()
    assert "香菇酱 210g" in page.content.decode()
    version = page.context["visit"].version
    missing = client.post(answer["Location"], {"version": version, "sales": "slow", "close": "1"})
    assert set(missing.context["form"].errors) == {"new_need", "new_products", "care"}
    done = client.post(
        answer["Location"],
        {**FORM, "new_products": ["NEW"], "words": "再便宜点", "version": version, "close": "1"},
        follow=True,
    )
    visit.refresh_from_db()
    assert visit.status == "done"
    assert visit.answers == {
        "sales": "normal",
        "new_need": False,
        "new_products": ["NEW"],
        "care": ["met", "greeting"],
    }
    shown = done.content.decode()
    assert "香菇酱 210g" in shown
    assert "再便宜点" in shown
    customer.refresh_from_db()
    assert customer.last_visited_on == timezone.localdate()


@pytest.mark.parametrize(
    "place",
    [
        {},
        {"latitude": "x", "longitude": "y"},
        {"latitude": "91", "longitude": "0"},
        {"latitude": "NaN", "longitude": "0"},
        {"latitude": "1e400", "longitude": "0"},
        {"latitude": "30", "longitude": "120", "accuracy_m": "1e99"},
    ],
)
def test_a_check_in_goes_through_without_a_usable_place(as_, rep, customer, place) -> None:
    visit = make_visit(customer, rep, scheduled_for=noon())
    assert as_(rep).post(f"/visits/{visit.pk}/check-in/", place).status_code == 302
    visit.refresh_from_db()
    assert (visit.status, visit.latitude) == ("checked_in", None)


def test_a_draft_is_kept_and_shown_again(as_, rep: User, customer: Customer) -> None:
    client = as_(rep)
    data = log_data(customer, care=[], sales_note="走得快")
    del data["close"]
    answer = client.post("/visits/new/", {**data, "draft": "1"})
    visit = Visit.objects.get()
    assert answer["Location"] == f"/visits/{visit.pk}/edit/"
    assert visit.status == "checked_in"
    page = client.get(answer["Location"])
    assert "走得快" in page.content.decode()
    assert page.context["answered"] == 3


def test_a_second_press_leads_to_the_same_visit(as_, rep: User, customer: Customer) -> None:
    client = as_(rep)
    data = log_data(customer)
    first = client.post("/visits/new/", data)
    second = client.post("/visits/new/", data)
    assert first["Location"] == second["Location"]
    assert Visit.objects.count() == 1


def test_closing_twice_is_closing_once(as_, rep: User, customer: Customer) -> None:
    visit = make_visit(customer, rep, status="checked_in", checked_in_at=noon())
    client = as_(rep)
    data = {**FORM, "version": visit.version, "close": "1"}
    for _ in range(2):
        answer = client.post(f"/visits/{visit.pk}/edit/", data)
        assert answer["Location"] == f"/visits/{visit.pk}/"


def test_a_visit_of_another_day_can_be_logged_but_none_of_tomorrow(as_, rep, customer) -> None:
    client = as_(rep)
    past = client.post("/visits/new/", log_data(customer, at="2026-02-28T23:59"))
    assert past.status_code == 302
    assert Visit.objects.get().checked_in_at == local(2026, 2, 28, 23, 59)
    ahead = f"{localtime() + timedelta(days=1):%Y-%m-%dT%H:%M}"
    refused = client.post("/visits/new/", log_data(customer, at=ahead))
    assert refused.context["form"].errors["at"]
    assert Visit.objects.count() == 1


def test_nothing_that_was_written_is_lost_on_a_refusal(as_, rep: User, customer: Customer) -> None:
    page = as_(rep).post("/visits/new/", log_data(customer, sales="", words="想要小瓶装 🍾"))
    assert "想要小瓶装 🍾" in page.content.decode()
    assert set(page.context["form"].errors) == {"sales"}


def test_none_and_something_contradict_each_other(as_, rep: User, customer: Customer) -> None:
    page = as_(rep).post("/visits/new/", log_data(customer, care=["none", "met"]))
    assert "care" in page.context["form"].errors


def test_somebody_else_s_change_is_shown_and_nothing_overwritten(as_, rep, manager, customer):
    visit = make_visit(customer, rep, status="checked_in", checked_in_at=noon())
    seen = visit.version
    as_(manager).post(
        f"/visits/{visit.pk}/edit/", {"version": seen, "words": "经理写的", "draft": "1"}
    )
    client = as_(rep)
    page = client.post(
        f"/visits/{visit.pk}/edit/", {"version": seen, "words": "我写的", "draft": "1"}
    )
    shown = page.content.decode()
    assert "Manager" in shown
    assert "我写的" in shown
    visit.refresh_from_db()
    assert visit.words == "经理写的"
    again = page.context["form"]["version"].value()
    client.post(f"/visits/{visit.pk}/edit/", {"version": again, "words": "我写的", "draft": "1"})
    visit.refresh_from_db()
    assert visit.words == "我写的"


def test_a_planned_visit_is_moved(as_, rep: User, customer: Customer) -> None:
    visit = make_visit(customer, rep)
    as_(rep).post(
        f"/visits/{visit.pk}/edit/",
        {"version": visit.version, "scheduled_for": "2028-02-29T09:00", "purpose": "闰日"},
    )
    visit.refresh_from_db()
    assert visit.scheduled_for == local(2028, 2, 29, 9)


def test_yesterday_s_record_stays_as_it_is(as_, rep: User, customer: Customer) -> None:
    old = localtime() - timedelta(days=1)
    visit = make_visit(customer, rep, status="done", checked_in_at=old, closed_at=old, answers=FULL)
    client = as_(rep)
    assert client.get(f"/visits/{visit.pk}/edit/")["Location"] == f"/visits/{visit.pk}/"
    page = client.post(
        f"/visits/{visit.pk}/edit/",
        {**FORM, "sales": "stuck", "version": visit.version, "close": "1"},
    )
    assert page.context["form"].non_field_errors()
    visit.refresh_from_db()
    assert visit.answers == FULL


def test_missed_and_cancelled(as_, rep: User, customer: Customer) -> None:
    client = as_(rep)
    visit = make_visit(customer, rep, scheduled_for=local(2026, 6, 1, 9))
    client.post(f"/visits/{visit.pk}/missed/")
    client.post(f"/visits/{visit.pk}/missed/")
    visit.refresh_from_db()
    assert visit.status == "missed"
    answer = client.post(f"/visits/{visit.pk}/cancel/", follow=True)
    assert "cannot become" in answer.content.decode()


def test_new_products_are_those_launched_lately_and_still_sold(rep: User) -> None:
    today = timezone.localdate()
    make_product(name="new", launched_on=today)
    make_product(name="old", launched_on=today - timedelta(days=180))
    make_product(name="gone", launched_on=today, active=False)
    make_product(name="soon", launched_on=today + timedelta(days=1))
    make_product(name="unknown")
    assert [product.name for product in new_products(rep, today)] == ["new"]
    assert Product.objects.count() == 5


def test_the_customer_is_picked_among_those_in_sight(as_, rep: User, stranger: User) -> None:
    make_customer(owner=rep, name="绍兴越州副食品")
    make_customer(owner=stranger, name="绍兴别人家")
    client = as_(rep)
    page = client.get("/visits/new/", {"q": "绍兴"}, headers={"HX-Request": "true"})
    assert "绍兴越州副食品" in page.content.decode()
    assert "绍兴别人家" not in page.content.decode()
    assert "<html" not in page.content.decode()
    assert "HX-Request" in page["Vary"]
    assert "No customer found" in client.get("/visits/new/", {"q": "\x00🍜"}).content.decode()


@pytest.mark.parametrize(("why", "said"), [("denied", "give it away"), ("slow", "too long")])
def test_a_check_in_without_a_place_says_why(as_, rep, customer, why: str, said: str) -> None:
    visit = make_visit(customer, rep, scheduled_for=noon())
    page = as_(rep).post(f"/visits/{visit.pk}/check-in/", {"no_place": why}, follow=True)
    assert said in page.content.decode()
    visit.refresh_from_db()
    assert (visit.status, visit.latitude) == ("checked_in", None)


def test_what_was_stored_is_named_so_that_the_browser_forgets_its_copy(as_, rep, customer) -> None:
    client = as_(rep)
    data = log_data(customer, draft="1")
    del data["close"]
    answer = client.post("/visits/new/", data)
    assert answer.cookies["saved_draft"].value == str(data["client_id"])
    visit = Visit.objects.get()
    answer = client.post(f"/visits/{visit.pk}/edit/", {**FORM, "version": visit.version})
    assert answer.cookies["saved_draft"].value == f"{visit.pk}-{visit.version}"
    refused = client.post(f"/visits/{visit.pk}/edit/", {"version": visit.version, "close": "1"})
    assert "saved_draft" not in refused.cookies
