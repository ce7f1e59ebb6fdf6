"""A rep passes on what she heard, and says later what came of it (P26)."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import SignIn
from tests.browser.person import DESKTOP, PHONE

TITLE = "连锁超市下周做满减"
#: Where the people of the demo's rep are: enough customers for three to fit.
AREA = "3306"


@pytest.mark.parametrize(("language", "size"), [("zh-hans", PHONE), ("en", DESKTOP)])
def test_p26_what_a_rep_heard_reaches_three_customers_and_one_takes_it_up(
    signed_in: SignIn, language: str, size: tuple[int, int]
) -> None:
    person = signed_in("rep", language, size)
    page, on_phone = person.page, size == PHONE
    bar = page.locator(".actbar" if on_phone else ".main")
    person.go("/visits/information/new/")
    page.locator("[name=title]").fill(TITLE)
    page.locator("[name=text]").fill("三家连锁超市下周起做满 60 减 15，持续十天。")
    page.locator("[name=source][value=heard]").locator("xpath=..").click()
    page.locator("[name=where]").fill("采购经理老周")
    page.locator("[name=kinds][value=outlet]").locator("xpath=..").click()
    page.locator("[name=areas]").fill(AREA)
    person.act(bar.locator(".btn-primary:visible"))
    assert re.search(r"/information/\d+/$", page.url), page.url
    expect(page.get_by_role("heading", name=TITLE)).to_be_visible()
    person.accessible()

    person.act(page.locator("a.btn-primary:visible"))
    names = page.locator("#results tbody tr")
    assert names.count() >= 3
    picks = page.locator("#results tbody [name=ids]")
    for number in range(3):
        picks.nth(number).check()
    person.accessible()
    person.act(page.locator("#send .btn-primary:visible"))
    rows = page.locator("section:has(#h-received) li")
    expect(rows).to_have_count(3)
    expect(page.locator(".toast form button")).to_be_visible()

    person.act(rows.first.locator("[name=outcome][value=taken_up]"))
    expect(rows.locator(".st-good")).to_have_count(1)
    person.act(rows.first.locator("a").first)
    page.locator("[name=words]").fill("提前把酱油调到入口")
    person.act(page.locator("form:has([name=words]) .btn-primary:visible"))
    expect(page.locator("dl")).to_contain_text("提前把酱油调到入口")
    person.accessible()

    person.go("/visits/information/report/")
    person.accessible()
    person.go("/visits/information/")
    expect(page.locator("#results tbody tr", has_text=TITLE).first).to_be_visible()


@pytest.mark.parametrize(("language", "size"), [("zh-hans", PHONE), ("en", DESKTOP)])
def test_p26_a_suggestion_is_made_on_the_file_and_taken_up(
    signed_in: SignIn, language: str, size: tuple[int, int]
) -> None:
    person = signed_in("rep", language, size)
    page = person.page
    person.go("/customers/")
    person.act(page.locator("#results tbody a").first)
    person.act(page.locator("section:has(#h-information) header a"))
    page.locator("[name=text]").fill("把酱油摆到收银台旁的端架")
    page.locator("[name=expected]").fill("一个月多卖两成")
    person.accessible()
    person.act(page.locator("form .btn-primary:visible"))
    made = page.locator("section:has(#h-information) li", has_text="把酱油摆到收银台旁的端架")
    expect(made.first).to_be_visible()
    person.act(made.first.locator("a"))
    page.locator("[name=words]").fill("端架换上了")
    person.act(page.locator("form:has([name=words]) .btn-primary:visible"))
    expect(page.locator("header .st-good")).to_be_visible()
    person.accessible()
    person.go("/visits/information/suggestions/?state=all")
    person.accessible()
