"""The pages of the eight questions and of the Pareto curve: figures, their lists, files, sight."""

from __future__ import annotations

import csv
import io
import re
from datetime import date
from random import Random
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts.models import User
from accounts.roles import Role
from customers.models import Customer
from tests.factories import local, make_customer, make_order, make_product, make_user
from tests.tiers.test_questions import TODAY, make_history
from tiers.models import ChurnRun, Outlook
from tiers.views import questions
from tiers.views.question_cards import CARDS, LISTS

PAGE, LIST, PARETO = "/tiers/questions/", "/tiers/questions/customers/", "/tiers/questions/pareto/"
ADDRESSES = (
    PAGE,
    f"{PAGE}export/",
    f"{PAGE}part/",
    LIST,
    f"{LIST}export/",
    PARETO,
    f"{PARETO}export/",
)
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def today(db: None):
    with time_machine.travel(local(2026, 6, 16, 12), tick=True):
        yield


@pytest.fixture
def history(rep: User, stranger: User):
    return make_history(Random(3), [rep, stranger], customers=20)


def table(response: Any) -> list[list[str]]:
    content = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(content)))


def card_links(response: Any) -> list[tuple[str, int]]:
    """Every figure of the cards that opens a list: its address and the number it promises."""
    found = []
    for card in response.context["cards"]:
        if card.value.isdecimal() and card.url.startswith(LIST):
            found.append((card.url, int(card.value)))
        found += [(link.url, link.number) for link in card.links]
    return found


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"from": "2026-01-01", "to": "2026-03-31", "silence_days": "30"},
        {"category": "酱油"},
        {"rep": "rep", "category": "醋", "division": "330602"},
    ],
)
def test_p57_every_figure_opens_as_many_customers_as_it_says(
    as_, director: User, history, query: dict[str, str]
) -> None:
    browser = as_(director)
    page = browser.get(PAGE, query)
    links = card_links(page)
    for row in page.context["cohorts"]:
        links += [(cell.url, cell.number) for cell in (row.first, *row.cells)]
    assert len(links) >= 11
    for url, number in links:
        opened = browser.get(url)
        assert opened.context["count"] == number == len(opened.context["rows"]), url
        assert len(table(browser.get(url.replace("?", "export/?") + "&format=csv"))) == number + 1


def test_p48_eight_questions_each_with_its_meaning_and_how_it_moved(
    as_, director: User, history
) -> None:
    response = as_(director).get(PAGE)
    cards = response.context["cards"]
    assert [card.place for card in cards] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert all(card.question and card.value and card.meaning for card in cards)
    page = response.content.decode()
    for card in cards:
        assert f'id="q-{card.key}"' in page
    assert len(response.context["decisions"]) == 7
    assert all(one.url for one in response.context["decisions"])
    worse = sum(one.card.change_tone == "warn" for one in response.context["decisions"])
    assert cards[-1].value == str(worse)


def test_p48_who_is_leaving_is_told_with_the_value_at_risk(as_, director: User, rep: User) -> None:
    customer = make_customer(owner=rep)
    browser = as_(director)
    assert browser.get(PAGE).context["cards"][5].value == "–"
    ChurnRun.objects.create(
        as_of=TODAY, finished_at=local(2026, 6, 16, 3), period_days=90, outcome="fitted",
        method="model", customers=1, repeat_customers=1, leaving=1, written=1,
    )  # fmt: skip
    for one, alive in ((customer, "0.2"), (make_customer(owner=rep), "0.9")):
        Outlook.objects.create(
            customer=one, as_of=TODAY, method="model", alive=alive, pace=1, expected=1,
            per_purchase=1000, value_at_risk="800.00", last_on=date(2026, 1, 5), usual_days=30,
            intervals=5, shorter=5,
        )  # fmt: skip
    card = browser.get(PAGE).context["cards"][5]
    assert (card.value, card.tone) == ("1", "bad")
    assert "¥800" in card.meaning
    assert [row["id"] for row in browser.get(card.url).context["rows"]] == [customer.pk]
    assert browser.get(PAGE, {"rep": "rep", "division": "11"}).context["cards"][5].value == "0"


def test_filters_swap_the_figures_and_stay_in_the_address(as_, director: User, history) -> None:
    response = as_(director).get(PAGE, {"rep": "rep", "from": "2026-01-01"}, headers=HTMX)
    page = response.content.decode()
    assert "<html" not in page
    assert 'id="report"' in page
    assert 'id="views" aria-label="Quick filters" hx-swap-oob="true"' in page
    assert response["HX-Push-Url"] == f"{PAGE}?rep=rep&from=2026-01-01"
    assert "HX-Request" in response["Vary"]
    assert "rep=rep" in response.context["tabs"][0].url


