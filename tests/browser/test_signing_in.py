"""Getting in and out."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from crm.demo.people import LOGINS, PASSWORD
from tests.browser.person import DESKTOP, PHONE, SMALL_PHONE, Person


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("size", [SMALL_PHONE, PHONE, DESKTOP])
def test_the_door_is_whole_in_both_languages_and_every_size(
    visitor: Callable[..., Person], language: str, size: tuple[int, int]
) -> None:
    person = visitor(language, size)
    person.go("/")
    assert "/login/" in person.page.url
    person.accessible()


def test_a_wrong_password_is_said_beside_the_form_and_the_name_stays(
    visitor: Callable[..., Person],
) -> None:
    person = visitor("en")
    person.go("/login/")
    person.page.locator("[name=login]").fill("chenli")
    person.page.locator("[name=password]").fill("not this one")
    person.page.locator("[name=password]").press("Enter")
    alert = person.page.get_by_role("alert")
    alert.wait_for()
    assert alert.inner_text()
    assert person.page.locator("[name=login]").input_value() == "chenli"
    person.look()


@pytest.mark.parametrize(("role", "username"), [(role, name) for role, name, _ in LOGINS])
def test_each_role_comes_to_a_page_of_its_own(
    visitor: Callable[..., Person], role: str, username: str
) -> None:
    person = visitor("zh-hans")
    person.sign_in(username, PASSWORD)
    person.look()
    assert person.page.locator("h1").count() == 1
