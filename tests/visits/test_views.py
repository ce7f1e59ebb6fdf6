"""The pages of visits as people use them."""

from __future__ import annotations

import gzip
import re
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client
from django.utils import timezone
from django.utils.timezone import localtime
from openpyxl import load_workbook

from accounts.models import User
from accounts.roles import Role
from customers.models import Customer
from orders.models import Product
from tests.factories import local, make_customer, make_product, make_team, make_user, make_visit
from visits.forms import new_products
from visits.models import Cadence, OccasionRule, Reminder, Visit

FULL = {"sales": "normal", "new_need": False, "new_products": [], "care": []}
FORM = {"sales": "normal", "new_need": "no", "new_products": ["none"], "care": ["met", "greeting"]}


def noon() -> datetime:
    """Twelve o'clock today, or now before that: never in the future."""
    now = localtime()
    return min(now, now.replace(hour=12, minute=0, second=0, microsecond=0))


def log_data(customer: Customer, **values: Any) -> dict[str, Any]:
    return {
        "customer": customer.pk,
        "client_id": uuid4(),
        "at": f"{localtime() - timedelta(minutes=2):%Y-%m-%dT%H:%M}",
        **FORM,
        "close": "1",
        **values,
    }


# --- the day


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


# --- check-in and record


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


# --- who sees what


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("get", "/visits/{visit}/"),
        ("get", "/visits/{visit}/edit/"),
        ("post", "/visits/{visit}/edit/"),
        ("post", "/visits/{visit}/check-in/"),
        ("post", "/visits/{visit}/cancel/"),
        ("post", "/visits/{visit}/missed/"),
        ("get", "/visits/of-customer/{customer}/"),
        ("get", "/visits/new/?customer={customer}"),
        ("get", "/visits/plan/?customer={customer}"),
        ("post", "/visits/reminders/{reminder}/done/"),
    ],
)
def test_what_is_out_of_sight_is_not_there(as_, stranger, customer, method, url) -> None:
    rep = customer.owner
    visit = make_visit(customer, rep)
    reminder = Reminder.objects.create(
        occasion="qingming", on=timezone.localdate(), customer=customer, user=rep
    )
    url = url.format(visit=visit.pk, customer=customer.pk, reminder=reminder.pk)
    assert getattr(as_(stranger), method)(url).status_code == 404
    assert getattr(as_(rep), method)(url).status_code in (200, 302)
    anonymous = getattr(Client(), method)(url)
    assert anonymous["Location"].startswith("/login/")


@pytest.mark.parametrize("pk", ["0", "99999999999999999999", "999999999999"])
def test_numbers_that_nobody_has(as_, rep: User, pk: str) -> None:
    client = as_(rep)
    assert client.get(f"/visits/{pk}/").status_code == 404
    assert client.get(f"/visits/new/?customer={pk}").status_code == 404


@pytest.mark.parametrize("value", ["x", "-1", "1.5", "²"])
def test_customers_that_are_no_number(as_, rep: User, value: str) -> None:
    assert as_(rep).get("/visits/new/", {"customer": value}).status_code == 404


def test_in_sight_but_not_allowed(as_, finance: User, rep: User, customer: Customer) -> None:
    visit = make_visit(customer, rep)
    client = as_(finance)
    assert client.get(f"/visits/{visit.pk}/").status_code == 200
    assert client.get(f"/visits/{visit.pk}/edit/").status_code == 403
    assert client.get("/visits/today/").status_code == 403
    assert client.post("/visits/plan/", {"customer": customer.pk}).status_code == 403
    assert client.get("/visits/cadences/").status_code == 403


# --- lists


def test_the_list_is_narrowed_by_day_rep_team_status_and_customer(as_, rep, manager, north) -> None:
    other = make_user("other", role=Role.REP, team=make_team(name="Below", parent=north))
    make_visit(make_customer(owner=rep, name="甲店"), rep, scheduled_for=local(2026, 6, 15, 23, 59))
    make_visit(
        make_customer(owner=other, name="乙店"), other, scheduled_for=local(2026, 6, 16, 0, 0)
    )
    client = as_(manager)

    def names(**query: str) -> set[str]:
        page = client.get("/visits/", query, headers={"HX-Request": "true"})
        assert page.status_code == 200
        return set(re.findall("[甲乙]店", page.content.decode()))

    assert names() == {"甲店", "乙店"}
    assert names(scheduled_from="2026-06-16") == {"乙店"}
    assert names(scheduled_to="2026-06-15") == {"甲店"}
    assert names(rep="other") == {"乙店"}
    assert names(team=str(other.team_id)) == {"乙店"}
    assert names(team=str(north.pk)) == {"甲店", "乙店"}
    assert names(status="done") == set()
    assert names(q="甲") == {"甲店"}
    assert names(rep="nobody") == set()
    assert names(scheduled_from="0001-01-01") == {"甲店", "乙店"}
    assert names(scheduled_to="9999-12-31") == {"甲店", "乙店"}
    assert names(scheduled_from="9999-12-31") == set()


