"""The pages of competitors seen (P52): the form, the list, its export, the customer's file."""

from __future__ import annotations

import csv
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from customers.models import Customer
from tests.factories import local, make_customer, make_sighting, make_visit
from tests.visits.records import FORM, log_data
from visits.models import Sighting, Visit

LIST = "/visits/sightings/"


def lines(*said: dict[str, Any]) -> dict[str, Any]:
    """What the form sends: every line with all of its text fields."""
    data: dict[str, Any] = {}
    for number, line in enumerate(said):
        whole = {"competitor": "", "product": "", "price": "", "note": "", **line}
        data |= {f"seen-{number}-{name}": value for name, value in whole.items()}
    return data


def stored(visit: Visit) -> list[tuple[str, str, str, Decimal | None, str]]:
    rows = visit.sightings.select_related("competitor").order_by("id")
    return [(r.competitor.name, r.product, r.size, r.price, r.note) for r in rows]


@pytest.fixture
def seen_before(customer: Customer, rep: User) -> Visit:
    visit = make_visit(
        customer, rep, status="done", checked_in_at=timezone.now() - timedelta(days=30)
    )
    make_sighting(visit, "金穗花", product="菜籽油 5L", price=Decimal("58.00"))
    return visit


def test_p52_a_visit_is_logged_with_what_was_seen(as_, rep: User, customer) -> None:
    said = lines(
        {"competitor": "金穗花", "product": "菜籽油 5L", "size": "large", "price": "58",
         "note": "买二送一"},
        {"competitor": "海棠", "size": "small"},
        {},
    )  # fmt: skip
    answer = as_(rep).post("/visits/new/", log_data(customer, **said), follow=True)
    visit = Visit.objects.get()
    assert stored(visit) == [
        ("金穗花", "菜籽油 5L", "large", Decimal("58.00"), "买二送一"),
        ("海棠", "", "small", None, ""),
    ]
    shown = answer.content.decode()
    assert "菜籽油 5L" in shown
    assert "买二送一" in shown


def test_what_was_seen_last_is_offered_and_says_nothing_untouched(
    as_, rep: User, customer, seen_before
) -> None:
    client = as_(rep)
    page = client.get(f"/visits/new/?customer={customer.pk}")
    offered = page.context["form"].lines.forms[0]
    assert offered["competitor"].value() == "金穗花"
    assert offered["product"].value() == "菜籽油 5L"
    assert not offered["size"].value()
    untouched = {"offered": "True", "competitor": "金穗花", "product": "菜籽油 5L"}
    client.post("/visits/new/", log_data(customer, **lines(untouched, {})))
    visit = Visit.objects.latest("pk")
    assert stored(visit) == []
    client.post("/visits/new/", log_data(customer, **lines({**untouched, "size": "small"}, {})))
    assert stored(Visit.objects.latest("pk")) == [("金穗花", "菜籽油 5L", "small", None, "")]


def test_what_was_noted_by_others_is_suggested(as_, rep, stranger) -> None:
    make_sighting(make_visit(make_customer(owner=stranger), stranger, status="done"), "海棠")
    page = as_(rep).get(f"/visits/new/?customer={make_customer(owner=rep).pk}")
    assert '<option value="海棠">' in page.content.decode()


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ({"competitor": "海棠"}, "size"),
        ({"size": "small"}, "competitor"),
        ({"competitor": "海棠", "offered": "True", "size": "", "note": "买二送一"}, "size"),
        ({"competitor": "海棠", "size": "small", "price": "cheap"}, "price"),
        ({"competitor": "海棠", "size": "small", "price": "-1"}, "price"),
        ({"competitor": "x" * 61, "size": "small"}, "competitor"),
    ],
)
def test_nothing_that_was_written_is_lost_on_a_refusal(as_, rep, customer, line, field) -> None:
    data = log_data(
        customer, words="贵了点", **lines({"competitor": "金穗花", "size": "large"}, line)
    )
    page = as_(rep).post("/visits/new/", data)
    assert page.status_code == 200
    first, second, *_empty = page.context["form"].lines.forms
    assert (first["competitor"].value(), first["size"].value()) == ("金穗花", "large")
    assert list(second.errors) == [field]
    shown = page.content.decode()
    assert "贵了点" in shown
    assert "nothing was saved yet" in shown
    assert not Visit.objects.exists()


