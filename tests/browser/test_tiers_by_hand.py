"""A manager decides on the phone: a tier by hand, a key account, what she knows of a customer."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import SignIn
from tests.browser.person import DESKTOP, PHONE, SMALL_PHONE

KNOWN = "绍兴越州副食品有限公司"


@pytest.mark.parametrize(("language", "size"), [("zh-hans", PHONE), ("en", DESKTOP)])
def test_a_manager_sets_a_tier_by_hand_changes_it_and_ends_it(
    signed_in: SignIn, language: str, size: tuple[int, int]
) -> None:
    manager = signed_in("manager", language, size)
    page = manager.page
    manager.go(f"/customers/?q={KNOWN}")
    manager.act(page.get_by_role("link", name=KNOWN).first)
    manager.act(page.locator("details.pop summary.hit"))
    manager.act(page.locator(".pop-in a[href*='/tiers/of-customer/']"))
    manager.accessible()
    manager.act(page.locator("header a[href$='/override/']"))
    manager.accessible()

    page.locator("[name=tier][value=C]").check(force=True)
    last = (date.today() + timedelta(days=60)).isoformat()
    page.locator("[name=span][value=day]").check(force=True)
    page.locator("[name=until]").fill(last)
    saves = page.locator("button.btn-primary:visible")
    reason = "关了一家门店" if language == "zh-hans" else "Closes a shop"
    page.locator("[name=reason]").fill(reason)
    manager.act(saves)
    note = page.locator(".note-acc")
    expect(note).to_contain_text(reason)
    expect(note).to_contain_text(last)
    expect(page.locator("header.top .tier")).to_have_text("C")

    # changed, then ended early, then taken back by the toast, then ended for good
    manager.act(note.locator("a.btn"))
    page.locator("[name=tier][value=B]").check(force=True)
    manager.act(saves)
    expect(page.locator("header.top .tier")).to_have_text("B")
    manager.act(note.locator("button"))
    expect(page.locator("header.top .tier")).to_have_text("A")
    manager.act(page.locator(".toast button"))
    expect(page.locator("header.top .tier")).to_have_text("B")
    manager.go("/tiers/overrides/")
    expect(page.locator("tr", has_text=KNOWN)).to_have_count(1)
    manager.accessible()
    manager.act(page.locator("tr", has_text=KNOWN).locator("th a"))
    manager.act(page.locator("header form[action$='/end/'] button"))
    expect(page.locator("header.top .tier")).to_have_text("A")


def test_a_manager_confirms_a_key_account_and_undoes_it(signed_in: SignIn) -> None:
    manager = signed_in("manager", "zh-hans", SMALL_PHONE)
    page = manager.page
    manager.go("/tiers/key-accounts/")
    manager.accessible()
    row = page.locator("tbody tr").first
    name = row.locator("th a").inner_text()
    manager.act(row.locator("th a"))
    manager.act(page.locator("a[href$='/confirm/']"))
    page.locator("[name=reason]").fill("全年稳定，愿意长期合作")
    manager.act(page.locator("button.btn-primary:visible"))
    expect(page.locator("header.top .flag-key")).to_be_visible()
    manager.act(page.locator(".toast button"))
    expect(page.locator("header.top .flag-key")).to_have_count(0)
    manager.go("/tiers/key-accounts/?state=confirmed")
    expect(page.locator("tbody tr", has_text=name)).to_have_count(0)
    manager.go("/tiers/key-accounts/potential/")
    manager.accessible()


def test_a_director_works_out_a_customer_share(signed_in: SignIn) -> None:
    director = signed_in("director", "en", DESKTOP)
    page = director.page
    director.go("/tiers/customer-share/")
    director.accessible()
    page.locator("[name=population]").fill("10,000,000")
    expect(page.locator("#outcome")).to_contain_text("¥120.00M")
    page.locator("[name=age_share]").fill("150")
    expect(page.locator("#outcome .note-bad")).to_be_visible()
    page.locator("[name=age_share]").fill("15")
    expect(page.locator("#outcome .note-bad")).to_have_count(0)
    page.locator("[name=name]").fill("Twice the city")
    director.act(page.locator("button.btn-primary:visible"))
    expect(page.locator("h1")).to_have_text("Twice the city")
    director.act(page.locator("form[action$='/delete/'] button"))
    director.act(page.locator(".toast button"))
    expect(page.locator("h1")).to_have_text("Twice the city")
