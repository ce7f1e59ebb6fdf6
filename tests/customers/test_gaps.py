"""What we never collect: the report over all files, recounted in plain Python (P4)."""

from __future__ import annotations

import csv
import io
from collections import Counter
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import Team, User
from accounts.roles import Role
from customers import gaps
from customers.completeness import BY_NAME, TOTAL, WANTED, lacking
from customers.gaps import Tally
from customers.models import Contact, Customer, Profile, Supplier
from tests.factories import local, make_customer, make_key, make_team, make_user


def some_file(rng: Random, owner: User | None) -> Customer:
    """A file with about half of what it should hold."""

    def maybe(value: Any, nothing: Any = "") -> Any:
        return value if rng.random() < 0.5 else nothing

    customer = make_customer(
        owner=owner, phone=maybe("1"), address=maybe("x"), division=maybe("330602"),
        latitude=maybe(30, None), email=maybe("a@example.com"), tax_id=maybe("x"),
        founded_on=maybe("2001-02-03", None),
    )  # fmt: skip
    if rng.random() < 0.6:
        Profile.objects.create(
            customer=customer, capital=maybe(1, None), staff_count=maybe(0, None),
            credit_standing=maybe("good"), buys=maybe("x"), purchase_months=maybe([1], []),
            yearly_sales=maybe(1, None), product_satisfaction=maybe(5, None),
        )  # fmt: skip
    for _number in range(rng.randrange(3)):
        Supplier.objects.create(customer=customer, name="x", satisfaction=maybe(3, None))
        Contact.objects.create(
            customer=customer, name="x", has_left=rng.random() < 0.3, birth_month=maybe(1, None),
            buying_role=maybe("decision_maker"),
        )  # fmt: skip
    return customer


def recount(customers: list[Customer]) -> tuple[int, int, Counter[str]]:
    """Number, completeness and empties of these files, one file after the other."""
    empty: Counter[str] = Counter()
    held = 0
    for missing in lacking([customer.pk for customer in customers]).values():
        empty.update(wanted.name for wanted in missing)
        held += TOTAL - sum(wanted.weight for wanted in missing)
    return len(customers), 100 * held // (TOTAL * len(customers)), empty


def shown(tally: Tally) -> tuple[int, int, Counter[str]]:
    return tally.customers, tally.percent, +tally.empty


def test_p4_the_report_is_the_sum_of_its_files(
    director: User, north: Team, django_assert_num_queries
) -> None:
    rng = Random(4)
    below = make_team(name="Below", parent=north)
    people = [make_user(role=Role.REP, team=team) for team in (north, north, below, make_team())]
    files = {
        owner: [some_file(rng, owner) for _n in range(8)]
        for owner in (*people, make_user(role=Role.REP), None)
    }
    with django_assert_num_queries(5):
        report = gaps.report(Customer.objects.visible_to(director), Team.objects.all())
    assert shown(report.total) == recount([one for some in files.values() for one in some])
    for rep in report.reps:
        assert shown(rep.tally) == recount(files[rep.owner])
    teams = {one.team: one.tally for one in report.teams}
    in_north = [one for owner in people[:3] for one in files[owner]]
    assert shown(teams[north]) == recount(in_north)
    assert shown(teams[below]) == recount(files[people[2]])
    assert len(teams) == 3
    percents = [one.tally.percent for one in report.teams]
    assert percents == sorted(percents)


