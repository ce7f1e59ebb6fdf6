"""A manager trusts a tier enough to move people by it: why, what if, and from when (P12, P13)."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import SignIn
from tests.browser.person import DESKTOP, PHONE


@pytest.mark.parametrize(
    ("language", "size", "share"), [("zh-hans", PHONE, "70"), ("en", DESKTOP, "68")]
)
def test_a_manager_understands_a_move_and_adopts_a_stricter_policy(
    signed_in: SignIn, language: str, size: tuple[int, int], share: str
) -> None:
    manager = signed_in("manager", language, size)
    page = manager.page

    # a moved dealer, and why in one sentence
    manager.go("/tiers/")
    moved = page.locator("#results tbody tr").first
    name = moved.locator("th a").inner_text()
    assert re.search(r"\d+(\.\d+)?\s%", moved.inner_text())
    manager.act(moved.locator("th a"))
    assert name in page.locator("h1").first.inner_text()

    # a stricter policy, tried at once
    manager.go("/tiers/")
    page.locator("[name=a_share]").fill(share)
    manager.act(page.locator("button[name=try]"))
    trial = page.url
    assert "/tiers/runs/" in trial
    expect(page.locator("#trial")).to_be_visible(timeout=60_000)
    manager.look()
    manager.accessible()

    # who moves, and what it costs in visits
    expect(page.locator("#results tbody tr").first).to_contain_text("%")
    rows = page.locator("#h-visits").locator("xpath=../..").locator("tbody tr")
    assert rows.count() >= 2
    expect(rows.last).to_be_visible()
    page.locator("details.pop summary").first.click()
    with page.expect_download() as download:
        page.locator("button[name=format][value=csv]").first.click()
    assert download.value.path().stat().st_size > 50

    # adopted from the first of next month
    page.goto(trial)
    manager.act(page.locator("#trial a[href$='/adopt/']").first)
    manager.accessible()
    day = page.locator("[name=effective_from]").input_value()
    assert day.endswith("-01")
    manager.act(page.locator("form.panel button.btn-primary"))
    assert "/tiers/policies/" in page.url
    version = page.locator("h1").inner_text()

    # both versions stand in the history
    manager.go("/tiers/policies/")
    manager.accessible()
    listed = page.locator("table tbody tr th").all_inner_texts()
    assert any(version in line for line in listed)
    assert len(listed) >= 2

    # taken back, so that the house is as it was
    manager.act(page.get_by_role("link", name=version))
    page.locator("details.pop summary").first.click()
    manager.act(page.locator("form[action$='/take-back/'] button"))
    manager.go(trial)
    page.locator("footer details.pop summary").click()
    manager.act(page.locator("form[action$='/drop/'] button"))
    expect(page.get_by_role("link", name=version)).to_have_count(0)


@pytest.mark.parametrize(("language", "size"), [("zh-hans", PHONE), ("en", DESKTOP)])
def test_a_manager_reads_the_report_with_its_margin_and_what_is_of_now(
    signed_in: SignIn, language: str, size: tuple[int, int]
) -> None:
    manager = signed_in("manager", language, size)
    page = manager.page
    results = page.locator("#results")

    # somebody's tier is set by hand first, with a reason as long as they come
    manager.go("/customers/?abc=A")
    manager.act(page.locator("#results tbody th a").first)
    name = page.locator("h1").first.inner_text()
    of_customer = page.locator("a[href*='/tiers/of-customer/']").first.get_attribute("href") or ""
    manager.go(f"{of_customer}override/")
    page.locator("[name=tier][value=B]").check(force=True)
    page.locator("[name=span][value=month]").check(force=True)
    page.locator("[name=reason]").fill("重要伙伴" * 50)
    manager.act(page.locator("button.btn-primary:visible"))

    # the curve of the margin has come by itself
    manager.go("/tiers/")
    expect(page.locator("#curve path.ln-cmp")).to_have_count(1)
    expect(page.locator("#curve .st-dash")).to_be_visible()
    expect(page.locator("#top-fifth")).to_contain_text(
        "毛利" if language == "zh-hans" else "margin"
    )

    # the two lists of now
    tabs = results.locator("nav.views a")
    expect(tabs).to_have_count(6)
    manager.act(tabs.nth(5))
    assert "show=by_hand" in page.url
    row = results.locator("tbody tr", has_text=name)
    expect(row).to_have_count(1)
    expect(row).to_contain_text("重要伙伴")
    manager.accessible()
    manager.act(tabs.nth(4))
    assert "show=held" in page.url
    expect(tabs.nth(4)).to_have_attribute("aria-current", "page")
    manager.accessible()
    page.locator("header details.pop summary").first.click()
    with page.expect_download() as download:
        page.locator("button[formaction$='/by-hand/'][value=csv]").click()
    assert name in download.value.path().read_text("utf-8-sig")

    # the customer has its own tier again
    manager.go(of_customer)
    manager.act(page.locator("form[action$='/end/'] button").first)


@pytest.mark.parametrize(("language", "size"), [("zh-hans", PHONE), ("en", DESKTOP)])
def test_a_manager_looks_behind_the_pareto_curve(
    signed_in: SignIn, language: str, size: tuple[int, int]
) -> None:
    manager = signed_in("manager", language, size)
    page = manager.page
    manager.go("/tiers/questions/")
    manager.act(page.locator("#pareto-link"))
    assert "/tiers/questions/pareto/" in page.url
    manager.accessible()
    first = page.locator("#results tbody tr").first.inner_text()

    # by margin
    manager.act(page.locator("#report a.fchip").nth(1))
    assert "measure=margin" in page.url
    expect(page.locator("#report a.fchip[aria-current=true]")).to_have_count(1)
    expect(page.locator("#report .st-acc").first).to_have_text(
        "毛利" if language == "zh-hans" else "Margin"
    )
    assert page.locator("#results tbody tr").first.inner_text() != first
    manager.accessible()

    # the top 20 % alone, and a customer among them
    parts = page.locator("#results nav.views a")
    everybody = int(parts.nth(0).locator("small").inner_text())
    manager.act(parts.nth(1))
    assert "part=top" in page.url
    assert "measure=margin" in page.url
    shown = int(parts.nth(1).locator("small").inner_text())
    assert shown == -(-everybody // 5)
    expect(page.locator("#results tbody tr")).to_have_count(min(shown, 50))
    manager.accessible()
    customer = page.locator("#results tbody th a").first
    name = customer.inner_text()
    manager.act(customer)
    assert name in page.locator("h1").first.inner_text()
