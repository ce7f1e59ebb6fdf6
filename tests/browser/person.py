"""Somebody at a browser, who notices whatever is wrong."""

from __future__ import annotations

import re
from functools import cache
from urllib.parse import urljoin, urlsplit

import polib
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Locator, Response

from scripts import messages

PHONE = (390, 844)
SMALL_PHONE = (360, 740)
DESKTOP = (1440, 900)

#: Two English words in a row, lower case: a sentence that nobody translated.
ENGLISH = re.compile(r"\b[a-z]{3,} [a-z]{2,}\b")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
#: Nothing is on its way any more, not even a part that comes by itself.
STILL = "document.readyState === 'complete' && !document.querySelector('.htmx-request')"
VISIBLE_TEXT = """
() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement;
    if (parent.closest('script, style, [lang]:not(html), .words, [translate=no]')) continue;
    if (parent.checkVisibility && !parent.checkVisibility()) continue;
    const text = node.textContent.replace(/\\s+/g, ' ').trim();
    if (text) found.push(text);
  }
  for (const element of document.querySelectorAll('[aria-label], [placeholder], [title]'))
    for (const name of ['aria-label', 'placeholder', 'title'])
      if (element.hasAttribute(name)) found.push(element.getAttribute(name).trim());
  return found;
}
"""
DIGITS = re.compile(r"\d+")


@cache
def translated() -> frozenset[str]:
    """English sentences of the catalogue whose Chinese is different."""
    catalogue = polib.pofile(str(messages.ROOT / messages.CATALOGUE))
    return frozenset(entry.msgid for entry in catalogue if entry.msgstr not in {"", entry.msgid})


class Person:
    """One person, one window. `faults` collects what went wrong until `leave` looks at it."""

    def __init__(
        self, browser: Browser, address: str, language: str, size: tuple[int, int]
    ) -> None:
        self.address = address
        self.language = language
        width, height = size
        self.window = browser.new_context(
            base_url=address,
            viewport={"width": width, "height": height},
            has_touch=width < 768,
            is_mobile=width < 768,
            locale="zh-CN" if language == "zh-hans" else "en-GB",
            timezone_id="Asia/Shanghai",
            reduced_motion="reduce",
        )
        self.window.add_cookies([{"name": "django_language", "value": language, "url": address}])
        self.page = self.window.new_page()
        self.page.set_default_timeout(15_000)
        self.faults: list[str] = []
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self._complain(f"script: {error}"))
        self.page.on("requestfailed", lambda request: self._failed(request.url, request.failure))
        self.page.on("response", self._see)

    def leave(self) -> None:
        """Close the window and fail if anything went wrong."""
        self.window.close()
        assert not self.faults, "\n".join(dict.fromkeys(self.faults))

    def _complain(self, fault: str) -> None:
        self.faults.append(f"{urlsplit(self.page.url).path}: {fault}")

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self._complain(f"console: {message.text}")

    def _failed(self, url: str, reason: str | None) -> None:
        if reason != "net::ERR_ABORTED":  # a page left before its parts had come
            self._complain(f"request: {url} {reason}")

    def _see(self, response: Response) -> None:
        if response.status >= 400:
            self._complain(f"{response.status} {response.request.method} {response.url}")

    # --- what a person does

    def go(self, path: str) -> None:
        """Open `path`, wait until it is still, and look at it."""
        self.page.goto(path)
        self.look()

    def sign_in(self, username: str, password: str) -> None:
        """Through the form; the person's own language is set first to the wanted one."""
        self.page.goto("/login/")
        self.page.locator("[name=login]").fill(username)
        self.page.locator("[name=password]").fill(password)
        self.page.locator("[name=password]").press("Enter")
        self.page.wait_for_url(lambda url: "/login/" not in url)
        self.choose_language()

    def choose_language(self) -> None:
        """Have the product speak this person's language."""
        token = self.page.locator("[name=csrfmiddlewaretoken]").first
        cookies = {one["name"]: one["value"] for one in self.window.cookies()}
        value = token.input_value() if token.count() else cookies["csrftoken"]
        answer = self.window.request.post(
            "/language/",
            form={"language": self.language, "csrfmiddlewaretoken": value, "next": "/"},
            headers={"Referer": self.address},
        )
        assert answer.ok, answer.status
        self.go("/")

    def act(self, what: Locator) -> None:
        """Press something that leads on, and look at where it led."""
        what.click()
        self.page.wait_for_timeout(100)  # a navigation or a request begins
        self.look()

    # --- what a person notices

    def look(self) -> None:
        """The page as it is now must fit the window and speak one language."""
        self.page.wait_for_load_state()
        for _ in range(
            300
        ):  # not wait_for_function: it evaluates in the page, where CSP forbids it
            if self.page.evaluate(STILL):
                break
            self.page.wait_for_timeout(50)
        else:
            self._complain("never comes to rest")
        self.fits()
        self.speaks()

    def fits(self) -> None:
        width, room = self.page.evaluate(
            "[document.scrollingElement.scrollWidth, document.documentElement.clientWidth]"
        )
        if width > room:
            self._complain(f"scrolls sideways: {width} in {room} pixels")

    def speaks(self) -> None:
        if self.language == "zh-hans":
            for text in self.page.evaluate(VISIBLE_TEXT):
                if text in translated() or ENGLISH.search(text):
                    self._complain(f"not in Chinese: {text!r}")
        else:
            for text in self.page.locator(
                "thead th, legend:not(:has([translate=no])), nav.tabbar, .rail nav"
            ).all_inner_texts():
                if CHINESE.search(text):
                    self._complain(f"not in English: {text!r}")

    def links(self) -> list[str]:
        """Where the page leads inside the product, one of each kind, in order."""
        found: dict[str, str] = {}
        for href in self.page.eval_on_selector_all("a[href]", "all => all.map(a => a.href)"):
            parts = urlsplit(urljoin(self.page.url, href))
            if f"{parts.scheme}://{parts.netloc}" == self.address:
                path = parts.path + (f"?{parts.query}" if parts.query else "")
                found.setdefault(DIGITS.sub("N", parts.path), path)
        return list(found.values())

    def accessible(self) -> None:
        """What axe finds against WCAG 2.2 A and AA on the page as it is now."""
        found = Axe().run(
            self.page,
            options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
        )
        for violation in found.response["violations"]:
            for node in violation["nodes"][:3]:
                self._complain(f"axe {violation['id']}: {node['html'][:160]}")