@pytest.mark.parametrize(
    ("customers", "empty", "percent"),
    [
        (0, {}, 0),
        (1, {}, 100),
        (3, {"email": 1}, 100 * (3 * TOTAL - 1) // (3 * TOTAL)),
        (2, {wanted.name: 2 for wanted in WANTED}, 0),
    ],
)
def test_p4_the_percentage_of_a_group_rounds_down(
    customers: int, empty: dict[str, int], percent: int
) -> None:
    assert Tally(customers, Counter(empty)).percent == percent


def test_the_worst_field_comes_first_with_the_teams_that_ask_least_and_most(
    director: User, north: Team
) -> None:
    south = make_team(name="Far south")
    mine = make_user(role=Role.REP, team=north)
    theirs = make_user(role=Role.REP, team=south)
    for number in range(4):
        make_customer(owner=mine, phone="1", email="a@b.cn" if number else "", tax_id="x")
        make_customer(owner=theirs, phone="", email="", tax_id="x" if number else "")
    report = gaps.report(Customer.objects.visible_to(director), Team.objects.all())
    spreads = {one.gap.wanted.name: one for one in report.spreads()}
    phone = spreads["phone"]
    assert (phone.gap.empty, phone.gap.share) == (4, Decimal("0.5"))
    assert phone.worst is not None
    assert phone.best is not None
    assert (phone.worst.name, phone.best.name) == ("Far south", "North")
    assert spreads["owner"].worst is None
    empties = [one.gap.empty for one in report.spreads()]
    assert empties == sorted(empties, reverse=True)


# --- the page


def test_p4_every_figure_opens_the_customers_behind_it(
    as_, director: User, rep: User, stranger: User
) -> None:
    rng = Random(5)
    for owner in (rep, stranger, None):
        for _number in range(6):
            some_file(rng, owner)
    client = as_(director)
    answer = client.get("/customers/completeness/")
    figures = [(one["url"], one["gap"].empty) for one in answer.context["spreads"]]
    for group in (*answer.context["teams"], *answer.context["reps"]):
        figures.append((group["url"], group["tally"].customers))
        figures += [(url, gap.empty) for gap, url in group["gaps"]]
    assert len(figures) > 40
    for url, number in figures:
        assert client.get(url).context["count"].n == number, url


def test_the_page_is_narrowed_and_its_links_keep_the_scope(
    as_, director: User, rep: User, north: Team
) -> None:
    old = make_customer(owner=rep, division="330602")
    make_customer(owner=rep, division="110105")
    Customer.objects.filter(pk=old.pk).update(created_at=local(2020, 5, 5, 12))
    client = as_(director)
    for query, number in (
        (f"team={north.pk}", 2),
        ("owner=rep", 2),
        ("division=33", 1),
        ("filed_to=2020-05-05", 1),
        ("filed_from=2020-05-06", 1),
        ("filed_from=2020-05-05&filed_to=2020-05-05", 1),
    ):
        answer = client.get(f"/customers/completeness/?{query}")
        assert answer.context["report"].total.customers == number, query
        url = answer.context["spreads"][0]["url"]
        assert query.split("&")[0] in url
        assert client.get(url).context["count"].n == answer.context["spreads"][0]["gap"].empty


def test_a_manager_sees_her_teams_and_nobody_else(
    as_, manager: User, rep: User, stranger: User
) -> None:
    make_customer(owner=rep)
    make_customer(owner=stranger)
    body = as_(manager).get("/customers/completeness/").content.decode()
    assert "North" in body
    assert "South" not in body
    assert stranger.display_name not in body


@pytest.mark.parametrize("path", ["completeness/", "completeness/export/"])
def test_the_report_is_for_those_who_read_reports(as_, rep, finance, service, path: str) -> None:
    assert as_(rep).get(f"/customers/{path}").status_code == 403
    assert as_(service).get(f"/customers/{path}").status_code == 403
    assert as_(finance).get(f"/customers/{path}").status_code == 200


def test_the_page_costs_the_same_however_many_there_are(
    as_, director: User, django_assert_max_num_queries
) -> None:
    for _number in range(6):
        owner = make_user(role=Role.REP, team=make_team())
        make_customer(owner=owner)
    client = as_(director)
    with django_assert_max_num_queries(13):
        client.get("/customers/completeness/")
    answer = client.get("/customers/completeness/?owner=", headers={"HX-Request": "true"})
    assert "<html" not in answer.content.decode()
    assert answer["HX-Push-Url"] == "/customers/completeness/"


@pytest.mark.parametrize(
    "query", ["team=x", "owner=%00", "division=Atlantis", "filed_from=x", "filed_to=0001-01-01"]
)
def test_odd_scopes_show_the_page(as_, director: User, customer: Customer, query: str) -> None:
    for path in ("", "export/"):
        assert as_(director).get(f"/customers/completeness/{path}?{query}").status_code == 200


def test_the_export_has_every_group_and_field(as_, director: User, rep: User) -> None:
    make_customer(owner=rep)
    answer = as_(director).get("/customers/completeness/export/?format=csv")
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    assert len(rows) == 3 * len(WANTED)
    assert {row["Group"] for row in rows} == {"All", "Team", "Owner"}


@pytest.mark.parametrize("name", BY_NAME)
def test_the_list_takes_every_missing_field(as_, director: User, customer: Customer, name) -> None:
    answer = as_(director).get(f"/customers/?missing={name}")
    assert answer.status_code == 200
    assert answer.context["count"].n == (name != "owner")


# --- the API

URL = "/api/v1/reports/completeness/"


def test_p4_the_api_answers_with_the_report(erp, rep: User, north: Team) -> None:
    make_customer(owner=rep, phone="1")
    make_customer()
    body = erp.get(URL).json()
    assert set(body) == {"customers", "completeness", "fields", "teams", "reps"}
    assert body["customers"] == 2
    fields = {one["field"]: one for one in body["fields"]}
    assert (fields["phone"]["empty"], fields["phone"]["share"]) == (1, 0.5)
    assert [one["team"] for one in body["teams"]] == [north.pk]
    assert {one["rep"] for one in body["reps"]} == {"rep", None}
    assert erp.get(URL, {"rep": "rep"}).json()["customers"] == 1
    assert erp.get(URL, {"team": north.pk}).json()["customers"] == 1
    assert erp.get(URL, {"to": "2000-01-01"}).json()["customers"] == 0


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_api_answers_with_a_table(erp, customer: Customer, kind: str) -> None:
    answer = erp.get(URL, {"format": kind})
    assert answer.status_code == 200
    assert answer["Content-Disposition"].endswith(f'"completeness.{kind}"')


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "x"}, "from"),
        ({"team": "999"}, "team"),
        ({"rep": "nobody"}, "rep"),
        ({"format": "pdf"}, "format"),
        ({"category": "x"}, "category"),
    ],
)
def test_the_api_names_what_it_does_not_read(erp, query: dict[str, str], field: str) -> None:
    answer = erp.get(URL, query)
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == {field}


def test_the_api_shows_what_the_caller_sees(manager: User, rep: User, stranger: User) -> None:
    make_customer(owner=rep)
    make_customer(owner=stranger)
    _key, secret = make_key(manager, scopes=["reports:read"])
    client = APIClient(headers={"Authorization": f"Bearer {secret}"})
    assert client.get(URL).json()["customers"] == 1
    assert client.get(URL, {"rep": stranger.username}).status_code == 400
    _key, secret = make_key(rep, scopes=["customers:read"])
    assert APIClient(headers={"Authorization": f"Bearer {secret}"}).get(URL).status_code == 403
