"""A rep notes who decides at a customer, with a lunar birthday, on the phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import SignIn
from tests.browser.person import DESKTOP, PHONE

KNOWN = "绍兴越州副食品有限公司"


@pytest.mark.parametrize(("language", "size"), [("zh-hans", PHONE), ("en", DESKTOP)])
def test_a_rep_notes_a_person_marks_her_as_left_and_takes_it_back(
    signed_in: SignIn, language: str, size: tuple[int, int]
) -> None:
    rep = signed_in("rep", language, size)
    rep.go(f"/customers/?q={KNOWN}")
    rep.act(rep.page.get_by_role("link", name=KNOWN).first)
    rep.act(rep.page.locator(".views a[href$='/contacts/']"))
    rep.accessible()
    rep.act(rep.page.locator("header a[href$='/contacts/new/']").first)
    rep.accessible()

    name = f"沈美凤 {language}"
    page = rep.page
    page.locator("[name=name]").fill(name)
    page.locator("[name=buying_role]").select_option("influencer")
    page.locator("[name=phone]").fill("1380013800")
    page.locator("[name=birthday_calendar][value=lunar]").check(force=True)
    page.locator("[name=birth_month]").fill("2")
    page.locator("[name=birth_day]").fill("31")
    page.locator("[name=birth_day]").blur()
    expect(page.locator("#birthday .error")).to_be_visible()
    page.locator("[name=birth_day]").fill("30")
    page.locator("[name=birth_day]").blur()
    expect(page.locator("#birthday .error")).to_have_count(0)

    # a digit is missing: said beside the field, and everything else is kept
    rep.act(page.locator("button.btn-primary:visible").first)
    expect(page.locator("#id_phone_error")).to_contain_text("10")
    assert page.locator("[name=birth_day]").input_value() == "30"
    page.locator("[name=phone]").fill("138 0013 8000")
    rep.act(page.locator("button.btn-primary:visible").first)
    row = page.locator("li", has_text=name)
    expect(row.locator("a[href='tel:+8613800138000']")).to_be_visible()
    expect(row).to_contain_text("农历二月三十" if language == "zh-hans" else "30th day of the 2nd")

    # left, and back by the toast
    rep.act(row.locator("a.cover"))
    rep.act(page.locator("form[action$='/left/'] button"))
    expect(row.locator("form[action$='/back/']")).to_be_visible()
    rep.act(page.locator(".toast button"))
    expect(row.locator("form[action$='/back/']")).to_have_count(0)

    # deleted, and back by the toast
    rep.act(row.locator("a.cover"))
    rep.act(page.locator("form[action$='/delete/'] button"))
    expect(page.locator("ul.list li", has_text=name)).to_have_count(0)
    rep.act(page.locator(".toast button"))
    expect(row.first).to_be_visible()
