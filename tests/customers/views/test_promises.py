"""The pages of promises: who sees which, one tap and its undo, edits by two people (P42)."""

from __future__ import annotations

import csv
import io
import json
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from customers.models import Customer, Promise, PromiseState
from tests.factories import local, make_customer, make_promise, make_user

HTMX = {"HX-Request": "true"}
LIST = "/customers/promises/"


@pytest.fixture
def today() -> date:
    return timezone.localdate()


def contents(answer) -> list[str]:
    return [promise.content for promise in answer.context["page"].rows]


def toast(answer) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(answer["HX-Trigger"])["toast"]
    return told


def press(client: Client, promise: Promise, verb: str, **values: object):
    """One tap on a row of a list, as htmx sends it."""
    sent = {"version": promise.version, "shape": "item", **values}
    return client.post(f"{LIST}{promise.pk}/{verb}/", sent, headers=HTMX)


# --- the list


def test_a_rep_sees_hers_a_manager_the_teams_and_a_stranger_none(
    as_, rep: User, manager: User, customer: Customer, today: date
) -> None:
    service, stranger = make_user("service", role=Role.SERVICE), make_user("other")
    make_promise(customer, rep, content="hers", due_on=today)
    make_promise(customer, service, content="of service", due_on=today + timedelta(days=1))
    make_promise(make_customer(owner=stranger), stranger, content="strange", due_on=today)
    assert contents(as_(rep).get(LIST)) == ["hers"]
    assert contents(as_(rep).get(f"{LIST}?whose=all")) == ["hers", "of service"]
    assert contents(as_(manager).get(LIST)) == ["hers", "of service"]
    assert contents(as_(service).get(LIST)) == ["of service"]
    assert contents(as_(stranger).get(LIST)) == ["strange"]


def test_the_tabs_are_what_is_open_due_late_kept_and_broken(
    as_, rep: User, customer: Customer, today: date
) -> None:
    now = timezone.now()
    day = timedelta(days=1)
    make_promise(customer, rep, content="later", due_on=today + day)
    make_promise(customer, rep, content="now", due_on=today)
    make_promise(customer, rep, content="late", due_on=today - day)
    kept = {"state": PromiseState.KEPT, "settled_at": now}
    make_promise(customer, rep, content="kept", due_on=today, **kept)
    make_promise(customer, rep, content="kept late", due_on=today - day, **kept)
    make_promise(customer, rep, content="broken", due_on=today, state="broken", settled_at=now)
    client = as_(rep)
    found = {state: contents(client.get(LIST, {"state": state})) for state in (
        "", "today", "late", "kept", "in_time", "kept_late", "broken", "all"
    )}  # fmt: skip
    assert found == {
        "": ["late", "now", "later"],
        "today": ["now"],
        "late": ["late"],
        "kept": ["kept", "kept late"],
        "in_time": ["kept"],
        "kept_late": ["kept late"],
        "broken": ["broken"],
        "all": ["later", "broken", "kept", "now", "kept late", "late"],
    }


