"""A rep between two visits: she logs a call in ten seconds, keeps a promise, and takes it back."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import SignIn
from tests.browser.person import DESKTOP, PHONE

LANGUAGES = ["zh-hans", "en"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_rep_logs_a_call_from_the_middle_button_and_sees_it_on_the_timeline(
    signed_in: SignIn, language: str
) -> None:
    rep = signed_in("rep", language, PHONE)
    rep.go("/visits/today/")
    rep.act(rep.page.locator(".tabbar a.log"))
    sheet = rep.page.locator("dialog#log")
    expect(sheet).to_be_visible()
    rep.accessible()
    name = sheet.locator("#log-who summary .clip").inner_text()
    words = f"菜籽油只剩一周的量 {language}"
    sheet.locator("[name=words]").fill(words)
    rep.act(sheet.locator(".save"))
    expect(sheet).to_have_count(0)
    toast = rep.page.locator(".toast")
    expect(toast).to_contain_text(name)
    assert rep.page.url.endswith("/visits/today/")

    # the customer's page, from the list, shows the words at once
    rep.go(f"/customers/?q={name}")
    rep.act(rep.page.get_by_role("link", name=name).first)
    expect(rep.page.get_by_text(words)).to_be_visible()

    # taken back, and brought back
    rep.act(rep.page.locator("li", has_text=words).locator("a.ev"))
    rep.act(rep.page.locator(".actbar button[form=take-out]"))
    expect(rep.page.get_by_text(words)).to_have_count(0)
    rep.act(rep.page.locator(".toast button"))
    expect(rep.page.get_by_text(words)).to_be_visible()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_rep_finds_another_customer_in_the_sheet(signed_in: SignIn, language: str) -> None:
    rep = signed_in("rep", language, DESKTOP)
    rep.go("/visits/today/")
    rep.page.keyboard.press("n")
    rep.look()
    sheet = rep.page.locator("dialog#log")
    expect(sheet).to_be_visible()
    sheet.locator("summary").first.click()
    before = sheet.locator("#log-who summary .clip").inner_text()
    sheet.locator("[type=search]").fill("茶乡")
    found = sheet.locator("#log-found a", has_text="茶乡").first
    rep.act(found)
    assert sheet.locator("#log-who summary .clip").inner_text() != before
    rep.page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_rep_keeps_a_promise_by_one_tap_and_takes_it_back(
    signed_in: SignIn, language: str
) -> None:
    rep = signed_in("rep", language, PHONE)
    rep.go("/visits/today/")
    item = rep.page.locator("#promises li").first
    number = item.get_attribute("id")
    item = rep.page.locator(f"#{number}")
    assert item.locator("form").count() == 1
    rep.act(item.locator("form > .btn"))
    expect(item.locator("form")).to_have_count(0)
    rep.act(rep.page.locator(".toast button"))
    expect(item.locator("form > .btn")).to_be_visible()
    rep.go("/customers/promises/")
    rep.accessible()
    row = rep.page.locator(f"#{number}")
    expect(row.locator("form > .btn")).to_be_visible()
    # what was promised late stays late: no new day is offered
    rep.act(row.locator("th a"))
    rep.accessible()
