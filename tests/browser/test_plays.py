"""The two plays of the main job: a rep logs a visit, a manager reads the tier report."""

from __future__ import annotations

import re

import pytest

from tests.browser.conftest import SignIn
from tests.browser.person import DESKTOP, PHONE

LANGUAGES = ["zh-hans", "en"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_rep_logs_a_visit_on_the_phone_and_the_manager_sees_it(
    signed_in: SignIn, language: str
) -> None:
    rep = signed_in("rep", language, PHONE)
    rep.act(rep.page.locator(".tabbar a.log"))
    name = rep.page.locator("#log-who summary .clip").inner_text()  # the next stop of her route
    rep.page.locator("#log button[value=visit]").click()
    rep.page.wait_for_url("**/visits/new/?customer=*")
    rep.look()
    assert name in rep.page.locator("h1").inner_text()

    # without an answer nothing is saved, and the page says what is missing
    rep.act(rep.page.locator(".actbar [name=close]"))
    assert rep.page.locator(".error, .note-bad").count()

    words = f"下月想多要两百箱 {language}"
    for question in ("sales", "new_need"):
        rep.page.locator(f"[name={question}]").first.locator("xpath=..").click()
    for question in ("new_products", "care"):
        rep.page.locator(f"[name={question}][value=none]").locator("xpath=..").click()
    rep.page.locator("[name=words]").fill(words)
    rep.act(rep.page.locator(".actbar [name=close]"))
    assert re.search(r"/visits/\d+/$|/visits/today/$", rep.page.url), rep.page.url

    manager = signed_in("manager", language, DESKTOP)
    manager.go("/customers/")
    seek = manager.page.locator(".rail-seek [name=q]")
    seek.fill(name)
    seek.press("Enter")
    manager.look()
    manager.act(manager.page.get_by_role("link", name=name).first)
    assert manager.page.get_by_text(words).count() == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_manager_reads_the_tier_report_and_takes_it_along(
    signed_in: SignIn, language: str
) -> None:
    manager = signed_in("manager", language, DESKTOP)
    manager.go("/tiers/")
    assert manager.page.locator("svg.plot").count() >= 1
    assert manager.page.locator("svg.plot title").first.text_content()
    manager.accessible()

    button = manager.page.locator('button[value=xlsx][formaction="/tiers/export/"]')
    manager.page.locator("details", has=button).locator("summary").click()
    with manager.page.expect_download() as download:
        button.click()
    assert download.value.suggested_filename.endswith(".xlsx")
    assert download.value.path().read_bytes().startswith(b"PK")
