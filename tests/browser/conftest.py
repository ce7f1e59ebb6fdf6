"""People in a real Chromium, in front of the real product with the demo company in it.

Everything a person would call broken fails the test: an error in the console, a script that
throws, a blocked or failed request, words in the wrong language, a page that scrolls sideways.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TypeAlias

import pytest
from playwright.sync_api import Browser, sync_playwright

from crm.demo.people import LOGINS, PASSWORD
from tests.browser.person import PHONE, Person
from tests.house import House, new_house

SignIn: TypeAlias = Callable[..., Person]
USERNAMES = {role: username for role, username, _name in LOGINS}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of them need the one browser and the one house: one process runs them."""
    for item in items:
        if "/tests/browser/" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM")
    if not path:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("CHROMIUM names no browser")
    # Playwright keeps an event loop in this thread, which Django would take for async code in every
    # later test of the process; nothing here is async.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--no-first-run",
            ],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The demo, running."""
    with new_house(tmp_path_factory.mktemp("demo")) as made:
        made.run("collectstatic", "--noinput", "-v0")
        with made.serving("--demo"):
            yield made


@pytest.fixture
def visitor(chromium: Browser, house: House) -> Iterator[Callable[..., Person]]:
    """`visitor(language="en", size=PHONE)`: somebody who has not signed in."""
    people: list[Person] = []

    def arrive(language: str = "zh-hans", size: tuple[int, int] = PHONE) -> Person:
        person = Person(chromium, house.address, language, size)
        people.append(person)
        return person

    yield arrive
    for person in people:
        person.leave()


@pytest.fixture
def signed_in(visitor: Callable[..., Person]) -> SignIn:
    """`signed_in("rep", language="en", size=PHONE)`: the demo's person of a role, signed in."""

    def sign_in(role: str, language: str = "zh-hans", size: tuple[int, int] = PHONE) -> Person:
        person: Person = visitor(language, size)
        person.sign_in(USERNAMES[role], PASSWORD)
        return person

    return sign_in
