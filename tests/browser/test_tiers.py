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
