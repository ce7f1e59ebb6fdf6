"""A manager sees which dealer must reorder what, and why (P23, P24)."""

from __future__ import annotations

import re

import pytest

from tests.browser.conftest import SignIn
from tests.browser.person import DESKTOP, PHONE


@pytest.mark.parametrize(("language", "size"), [("zh-hans", PHONE), ("en", DESKTOP)])
def test_p24_a_manager_opens_what_to_reorder_and_sees_why(
    signed_in: SignIn, language: str, size: tuple[int, int]
) -> None:
    manager = signed_in("manager", language, size)
    manager.go("/orders/stock/")
    manager.accessible()
    manager.act(manager.page.locator("a.stat[href*='view=reorder']"))
    assert "view=reorder" in manager.page.url
    manager.accessible()
    row = manager.page.locator("#results tbody tr").first
    suggested = row.locator(".p-side").inner_text().lstrip("+")
    manager.act(row.locator("a[href*='/orders/stock/']"))
    assert re.search(r"/orders/stock/\d+/$", manager.page.url)
    manager.accessible()
    assert suggested in manager.page.locator("#h-why").inner_text()
    assert suggested in manager.page.locator("#why").inner_text()
    assert "√" in manager.page.locator("#why").inner_text()
    assert manager.page.locator("svg.plot title").first.text_content()

    intervals = manager.page.locator("#h-intervals").locator("xpath=../..")
    manager.act(intervals.locator("a.fig[href*='#moves']").first)
    assert manager.page.locator("#moves li").count()
    manager.act(manager.page.locator(".why a").first)
    assert manager.page.locator("#h-stock").count() == 1
    manager.accessible()