def test_pages_of_the_list_hold_every_visit_once(as_, rep: User, customer: Customer) -> None:
    Visit.objects.bulk_create(
        [
            Visit(
                customer=customer,
                rep=rep,
                scheduled_for=local(2026, 6, 1, 9) + timedelta(hours=n // 2),
            )
            for n in range(120)
        ]
    )
    client = as_(rep)
    seen: list[int] = []
    cursor = ""
    for _ in range(3):
        page = client.get("/visits/", {"cursor": cursor}).context["page"]
        seen += [visit.pk for visit in page.rows]
        cursor = page.next
    assert len(seen) == len(set(seen)) == 120
    assert cursor == ""


def test_lists_leave_as_tables(as_, rep: User) -> None:
    customer = make_customer(owner=rep, name="=cmd()", abc="A")
    make_visit(customer, rep, status="done", answers={**FULL, "sales": "slow"}, words="+1")
    client = as_(rep)
    book = load_workbook(
        BytesIO(b"".join(client.get("/visits/export/", {"format": "xlsx"}))), read_only=True
    )
    rows = list(book.active.values)
    assert rows[0][0] == "Customer"
    assert rows[1][0] == "'=cmd()"
    assert "Slow" in rows[1]
    text = b"".join(client.get("/visits/overdue/export/", {"format": "csv"})).decode("utf-8-sig")
    assert text.splitlines()[1].startswith("'=cmd(),")


def test_overdue_customers_of_the_team(as_, rep: User, manager: User, stranger: User) -> None:
    make_customer(
        owner=rep, name="甲店", abc="A", last_visited_on=timezone.localdate() - timedelta(44)
    )
    make_customer(owner=rep, name="乙店", abc="B")
    make_customer(owner=stranger, name="丙店", abc="A")
    client = as_(manager)
    page = client.get("/visits/overdue/").content.decode()
    assert page.index("甲店") < page.index("乙店")
    assert "every 30 days · now 44" in page
    assert "丙店" not in page
    assert "甲店" not in client.get("/visits/overdue/?abc=B").content.decode()


def test_reminders_are_ticked_off_and_taken_back(as_, rep: User, customer: Customer) -> None:
    on = timezone.localdate() + timedelta(days=3)
    reminder = Reminder.objects.create(occasion="mid_autumn", on=on, customer=customer, user=rep)
    client = as_(rep)
    assert customer.name in client.get("/visits/reminders/").content.decode()
    url = f"/visits/reminders/{reminder.pk}/done/"
    row = client.post(url, {"from": "list"}, headers={"HX-Request": "true"}).content.decode()
    assert "Undo" in row
    assert customer.name not in client.get("/visits/reminders/").content.decode()
    assert customer.name in client.get("/visits/reminders/?state=done").content.decode()
    today = client.post(url, {"from": "today", "undo": "1"}, headers={"HX-Request": "true"})
    assert 'id="stats"' in today.content.decode()
    assert Reminder.objects.open().exists()


def test_past_greetings_are_kept_and_found(as_, rep: User, customer: Customer) -> None:
    today = timezone.localdate()
    for days in (300, 100):
        Reminder.objects.create(
            occasion="mid_autumn",
            on=today - timedelta(days=days),
            customer=customer,
            user=rep,
            done_at=timezone.now() - timedelta(days=days),
        )
    client = as_(rep)
    page = client.get("/visits/reminders/").content.decode()
    assert customer.name not in page
    assert "?state=done" in page
    assert "pager" not in page  # no count of nothing
    past = client.get("/visits/reminders/", {"state": "done"}).content.decode()
    assert past.count(f">{customer.name}<") == 2
    assert past.index("100 days ago") < past.index("300 days ago")
    assert "last greeted" in past
    assert "Undo" not in past


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("/visits/", "status=done"),
        ("/visits/overdue/", "abc=A"),
        ("/visits/reminders/", "state=done"),
    ],
)
def test_the_address_holds_filled_filters_only(as_, rep: User, url: str, kept: str) -> None:
    empty = "q=&scheduled_from=&on_to=&owner=&unknown=1"
    answer = as_(rep).get(f"{url}?{empty}&{kept}", headers={"HX-Request": "true"})
    assert answer["HX-Push-Url"] == f"{url}?{kept}"


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


def test_the_route_says_how_long_it_is(as_, rep: User) -> None:
    for hour, latitude in ((9, "30.0"), (10, None), (11, "30.1")):
        customer = make_customer(owner=rep, latitude=latitude, longitude=latitude and "120.5")
        make_visit(customer, rep, scheduled_for=localtime().replace(hour=hour))
    page = as_(rep).get("/visits/today/").content.decode()
    assert "11.1\xa0km in straight lines · 1 without coordinates" in page


def test_reminders_follow_the_customer_to_its_new_owner(as_, rep, stranger, customer) -> None:
    Reminder.objects.create(
        occasion="mid_autumn", on=timezone.localdate(), customer=customer, user=rep
    )
    Customer.objects.filter(pk=customer.pk).update(owner=stranger)
    assert customer.name in as_(stranger).get("/visits/today/").content.decode()
    assert customer.name not in as_(rep).get("/visits/reminders/").content.decode()


