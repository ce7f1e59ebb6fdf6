"""A rep counts what a dealer has, on a phone (P23, P27)."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import SignIn
from tests.browser.person import PHONE, SMALL_PHONE, Person


def begin(rep: Person) -> str:
    """Open the form of a visit to the first customer, with its questions answered."""
    rep.go("/visits/new/")
    rep.act(rep.page.locator("#found a").first)
    for question in ("sales", "new_need"):
        rep.page.locator(f"[name={question}]").first.locator("xpath=..").click()
    for question in ("new_products", "care"):
        rep.page.locator(f"[name={question}][value=none]").locator("xpath=..").click()
    return rep.page.url


@pytest.mark.parametrize(("language", "size"), [("zh-hans", PHONE), ("en", SMALL_PHONE)])
def test_p23_a_rep_counts_in_a_visit_and_finds_it_again(
    signed_in: SignIn, language: str, size: tuple[int, int]
) -> None:
    rep = signed_in("rep", language, size)
    address = begin(rep)
    page = rep.page
    lines = page.locator("#counts > ul > li")
    first, second = lines.nth(0), lines.nth(1)
    name = first.locator(".strong").inner_text()
    for _press in range(2):
        first.locator("[data-step='1']").click()
    expect(first.locator("input[name$=quantity]")).to_have_value("2")
    second.locator("[data-step='-1']").click()
    expect(second.locator("input[name$=quantity]")).to_have_value("0")
    page.locator("#counts summary").click()
    other = page.locator("#counts details li").last
    other.locator("[name$=product]").fill("YL-VIN-03")
    other.locator("[name$=batch]").fill(f"X-{language}")
    other.locator("[name$=quantity]").fill("5.5")
    rep.look()
    rep.accessible()

    rep.go("/visits/today/")
    rep.go(address)  # what was pressed is kept like what was typed
    expect(lines.nth(0).locator("input[name$=quantity]")).to_have_value("2")
    rep.act(page.locator(".actbar [name=close]"))
    assert re.search(r"/visits/\d+/$", page.url), page.url
    panel = page.locator("[aria-labelledby=h-counted]")
    expect(panel.locator("li")).to_have_count(3)
    expect(panel).to_contain_text("5.5")
    rep.act(panel.locator("header a"))
    expect(page.locator("tbody tr")).to_have_count(3)
    expect(page.locator("tbody")).to_contain_text(name)
    rep.accessible()

    rep.go(address)
    known = page.locator("#counts > ul > li").filter(has_text=name).first
    expect(known).to_contain_text("2")
    expect(known.locator("input[name$=quantity]")).to_have_value("")


def test_p23_a_rep_counts_on_the_file_with_more_lines_than_there_were(signed_in: SignIn) -> None:
    rep = signed_in("rep", "zh-hans", PHONE)
    rep.go("/customers/")
    links = rep.page.eval_on_selector_all("#results a", "all => all.map(a => a.pathname)")
    number = next(found[1] for link in links if (found := re.match(r"/customers/(\d+)/", link)))
    rep.go(f"/orders/of-customer/{number}/stock/report/")
    rep.accessible()
    lines = rep.page.locator("#count-lines > ul > li")
    before = lines.count()
    lines.last.locator("[name$=product]").fill("YL-VIN-03")
    lines.last.locator("[name$=quantity]").fill("12")
    rep.page.locator("[name=more]").click()
    expect(lines).to_have_count(before + 3)
    expect(lines.nth(before - 1).locator("[name$=quantity]")).to_have_value("12")
    rep.act(rep.page.locator(".actbar .btn-primary"))
    assert re.search(r"/orders/stock-reports/\d+/$", rep.page.url), rep.page.url
    expect(rep.page.locator("tbody tr")).to_have_count(1)
    back = rep.page.url
    rep.act(rep.page.locator("form[action$='take-back/'] button"))
    rep.act(rep.page.locator(".toast button").first)
    assert rep.page.url == back
    for path in ("sell-out", "adjustment"):
        rep.go(f"/orders/of-customer/{number}/stock/{path}/")
        rep.accessible()
