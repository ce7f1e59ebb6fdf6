"""What is typed into the visit form is not lost, whatever the network does."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import SignIn
from tests.browser.person import PHONE, Person

WORDS = "下月想多要两百箱，先不要涨价"


@pytest.fixture
def rep(signed_in: SignIn) -> Person:
    return signed_in("rep", "en", PHONE)


def begin(rep: Person) -> str:
    """Open the form of the first customer and fill it in; returns its address."""
    rep.go("/visits/new/")
    rep.act(rep.page.locator("#found a").first)
    for question in ("sales", "new_need"):
        rep.page.locator(f"[name={question}]").first.locator("xpath=..").click()
    for question in ("new_products", "care"):
        rep.page.locator(f"[name={question}][value=none]").locator("xpath=..").click()
    rep.page.locator("[name=words]").fill(WORDS)
    return rep.page.url


def is_filled_in(rep: Person) -> None:
    expect(rep.page.locator("[name=words]")).to_have_value(WORDS)
    expect(rep.page.locator("[name=sales]").first).to_be_checked()
    expect(rep.page.locator("[name=care][value=none]")).to_be_checked()


def complete(rep: Person) -> None:
    rep.act(rep.page.locator(".actbar [name=close]"))
    assert re.search(r"/visits/\d+/$", rep.page.url), rep.page.url
    expect(rep.page.get_by_text(WORDS)).to_be_visible()


def test_without_a_network_the_form_stays_and_is_sent_later(rep: Person) -> None:
    address = begin(rep)
    rep.window.set_offline(True)
    rep.page.locator(".actbar [name=close]").click()
    expect(rep.page.locator("[data-said=offline]")).to_be_visible()
    is_filled_in(rep)
    rep.window.set_offline(False)
    expect(rep.page.locator("[data-said=offline]")).to_be_hidden()
    complete(rep)
    rep.go(address)  # what is stored is not offered again
    expect(rep.page.locator("[data-said=restored]")).to_be_hidden()
    expect(rep.page.locator("[name=words]")).to_have_value("")


def test_what_got_lost_on_the_way_is_back_with_the_form_and_sent_once(rep: Person) -> None:
    address = begin(rep)
    number = rep.page.locator("[name=client_id]").input_value()

    def lose(route: Route) -> None:
        """The server has it, but its answer never arrives."""
        if route.request.method == "POST":
            route.fetch(max_redirects=0)
            route.abort("connectionreset")
        else:
            route.continue_()

    rep.page.route("**/visits/new/**", lose)
    rep.page.locator(".actbar [name=close]").click()
    rep.page.wait_for_timeout(500)
    rep.page.unroute("**/visits/new/**")
    assert any("ERR_CONNECTION_RESET" in fault for fault in rep.faults)
    rep.faults.clear()
    rep.window.clear_cookies(name="saved_draft")  # it came with the answer that got lost

    rep.go(address)
    expect(rep.page.locator("[data-said=restored]")).to_be_visible()
    is_filled_in(rep)
    rep.accessible()
    assert rep.page.locator("[name=client_id]").input_value() == number
    complete(rep)
    rep.go("/visits/?q=" + rep.page.locator("h1").inner_text())
    assert rep.page.get_by_text("Done").count() >= 1


def test_a_draft_that_nobody_wants_is_thrown_away(rep: Person) -> None:
    address = begin(rep)
    rep.go("/visits/today/")
    rep.go(address)
    expect(rep.page.locator("[data-said=restored]")).to_be_visible()
    rep.page.locator("[data-discard]").click()
    rep.look()
    expect(rep.page.locator("[data-said=restored]")).to_be_hidden()
    expect(rep.page.locator("[name=words]")).to_have_value("")


@pytest.mark.parametrize("answer", ["refused", "never"])
def test_a_check_in_goes_on_without_a_place_and_says_so(rep: Person, answer: str) -> None:
    if answer == "never":
        rep.page.add_init_script("navigator.geolocation.getCurrentPosition = () => {}")
    rep.go("/visits/?status=planned")
    rep.act(rep.page.locator("#results a.phone-cover").first)
    rep.page.locator(".actbar button").click()
    rep.page.wait_for_url(re.compile(r"/visits/\d+/edit/$"), timeout=12_000)
    rep.look()
    expect(rep.page.locator(".toast").first).to_contain_text("without a place")
    rep.go(rep.page.url.removesuffix("edit/"))
    rep.page.get_by_role("button", name="Cancel visit").click()
    rep.look()
