"""The frame of every page: health, home per role."""

import pytest
from django.test import Client

from accounts.models import User


@pytest.mark.django_db
def test_a_process_that_answers_is_healthy(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


@pytest.mark.django_db
def test_ready_says_what_it_looked_at(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["checks"] == {"database": "ok", "migrations": "ok", "broker": "ok"}


def test_home_is_the_first_page_of_the_role(as_, rep: User, manager: User) -> None:
    assert as_(rep).get("/")["Location"] == "/visits/today/"
    assert as_(manager).get("/")["Location"] == "/tiers/"


@pytest.mark.django_db
def test_a_stranger_to_the_house_is_asked_to_sign_in(client: Client) -> None:
    assert client.get("/more/")["Location"] == "/login/?next=/more/"


def test_a_part_of_a_page_sends_the_whole_page_to_sign_in(client: Client) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/customers/?abc=A"}
    answer = client.get("/customers/?q=x", headers=headers)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer["HX-Redirect"] == "/login/?next=/customers/%3Fabc%3DA"


def test_a_part_of_a_page_elsewhere_leads_back_to_the_first_page(client: Client) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "https://evil.example/customers/"}
    assert client.get("/customers/", headers=headers)["HX-Redirect"] == "/login/?next=/"


@pytest.mark.parametrize(
    ("address", "page"),
    [
        ("/customers/", "/customers/"),
        ("/customers/{pk}/", "/customers/"),
        ("/customers/{pk}/edit/", "/customers/"),
        ("/orders/of-customer/{pk}/", "/customers/"),
        ("/orders/", "/orders/"),
        ("/orders/products/", "/orders/products/"),
    ],
)
def test_the_navigation_shows_the_part_one_is_in(
    as_, rep: User, customer, address: str, page: str
) -> None:
    frame = as_(rep).get(address.format(pk=customer.pk)).context["frame"]
    assert [i.url for group in frame["rail"] for i in group.items if i.current] == [page]


def test_more_leaves_out_what_the_bottom_bar_has(as_, rep: User) -> None:
    frame = as_(rep).get("/more/").context["frame"]
    tabs = {tab.url for tab in frame["tabs"]}
    assert frame["more"]
    assert not tabs & {item.url for item in frame["more"]}
