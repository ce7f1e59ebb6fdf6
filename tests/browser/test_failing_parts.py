"""Parts of a page that do not come: the page stays, says so, and offers them again."""

from __future__ import annotations

from playwright.sync_api import Route

from tests.browser.conftest import SignIn
from tests.browser.person import DESKTOP

ORDERS = "section[aria-labelledby=h-orders]"


def refused(route: Route) -> None:
    route.fulfill(status=500, body="<h1>BOOM</h1>", content_type="text/html")


def test_a_panel_that_does_not_come_offers_itself_again(signed_in: SignIn) -> None:
    person = signed_in("rep", size=DESKTOP)
    person.go("/customers/")
    person.page.route("**/orders/of-customer/**", refused)
    person.act(person.page.locator("#results tbody a").first)
    again = person.page.locator(f"{ORDERS} .wait a")
    again.wait_for()
    assert person.page.locator(".toast").count() == 1
    assert "BOOM" not in person.page.content()

    person.page.unroute("**/orders/of-customer/**")
    person.act(again)
    person.page.locator(f"{ORDERS} > table tbody tr").first.wait_for()
    person.faults.clear()  # the browser reported what was refused on purpose


def test_what_takes_long_shows_a_bar_until_it_has_come(signed_in: SignIn) -> None:
    person = signed_in("rep", size=DESKTOP)
    person.go("/customers/")
    held: list[Route] = []

    def hold(route: Route) -> None:  # Playwright takes no bound method of a list
        held.append(route)

    person.page.route("**/customers/?*", hold)
    bar = person.page.get_by_role("progressbar", include_hidden=False)
    assert bar.count() == 0
    person.page.locator("#filters [name=q]").fill("绍兴")
    bar.wait_for()
    held[0].continue_()
    bar.wait_for(state="hidden")


def test_without_a_connection_the_list_stays(signed_in: SignIn) -> None:
    person = signed_in("rep", size=DESKTOP)
    person.go("/customers/")
    rows = person.page.locator("#results tbody tr").count()
    person.window.set_offline(True)
    person.page.locator("#filters [name=q]").fill("绍兴")
    person.page.locator(".toast").wait_for()
    assert person.page.locator("#results tbody tr").count() == rows
    person.window.set_offline(False)
    person.faults.clear()  # the browser reported the lost connection


def test_who_was_signed_out_meanwhile_comes_to_the_door_and_back(signed_in: SignIn) -> None:
    person = signed_in("rep", size=DESKTOP)
    person.go("/customers/?abc=A")
    person.window.clear_cookies(name="sessionid")
    person.page.locator("#filters [name=q]").fill("绍兴")
    person.page.wait_for_url("**/login/?next=/customers/%3Fabc%3DA")
    person.look()