def test_what_cannot_be_meant_is_said_and_counts_nobody(as_, director: User, history) -> None:
    browser = as_(director)
    for query in (
        {"from": "2026-06-30", "to": "2026-06-01"},
        {"from": "x"},
        {"to": "9999-12-31"},
        {"team": "9" * 30},
        {"rep": "nobody"},
        {"division": "Atlantis"},
        {"category": "no such"},
        {"silence_days": "0"},
    ):
        for address in (PAGE, LIST, PARETO):
            response = browser.get(address, query)
            assert response.status_code == 200, (address, query)
            assert response.context["errors"], (address, query)
        assert browser.get(PAGE, query).context["cards"][0].value == "0"
    for query in (
        {"of": "x"},
        {"of": "cohort"},
        {"of": "cohort", "cohort": "2026-13.1"},
        {"of": "cohort", "cohort": "0000-01.1"},
        {"of": "cohort", "cohort": "2199-12.9999"},
    ):
        assert browser.get(LIST, query).status_code in {404, 200}
    assert browser.get(LIST, {"of": "x"}).status_code == 404
    assert browser.get(LIST, {"of": "cohort", "cohort": "0000-01.1"}).status_code == 404
    assert browser.get(f"{PAGE}part/", {"of": "x"}).status_code == 404


def test_a_manager_counts_her_own_and_a_rep_asks_nothing(
    as_, manager: User, rep: User, stranger: User
) -> None:
    for owner in (rep, stranger):
        make_order(make_customer(owner=owner), "100.00")
    browser = as_(manager)
    page = browser.get(PAGE)
    assert page.context["cards"][0].value == "1"
    assert 'value="stranger"' not in page.content.decode()
    assert browser.get(LIST).context["count"] == 1
    assert browser.get(PARETO).context["shown"].customers == 1
    assert len(table(browser.get(f"{PARETO}export/?format=csv"))) == 2
    assert len(table(browser.get(f"{LIST}export/?format=csv"))) == 2
    browser = as_(rep)
    for address in ADDRESSES:
        assert browser.get(address).status_code == 403
        assert Client().get(address).status_code == 302


@pytest.mark.parametrize("role", [Role.MANAGER, Role.DIRECTOR])
def test_the_rail_leads_to_the_questions(as_, role: str) -> None:
    assert f'href="{PAGE}"' in as_(make_user(role=role)).get("/more/").content.decode()


def test_with_very_many_orders_each_card_is_fetched_by_itself(
    as_, director: User, history, monkeypatch
) -> None:
    browser = as_(director)
    whole = browser.get(PAGE, {"rep": "rep"})
    monkeypatch.setattr(questions, "AT_ONCE", 1)
    page = browser.get(PAGE, {"rep": "rep"})
    waiting = page.context["waiting"]
    assert [key for key, _url in waiting] == list(CARDS)
    shown = [browser.get(url, headers=HTMX).context["card"] for _key, url in waiting]
    assert shown == whole.context["cards"]
    cohorts, table = (browser.get(url, headers=HTMX) for url in page.context["tables_waiting"])
    assert cohorts.context["cohorts"] == whole.context["cohorts"]
    assert table.context["decisions"] == whole.context["decisions"]
    assert browser.get(page.context["whole_url"]).context["cards"] == shown
    assert "aria-busy" in page.content.decode()


def test_with_very_many_orders_the_curve_comes_after_its_page(
    as_, director: User, history, monkeypatch
) -> None:
    browser = as_(director)
    whole = browser.get(PARETO, {"rep": "rep", "measure": "margin"})
    monkeypatch.setattr(questions, "AT_ONCE", 1)
    page = browser.get(PARETO, {"rep": "rep", "measure": "margin"})
    assert "aria-busy" in page.content.decode()
    assert "shown" not in page.context
    part = browser.get(page.context["whole_url"], headers=HTMX)
    assert part.context["shown"] == whole.context["shown"]
    assert part.context["rows"] == whole.context["rows"]
    assert "HX-Push-Url" not in part.headers  # the page has its own address already
    assert browser.get(page.context["whole_url"]).context["shown"] == whole.context["shown"]


def test_a_long_period_shows_the_newest_cohorts_and_their_first_months(
    as_, director: User, rep: User
) -> None:
    for year in range(2001, 2024):
        make_order(make_customer(owner=rep), "10.00", ordered_at=local(year, 1, 5))
    page = as_(director).get(PAGE, {"from": "2000-01-01", "to": "2026-06-16"})
    rows = page.context["cohorts"]
    assert [row.month.year for row in rows] == list(range(2006, 2024))
    assert page.context["cohorts_left"] == 5
    assert {len(row.cells) for row in rows} == {24}


