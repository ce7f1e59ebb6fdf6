"""The pages of customers, as each of the cast sees them."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest
from django.test import Client
from openpyxl import load_workbook

from accounts.models import Team, User
from accounts.roles import Role
from customers.models import Customer, Profile
from tests.factories import make_customer, make_team, make_user

HTMX = {"HX-Request": "true"}


def names(answer) -> list[str]:
    return [row["name"] for row in answer.context["page"].rows]


@pytest.fixture
def many(rep: User) -> list[Customer]:
    return [
        make_customer(
            owner=rep,
            name=f"Shop {number:03}",
            net_amount=Decimal(1000 - number) if number < 90 else None,
            abc="A" if number < 20 else None,
            division="330602" if number % 2 else "110105",
        )
        for number in range(120)
    ]


# --- the list


def test_the_list_is_flat_in_queries_and_pages_both_ways(
    as_, rep: User, many: list[Customer], django_assert_max_num_queries
) -> None:
    client = as_(rep)
    with django_assert_max_num_queries(12):
        first = client.get("/customers/")
    assert names(first) == [f"Shop {number:03}" for number in range(50)]
    assert str(first.context["count"]) == "120"
    assert not first.context["previous_url"]
    with django_assert_max_num_queries(12):
        second = client.get(first.context["next_url"])
    third = client.get(second.context["next_url"])
    assert len(names(third)) == 20
    assert not third.context["next_url"]
    assert sorted(names(first) + names(second) + names(third)) == [c.name for c in many]
    assert names(client.get(third.context["previous_url"])) == names(second)


def test_everyone_sees_the_customers_in_their_sight(
    as_, manager: User, stranger: User, director: User, customer: Customer
) -> None:
    rep = customer.owner
    assert rep is not None
    make_customer(name="Far away", owner=stranger)
    make_customer(name="Nobody's")
    own, all_ = {customer.name}, {customer.name, "Far away", "Nobody's"}
    assert set(names(as_(rep).get("/customers/"))) == own
    assert set(names(as_(manager).get("/customers/"))) == own
    assert set(names(as_(stranger).get("/customers/"))) == {"Far away"}
    assert set(names(as_(director).get("/customers/"))) == all_


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=越州", ["绍兴越州"]),
        ("q=C-900", ["绍兴越州"]),
        ("q=8888", ["绍兴越州"]),
        ("abc=A", ["绍兴越州"]),
        ("abc=A,B", ["Beta", "绍兴越州"]),
        ("abc=none", ["Gamma"]),
        ("abc=B,none", ["Beta", "Gamma"]),
        ("kind=outlet", ["Beta"]),
        ("status=lost", ["Gamma"]),
        ("division=33", ["绍兴越州"]),
        ("division=绍兴", ["绍兴越州"]),
        ("division=越城区", ["绍兴越州"]),
        ("division=110105", ["Beta"]),
        ("tag=端午", ["绍兴越州"]),
        ("tag=端", []),
        ("tag=%22", []),
        ("buyout=true", ["Gamma"]),
        ("owner=rep", ["Beta", "Gamma", "绍兴越州"]),
        ("", ["Beta", "Gamma", "绍兴越州"]),
    ],
)
def test_filters_find_what_they_say(as_, manager: User, rep: User, query: str, found) -> None:
    make_customer(owner=rep, name="绍兴越州", external_id="C-9001", phone="0575-88888888", abc="A",
                  division="330602", tags=["端午", 'with "quotes"'])  # fmt: skip
    make_customer(owner=rep, name="Beta", abc="B", kind="outlet", division="110105", tags=["x"])
    make_customer(owner=rep, name="Gamma", status="lost", buyout=True)
    assert sorted(names(as_(manager).get(f"/customers/?{query}"))) == found


def test_a_team_holds_the_teams_below_it(as_, director: User, north: Team) -> None:
    below = make_team(name="North-east", parent=north)
    make_customer(name="Deep", owner=make_user(role=Role.REP, team=below))
    make_customer(name="Elsewhere", owner=make_user(role=Role.REP, team=make_team()))
    assert names(as_(director).get(f"/customers/?team={north.pk}")) == ["Deep"]


def test_filters_reveal_nobody_out_of_sight(
    as_, rep: User, manager: User, stranger: User, customer: Customer
) -> None:
    for user in (rep, manager):
        client = as_(user)
        for query in (f"owner={stranger.username}", f"team={stranger.team_id}"):
            answer = client.get(f"/customers/?{query}")
            assert names(answer) == []
            assert stranger.display_name not in answer.content.decode()
        assert "South" not in client.get("/customers/").content.decode()


@pytest.mark.parametrize(
    "query",
    [
        "abc=Z", "division=nowhere", "division=1234567", "kind=x", "owner=%00", "team=abc",
        "team=99999999999999999999999", "updated_since=x", "updated_since=0001-01-01T00:00:00Z",
        "q=%00", "tag=%00", "sort=nonsense", "cursor=nonsense", "no_owner=maybe", "q=%F0%9F%8D%9C",
        "q=" + "x" * 3000,
    ],
)  # fmt: skip
def test_odd_filters_show_a_page(as_, director: User, customer: Customer, query: str) -> None:
    assert as_(director).get(f"/customers/?{query}").status_code == 200
    export = as_(director).get(f"/customers/export/?{query}&format=csv")
    assert export.status_code == 200
    b"".join(export.streaming_content)


def test_a_wrong_filter_is_named_and_shows_nothing(as_, director: User, customer: Customer) -> None:
    answer = as_(director).get("/customers/?division=Atlantis")
    assert "No area is called “Atlantis”." in answer.content.decode()
    assert names(answer) == []


def test_heads_sort_and_turn_round(as_, rep: User, many: list[Customer]) -> None:
    client = as_(rep)
    answer = client.get("/customers/")
    assert answer.context["heads"]["net_amount"].aria == "descending"
    by_name = client.get(answer.context["heads"]["name"].url)
    assert names(by_name)[0] == "Shop 000"
    falling = client.get(by_name.context["heads"]["name"].url)
    assert names(falling)[0] == "Shop 119"


def test_htmx_gets_the_rows_and_a_clean_address(as_, rep: User, many: list[Customer]) -> None:
    answer = as_(rep).get("/customers/?q=&abc=A&kind=&sort=-net_amount", headers=HTMX)
    body = answer.content.decode()
    assert "<html" not in body
    assert 'id="results"' in body
    assert body.count("hx-swap-oob") == 4
    assert "HX-Request" in answer["Vary"]
    assert answer["HX-Push-Url"] == "/customers/?abc=A&sort=-net_amount"


def test_quick_filters_keep_the_other_filters(as_, director: User, customer: Customer) -> None:
    tabs = as_(director).get("/customers/?abc=A&kind=outlet&cursor=x").context["tabs"]
    assert [tab.url for tab in tabs] == [
        "/customers/?kind=outlet",
        "/customers/?kind=outlet&abc=A",
        "/customers/?kind=outlet&abc=B",
        "/customers/?kind=outlet&abc=C",
        "/customers/?kind=outlet&abc=none",
        "/customers/?kind=outlet&no_owner=true",
    ]
    assert [tab.current for tab in tabs] == [False, True, False, False, False, False]


def test_empty_lists_say_why_and_what_next(as_, rep: User, finance: User) -> None:
    assert "New customer" in as_(rep).get("/customers/").content.decode()
    nothing = as_(finance).get("/customers/").content.decode()
    assert "No customers yet" in nothing
    assert "/customers/new/" not in nothing
    assert "No customer fits" in as_(rep).get("/customers/?abc=A").content.decode()


@pytest.mark.parametrize("path", ["/customers/", "/customers/export/", "/customers/new/"])
def test_the_anonymous_are_asked_to_sign_in(client: Client, db: None, path: str) -> None:
    assert client.get(path)["Location"].startswith("/login/")


# --- the export


def test_the_export_holds_the_filtered_list(as_, rep: User, many: list[Customer]) -> None:
    make_customer(owner=rep, name="=1+1", abc="A", net_amount=Decimal("2000.50"), tags=["a", "b"])
    answer = as_(rep).get("/customers/export/?abc=A")
    sheet = load_workbook(io.BytesIO(b"".join(answer.streaming_content))).active
    rows = list(sheet.iter_rows(values_only=True))
    assert len(rows) == 22
    row = dict(zip(rows[0], rows[1], strict=True))
    assert row["name"] == "'=1+1"
    assert row["net amount"] == 2000.5
    assert row["tags"] == "a, b"
    assert row["owner"] == "Rep"


def test_the_export_writes_phones_as_people_read_them(as_, rep: User) -> None:
    """A cell that begins with + would be taken for a formula; what was written is read again."""
    make_customer(owner=rep, phone="+8657585123456")
    answer = as_(rep).get("/customers/export/?format=csv")
    assert ",0575 8512 3456," in b"".join(answer.streaming_content).decode()


def test_the_export_is_flat_in_queries_and_scoped(
    as_, rep: User, stranger: User, many: list[Customer], django_assert_max_num_queries
) -> None:
    make_customer(name="Far away", owner=stranger)
    client = as_(rep)
    with django_assert_max_num_queries(5):
        answer = client.get("/customers/export/?format=csv")
        text = b"".join(answer.streaming_content).decode("utf-8-sig")
    assert len(list(csv.reader(io.StringIO(text)))) == 121
    assert "Far away" not in text


# --- the file


@pytest.mark.parametrize("page", ["", "file/", "timeline/", "edit/"])
def test_a_customer_out_of_sight_is_not_there(
    as_, stranger: User, customer: Customer, page: str
) -> None:
    assert as_(stranger).get(f"/customers/{customer.pk}/{page}").status_code == 404


def test_who_may_only_read_may_not_edit(as_, finance: User, customer: Customer) -> None:
    client = as_(finance)
    answer = client.get(f"/customers/{customer.pk}/")
    assert answer.status_code == 200
    assert f"/customers/{customer.pk}/edit/" not in answer.content.decode()
    assert client.get(f"/customers/{customer.pk}/edit/").status_code == 403
    assert client.post(f"/customers/{customer.pk}/edit/", {"name": "x"}).status_code == 403
    assert client.get("/customers/new/").status_code == 403


@pytest.mark.parametrize(("page", "most"), [("", 25), ("file/", 10), ("timeline/", 19)])
def test_the_file_is_flat_in_queries(
    as_, rep: User, customer: Customer, page: str, most: int, django_assert_max_num_queries
) -> None:
    customer.parent = make_customer(name="Above", owner=rep)
    for number in range(20):
        customer.phone = str(number)
        customer.save()
    client = as_(rep)
    Profile.objects.create(customer=customer, capital=5)
    with django_assert_max_num_queries(most):
        answer = client.get(f"/customers/{customer.pk}/{page}")
    assert page == "timeline/" or "Above" in answer.content.decode()


def test_a_supplier_out_of_sight_stays_unnamed(
    as_, rep: User, stranger: User, customer: Customer
) -> None:
    customer.parent = make_customer(name="Secret Supplier", owner=stranger)
    customer.save()
    client = as_(rep)
    for page in ("", "file/", "edit/", "timeline/"):
        body = client.get(f"/customers/{customer.pk}/{page}").content.decode()
        assert "Secret Supplier" not in body


def test_pages_escape_what_people_wrote(as_, rep: User) -> None:
    evil = make_customer(owner=rep, name="<script>alert(1)</script>", tags=["<b>"], address="<i>x")
    client = as_(rep)
    for path in ("/customers/", f"/customers/{evil.pk}/", f"/customers/{evil.pk}/file/"):
        assert "<script>alert" not in client.get(path).content.decode()


def test_suggestions_hold_only_what_is_in_sight(
    as_, rep: User, stranger: User, customer: Customer
) -> None:
    make_customer(name="绍兴别家", owner=stranger)
    body = as_(rep).get("/customers/suggest/", {"parent": "绍兴"}).content.decode()
    assert customer.name in body
    assert "别家" not in body
    assert as_(rep).get("/customers/suggest/", {"parent": "\x00"}).status_code == 200
    assert "330602" in as_(rep).get("/customers/areas/?division=越城").content.decode()