def test_a_refused_record_keeps_the_lines(as_, rep, customer) -> None:
    data = log_data(customer, **lines({"competitor": "金穗花", "size": "large"})) | {"sales": ""}
    page = as_(rep).post("/visits/new/", data)
    assert "sales" in page.context["form"].errors
    assert page.context["form"].lines.forms[0]["competitor"].value() == "金穗花"
    assert not Sighting.objects.exists()


def test_a_draft_shows_its_lines_again_and_one_can_be_taken_out(as_, rep, customer) -> None:
    client = as_(rep)
    both = lines({"competitor": "金穗花", "size": "large"}, {"competitor": "海棠", "size": "small"})
    answer = client.post("/visits/new/", log_data(customer, **both) | {"close": "", "draft": "1"})
    visit = Visit.objects.get()
    page = client.get(f"/visits/{visit.pk}/edit/")
    shown = page.context["form"].lines.forms
    assert [bool(form["stored"].value()) for form in shown] == [True, True, False, False, False]
    version = page.context["visit"].version
    again = lines(
        {"competitor": "金穗花", "stored": "True", "size": "", "price": "58.00"},
        {"competitor": "海棠", "stored": "True", "size": "medium"},
        {},
    )
    answer = client.post(
        f"/visits/{visit.pk}/edit/", {**FORM, **again, "version": version, "close": "1"}
    )
    assert answer.status_code == 302
    assert stored(visit) == [("海棠", "", "medium", None, "")]


def test_somebody_else_s_sighting_is_shown_and_not_overwritten(as_, rep, manager, customer):
    visit = make_visit(customer, rep, status="checked_in", checked_in_at=timezone.now())
    url = f"/visits/{visit.pk}/edit/"
    both = {**FORM, "version": visit.version, "draft": "1"}
    as_(manager).post(url, {**both, **lines({"competitor": "金穗花", "size": "large"})})
    page = as_(rep).post(url, {**both, **lines({"competitor": "海棠", "size": "small"})})
    assert "competitors seen" in page.content.decode()
    assert [row[0] for row in stored(visit)] == ["金穗花"]


# --- the list


@pytest.fixture
def market(rep: User, stranger: User) -> list[Sighting]:
    """Six sightings: four at the rep's two customers, one in a draft, one at a stranger's."""
    one, two = make_customer(owner=rep, name="柯桥永泰"), make_customer(owner=rep, name="上虞百汇")
    june = make_visit(one, rep, status="done", checked_in_at=local(2026, 6, 10, 23, 30))
    july = make_visit(two, rep, status="done", checked_in_at=local(2026, 7, 1, 0, 10))
    draft = make_visit(one, rep, status="checked_in", checked_in_at=local(2026, 7, 2, 9))
    other = make_visit(
        make_customer(owner=stranger), stranger, status="done", checked_in_at=local(2026, 6, 1, 9)
    )
    return [
        make_sighting(june, "金穗花", product="菜籽油 5L", price=Decimal("58.00"), note="买二送一"),
        make_sighting(june, "海棠", product="酱油"),
        make_sighting(july, "金穗花", product="酱油", price=Decimal("9.90")),
        make_sighting(july, "金穗花", product="米醋"),
        make_sighting(draft, "金穗花"),
        make_sighting(other, "金穗花"),
    ]


def ids(client: Client, query: str = "") -> set[int]:
    return {row.pk for row in client.get(f"{LIST}?{query}").context["page"].rows}


