"""The lists: visits, overdue customers, reminders; narrowed, paged, taken away."""

from __future__ import annotations

import re
from datetime import timedelta
from io import BytesIO

import pytest
from django.utils import timezone
from openpyxl import load_workbook

from accounts.models import User
from accounts.roles import Role
from customers.models import Customer
from tests.factories import local, make_customer, make_team, make_user, make_visit
from tests.visits.records import FULL
from visits.models import Reminder, Visit


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


def test_reminders_follow_the_customer_to_its_new_owner(as_, rep, stranger, customer) -> None:
    Reminder.objects.create(
        occasion="mid_autumn", on=timezone.localdate(), customer=customer, user=rep
    )
    Customer.objects.filter(pk=customer.pk).update(owner=stranger)
    assert customer.name in as_(stranger).get("/visits/today/").content.decode()
    assert customer.name not in as_(rep).get("/visits/reminders/").content.decode()