def test_the_lists_turn_and_sort(as_, director: User, rep: User, monkeypatch) -> None:
    monkeypatch.setattr("tiers.views.question_customers.PAGE_SIZE", 2)
    for number in range(5):
        make_order(make_customer(owner=rep, name=f"Shop {number}"), "10.00")
    browser = as_(director)
    seen, url = [], f"{LIST}?of=buyers&sort=name"
    while url:
        page = browser.get(url)
        seen += [row["name"] for row in page.context["rows"]]
        url = page.context["next_url"]
    assert seen == [f"Shop {number}" for number in range(5)]
    assert page.context["count"] == 5
    row = page.context["rows"][0]
    assert (row["orders"], row["ever"]) == (1, 1)


def test_the_figures_leave_as_a_file(as_, director: User, history) -> None:
    browser = as_(director)
    rows = table(browser.get(f"{PAGE}export/?format=csv"))
    cards = browser.get(PAGE).context["cards"]
    told = {(row[0], row[1]): row[2] for row in rows[1:]}
    for card in cards:
        assert told[card.question, ""] == card.value
        for link in card.links:
            assert told[card.question, str(link.label)] == str(link.number)
    assert browser.get(f"{PAGE}export/?format=xlsx").status_code == 200


def test_p14_the_top_fifth_in_words_and_the_list_behind(as_, director: User, rep: User) -> None:
    product = make_product(category="酱油")
    for number, price in enumerate(["500.00", "200.00", "100.00", "100.00", "100.00", "0.00"]):
        make_order(
            make_customer(owner=rep, name=f"Shop {number}", external_id=f"S-{number}"),
            lines=[(product, "1", price)],
        )
    browser = as_(director)
    page = browser.get(PARETO)
    words = re.sub(r"\s+", " ", page.content.decode().replace("\xa0", " "))
    assert "The top 20 %, 1 of 5 customers, bring <b>50.0 %</b> of the net amount" in words
    parts = {tab.label: (tab.url, number) for tab, number in page.context["parts"]}
    assert [number for _url, number in parts.values()] == [5, 1, 4]
    for url, number in parts.values():
        shown = browser.get(url)
        assert len(shown.context["rows"]) == number == shown.context["total"]
        file = table(browser.get(url.replace(PARETO, f"{PARETO}export/") + "&format=csv"
                                 if "?" in url else f"{PARETO}export/?format=csv"))  # fmt: skip
        assert len(file) == number + 1
    top = browser.get(PARETO, {"part": "top"}).context["rows"]
    assert [(row.place, customer.name) for row, customer in top] == [(1, "Shop 0")]
    part = browser.get(PARETO, {"part": "rest"}, headers={**HTMX, "HX-Target": "results"})
    assert "Pareto" not in part.content.decode()


def test_p14_the_ranking_turns_its_pages(as_, director: User, rep: User, monkeypatch) -> None:
    monkeypatch.setattr("tiers.views.pareto.PAGE_SIZE", 2)
    for number in range(5):
        make_order(make_customer(owner=rep), f"{number + 1}.00")
    browser = as_(director)
    url, seen = PARETO, []
    while url:
        page = browser.get(url)
        seen += [row.place for row, _customer in page.context["rows"]]
        url = page.context["next_url"]
    assert seen == [1, 2, 3, 4, 5]
    assert browser.get(page.context["previous_url"]).context["start"] == 3
    for bad in ("x", "-1", "99", "9" * 40):
        assert browser.get(PARETO, {"after": bad}).context["start"] == 1


def test_an_empty_company_is_told_so(as_, director: User) -> None:
    browser = as_(director)
    assert "Nobody bought for the first time" in browser.get(PAGE).content.decode()
    assert "No customers behind this figure" in browser.get(LIST).content.decode()
    assert "Nobody here brought anything" in browser.get(PARETO).content.decode()


@pytest.mark.parametrize(
    ("address", "most"),
    [(PAGE, 16), (PARETO, 16), *((f"{LIST}?of={of}", 12) for of in LISTS)],
)
@pytest.mark.usefixtures("history")
def test_pages_cost_as_many_statements_whatever_there_is(
    address: str, most: int, as_, director: User, django_assert_max_num_queries
) -> None:
    browser = as_(director)
    browser.get(address)
    with django_assert_max_num_queries(most) as few:
        browser.get(address)
    before = len(few)
    for customer in Customer.objects.all()[:5]:
        make_order(customer, "10.00", ordered_at=local(2026, 6, 10))
        make_order(make_customer(owner=customer.owner), "10.00")
    with django_assert_max_num_queries(before):
        browser.get(address)