def test_the_list_is_narrowed_by_each_filter(as_, rep, manager, north, stranger, market) -> None:
    a, b, c, d, _draft, other = market
    client = as_(rep)
    assert ids(client) == {a.pk, b.pk, c.pk, d.pk}
    assert ids(client, f"competitor={a.competitor_id}") == {a.pk, c.pk, d.pk}
    assert ids(client, "product=酱油") == {b.pk, c.pk}
    assert ids(client, "seen_to=2026-06-10") == {a.pk, b.pk}
    assert ids(client, "seen_from=2026-07-01") == {c.pk, d.pk}
    assert ids(client, "q=买二送一") == {a.pk}
    assert ids(client, "q=百汇") == {c.pk, d.pk}
    assert ids(client, f"customer={a.visit.customer_id}") == {a.pk, b.pk}
    assert ids(client, "seen_from=nonsense") == set()
    assert ids(as_(manager), f"team={north.pk}") == {a.pk, b.pk, c.pk, d.pk}
    assert ids(as_(manager), f"owner={rep.username}") == {a.pk, b.pk, c.pk, d.pk}
    assert ids(as_(stranger)) == {other.pk}


def test_each_competitor_is_counted_and_the_figure_opens_its_rows(as_, rep, market) -> None:
    client = as_(rep)
    counted = client.get(LIST).context["counted"]
    expected: dict[str, list[Sighting]] = {}
    for row in market[:4]:
        expected.setdefault(row.competitor.name, []).append(row)
    assert {one["competitor__name"]: one["number"] for one in counted} == {
        name: len(rows) for name, rows in expected.items()
    }
    first = counted[0]
    assert (first["customers"], first["lowest"], first["highest"]) == (
        2, Decimal("9.90"), Decimal("58.00"),
    )  # fmt: skip
    assert ids(client, first["url"].partition("?")[2]) == {row.pk for row in expected["金穗花"]}


def test_the_list_leaves_as_a_table(as_, rep, market) -> None:
    answer = as_(rep).get(f"{LIST}export/?format=csv&product=菜籽油")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    head, row = csv.reader(StringIO(text))
    values = dict(zip(head, row, strict=True))
    assert values["Customer"] == "柯桥永泰"
    assert (values["Competitor"], values["Product"]) == ("金穗花", "菜籽油 5L")
    assert (values["How much"], values["Price on the shelf"]) == ("Some", "58.00")
    assert values["Seen"].startswith("2026-06-10 23:30")


def test_pages_hold_every_row_once_and_cost_the_same(
    as_, rep, customer, django_assert_max_num_queries
) -> None:
    for number in range(60):
        visit = make_visit(
            customer, rep, status="done", checked_in_at=local(2026, 6, 1 + number // 3, 9)
        )
        make_sighting(visit, f"牌 {number % 11}")
    client = as_(rep)
    with django_assert_max_num_queries(9):
        page = client.get(LIST).context
    rows = [*page["page"].rows, *client.get(page["next_url"]).context["page"].rows]
    assert len({row.pk for row in rows}) == len(rows) == 60
    days = [row.seen_at for row in rows]
    assert days == sorted(days, reverse=True)
    assert len(page["counted"]) == 8


def test_an_empty_list_and_one_that_is_narrowed_to_nothing_say_so(as_, rep, market) -> None:
    assert "No sighting fits these filters" in as_(rep).get(f"{LIST}?q=zzz").content.decode()
    Sighting.objects.all().delete()
    assert "No competitor was seen yet" in as_(rep).get(LIST).content.decode()


def test_p52_the_file_of_a_customer_shows_the_last_of_each_product(
    as_, rep, market, django_assert_max_num_queries
) -> None:
    two = market[2].visit.customer
    later = make_visit(two, rep, status="done", checked_in_at=local(2026, 7, 5, 9))
    make_sighting(later, "金穗花", product="酱油", price=Decimal("8.80"))
    before = make_visit(two, rep, status="done", checked_in_at=local(2025, 7, 5, 9))
    make_sighting(before, "金穗花", product="酱油", price=Decimal("7.70"))  # noted last, seen first
    client = as_(rep)
    url = f"{LIST}of-customer/{two.pk}/"
    assert client.get(url)["Location"] == f"{LIST}?customer={two.pk}"
    with django_assert_max_num_queries(6):
        shown = client.get(url, HTTP_HX_REQUEST="true")
    rows = shown.context["rows"]
    assert [(row.product, row.price, row.number) for row in rows] == [
        ("酱油", Decimal("8.80"), 3), ("米醋", None, 1),
    ]  # fmt: skip
    file = client.get(f"/customers/{two.pk}/").content.decode()
    assert f'hx-get="{url}"' in file