# --- rules


def rules(client: Client) -> dict[str, Any]:
    """What the form of the rules sends, unchanged."""
    page = client.get("/visits/cadences/").content.decode()
    data = dict(re.findall(r'name="((?:cadence|rule)-[^"]+)" value="([^"]*)"', page))
    data |= dict(re.findall(r'type="number" name="([^"]+)" value="([^"]*)"', page))
    return data | dict.fromkeys(
        re.findall(r'type="checkbox" name="([^"]+)"[^>]*checked', page), "on"
    )


def test_cadences_and_occasions_are_edited(as_, administrator: User) -> None:
    client = as_(administrator)
    data = rules(client)
    data |= {"cadence-0-every_days": "21", "rule-3-days_before": "14"}
    del data["rule-4-enabled"]
    assert client.post("/visits/cadences/", data).status_code == 302
    assert Cadence.objects.get(abc="A").every_days == 21
    assert OccasionRule.objects.get(code="labour_day").days_before == 14
    assert not OccasionRule.objects.get(code="dragon_boat").enabled


@pytest.mark.parametrize("days", ["0", "-1", "731", "", "x", "1e9"])
def test_a_cadence_is_one_day_to_two_years(as_, administrator: User, days: str) -> None:
    client = as_(administrator)
    page = client.post("/visits/cadences/", rules(client) | {"cadence-0-every_days": days})
    assert "nothing was saved" in page.content.decode()
    assert Cadence.objects.get(abc="A").every_days == 30


def test_two_administrators_do_not_overwrite_each_other(as_, administrator, director) -> None:
    data = rules(as_(administrator))
    as_(director).post("/visits/cadences/", data | {"cadence-0-every_days": "20"})
    page = as_(administrator).post("/visits/cadences/", data | {"cadence-0-every_days": "40"})
    assert "Director has changed this meanwhile" in page.content.decode()
    assert Cadence.objects.get(abc="A").every_days == 20


# --- cost


@pytest.fixture
def busy_day(rep: User, manager: User) -> User:
    """A rep with many visits, reminders and overdue customers."""
    today = timezone.localdate()
    for number in range(12):
        customer = make_customer(owner=rep, abc="AB"[number % 2])
        make_visit(customer, rep, scheduled_for=noon() + timedelta(minutes=number))
        Reminder.objects.create(occasion="mid_autumn", on=today, customer=customer, user=rep)
    for _ in range(8):
        make_customer(owner=rep, abc="C")
        make_visit(make_customer(owner=rep), rep, scheduled_for=noon() - timedelta(days=2))
    return rep


@pytest.mark.parametrize(
    ("url", "queries"),
    [
        ("/visits/today/", 14),
        ("/visits/", 7),
        ("/visits/overdue/", 8),
        ("/visits/reminders/", 7),
        ("/visits/new/", 4),
    ],
)
def test_pages_cost_the_same_however_many_rows(
    as_, busy_day: User, django_assert_num_queries, url: str, queries: int
) -> None:
    client = as_(busy_day)
    with django_assert_num_queries(queries):
        client.get(url)


def test_the_team_s_day_costs_the_same_however_many_rows(
    as_, manager: User, busy_day, django_assert_num_queries
) -> None:
    client = as_(manager)
    with django_assert_num_queries(15):
        client.get("/visits/today/")


def test_one_visit_costs_the_same_however_many_there_are(
    as_, rep: User, busy_day, django_assert_num_queries
) -> None:
    visit = Visit.objects.latest("pk")
    client = as_(rep)
    with django_assert_num_queries(5):
        client.get(f"/visits/{visit.pk}/")
    with django_assert_num_queries(5):
        client.get(f"/visits/of-customer/{visit.customer_id}/")


def test_the_first_page_on_the_phone_is_at_most_60_kb(as_, rep: User, busy_day) -> None:
    page = as_(rep).get("/visits/today/").content
    weight = len(gzip.compress(page, 6))
    paths = re.findall(rb'(?:href|src)="/static/([^"?]+)', page)
    assert len(paths) >= 6
    for path in paths:
        found = finders.find(path.decode())
        assert found, path
        weight += len(gzip.compress(Path(found).read_bytes(), 9))
    assert weight <= 60 * 1024, f"{weight:,} bytes"


@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
def test_every_page_is_there_in_both_languages(as_, rep, customer, busy_day, language: str) -> None:
    User.objects.filter(pk=rep.pk).update(language=language)
    rep.refresh_from_db()
    visit = make_visit(customer, rep, status="done", checked_in_at=noon(), answers=FULL)
    client = as_(rep)
    heading = {"en": "Today", "zh-hans": "今天"}[language]
    assert f"<h1>{heading}</h1>" in client.get("/visits/today/").content.decode()
    for url in (
        f"/visits/{visit.pk}/",
        f"/visits/new/?customer={customer.pk}",
        "/visits/",
        "/visits/overdue/",
        "/visits/reminders/",
    ):
        assert client.get(url).status_code == 200
