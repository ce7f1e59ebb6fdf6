"""Gaps that are handed out: who is asked, what is left, and that it is done by itself (P4)."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry, User
from accounts.roles import Role
from customers import assigning_gaps
from customers.actions import change_customer
from customers.merging import merge
from customers.models import AssignedFile, Assignment, Customer, Profile
from customers.tasks import settle_assignments
from customers.unmerging import undo
from tests.factories import local, make_contact, make_customer, make_team, make_user

pytestmark = pytest.mark.django_db
NOW = local(2026, 6, 16, 12)
DUE = date(2026, 6, 30)
NEW = "/customers/completeness/assign/"
LIST = "/customers/gaps/"


@pytest.fixture
def colleague(rep: User) -> User:
    return make_user("colleague", role=Role.REP, team=rep.team)


@pytest.fixture
def files(rep: User, colleague: User, stranger: User) -> dict[str, Customer]:
    """Three of the rep's (one with a tax number), one of a colleague's, a stranger's, nobody's."""
    return {
        "a": make_customer(owner=rep, name="A"),
        "b": make_customer(owner=rep, name="B"),
        "has": make_customer(owner=rep, name="Has", tax_id="91X"),
        "c": make_customer(owner=colleague, name="C"),
        "far": make_customer(owner=stranger, name="Far"),
        "none": make_customer(name="None"),
    }


def ask(by: User, wanted: str = "tax_id", **values: Any) -> list[Assignment]:
    """Everybody in sight of `by` is asked."""
    customers = Customer.objects.visible_to(by)
    owners = [one.owner.pk for one in assigning_gaps.shares(customers, wanted)]
    values = {"owners": owners, "due_on": DUE, "now": NOW, **values}
    return assigning_gaps.assign(customers, wanted, by=by, **values)


def asked(one: Assignment) -> set[str]:
    return set(Customer.objects.filter(assigned__assignment=one).values_list("name", flat=True))


# --- handing out


def test_p4_every_owner_in_sight_is_asked_for_the_files_that_lack_it(manager, files) -> None:
    made = {one.owner.username: one for one in ask(manager)}
    assert {name: asked(one) for name, one in made.items()} == {
        "rep": {"A", "B"},
        "colleague": {"C"},
    }
    assert {name: one.total for name, one in made.items()} == {"rep": 2, "colleague": 1}
    entries = AuditEntry.objects.filter(model="customers.assignment")
    assert entries.count() == 2


def test_p4_nobody_is_asked_twice_for_the_same(manager, rep, files) -> None:
    ask(manager, owners=[rep.pk])
    shares = assigning_gaps.shares(Customer.objects.visible_to(manager), "tax_id")
    assert [(one.owner.username, one.count) for one in shares] == [("colleague", 1)]
    assert len(assigning_gaps.shares(Customer.objects.visible_to(manager), "email")) == 2
    one = Assignment.objects.get()
    one.withdraw(now=NOW)
    shares = assigning_gaps.shares(Customer.objects.visible_to(manager), "tax_id")
    assert {one.owner.username: one.count for one in shares} == {"rep": 2, "colleague": 1}


def test_p4_who_has_left_is_not_asked(manager, colleague, files) -> None:
    colleague.is_active = False
    colleague.save()
    assert [one.owner.username for one in ask(manager)] == ["rep"]


def test_more_than_one_can_do_is_cut(monkeypatch, manager, rep, files) -> None:
    monkeypatch.setattr(assigning_gaps, "MOST", 1)
    first = ask(manager, owners=[rep.pk])
    assert [one.total for one in first] == [1]
    assert asked(first[0]) | asked(ask(manager, owners=[rep.pk])[0]) == {"A", "B"}


# --- what is left


@pytest.mark.parametrize("wanted", ["tax_id", "capital", "contact"])
def test_p4_what_is_filled_is_no_longer_left(manager, rep, files, wanted: str) -> None:
    """Counted here file by file: a column, a field of the profile, a row beside the file."""
    one = next(one for one in ask(manager, wanted) if one.owner == rep)
    before = assigning_gaps.left([one])[one.pk]
    assert before == one.total
    if wanted == "tax_id":
        change_customer(customer=files["a"], values={"tax_id": "91A"}, now=NOW)
    elif wanted == "capital":
        Profile.objects.create(customer=files["a"], capital=5)
    else:
        make_contact(files["a"])
    assert assigning_gaps.left([one])[one.pk] == before - 1


def test_p4_files_that_changed_hands_are_not_left_to_the_former_owner(
    manager, rep, colleague, files
) -> None:
    made = {one.owner: one for one in ask(manager)}
    Customer.objects.filter(pk=files["a"].pk).update(owner=colleague)
    left = assigning_gaps.left(made.values())
    assert (left[made[rep].pk], left[made[colleague].pk]) == (1, 1)


def test_many_are_counted_with_one_statement(manager, files, django_assert_num_queries) -> None:
    made = [
        *ask(manager),
        *ask(manager, "email"),
        *ask(manager, "capital"),
        *ask(manager, "contact"),
    ]
    assert len(made) == 8
    with django_assert_num_queries(1):
        left = assigning_gaps.left(made)
    assert sum(left.values()) == sum(one.total for one in made)
    with django_assert_num_queries(0):
        assert assigning_gaps.left([]) == {}


def test_p4_it_is_done_by_itself_in_the_night_after_the_last_file(manager, rep, files) -> None:
    one = next(one for one in ask(manager) if one.owner == rep)
    change_customer(customer=files["a"], values={"tax_id": "91A"}, now=NOW)
    settle_assignments()
    one.refresh_from_db()
    assert one.is_open
    change_customer(customer=files["b"], values={"tax_id": "91B"}, now=NOW)
    settle_assignments()
    one.refresh_from_db()
    assert one.settled_at is not None
    assert Assignment.objects.open().count() == 1  # the colleague's


def test_p5_a_merge_takes_what_is_asked_for_along_and_back(manager, rep, files) -> None:
    one = next(one for one in ask(manager, "email") if one.owner == rep)
    other = ask(manager, owners=[rep.pk])[0]
    AssignedFile.objects.filter(assignment=other, customer=files["b"]).delete()
    done = merge(gone_id=files["a"].pk, into_id=files["b"].pk, by=rep, now=NOW)
    assert asked(one) == {"B", "Has"}
    assert asked(other) == {"B"}
    undo(merge_id=done.pk, by=rep, now=NOW)
    assert asked(one) == {"A", "B", "Has"}
    assert asked(other) == {"A"}


# --- the pages


def test_p4_from_the_report_to_the_rep_s_day_and_done(as_, manager, rep, files) -> None:
    today = timezone.localdate()
    client = as_(manager)
    report = client.get("/customers/completeness/?owner=rep").content.decode()
    assert f"{NEW}?owner=rep&amp;missing=tax_id" in report
    assert f"{NEW}?owner=rep&amp;missing=owner" not in report
    page = client.get(f"{NEW}?owner=rep&missing=tax_id").content.decode()
    assert "2 files lack it" in page
    assert "Colleague" not in page
    due = today + timedelta(days=7)
    sent = {"missing": "tax_id", "owner": "rep", "owners": [rep.pk], "due_on": due.isoformat()}
    done = client.post(NEW, sent, follow=True)
    assert done.redirect_chain[-1][0] == LIST
    assert "Asked 1 person." in done.content.decode()
    assert "0 of 2" in done.content.decode()

    client = as_(rep)
    day = client.get(reverse("visits:today")).content.decode()
    one = Assignment.objects.get()
    url = f"/customers/?missing=tax_id&amp;assigned={one.pk}"
    assert url in day
    assert "0 of 2" in day
    listed = client.get(url.replace("&amp;", "&"))
    assert {row["name"] for row in listed.context["page"].rows} == {"A", "B"}
    change_customer(customer=files["a"], values={"tax_id": "91A"}, now=NOW)
    assert "1 of 2" in client.get(LIST).content.decode()
    change_customer(customer=files["b"], values={"tax_id": "91B"}, now=NOW)
    assert url not in client.get(reverse("visits:today")).content.decode()
    assert "Filled" in client.get(LIST).content.decode()
    assert "Withdraw" not in client.get(LIST).content.decode().replace("Withdrawn", "")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"due_on": "2020-01-01"}, "This day has passed"),
        ({"due_on": ""}, "This field is required."),
        ({"owners": []}, "Choose at least one person."),
    ],
)
def test_what_makes_no_sense_is_said_beside_its_field(
    as_, manager, rep, files, values: dict[str, Any], said: str
) -> None:
    sent = {"missing": "tax_id", "owners": [rep.pk], "due_on": "2199-01-01", **values}
    assert said in as_(manager).post(NEW, sent).content.decode()
    assert not Assignment.objects.exists()


def test_who_assigns_asks_for_what_an_owner_can_fill(as_, manager, rep, files) -> None:
    for query in ("?missing=owner", "?missing=nonsense", ""):
        assert as_(manager).get(f"{NEW}{query}").url == "/customers/completeness/"
    assert as_(rep).get(f"{NEW}?missing=tax_id").status_code == 403
    sent = {"missing": "tax_id", "owners": [files["far"].owner_id], "due_on": "2199-01-01"}
    assert as_(manager).post(NEW, sent).status_code == 200
    assert not Assignment.objects.exists()


def test_nothing_left_to_hand_out_is_good_news(as_, manager, rep, files) -> None:
    ask(manager)
    page = as_(manager).get(f"{NEW}?missing=tax_id").content.decode()
    assert "Nothing is left to hand out" in page


def test_withdrawn_and_asked_again(as_, manager, rep, files) -> None:
    one = ask(manager, owners=[rep.pk])[0]
    client = as_(manager)
    page = client.post(f"{LIST}{one.pk}/withdraw/", follow=True).content.decode()
    assert f"{LIST}{one.pk}/restore/" in page
    assert not Assignment.objects.get(pk=one.pk).is_open
    client.post(f"{LIST}{one.pk}/restore/")
    assert Assignment.objects.get(pk=one.pk).is_open
    assert as_(rep).post(f"{LIST}{one.pk}/withdraw/").status_code == 403


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["rep tax_id", "colleague tax_id", "rep email"]),
        ("state=late", ["rep tax_id", "colleague tax_id"]),
        ("state=filled", ["colleague email"]),
        ("state=withdrawn", ["far"]),
        ("wanted=email", ["rep email"]),
        ("owner=rep", ["rep tax_id", "rep email"]),
        ("due_to=2026-06-30", ["rep tax_id", "colleague tax_id"]),
        ("due_from=2199-01-01", ["rep email"]),
    ],
)
def test_the_list_is_narrowed_and_taken_away(
    as_, director, manager, rep, colleague, files, query: str, found: list[str]
) -> None:
    ask(manager)
    later = {one.owner: one for one in ask(manager, "email", due_on=date(2199, 1, 1))}
    Assignment.objects.filter(pk=later[colleague].pk).update(settled_at=NOW)
    far = ask(director, owners=[files["far"].owner_id])[0]
    far.withdraw(now=NOW)
    client = as_(director)
    rows = client.get(f"{LIST}?{query}").context["rows"]

    def called(one: Assignment) -> str:
        return "far" if one.pk == far.pk else f"{one.owner.username} {one.wanted}"

    shown = [called(row["assignment"]) for row in rows]
    assert sorted(shown) == sorted(found)
    answer = client.get(f"{LIST}export/?{query}&format=csv")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    lines = list(csv.reader(io.StringIO(text)))
    assert len(lines) == len(found) + 1
    assert sum(int(line[4]) for line in lines[1:]) == sum(row["assignment"].total for row in rows)


def test_gaps_of_others_are_out_of_sight(as_, manager, rep, colleague, stranger, files) -> None:
    theirs = next(one for one in ask(manager) if one.owner == colleague)
    client = as_(rep)
    rows = client.get(LIST).context["rows"]
    assert [row["assignment"].owner for row in rows] == [rep]
    assert client.get(f"/customers/?assigned={theirs.pk}").context["page"].rows == []
    other = make_user("other", role=Role.MANAGER, team=make_team())
    assert as_(other).post(f"{LIST}{theirs.pk}/withdraw/").status_code == 404
    assert client.get("/customers/?assigned=x").status_code == 200


def test_more_gaps_cost_no_more_statements(
    as_, manager, files, django_assert_max_num_queries
) -> None:
    for wanted in ("tax_id", "email", "capital", "contact", "suppliers"):
        ask(manager, wanted)
    client = as_(manager)
    client.get(LIST)
    with django_assert_max_num_queries(10):
        assert len(client.get(LIST).context["rows"]) == 10