def test_the_list_turns_pages_in_constant_queries(
    as_, manager: User, rep: User, today: date, django_assert_max_num_queries
) -> None:
    for number in range(60):
        make_promise(
            make_customer(owner=rep),
            rep,
            content=f"{number:02}",
            due_on=today + timedelta(days=number // 3),
        )
    client = as_(manager)
    with django_assert_max_num_queries(11):
        first = client.get(LIST)
    second = client.get(first.context["next_url"], headers=HTMX)
    assert contents(first) + contents(second) == [f"{number:02}" for number in range(60)]
    assert "<html" not in second.content.decode()


@pytest.mark.parametrize(
    "query", ["state=x", "owner=nobody", "customer=x", "due_from=1", "whose=y"]
)
def test_odd_filters_show_a_page(as_, rep: User, customer: Customer, query: str) -> None:
    make_promise(customer, rep)
    assert as_(rep).get(f"{LIST}?{query}").status_code == 200


def test_a_rep_cannot_narrow_to_the_promises_of_a_stranger(as_, rep: User, stranger: User) -> None:
    make_promise(make_customer(owner=stranger), stranger)
    assert contents(as_(rep).get(f"{LIST}?owner=stranger&whose=all")) == []


def test_a_manager_sees_who_keeps_promises_and_each_figure_opens_them(
    as_, manager: User, rep: User, customer: Customer, today: date
) -> None:
    due = today - timedelta(days=5)
    at = timezone.now() - timedelta(days=6)
    make_promise(customer, rep, content="kept", due_on=due, state="kept", settled_at=at)
    make_promise(customer, rep, content="late", due_on=due)
    client = as_(manager)
    page = client.get(LIST)
    assert page.context["share"] == 0.5
    span = page.context["span"]
    assert contents(client.get(f"{LIST}?state=all&owner=rep&{span}")) == ["late", "kept"]
    assert contents(client.get(f"{LIST}?state=in_time&owner=rep&{span}")) == ["kept"]
    assert "rates" not in as_(rep).get(LIST).context


def test_the_export_holds_what_is_filtered_and_no_formula(
    as_, rep: User, customer: Customer, today: date
) -> None:
    make_promise(customer, rep, content="=1+1", due_on=today)
    make_promise(customer, rep, content="other day", due_on=today - timedelta(days=1))
    answer = as_(rep).get(f"{LIST}export/?format=csv&state=today")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert [row[0] for row in rows] == ["Promise", "'=1+1"]


# --- one tap, and taken back


def test_kept_by_one_tap_and_taken_back_by_another(
    as_, rep: User, customer: Customer, today: date
) -> None:
    promise = make_promise(customer, rep, due_on=today)
    client = as_(rep)
    answer = press(client, promise, "keep")
    assert f'id="promise-{promise.pk}"' in answer.content.decode()
    assert "kept in time" in answer.content.decode()
    assert toast(answer)["text"] == "Kept in time."
    promise.refresh_from_db()
    assert promise.state == PromiseState.KEPT
    undone = client.post(toast(answer)["undo"]["url"], headers=HTMX)
    assert "Kept: " in undone.content.decode()  # the button is there again
    assert "undo" not in toast(undone)
    promise.refresh_from_db()
    assert (promise.state, promise.settled_at) == (PromiseState.OPEN, None)


def test_kept_after_its_day_says_so(as_, rep: User, customer: Customer, today: date) -> None:
    promise = make_promise(customer, rep, due_on=today - timedelta(days=3))
    answer = press(as_(rep), promise, "keep")
    assert toast(answer)["text"] == "Kept, 3 days late."
    assert "kept, 3 days late" in answer.content.decode()


def test_the_second_press_of_a_double_click_changes_nothing(
    as_, rep: User, customer: Customer
) -> None:
    promise = make_promise(customer, rep)
    client = as_(rep)
    press(client, promise, "keep")
    at = Promise.objects.get(pk=promise.pk).settled_at
    again = press(client, promise, "keep")
    assert toast(again)["text"].startswith("Kept")
    after = Promise.objects.get(pk=promise.pk)
    assert (after.settled_at, after.version) == (at, promise.version + 1)


@pytest.mark.parametrize("version", ["0", "", "x", "9" * 30])
def test_a_button_drawn_before_somebody_elses_change_does_nothing(
    as_, rep: User, manager: User, customer: Customer, version: str
) -> None:
    promise = make_promise(customer, rep)
    as_(manager).post(f"{LIST}{promise.pk}/hand-over/", {"to": manager.pk, "version": 1})
    assert Promise.objects.get(pk=promise.pk).owner == manager
    answer = press(as_(rep), promise, "keep", version=version)
    assert toast(answer)["text"].startswith("Manager changed this promise meanwhile.")
    promise.refresh_from_db()
    assert promise.state == PromiseState.OPEN
    assert f'value="{promise.version}"' in answer.content.decode()  # the next press means it


def test_broken_with_what_came_of_it(as_, rep: User, customer: Customer) -> None:
    promise = make_promise(customer, rep)
    sent = {"version": promise.version, "outcome": "No truck"}
    answer = as_(rep).post(f"{LIST}{promise.pk}/break/", sent, follow=True)
    promise.refresh_from_db()
    assert (promise.state, promise.outcome) == (PromiseState.BROKEN, "No truck")
    assert "No truck" in answer.content.decode()


def test_without_a_script_one_lands_where_the_button_stood_with_a_way_back(
    as_, rep: User, customer: Customer
) -> None:
    promise = make_promise(customer, rep)
    client = as_(rep)
    page = client.post(
        f"{LIST}{promise.pk}/keep/",
        {"version": promise.version, "next": f"/customers/{customer.pk}/"},
        follow=True,
    )
    assert page.redirect_chain == [(f"/customers/{customer.pk}/", 302)]
    undo = f"{LIST}{promise.pk}/reopen/?version={promise.version + 1}"
    assert f'action="{undo}"' in page.content.decode()
    client.post(undo)
    promise.refresh_from_db()
    assert promise.is_open


def test_the_button_leads_nowhere_outside(as_, rep: User, customer: Customer) -> None:
    promise = make_promise(customer, rep)
    answer = as_(rep).post(
        f"{LIST}{promise.pk}/keep/", {"version": promise.version, "next": "https://evil.example/"}
    )
    assert answer["Location"] == f"{LIST}{promise.pk}/"


@pytest.mark.parametrize("verb", ["keep", "break", "reopen", "renegotiate", "hand-over"])
def test_who_may_only_read_files_settles_nothing(
    as_, director: User, rep: User, customer: Customer, verb: str
) -> None:
    promise = make_promise(customer, rep)
    client = as_(director)
    assert client.get(f"{LIST}{promise.pk}/").status_code == 200
    assert press(client, promise, verb).status_code == 403
    assert Promise.objects.get(pk=promise.pk).version == promise.version


def test_a_stranger_finds_no_promise(as_, stranger: User, rep: User, customer: Customer) -> None:
    promise = make_promise(customer, rep)
    client = as_(stranger)
    assert client.get(f"{LIST}{promise.pk}/").status_code == 404
    assert press(client, promise, "keep").status_code == 404
    assert client.get(f"/customers/{customer.pk}/promises/new/").status_code == 404


# --- made, moved, handed over


def test_a_promise_is_made_on_the_file_and_stands_there(
    as_, rep: User, customer: Customer, today: date
) -> None:
    client = as_(rep)
    form = client.get(f"/customers/{customer.pk}/promises/new/").context["form"]
    sent = {
        "content": "Two racks",
        "due_on": today.isoformat(),
        "owner": rep.pk,
        "client_id": str(form["client_id"].value()),
    }
    for _press in range(2):
        page = client.post(f"/customers/{customer.pk}/promises/new/", sent, follow=True)
    assert [(p.content, p.made_by, p.owner) for p in Promise.objects.all()] == [
        ("Two racks", rep, rep)
    ]
    text = page.content.decode()
    assert text.count("Two racks") >= 2  # under the next steps, and on the timeline
    assert "Promised: Two racks" in text


def test_a_promise_for_yesterday_is_not_made(
    as_, rep: User, customer: Customer, today: date
) -> None:
    sent = {
        "content": "Racks",
        "due_on": (today - timedelta(days=1)).isoformat(),
        "owner": rep.pk,
        "client_id": "6f1fdf4c-6c3e-4e0c-a05b-1f4f5b0c5d11",
    }
    page = as_(rep).post(f"/customers/{customer.pk}/promises/new/", sent)
    assert "due_on" in page.context["form"].errors
    assert not Promise.objects.exists()


def test_a_new_day_is_agreed_and_the_history_shown(
    as_, rep: User, customer: Customer, today: date
) -> None:
    promise = make_promise(customer, rep, due_on=today)
    sent = {
        "new_day": (today + timedelta(days=2)).isoformat(),
        "reason": "The truck is full",
        "version": promise.version,
    }
    page = as_(rep).post(f"{LIST}{promise.pk}/renegotiate/", sent, follow=True)
    assert "The truck is full" in page.content.decode()
    promise.refresh_from_db()
    assert promise.due_on == today + timedelta(days=2)


def test_after_its_day_no_new_one_is_agreed_and_the_page_says_why(
    as_, rep: User, customer: Customer, today: date
) -> None:
    promise = make_promise(customer, rep, due_on=today - timedelta(days=1))
    client = as_(rep)
    url = f"{LIST}{promise.pk}/renegotiate/"
    assert "Its day has passed" in client.get(url).content.decode()
    sent = {"new_day": today.isoformat(), "reason": "x", "version": promise.version}
    page = client.post(url, sent)
    assert "say whether it was kept late or broken" in page.content.decode()
    promise.refresh_from_db()
    assert promise.due_on == today - timedelta(days=1)


def test_two_people_move_it_and_the_second_is_told(
    as_, rep: User, manager: User, customer: Customer, today: date
) -> None:
    promise = make_promise(customer, rep, due_on=today)
    day = (today + timedelta(days=2)).isoformat()
    sent = {"new_day": day, "reason": "x", "version": promise.version}
    as_(manager).post(f"{LIST}{promise.pk}/renegotiate/", sent)
    later = {**sent, "new_day": (today + timedelta(days=4)).isoformat()}
    page = as_(rep).post(f"{LIST}{promise.pk}/renegotiate/", later)
    assert page.context["form"].changes
    promise.refresh_from_db()
    assert promise.due_on.isoformat() == day


def test_it_is_handed_to_one_who_sees_the_customer_only(
    as_, rep: User, service: User, stranger: User, customer: Customer
) -> None:
    promise = make_promise(customer, rep)
    client = as_(rep)
    url = f"{LIST}{promise.pk}/hand-over/"
    refused = client.post(url, {"to": stranger.pk, "version": promise.version})
    assert "to" in refused.context["form"].errors
    client.post(url, {"to": service.pk, "version": promise.version})
    promise.refresh_from_db()
    assert promise.owner == service


# --- where it shows


def test_the_rail_counts_what_is_due_or_late(
    as_, rep: User, service: User, customer: Customer, today: date
) -> None:
    for days in (-2, 0, 1):
        make_promise(customer, rep, due_on=today + timedelta(days=days))
    make_promise(customer, service, due_on=today)
    make_promise(make_customer(), rep, due_on=today)  # of a customer that is no longer hers
    page = as_(rep).get(LIST)
    counts = {
        item.url: item.count for group in page.context["frame"]["rail"] for item in group.items
    }
    assert counts[LIST] == 2


def test_the_panel_of_the_day_shows_mine_by_their_day(
    as_, rep: User, customer: Customer, today: date, django_assert_max_num_queries
) -> None:
    for days in (3, -2, 0):
        make_promise(customer, rep, content=f"{days:+}", due_on=today + timedelta(days=days))
    make_promise(customer, make_user(role=Role.SERVICE), content="not mine", due_on=today)
    client = as_(rep)
    with django_assert_max_num_queries(5):
        panel = client.get(f"{LIST}due/", headers=HTMX)
    assert [promise.content for promise in panel.context["promises"]] == ["-2", "+0", "+3"]
    assert "2 due or late" in panel.content.decode()
    assert client.get(f"{LIST}due/").status_code == 302
    assert f'hx-get="{LIST}due/"' in client.get("/visits/today/").content.decode()


def test_the_panel_of_a_manager_shows_whose(
    as_, manager: User, rep: User, customer: Customer, today: date
) -> None:
    make_promise(customer, rep, due_on=today)
    panel = as_(manager).get(f"{LIST}due/", headers=HTMX)
    assert "Rep" in panel.content.decode()


def test_the_timeline_tells_how_a_promise_went(as_, rep: User, customer: Customer) -> None:
    promise = make_promise(
        customer, rep, content="Racks", due_on=date(2026, 6, 10), made_at=local(2026, 6, 1, 10)
    )
    promise.renegotiate(due_on=date(2026, 6, 12), reason="Rain", by=rep, now=local(2026, 6, 9, 10))
    promise.keep(now=local(2026, 6, 13, 10))
    page = as_(rep).get(f"/customers/{customer.pk}/timeline/?kind=promises")
    told = [(str(e.title), str(e.text)) for _day, some in page.context["days"] for e in some]
    year = "" if timezone.localdate().year == 2026 else " 2026"
    assert told == [
        ("Kept: Racks", "1 day late"),
        ("Renegotiated: Racks", f"10 Jun{year} → 12 Jun{year}, Rain"),
        ("Promised: Racks", f"due 12 Jun{year}, Rep"),
    ]


def test_colleagues_of_another_team_are_not_offered(as_, rep: User, customer: Customer) -> None:
    make_user("colleague", team=rep.team)
    form = as_(rep).get(f"/customers/{customer.pk}/promises/new/").context["form"]
    assert "colleague" not in {user.username for user in form.fields["owner"].queryset}
