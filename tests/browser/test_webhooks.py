"""An administrator makes a webhook, and a real worker sends to a real receiver."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from tests.accounts.receiver import receiving
from tests.browser.conftest import SignIn
from tests.browser.person import DESKTOP, PHONE
from tests.house import wait_for


@pytest.mark.parametrize(("language", "size"), [("zh-hans", PHONE), ("en", DESKTOP)])
def test_an_administrator_connects_a_receiver_and_sees_what_it_gets(
    signed_in: SignIn, language: str, size: tuple[int, int]
) -> None:
    with receiving(answer=200, text=b"thanks") as receiver:
        person = signed_in("administrator", language, size)
        page = person.page
        person.go("/webhooks/new/")
        person.accessible()
        page.locator("[name=name]").fill("ERP 😀 " + "LONG-" * 18)
        page.locator("[name=url]").fill(receiver.url)
        page.locator("[value='customer.updated']").check()
        person.act(page.locator("form footer .btn-primary"))
        person.accessible()
        secret = page.locator("#secret").input_value()
        person.act(page.locator("footer a.btn-primary"))
        person.accessible()

        page.locator("form[action$='/ping/'] button").click()
        page.locator(".note-good").wait_for(timeout=60_000)
        person.look()
        person.accessible()
        (got,) = receiver.arrived
        stamp, mark = got.headers["Kehu-Signature"].removeprefix("t=").split(",v1=")
        text = stamp.encode() + b"." + got.body
        assert mark == hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()

        person.go("/customers/")
        file = page.locator("#results tbody a").first.get_attribute("href")
        person.go(f"{file}edit/")
        page.locator("[name=email]").fill(f"{language}@example.com")
        page.locator("[name=email]").press("Enter")
        wait_for(lambda: receiver.events() == ["ping", "customer.updated"])
        assert receiver.arrived[1].said["data"]["changed"] == ["email"]
        assert "example.com" not in receiver.arrived[1].body.decode()

        person.go("/webhooks/")
        person.accessible()
        person.act(page.locator("#results tbody a").first)
        assert page.locator("#results tbody tr").count() == 2
        page.locator("header details.pop summary").last.click()
        person.act(page.locator("form[action$='/pause/'] button"))
        person.act(page.locator(".toast form button"))
        assert page.locator("form[action$='/ping/']").count() == 1, "the pause is taken back"
        page.locator(".pop.ask summary").first.click()
        person.look()
        page.locator("header details.pop summary").last.click()
        person.act(page.locator("form[action$='/remove/'] button"))
